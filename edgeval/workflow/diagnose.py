"""Why a model does not reproduce its accuracy: try the usual suspects on a small sample and say which one fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import InputError, ModelError
from edgeval.measures.paired import wilson
from edgeval.records.artifact import Preprocess
from edgeval.records.diagnosis import Diagnosis, Suspect
from edgeval.records.predictions import looks_like_probabilities
from edgeval.records.reporter import Reporter
from edgeval.run.infer import dequantise, infer
from edgeval.run.job import Job, Reading
from edgeval.tasks.own import load_own
from edgeval.tasks.samples import Samples
from edgeval.workflow.artifact import Model
from edgeval.workflow.bench import Bench, open_bench
from edgeval.workflow.models import Flags, SideSpec, check_side, is_model, model_of
from edgeval.workflow.suspects import Order, Way, orders, ways

BLOCK_BYTES = 256 * 2**20  # of prepared images that go through the model in one run
NO_FLAGS = Flags()
Outputs = NDArray[np.float32]


@dataclass(frozen=True)
class Question:
    """What is asked: a model, data, and the accuracy that it should have."""

    model: Path
    data: Path
    expected: float
    size: tuple[int, int] | None = None
    images: int = 256
    seed: int = 0
    flags: Flags = NO_FLAGS


class Memory:
    """A sink that keeps answers in memory."""

    def __init__(self) -> None:
        self.chunks: dict[tuple[int, int], NDArray[np.generic]] = {}

    def have(self) -> list[tuple[int, int]]:
        """What is here."""
        return list(self.chunks)

    def save(self, start: int, stop: int, outputs: NDArray[np.generic]) -> None:
        """Keep a chunk."""
        self.chunks[start, stop] = outputs

    def joined(self) -> NDArray[np.generic]:
        """(N, C) in order."""
        return np.concatenate([self.chunks[place] for place in sorted(self.chunks)])


def diagnose(question: Question, reporter: Reporter) -> Diagnosis:
    """Every suspect's accuracy on the sample, best first, and the one that fits; only the default if that fits.

    A suspect fits when the upper end of its Wilson interval (95%) reaches the expected accuracy. Raises InputError,
    ModelError for what cannot be run at all.
    """
    side = SideSpec("candidate", str(question.model), question.flags)
    check_side(side)
    if not is_model(side.text):
        raise InputError("only models can be diagnosed", seen=side.text, hint="give .onnx, .tflite or a Keras file")
    samples = stratified(load_own(question.data, size=question.size), question.images, question.seed)
    with open_bench("desktop") as bench:
        model = model_of(side, question.model, reporter)
        given = Way("as given", model.preprocess, model.reading.channels)
        trial = Trial(model, samples, bench, reporter)
        found = trial.suspects([given])
        mendable, swapped = ways(samples, given)
        for more in (mendable, swapped):
            if any(fits(suspect, question.expected) for suspect in found):
                break
            found += trial.suspects(more)
    return _conclude(question, samples, found, trial)


def stratified(samples: Samples, count: int, seed: int) -> Samples:
    """About `count` samples, as many of each class as there are, chosen by `seed`: class by class in turn."""
    order = np.random.default_rng(seed).permutation(len(samples))
    labels = samples.labels[order]
    turn = np.empty(len(order), dtype=np.int64)
    for label in np.unique(labels):
        turn[labels == label] = np.arange(int((labels == label).sum()))
    return samples.take(np.sort(order[np.argsort(turn, kind="stable")[:count]]))


def fits(suspect: Suspect, expected: float) -> bool:
    """Whether the sample's interval reaches the accuracy that the model should have."""
    return suspect.ci95[1] >= expected


