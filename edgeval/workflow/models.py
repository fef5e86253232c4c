"""Compare any reference with any candidate: model files, saved tables, or rungs of a ladder, on the user's own data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from edgeval.archive import as_unicode
from edgeval.compare.pair import Context, compare
from edgeval.errors import InputError, ModelError
from edgeval.records.artifact import FORMATS, TORCH, ArtifactCard
from edgeval.records.cards import Card, read
from edgeval.records.findings import Comparison
from edgeval.records.ladder import load_ladder
from edgeval.records.predictions import Predictions, read_table
from edgeval.records.reporter import Reporter
from edgeval.store import Store, file_sha256
from edgeval.tasks.own import load_own
from edgeval.tasks.samples import Samples
from edgeval.workflow.data import load_split, preprocess_from
from edgeval.workflow.export import torch_table
from edgeval.workflow.run import Model, open_bench, run_model, rung_model

MODELS = (".onnx", ".tflite")
OutputKind = Literal["logits", "probs", "auto"]


class ModelCard(Card):
    """MODEL.toml beside a model file: how its input is made and what its output is."""

    scale: float | None = Field(default=None, gt=0)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    outputs: OutputKind = "auto"


@dataclass(frozen=True)
class Flags:
    """Preprocessing from the command line for one side; None: not given."""

    scale: float | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    outputs: OutputKind = "auto"


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


def compare_models(
    reference: SideSpec, candidate: SideSpec, setting: Setting, store: Store, reporter: Reporter
) -> tuple[Comparison, Samples | None]:
    """The candidate on the target against the reference on the desktop; and the images where there are some."""
    for side in (reference, candidate):
        check_side(side)
    if setting.target != "desktop" and (is_model(candidate.text) or text_is_rung(candidate.text)):
        with open_bench(setting.target, emulate=setting.emulate):
            pass  # a board that cannot be reached is found before the reference has run
    needs_data = any(is_model(side.text) for side in (reference, candidate))
    if needs_data and setting.data is None:
        raise InputError(
            "model files need labelled data", seen=reference.text, hint="add --data FOLDER, FILE.npz or FILE.csv"
        )
    bar = reporter.bar("data", "images")
    samples = load_own(setting.data, size=setting.size, progress=bar) if setting.data else None
    full = _table(reference, samples, Setting(setting.data, setting.size, "desktop", False, ""), store, reporter)
    small = _table(candidate, samples, setting, store, reporter)
    notes = samples.notes if samples else ()
    if small.source.origin == "emulated":
        notes += (f"emulated on this computer, not run on a device; fidelity: {small.source.fidelity}",)
    target = small.source.model_copy(update={"name": small.source.target or small.source.name})
    return compare(full, small, Context(target=target, notes=notes, command=setting.command)), samples


def check_side(side: SideSpec) -> None:
    """Raise for what can be seen to be wrong before anything runs."""
    if text_is_rung(side.text):
        return
    if not side.text.lower().endswith((*MODELS, ".npz")):
        kinds = ", ".join((*MODELS, ".npz", "ladder:rung:format"))
        raise InputError(f"--{side.role} is of no kind that is known", seen=side.text, hint=f"give one of {kinds}")
    if is_model(side.text) and not Path(side.text).is_file():
        raise ModelError("there is no such model file", seen=side.text, hint=f"check --{side.role}")


def is_model(text: str) -> bool:
    return text.lower().endswith(MODELS)


def _table(side: SideSpec, samples: Samples | None, setting: Setting, store: Store, reporter: Reporter) -> Predictions:
    """Predictions of one side."""
    if text_is_rung(side.text):
        return _rung(side.text, samples, setting, store, reporter)
    path = Path(side.text)
    if not is_model(side.text):
        return read_table(path)
    assert samples is not None
    with open_bench(setting.target, emulate=setting.emulate) as bench:
        return run_model(model_of(side, path, reporter), samples, bench, store, reporter)[0]


def text_is_rung(text: str) -> bool:
    """Whether a side is written as ladder:rung:format."""
    return text.count(":") == 2 and not Path(text).exists()


def model_of(side: SideSpec, path: Path, reporter: Reporter) -> Model:
    """A model file with its preprocessing: flags win over MODEL.toml or edgeval's own card, these over the defaults."""
    beside = path.with_suffix(".toml")
    card = read(ModelCard, beside) if beside.is_file() else _own_card(path)
    given = {
        name: getattr(side.flags, name) if getattr(side.flags, name) is not None else getattr(card, name)
        for name in ("scale", "mean", "std")
    }
    preprocess = preprocess_from(given)
    default = " (default)" if all(value is None for value in given.values()) else ""
    mean, std = ",".join(f"{v:g}" for v in preprocess.mean), ",".join(f"{v:g}" for v in preprocess.std)
    reporter.say(f"{side.role}: input = (pixel x {preprocess.scale:.6g} - {mean}) / {std}{default}")
    outputs = side.flags.outputs if side.flags.outputs != "auto" else card.outputs
    return Model(path, as_unicode(path.name), path.suffix[1:], preprocess, None, outputs)


def _own_card(path: Path) -> ModelCard:
    """What `edgeval export` wrote beside the file, if it is of this very file."""
    beside = path.with_name(path.name + ".json")
    try:
        made = ArtifactCard.model_validate_json(beside.read_bytes())
    except (OSError, ValidationError):
        return ModelCard()
    if made.sha256 != file_sha256(path):
        return ModelCard()
    return ModelCard(**made.preprocess.model_dump(), outputs="logits")


def _rung(text: str, samples: Samples | None, setting: Setting, store: Store, reporter: Reporter) -> Predictions:
    """Predictions of ladder:rung:format, on --data or on the ladder's own test images."""
    name, rung_name, fmt = text.split(":")
    ladder = load_ladder(name)
    rung = ladder.rung(rung_name)
    if fmt not in (*FORMATS, TORCH):
        raise InputError("no such format", seen=fmt, hint=f"choose from {', '.join((*FORMATS, TORCH))}")
    seeds = store.seeds(ladder.name, rung.name) or [0]
    if fmt == TORCH:
        if samples is not None:
            raise InputError(
                "torch answers are kept for the ladder's own test images only", seen=text, hint="leave --data away"
            )
        return store.read_table(torch_table(store, ladder, rung, seeds[0]))
    model = rung_model(store, ladder, rung, seeds[0], fmt)  # type: ignore[arg-type]
    if samples is None:
        samples = load_split(ladder, "test", reporter.bar("test data", ""))
    with open_bench(setting.target, emulate=setting.emulate) as bench:
        return run_model(model, samples, bench, store, reporter)[0]
