"""Compare any reference with any candidate: model files, saved tables, or rungs of a ladder, on the user's own data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, ValidationError

from edgeval.archive import as_unicode
from edgeval.compare.pair import Context, weigh
from edgeval.compare.recalibration import THRESHOLD
from edgeval.errors import InputError, ModelError
from edgeval.measures.paired import wilson
from edgeval.records.artifact import FORMATS, TORCH, ArtifactCard
from edgeval.records.cards import Card, read
from edgeval.records.evidence import Evidence
from edgeval.records.findings import Floor
from edgeval.records.kerasfile import keras_form, model_sha256
from edgeval.records.ladder import load_ladder
from edgeval.records.predictions import Predictions, read_table
from edgeval.records.reporter import Reporter, Silent
from edgeval.records.target import load_target
from edgeval.run.job import Reading
from edgeval.store import Store
from edgeval.tasks.own import load_own
from edgeval.tasks.samples import Samples
from edgeval.workflow.accelerator import accelerator_notes
from edgeval.workflow.artifact import Model, rung_model
from edgeval.workflow.bench import Bench, bench_of, origin_notes, share_notes
from edgeval.workflow.compare import Before, nothing_before
from edgeval.workflow.data import load_split, preprocess_from
from edgeval.workflow.described import board_notes
from edgeval.workflow.export import torch_table
from edgeval.workflow.floor import FLOOR_BUDGET_S, kernel_floor
from edgeval.workflow.leakage import leak_note
from edgeval.workflow.partial import Bid, Early, run_images, subset
from edgeval.workflow.run import preflight

MODELS = (".onnx", ".tflite")
KERAS = (".keras", ".h5", "a SavedModel folder")
OutputKind = Literal["logits", "probs", "auto"]
Layout = Literal["auto", "nhwc", "nchw"]
Channels = Literal["rgb", "bgr"]
FEW = 100
PREPROCESS = ("scale", "mean", "std")
READING = ("outputs", "layout", "channels", "output")


class ModelCard(Card):
    """MODEL.toml beside a model file: how its input is made and what its output is.

    mean and std are in the order of `channels`; output: the name of the one to read, where there are several.
    """

    scale: float | None = Field(default=None, gt=0)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    outputs: OutputKind = "auto"
    layout: Layout = "auto"
    channels: Channels = "rgb"
    output: str | None = None


@dataclass(frozen=True)
class Flags:
    """Preprocessing from the command line for one side; None: not given."""

    scale: float | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    outputs: OutputKind | None = None
    layout: Layout | None = None
    channels: Channels | None = None
    output: str | None = None


@dataclass(frozen=True)
class SideSpec:
    """One side as typed, with its flags."""

    role: Literal["reference", "candidate"]
    text: str
    flags: Flags = Flags()


@dataclass(frozen=True)
class Setting:
    """Where both sides run and on what."""

    data: Path | None
    size: tuple[int, int] | None
    target: str
    emulate: bool
    command: str
    floor_budget_s: float = FLOOR_BUDGET_S
    before: Before = nothing_before
    images: int | None = None
    early: Early | None = None
    threshold: float = THRESHOLD
    opened: Bench | None = None
    instructions: bool = False


def compare_models(
    reference: SideSpec,
    candidate: SideSpec,
    setting: Setting,
    store: Store,
    reporter: Reporter,
    samples: Samples | None = None,
) -> tuple[Evidence, Samples | None]:
    """The candidate on the target against the reference on the desktop; and the images where there are some.

    samples: those of --data, where they are read already.
    """
    for side in (reference, candidate):
        check_side(side)
    if setting.target != "desktop" and (is_model(candidate.text) or text_is_rung(candidate.text)):
        with bench_of(setting, reporter) as bench:
            if not text_is_rung(candidate.text):
                preflight(Path(candidate.text), bench)  # what cannot run is found before the reference has run
    samples = samples or read_data((reference, candidate), setting, reporter)
    if samples is None and (setting.images or setting.early):
        what = "--images" if setting.images else "--sequential"
        raise InputError(f"{what} shortens a run, and these sides have none", seen=candidate.text, hint="add --data")
    whole, desktop = samples, replace(setting, target="desktop", emulate=False, opened=None)
    if samples is not None and setting.images:
        samples = subset(samples, setting.images)
    full = side_table(reference, whole, desktop, store, reporter)
    setting.before(full.labels, full.class_names)
    if setting.early is not None and samples is not None:
        return _early(candidate, samples, full, setting, reporter), samples
    small = side_table(candidate, whole, setting, store, reporter)
    floor, why = _floor(candidate, samples, setting, store, reporter)
    notes = (*_no_better(full), *(samples.notes if samples else ()), *([why] if why else []))
    notes += (*origin_notes(small.source), *share_notes(small.source))
    notes += (*accelerator_notes(small.source), *board_notes(small.source))
    notes += tuple(note for table in (full, small) for note in leak_note(table.source.leaked, table.source.name))
    target = small.source.model_copy(update={"name": small.source.target or small.source.name})
    found = weigh(
        full, small, Context(target=target, notes=notes, command=setting.command, threshold=setting.threshold)
    )
    reason = "no ladder of float checkpoints stands behind this candidate"
    return found.with_findings(kernel_floor=floor, expected_reason=reason), samples


def read_data(sides: tuple[SideSpec, SideSpec], setting: Setting, reporter: Reporter) -> Samples | None:
    """The images of --data. Raises InputError where model files have none."""
    if setting.data is not None:
        return load_own(setting.data, size=setting.size, progress=reporter.bar("data", "images"))
    if any(is_model(side.text) for side in sides):
        hint = "add --data FOLDER, FILE.npz or FILE.csv"
        raise InputError("model files need labelled data", seen=sides[0].text, hint=hint)
    return None


def _early(side: SideSpec, samples: Samples, full: Predictions, setting: Setting, reporter: Reporter) -> Evidence:
    """Judge a model file while it runs. Raises InputError for what is no model file."""
    assert setting.early is not None
    if text_is_rung(side.text) or not is_model(side.text):
        hint = "or take the rungs of a ladder"
        raise InputError("--sequential needs a model file as candidate", seen=side.text, hint=hint)
    with bench_of(setting, reporter) as bench:
        model = model_of(side, Path(side.text), reporter)
        return setting.early(Bid(model, samples, full, bench, setting.command, samples.notes))


def _no_better(table: Predictions) -> tuple[str, ...]:
    """A note where one and the same answer for all would be about as good: then the input is wrong more often than not.

    Told from 100 samples on: the lower end of Wilson's interval reaches no further than the largest class.
    """
    ends, most = wilson(int(table.correct.sum()), len(table)), float(np.bincount(table.labels).max()) / len(table)
    if len(table) < FEW or ends is None or ends[0] > most:
        return ()
    said = f"the reference is right on {table.correct.mean():.2%}, where one and the same answer gives {most:.2%}"
    return (f"{said}: edgeval diagnose finds wrong preprocessing or labels",)


def _floor(
    side: SideSpec, samples: Samples | None, setting: Setting, store: Store, reporter: Reporter
) -> tuple[Floor | None, str]:
    """The kernel floor of a model file; nothing for tables."""
    if samples is None or text_is_rung(side.text) or not is_model(side.text):
        return None, ""
    model = model_of(side, Path(side.text), Silent())
    target = setting.opened.target if setting.opened else load_target(setting.target)
    return kernel_floor(
        model, samples, store, reporter, budget_s=setting.floor_budget_s, families=target.compare.kernel_floor
    )


def check_side(side: SideSpec) -> None:
    """Raise for what can be seen to be wrong before anything runs."""
    if text_is_rung(side.text):
        return
    if not is_model(side.text) and not side.text.lower().endswith(".npz"):
        kinds = ", ".join((*MODELS, *KERAS, ".npz", "ladder:rung:format"))
        raise InputError(f"--{side.role} is of no kind that is known", seen=side.text, hint=f"give one of {kinds}")
    if is_model(side.text) and not Path(side.text).exists():
        raise ModelError("there is no such model file", seen=side.text, hint=f"check --{side.role}")


def is_model(text: str) -> bool:
    """Whether this names a model that runs: by its suffix, or because it is a SavedModel folder."""
    return text.lower().endswith(MODELS) or keras_form(Path(text)) is not None


def side_table(
    side: SideSpec, samples: Samples | None, setting: Setting, store: Store, reporter: Reporter
) -> Predictions:
    """Predictions of one side."""
    if text_is_rung(side.text):
        return _rung(side.text, samples, setting, store, reporter)
    path = Path(side.text)
    if not is_model(side.text):
        return read_table(path)
    assert samples is not None
    with bench_of(setting, reporter) as bench:
        return run_images(model_of(side, path, reporter), samples, setting.images, bench, store, reporter)


def text_is_rung(text: str) -> bool:
    """Whether a side is written as ladder:rung:format or ladder:rung:format:seed."""
    return text.count(":") in (2, 3) and not Path(text).exists()


def model_of(side: SideSpec, path: Path, reporter: Reporter) -> Model:
    """A model file with its preprocessing: flags win over MODEL.toml or edgeval's own card, these over the defaults."""
    beside = path.with_suffix(".toml")
    made = artifact_card(path)
    own = ModelCard()
    if made:
        own = ModelCard(**made.preprocess.model_dump(), outputs="auto" if made.outputs == "values" else made.outputs)
    card = read(ModelCard, beside) if beside.is_file() else own
    said = {
        name: getattr(side.flags, name) if getattr(side.flags, name) not in (None, "auto") else getattr(card, name)
        for name in (*PREPROCESS, *READING)
    }
    given = {name: said.pop(name) for name in PREPROCESS}
    preprocess, declared = preprocess_from(given), any(value is not None for value in given.values())
    default = "" if declared else " (default)"
    mean, std = ",".join(f"{v:g}" for v in preprocess.mean), ",".join(f"{v:g}" for v in preprocess.std)
    swap = ", channels as BGR" if said["channels"] == "bgr" else ""
    reporter.say(f"{side.role}: input = (pixel x {preprocess.scale:.6g} - {mean}) / {std}{swap}{default}")
    kind, outputs = keras_form(path) or path.suffix[1:].lower(), said.pop("outputs")
    hashes = made.calibration.content_hashes if made and made.calibration else None
    names = made.class_names if made else None
    reading = Reading(**said, declared=declared)
    return Model(path, as_unicode(path.name), kind, preprocess, None, outputs, reading, hashes, names)