class Trial:
    """A model and a sample, and the ways that were tried; equal inputs run once."""

    def __init__(self, model: Model, samples: Samples, bench: Bench, reporter: Reporter) -> None:
        self.model, self.samples, self.bench, self.reporter = model, samples, bench, reporter
        self.layouts = [model.reading.layout]
        self.tried: list[Way] = []
        self.seen: set[bytes] = set()
        self.ran = 0
        self.first: Outputs | None = None

    def suspects(self, asked: Sequence[Way]) -> list[Suspect]:
        """The accuracy of each way with each reading of the answers, for each layout that is possible."""
        new = [(way, inputs) for way in asked if (inputs := self._new(way)) is not None]
        found: list[Suspect] = []
        width = max(1, BLOCK_BYTES // max(1, self.samples.images.size * 4))
        for at in range(0, len(new), width):
            block = new[at : at + width]
            found += self._block([way for way, _ in block], np.concatenate([inputs for _, inputs in block]))
        return found

    def _new(self, way: Way) -> Outputs | None:
        """The input of a way, unless the model has seen the same."""
        inputs = way.inputs(self.samples.images)
        digest = hash((inputs.tobytes(), inputs.shape)).to_bytes(8, "little", signed=True)
        if digest in self.seen:
            return None
        self.seen.add(digest)
        return inputs

    def _block(self, block: list[Way], inputs: Outputs) -> list[Suspect]:
        """Run some ways in one go."""
        try:
            answers = {layout: self._answers(inputs, layout) for layout in self.layouts}
        except ModelError as error:
            if "ambiguous" not in error.what:
                raise
            self.layouts = ["nhwc", "nchw"]
            answers = {layout: self._answers(inputs, layout) for layout in self.layouts}
        n, found = len(self.samples), []
        for layout, rows in answers.items():
            self.first = rows[:n] if self.first is None else self.first
            extra = "" if layout == self.model.reading.layout else f"--layout {layout}"
            for at, way in enumerate(block):
                for order in orders(rows.shape[1], self.samples.class_names):
                    found.append(self._suspect(way, order, rows[at * n : (at + 1) * n], extra))
        return found

    def _answers(self, inputs: Outputs, layout: str) -> Outputs:
        """(N, outputs) for prepared images, through the same agent as any run."""
        repeats, names = len(inputs) // len(self.samples), self.samples.class_names
        ids = tuple(str(at) for at in range(len(inputs)))
        images = Samples(inputs, np.tile(self.samples.labels, repeats), ids, names)
        reading = Reading(layout, output=self.model.reading.output)  # type: ignore[arg-type]
        plain = Preprocess(scale=1.0)
        job = Job(self.model.path, images, plain, self.bench.target, latency=False, reading=reading)
        sink, bar = Memory(), self.reporter.bar(f"diagnose {self.model.name}")
        result = infer(self.bench.host, job, sink, progress=bar, facts=self.bench.facts)
        self.ran += repeats
        return dequantise(sink.joined(), result.hello)

    def _suspect(self, way: Way, order: Order, rows: Outputs, layout: str) -> Suspect:
        right = int((order.classes[rows.argmax(axis=1)] == self.samples.labels).sum())
        interval = wilson(right, len(rows)) or (0.0, 1.0)
        flags = " ".join(part for part in (way.flags, layout) if part)
        toml = way.toml + (f'layout = "{layout.removeprefix("--layout ")}"\n' if layout else "")
        swap = "swap height and width of the images in the data" if way.swapped else ""
        mend = "; ".join(part for part in (order.mend, swap) if part)
        name = ", ".join(part for part in (way.name, order.name, layout.removeprefix("--layout ")) if part)
        return Suspect(name=name, accuracy=right / len(rows), ci95=interval, flags=flags, toml=toml, also=mend)


def _conclude(question: Question, samples: Samples, found: list[Suspect], trial: Trial) -> Diagnosis:
    """The suspects in order, and the sentence."""
    default = found[0]
    ranked = sorted(found, key=lambda suspect: -suspect.accuracy)
    good = [suspect for suspect in ranked if fits(suspect, question.expected)]
    best = default if default in good else good[0] if good else None
    return Diagnosis(
        model=question.model.name,
        n=len(samples),
        images_run=trial.ran * len(samples),
        expected=question.expected,
        fits=best,
        default=default,
        suspects=tuple(ranked),
        statements=tuple(_statements(trial.first, question)),
        sentence=_sentence(question, default, best, ranked[0]),
    )


def _sentence(question: Question, default: Suspect, best: Suspect | None, top: Suspect) -> str:
    """Which one fits, and what mends it."""
    want = f"{question.expected:.2%}"
    if best is default:
        return f"As it is given the model reaches {default.accuracy:.2%}, which fits the expected {want}."
    if best is None:
        return f"None of the usual suspects reaches {want}; the best, {top.name}, has {top.accuracy:.2%}."
    also = f"; and {best.also}" if best.also else ""
    return f"{best.name} fits: {best.accuracy:.2%} where {want} is expected. Add {best.flags}{also}."


def _statements(outputs: Outputs | None, question: Question) -> list[str]:
    """What the answers look like; nothing of it changes top-1."""
    if outputs is None:
        return []
    if not looks_like_probabilities(outputs):
        return ["the outputs are logits: --outputs logits"]
    said = ["the outputs are probabilities: --outputs probs"]
    # softmax of probabilities: logarithms within one row differ by at most 1
    lowest, highest = outputs.min(axis=1), outputs.max(axis=1)
    if (highest <= lowest * np.e * 1.001).all():
        said.append("softmax was probably applied twice: no probability is over e times another of its row")
    return said
