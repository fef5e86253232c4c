"""A recording as a host: what the device said of itself, and its answers to the models and images that it was asked."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import BenchError, EdgevalError, RuntimeMissing
from edgeval.records.recording import Asked, RecordedRun, Recording, image_digests
from edgeval.run.agent import frames
from edgeval.run.agent.crew import pieces
from edgeval.run.host import LocalHost, content_sha256

RECORD = "edgeval run --target DEVICE --record FILE"


class ReplayHost:
    """Answers `agent facts` and `agent run JOB` from a recording; runs nothing. Files that are put stay here."""

    def __init__(self, recording: Recording, python: str = "python3") -> None:
        self.python, self.recording = python, recording
        self._files = LocalHost()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._files.__exit__(kind, error, at)

    def put(self, source: Path | bytes, name: str) -> str:
        """Keep the file, to tell by its content what is asked for."""
        return self._files.put(source, name)

    def get(self, path: str) -> bytes:
        """The bytes of a file that was put."""
        return self._files.get(path)

    def run(self, argv: Sequence[str], *, alone: bool = False) -> ReplayProcess:
        """The agent's answer as it was recorded. Raises RuntimeMissing for another program, BenchError for more."""
        words = list(argv[2:])
        if words == ["facts"]:
            return ReplayProcess(json.dumps(_machine_first(self.recording.header.facts)).encode() + b"\n")
        if len(words) == 2 and words[0] == "run":
            job = json.loads(self.get(words[1]))
            return ReplayProcess(b"".join(self._frames(job)))
        seen = " ".join(argv[:3])
        raise RuntimeMissing("a recording runs no programs: it answers in the agent's place", seen=seen, hint=RECORD)

    def _frames(self, job: dict[str, Any]) -> Iterator[bytes]:
        """What the agent would send for this job."""
        run = self._find(job)
        outputs = self.recording.arrays[run.outputs]
        yield _frame("hello", **_account(run))
        yield _frame("recorded", health=run.health, instructions=run.instructions)
        images = np.load(io.BytesIO(self.get(job["inputs"])), allow_pickle=False)
        places = pieces(job["ranges"], job["chunk"])
        for start, stop in places:
            part = outputs[self._rows(run, images[start:stop])]
            shape, dtype = list(part.shape), part.dtype.str
            yield _frame("chunk", part.tobytes(), start=start, stop=stop, dtype=dtype, shape=shape)
        if job["latency"] and run.latency is not None:
            yield _frame("latency", **run.latency.model_dump())
        if job["latency"] and run.peak_memory_mb is not None:
            yield _frame("memory", peak_mb=run.peak_memory_mb)
        yield _frame("done")

    def _find(self, job: dict[str, Any]) -> RecordedRun:
        """The recorded run of this very model, asked in this very way. Raises BenchError."""
        sha256 = content_sha256(Path(job["model"]))
        same = [run for run in self.recording.header.runs if sha256 in (run.model_sha256, run.source_sha256)]
        if not same:
            known = ", ".join(f"{r.name} {r.format} {r.model_sha256[:12]}" for r in self.recording.header.runs)
            raise self._lacks("this model", f"asked {sha256[:12]}, recorded {known}")
        asked = Asked.model_validate({name: job[name] for name in Asked.model_fields})
        for run in same:
            if run.asked == asked:
                return run
        raise self._lacks("the model asked in this way", _differences(asked, same[0].asked))

    def _rows(self, run: RecordedRun, images: NDArray[np.generic]) -> list[int]:
        """Where the answers to these images stand. Raises BenchError for an image that was not recorded."""
        known = self.recording.arrays[run.images]
        at = {digest.tobytes(): row for row, digest in enumerate(known)}
        rows = [at.get(digest.tobytes(), -1) for digest in image_digests(images)]
        if -1 in rows:
            seen = f"{rows.count(-1):,} of {len(rows):,} images; recorded data {run.data_sha256[:12]}, {run.n:,} images"
            raise self._lacks("these images", seen)
        return rows

    def _lacks(self, what: str, seen: str) -> EdgevalError:
        """The error for what is not in the recording."""
        head = self.recording.header
        text = f"the recording of {head.target} ({head.when}) has no answers of {what}"
        return BenchError(text, seen=seen, hint=f"record it again: {head.command or RECORD}")


class ReplayProcess:
    """A program that has run already."""

    def __init__(self, output: bytes) -> None:
        self._stdout = io.BytesIO(output)

    @property
    def stdout(self) -> IO[bytes]:
        return self._stdout

    def wait(self) -> int:
        return 0

    def stderr_tail(self) -> str:
        return ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stdout.close()


def _frame(kind: str, payload: bytes = b"", **fields: Any) -> bytes:
    """One frame as the agent sends it."""
    buffer = io.BytesIO()
    frames.write(buffer, kind, payload, **fields)
    return buffer.getvalue()


def _account(run: RecordedRun) -> dict[str, Any]:
    """How the model ran; of a compiled one, its own hash too."""
    return {**run.hello, "compiled_sha256": run.model_sha256} if run.source_sha256 else run.hello


def _machine_first(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts in the agent's order, by which the line is known."""
    return {"machine": facts.get("machine"), **facts}


def _differences(asked: Asked, recorded: Asked) -> str:
    """What was asked otherwise than it was recorded."""
    one, two = asked.model_dump(), recorded.model_dump()
    return "; ".join(f"{name}: asked {one[name]}, recorded {two[name]}" for name in one if one[name] != two[name])
