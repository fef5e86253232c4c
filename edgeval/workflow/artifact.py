"""A model file as it is to be run: where it lies, how it is read, what is known of it, and those of a ladder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from edgeval.errors import IntegrityError, MissingError
from edgeval.records.artifact import Format, Preprocess, Profile, file_name
from edgeval.records.compiled import CompiledCard
from edgeval.records.kerasfile import model_sha256
from edgeval.records.ladder import Ladder, Rung
from edgeval.run.job import Reading
from edgeval.run.onnxfile import external_files, read_onnx
from edgeval.store import Store, key
from edgeval.tasks.samples import Samples

READ = Reading()


@dataclass(frozen=True)
class Model:
    """A model file with all that is needed to run it and to name its answers.

    calibration: content hashes of the images that calibrated it; class_names: those that it was made for; None where
    that is not known. compiled: of a file that was compiled for an accelerator, from `source`.
    """

    path: Path
    name: str
    format: str
    preprocess: Preprocess
    params: int | None = None
    outputs: Literal["logits", "probs", "auto"] = "auto"
    reading: Reading = READ
    calibration: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    compiled: CompiledCard | None = None
    source: Path | None = None


def ready(model: Model, samples: Samples) -> Model:
    """The model told how many classes the data has. Raises IntegrityError where they stand in another order."""
    _check_order(model, samples)
    return replace(model, reading=replace(model.reading, classes=len(samples.class_names)))


def model_identity(path: Path) -> str:
    """One hash of a model with all its files; of the file alone where it is one."""
    sha256 = model_sha256(path)
    files = external_files(path, read_onnx(path)) if path.suffix.lower() == ".onnx" else []
    return key(sha256, *(model_sha256(file) for file in files)) if files else sha256


def rung_model(
    store: Store, ladder: Ladder, rung: Rung, seed: int, fmt: Format, *, profile: Profile = "litert"
) -> Model:
    """An exported file of a ladder, for a runtime family. Raises MissingError with the exact export command."""
    found = store.artifact(store.rung(ladder.name, rung.name, seed), file_name(fmt, profile))
    if found is None:
        words = f"--format {fmt}" + ("" if profile == "litert" else f" --for {profile}")
        command = f"edgeval export {ladder.typed} --rung {rung.name} --seed {seed} {words}{store.flag}"
        what = f"{rung.name} seed {seed} is not exported to {fmt}" + ("" if profile == "litert" else f" for {profile}")
        raise MissingError(what, seen=store.root, hint=f"run: {command}")
    path, card = found
    trained = store.checkpoint(store.rung(ladder.name, rung.name, seed))
    stale = trained and card.checkpoint_sha256 not in (None, trained[1].sha256)
    if card.name != f"{ladder.name}:{rung.name}:s{seed}" or stale:
        hint = f"run: edgeval export {ladder.typed} --rung {rung.name} --seed {seed} --overwrite{store.flag}"
        seen = f"{path.name} of {card.name}, made of another checkpoint" if stale else f"{path} of {card.name}"
        what = "was trained again since it was exported" if stale else "has a file of another rung in its folder"
        raise IntegrityError(f"{rung.name} {what}", seen=seen, hint=hint)
    hashes = card.calibration.content_hashes if card.calibration else ()
    name, reading = f"{ladder.name}:{rung.name}", Reading()
    return Model(path, name, fmt, card.preprocess, card.params, "logits", reading, hashes, card.class_names)


def _check_order(model: Model, samples: Samples) -> None:
    """Raise IntegrityError where the data has the model's classes in another order."""
    known, given = model.class_names, samples.class_names
    if known and known != given and sorted(known) == sorted(given):
        at = next(i for i, (one, two) in enumerate(zip(known, given, strict=True)) if one != two)
        seen = f"class {at} is {given[at]} in the data, {known[at]} in the model's card"
        hint = "list the classes in the model's order: classes.txt, or class_names in the .npz"
        raise IntegrityError(f"{model.name} was made for the same classes in another order", seen=seen, hint=hint)
