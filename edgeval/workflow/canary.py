"""Send the canary before a run: eight inputs whose answers this computer's own runtime gave for the same file."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ModelError, RuntimeMissing
from edgeval.records.kerasfile import model_sha256
from edgeval.records.reporter import Reporter, Silent
from edgeval.run.canary import Floats, compare, places
from edgeval.run.infer import dequantise, infer
from edgeval.run.job import Job
from edgeval.run.probe import pick_engine
from edgeval.store import Store, key
from edgeval.workflow.bench import Bench, open_bench

DESKTOP = "desktop"


@dataclass
class Kept:
    """A sink in memory."""

    chunks: dict[tuple[int, int], NDArray[np.generic]] = field(default_factory=dict)

    def have(self) -> list[tuple[int, int]]:
        return list(self.chunks)

    def save(self, start: int, stop: int, outputs: NDArray[np.generic]) -> None:
        self.chunks[start, stop] = outputs

    def rows(self) -> NDArray[np.generic]:
        """All outputs in order."""
        return np.concatenate([self.chunks[place] for place in sorted(self.chunks)])


def canary(job: Job, bench: Bench, store: Store, reporter: Reporter) -> dict[str, Any]:
    """What to keep with a run's account: how the canary went, nothing where none is needed.

    None is sent to this computer's own default runtime, which would be compared with itself, nor to a recording.
    Raises IntegrityError where the device answers wrongly.
    """
    if bench.recording is not None:
        return {}
    few = replace(job, samples=job.samples.take(places(len(job.samples))), latency=False, upto=None, watch=None)
    own = bench.target.transport.type == "local" and bench.target.runtime.delegate is None
    with open_bench(DESKTOP) as desktop:
        try:
            engine = pick_engine(desktop.facts, desktop.target, job.model)
            if own and pick_engine(bench.facts, bench.target, job.model) == engine:
                return {}
            plain = replace(few, model=job.source or job.model, accelerator=None)
            known = _known(plain, desktop, store, engine)
        except (ModelError, RuntimeMissing) as error:
            reporter.say(f"no canary for {job.model.name}: this computer cannot run it ({error.what})")
            return {"canary": "none: the desktop cannot run the file"}
    outputs, hello = _answers(few, bench, reporter)
    found = compare(known, outputs, hello, classes=job.reading.classes is not None)
    return {"canary": {**found, "against": " ".join(engine)}}


def _known(few: Job, desktop: Bench, store: Store, engine: tuple[str, str]) -> Floats:
    """The desktop's answers; made once for a file, its inputs and its runtime."""
    identity = key(model_sha256(few.model), few.samples.sha256, str(few.preprocess), str(few.reading), engine)
    path = store.root / "canary" / f"{identity}.npy"
    try:
        found: Floats = np.load(path, allow_pickle=False)
        if found.ndim == 2 and len(found) == len(few.samples):
            return found
    except (OSError, ValueError, EOFError):
        pass  # not made yet, or damaged: made again
    outputs, _ = _answers(replace(few, target=desktop.target), desktop, Silent())
    buffer = io.BytesIO()
    np.save(buffer, outputs, allow_pickle=False)
    store.write(path, buffer.getvalue())
    return outputs


def _answers(few: Job, bench: Bench, reporter: Reporter) -> tuple[Floats, dict[str, Any]]:
    """(n, outputs) of these inputs on that bench, and the agent's account."""
    kept = Kept()
    result = infer(bench.host, few, kept, progress=lambda done, total: None, facts=bench.facts, say=reporter.say)
    return dequantise(kept.rows(), result.hello), result.hello
