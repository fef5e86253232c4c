"""A run over ssh whose link is cut again and again, after random numbers of bytes: nothing is lost or counted twice.

    python tests/benchmarks/cuts.py            100 cuts
    python tests/benchmarks/cuts.py 20 --seed 3

The server is a real sshd on loopback behind a TCP proxy that aborts every connection: during the handshake, uploads,
requests and answers alike. The answers must be those of an undisturbed run here, each saved exactly once.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np

from edgeval.records.artifact import Preprocess
from edgeval.run.host import LocalHost
from edgeval.run.infer import infer
from edgeval.run.job import Job
from edgeval.run.probe import probe
from edgeval.run.ssh import SshHost
from tests.run.tiny_models import SIDE, Memory, make_samples, make_target, write_tflite
from tests.sshd import Board, Proxy, start_board

IMAGES, CHUNK = 60_000, 10
BYTES = (2_000, 160_000)  # between two cuts; a connection that gets as far as the first answer takes about 40,000


class Once(Memory):
    """A sink that takes each image once."""

    def save(self, start: int, stop: int, outputs: Any) -> None:
        assert all(stop <= a or b <= start for a, b in self.chunks), f"{start}-{stop} comes twice"
        super().save(start, stop, outputs)


class Listener:
    """A reporter that counts."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def bar(self, label: str, unit: str = "images") -> Any:
        return lambda done, total: None


def survive(board: Board, folder: Path, cuts: int, seed: int) -> dict[str, Any]:
    """Run under `cuts` cuts; what was seen. Raises AssertionError if an answer is lost, doubled or changed."""
    model = write_tflite(folder / "m.tflite", (1, SIDE, SIDE, 3), dtype="int8")
    images = IMAGES if cuts > 10 else IMAGES // 6
    job = Job(model, make_samples(images), Preprocess(scale=1), make_target(), chunk=CHUNK, workers=2, latency=False)
    rng, listener, sink = random.Random(seed), Listener(), Once()
    begun = time.monotonic()
    with Proxy(board.port) as proxy:
        board.write_config(proxy.port)
        with SshHost(board.target(), listener) as host:
            facts = probe(host)
            proxy.passed, proxy.cut_at = 0, [rng.randint(*BYTES) for _ in range(cuts)]
            infer(host, job, sink, progress=lambda *_: None, facts=facts, say=listener.say)
        left = len(proxy.cut_at)
    seconds = time.monotonic() - begun
    whole = Memory()
    with LocalHost() as here:
        infer(here, job, whole, progress=lambda *_: None)
    assert sorted(sink.chunks) == sorted(whole.chunks)
    assert np.array_equal(sink.all(), whole.all())
    return {"cuts": cuts - left, "answers": len(sink.all()), "seconds": round(seconds, 1), "said": listener.said}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("cuts", type=int, nargs="?", default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        board = start_board(folder)
        os.environ["EDGEVAL_SSH_CONFIG"] = str(folder / "config")
        try:
            found = survive(board, folder, asked.cuts, asked.seed)
        finally:
            board.server.terminate()
            board.server.wait()
    print(f"{found['cuts']} cuts, {found['answers']:,} answers, none lost, none twice, {found['seconds']} s")
    assert found["cuts"] == asked.cuts, "the run ended before the last cut: more images are needed"


if __name__ == "__main__":
    main()