def artifact_card(path: Path) -> ArtifactCard | None:
    """What `edgeval export` wrote beside the file, if it is of this very file."""
    beside = path.with_name(path.name + ".json")
    try:
        made = ArtifactCard.model_validate_json(beside.read_bytes())
    except (OSError, ValidationError):
        return None
    return made if path.is_file() and made.sha256 == model_sha256(path) else None


def _rung(text: str, samples: Samples | None, setting: Setting, store: Store, reporter: Reporter) -> Predictions:
    """Predictions of ladder:rung:format[:seed], on --data or on the ladder's own test images."""
    name, rung_name, fmt, *more = text.split(":")
    ladder = load_ladder(name)
    rung = ladder.rung(rung_name)
    if fmt not in (*FORMATS, TORCH):
        raise InputError("no such format", seen=fmt, hint=f"choose from {', '.join((*FORMATS, TORCH))}")
    seed = _seed(more, store.seeds(ladder.name, rung.name) or [0], text)
    if fmt == TORCH:
        if samples is not None:
            raise InputError(
                "torch answers are kept for the ladder's own test images only", seen=text, hint="leave --data away"
            )
        return store.read_table(torch_table(store, ladder, rung, seed))
    with bench_of(setting, reporter) as bench:
        profile = bench.target.profile(fmt)  # type: ignore[arg-type]
        model = rung_model(store, ladder, rung, seed, fmt, profile=profile)  # type: ignore[arg-type]
        if samples is None:
            samples = load_split(ladder, "test", reporter.bar("test data", ""))
        return run_images(model, samples, setting.images, bench, store, reporter)


def _seed(said: list[str], found: list[int], text: str) -> int:
    """The seed that was typed, as 1 or s1, else the lowest there is."""
    if not said:
        return found[0]
    number = said[0].removeprefix("s")
    if not number.isdecimal() or int(number) not in found:
        there = ", ".join(str(seed) for seed in found)
        raise InputError("there is no such seed", seen=text, hint=f"seeds in the results folder: {there}")
    return int(number)
