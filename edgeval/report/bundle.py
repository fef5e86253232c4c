"""A bundle: a zip from which somebody else sees the same difference again with one command."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgeval import __version__
from edgeval.records.artifact import Preprocess
from edgeval.records.findings import Comparison
from edgeval.records.predictions import Source
from edgeval.report import wording

EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Part:
    """One row: its files by name within the bundle, how many of its flips they hold, and the command."""

    folder: str
    row: Comparison
    flips: int
    command: str


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip with these files in the order of their names, the same bytes every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def environment(rows: Sequence[Comparison], here: Mapping[str, Any], hashes: Mapping[str, str]) -> str:
    """JSON: this machine and its versions, what each side recorded of its own, and the SHA-256 of every file."""
    sides = [
        {"reference": _facts(r.reference), "candidate": _facts(r.candidate), "target": _facts(r.target)} for r in rows
    ]
    body = {"edgeval": __version__, "bundled_on": dict(here), "rows": sides, "sha256": dict(hashes)}
    return json.dumps(body, indent=1, sort_keys=True, allow_nan=False) + "\n"


def readme(parts: Sequence[Part], notes: Sequence[str]) -> str:
    """What is in the bundle, and the one command."""
    lines = ["# A difference between two models, to run again", ""]
    lines += ["Unpack this, go into its folder, and run:", ""]
    lines += ["```console", "$ pip install 'edgeval-toolkit[run,report]'"]
    lines += [f"$ {part.command}" for part in parts]
    lines += ["```", ""]
    for part in parts:
        total = part.row.flips.lost + part.row.flips.gained
        lines.append(
            f"{_plain(wording.title(part.row))} against {_plain(part.row.reference.name)}: "
            f"{wording.count(part.flips)} of the {wording.count(total)} flipped samples are in here. Only flipped "
            "samples are: every one of them changes, so the shares of this run are not those of the whole."
        )
        lines += ["", f"On all {wording.count(part.row.n)} samples: {wording.sentence(part.row)}", ""]
    lines += [f"- {_plain(note)}" for note in notes] + [""] * bool(notes)
    lines += [
        "| file | what it is |",
        "| :-- | :-- |",
        "| `reference.npz`, `candidate.npz` | both sides' answers to the flipped samples |",
        "| `inputs.npz` | their original pixels `x`, labels `y`, `ids` and `class_names` |",
        "| `models/` | the model files, where they were found and asked for |",
        "| `comparison.json` | the whole comparison |",
        "| `environment.json` | versions, platform, runtime facts of both sides, and the SHA-256 of each file |",
    ]
    return "\n".join(lines).replace(wording.MINUS, "-") + "\n"


def model_card(step: Preprocess | None, outputs: str) -> str:
    """The TOML beside a model file: how its input is made, and what it answers."""
    lines = [f'outputs = "{outputs}"']
    if step is not None:
        lines += [f"scale = {step.scale!r}", f"mean = {list(step.mean)}", f"std = {list(step.std)}"]
    return "\n".join(lines) + "\n"


def _facts(source: Source) -> dict[str, Any]:
    return source.model_dump(mode="json", exclude_none=True)


def _plain(text: str) -> str:
    """A name in Markdown, where nothing it holds can act."""
    return "`" + wording.clean(text, 160).replace("`", "'") + "`"
