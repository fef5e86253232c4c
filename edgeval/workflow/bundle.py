"""Gather what a bundle holds: flipped inputs, both sides' answers, model files by hash, versions of this machine."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeval.errors import InputError
from edgeval.records.findings import Comparison
from edgeval.records.predictions import Predictions, Source, encode
from edgeval.report.bundle import Part, environment, model_card, pack, readme
from edgeval.store import Store, file_sha256
from edgeval.workflow.kept import Flipped, file_stem, known_answers, read_comparison, unpack_flipped
from edgeval.workflow.report import as_json

MODELS = (".tflite", ".onnx")
SIDES = ("reference", "candidate")
PACKAGES = ("numpy", "scipy", "ai-edge-litert", "onnxruntime", "torch", "tensorflow", "pydantic", "pillow")


@dataclass(frozen=True)
class BundleOptions:
    """most_bytes: of pixels, uncompressed; with_models: also the model files, where they are found."""

    most_bytes: int = 64_000_000
    with_models: bool = False


def write_bundle(comparison: Path, output: Path, options: BundleOptions) -> list[str]:
    """Write the zip; what a reader must know of it. Raises DataError, InputError."""
    if output.suffix != ".zip":
        raise InputError("a bundle must end in .zip", seen=output.name, hint="give --bundle OUT.zip")
    rows, _ = read_comparison(comparison)
    flipped = unpack_flipped(comparison.with_name(f"{comparison.stem}.flipped.npz"), rows)
    files: dict[str, bytes] = {"comparison.json": as_json(rows).encode()}
    notes: list[str] = []
    models = _models(rows, comparison.parent.parent) if options.with_models else {}
    parts = [_part(row, k, (flipped, options, models), files, notes) for k, row in enumerate(_numbered(rows))]
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    files["environment.json"] = environment(rows, _here(), hashes).encode()
    notes = list(dict.fromkeys(notes))
    files["README.md"] = readme(parts, notes).encode("utf-8", "replace")
    Store(output.parent).write(output, pack(files))
    return notes


def _numbered(rows: Sequence[Comparison]) -> list[tuple[str, Comparison]]:
    """Each row with its folder in the bundle: none for one row alone."""
    if len(rows) == 1:
        return [("", rows[0])]
    return [(f"{k:02d}-{file_stem(row.candidate.name)}/", row) for k, row in enumerate(rows, start=1)]


def _part(
    numbered: tuple[str, Comparison],
    k: int,
    around: tuple[Flipped, BundleOptions, dict[str, Path]],
    files: dict[str, bytes],
    notes: list[str],
) -> Part:
    """The files of one row."""
    (folder, row), (flipped, options, models) = numbered, around
    pair = flipped.tables[k]
    if pair is None:
        pair = known_answers(row)
        notes.append("the whole tables of answers were not kept: these are the top answers of the flips that are shown")
    reference, candidate = (_named(table, row) for table in pair)
    files[f"{folder}reference.npz"], files[f"{folder}candidate.npz"] = encode(reference), encode(candidate)
    command = f"edgeval compare {folder}reference.npz {folder}candidate.npz"
    total = row.flips.lost + row.flips.gained
    if len(reference) < total:
        notes.append(f"{len(reference):,} of {total:,} flips have their answers in here")
    held = _inputs(folder, flipped, set(reference.ids or ()), options.most_bytes, files)
    if held < len(reference):
        words = "no pixels were kept" if flipped.images is None else f"{held:,} of {len(reference):,} flips have pixels"
        notes.append(words + ("" if flipped.images is None else ": a cap was reached"))
    sides = [_model(folder, source, table, models, files) for source, table in _sides(row, reference, candidate)]
    if options.with_models and not all(sides):
        lacking = [name for name, side in zip(SIDES, sides, strict=True) if not side]
        notes.append(f"the model file of the {' and the '.join(lacking)} was not found by its SHA-256")
    if any(sides) and held == len(reference):
        one, other = (side or f"{folder}{name}.npz" for name, side in zip(SIDES, sides, strict=True))
        command = f"edgeval compare --reference {one} --candidate {other} --data {folder}inputs.npz"
    return Part(folder, row, len(reference), command)


def _named(table: Predictions, row: Comparison) -> Predictions:
    """A table with the class names of the comparison."""
    names = row.class_names if len(row.class_names) == len(table.class_names) else table.class_names
    return replace(table, class_names=names)


def _inputs(folder: str, flipped: Flipped, wanted: set[str], most_bytes: int, files: dict[str, bytes]) -> int:
    """inputs.npz in the form that --data reads; how many images it holds."""
    if flipped.images is None or not len(flipped.images):
        return 0
    room = most_bytes // max(1, flipped.images[:1].nbytes)
    index = [i for i, name in enumerate(flipped.ids) if name in wanted][:room]
    if not index:
        return 0
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        x=flipped.images[index],
        y=flipped.labels[index],
        ids=np.array([flipped.ids[i] for i in index]),
        class_names=np.array(flipped.class_names),
    )
    files[f"{folder}inputs.npz"] = buffer.getvalue()
    return len(index)


def _sides(row: Comparison, reference: Predictions, candidate: Predictions) -> list[tuple[Source, Predictions]]:
    return [(row.reference, reference), (row.candidate, candidate)]


def _model(folder: str, source: Source, table: Predictions, models: dict[str, Path], files: dict[str, bytes]) -> str:
    """Put a model file with its card into the bundle; its name there, empty where it was not found."""
    path = models.get(source.sha256 or "")
    if path is None:
        return ""
    name = f"{folder}models/{(source.sha256 or '')[:12]}"
    files[f"{name}{path.suffix}"] = path.read_bytes()
    files[f"{name}.toml"] = model_card(source.preprocess, "auto" if table.kind == "classes" else table.kind).encode()
    return f"{name}{path.suffix}"


def _models(rows: Sequence[Comparison], root: Path) -> dict[str, Path]:
    """Model files of this results folder and of the command line, by SHA-256."""
    wanted = {source.sha256 for row in rows for source in (row.reference, row.candidate) if source.sha256}
    found: dict[str, Path] = {}
    for path in _candidates(rows, root):
        if len(found) == len(wanted):
            break
        digest = file_sha256(path)
        if digest in wanted:
            found.setdefault(digest, path)
    return found


def _candidates(rows: Sequence[Comparison], root: Path) -> Iterator[Path]:
    """Files that may be the models: those that the command names first."""
    for row in rows:
        try:
            words = shlex.split(row.command)
        except ValueError:
            words = []
        yield from (Path(word) for word in words if word.lower().endswith(MODELS) and Path(word).is_file())
    artifacts = root / "artifacts"
    if artifacts.is_dir():
        yield from sorted(path for path in artifacts.rglob("*") if path.suffix in MODELS and path.is_file())


def _here() -> dict[str, object]:
    """Versions and platform of this machine."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        **versions,
    }
