"""Record what a device answers, so that it can answer again where the device is not: one file, and the card for it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval import __version__
from edgeval.errors import InputError, IntegrityError, MissingError
from edgeval.records.cards import read
from edgeval.records.recording import Asked, RecordedRun, RecordingHeader, encode_recording, image_digests, is_recording
from edgeval.records.reporter import Reporter
from edgeval.records.target import Target
from edgeval.records.toml import as_toml
from edgeval.run.infer import dequantise
from edgeval.store import Store
from edgeval.workflow.bench import Answered, Bench, open_bench

ENGINES = ("litert", "tflite-runtime", "tensorflow", "onnxruntime")
KEPT = ("kind", "runtime", "model", "limits")
SHA = re.compile(r'^sha256 = "[0-9a-f]{64}"$', re.M)


def check_place(path: Path) -> None:
    """Raise InputError for a place that no recording can have, before anything runs."""
    if path.suffix != ".npz":
        raise InputError("a recording is an .npz file", seen=path, hint="such as --record devices/rpi4-replay.npz")
    if path.exists() and not is_recording(path):
        what = "this place is taken by something that is no recording"
        raise InputError(what, seen=path, hint="choose another --record FILE, or remove it")
    card = path.with_suffix(".toml")
    if not re.fullmatch(r"\w[\w.-]*", path.stem):
        raise InputError("the file's name is that of a device: letters, digits, - . _", seen=path.stem)
    if card.exists() and read(Target, card).transport.recording != path.name:
        raise InputError(f"{card} is the card of something else", seen=card, hint="choose another --record FILE")


def card_of(path: Path) -> str:
    """How the target that replays this recording is named on a command line."""
    shelf = path.absolute().parent == Path.cwd() / "devices"
    return path.stem if shelf else shlex.quote(str(path.with_suffix(".toml")))


@contextmanager
def recorded(
    target: str,
    path: Path | None,
    *,
    emulate: bool,
    command: str,
    instructions: bool = False,
    reporter: Reporter | None = None,
) -> Iterator[Bench | None]:
    """The open target, recorded to `path` if all that runs on it goes well; None where nothing is to be recorded."""
    if path is None:
        yield None
        return
    check_place(path)
    with open_bench(target, emulate=emulate, instructions=instructions, reporter=reporter) as bench:
        if bench.recording is not None:
            raise InputError("a recording cannot be recorded again: copy its file", seen=bench.name)
        recorder = Recorder(command)
        yield replace(bench, recorder=recorder)
        recorder.write(path, bench)


@dataclass
class Recorder:
    """Collects finished answers of one bench; `command` is the line that records them again."""

    command: str = ""
    runs: list[RecordedRun] = field(default_factory=list)
    arrays: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)

    def take(self, answered: Answered) -> None:
        """Keep the answers of a finished table in the numbers that the device sent."""
        source, samples, reading = answered.source, answered.samples, answered.reading
        hello = source.runtime or {}
        if not source.sha256 or hello.get("engine") not in ENGINES:
            raise InputError("a model that runs on this computer only cannot be recorded", seen=source.name)
        images = self.data.get(samples.sha256)
        if images is None:
            images = self.data[samples.sha256] = f"images_{len(self.data)}"
            self.arrays[images] = image_digests(samples.images)
        name = f"outputs_{len(self.runs)}"
        self.arrays[name] = as_sent(answered.outputs, hello)
        asked = Asked(
            preprocess=answered.preprocess,
            layout=reading.layout,
            channels=reading.channels,
            output=reading.output,
            classes=reading.classes,
            declared=reading.declared,
            engine=hello["engine"],
            version=hello["version"],
            kernels=hello["kernels"],
        )
        self.runs.append(
            RecordedRun(
                name=source.name,
                format=source.format,
                model_sha256=source.sha256,
                data_sha256=samples.sha256,
                n=len(samples),
                images=images,
                outputs=name,
                asked=asked,
                hello=hello,
                latency=source.latency,
                peak_memory_mb=source.peak_memory_mb,
                source_sha256=answered.compiled_from,
                health=(source.host or {}).get("monitor") or {},
                instructions=source.instructions,
            )
        )

    def write(self, path: Path, bench: Bench) -> Path:
        """Write the recording, and beside it the card of the target that replays it; the card's path."""
        if not self.runs:
            raise MissingError("nothing ran on the target, so nothing was recorded", seen=bench.name)
        header = RecordingHeader(
            target=bench.name,
            origin=bench.origin,
            fidelity=bench.fidelity,
            facts=bench.facts,
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            edgeval=__version__,
            command=self.command,
            runs=tuple(self.runs),
        )
        data, sha256 = encode_recording(header, self.arrays)
        Store(path.parent).write(path, data)
        card = path.with_suffix(".toml")
        text = SHA.sub(f'sha256 = "{sha256}"', card.read_text()) if card.exists() else _card(path, bench, sha256)
        Store(path.parent).write(card, text.encode())
        return card


def as_sent(outputs: NDArray[np.float32], hello: dict[str, Any]) -> NDArray[np.generic]:
    """Answers in the type and steps in which the model gave them. Raises IntegrityError unless that is exact."""
    kind, scale = np.dtype(hello["output"]["dtype"]), hello["output"]["scale"]
    values = outputs.astype(np.float64)
    if scale is not None:
        values = np.rint(values / scale) + hello["output"]["zero_point"]
    sent: NDArray[np.generic] = values.astype(kind)
    if not np.array_equal(dequantise(sent, hello), outputs):
        hint = "run it again with an empty --runs folder"
        raise IntegrityError("kept answers are not on the grid of the model's output", seen=kind, hint=hint)
    return sent


def _card(path: Path, bench: Bench, sha256: str) -> str:
    """The card of a target that answers from this recording."""
    whole = bench.target.model_dump(mode="json", exclude_defaults=True)
    kept = {name: whole[name] for name in KEPT if name in whole}
    kept.setdefault("kind", bench.target.kind)
    marked = f"{bench.origin}, {bench.fidelity.partition(':')[0]}" if bench.fidelity else bench.origin
    head = {
        "schema": "edgeval/device/1",
        "name": path.stem,
        "summary": f"a recording of {bench.name} ({marked})",
        "transport": {"type": "replay", "recording": path.name, "sha256": sha256},
    }
    return as_toml({**head, **kept})
