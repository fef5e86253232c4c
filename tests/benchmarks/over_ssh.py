"""What a run over ssh costs: bytes sent the first and the second time, and seconds against the same run here.

python tests/benchmarks/over_ssh.py            10,000 images of 32 x 32, a link as fast as loopback
python tests/benchmarks/over_ssh.py --rate 1   the same over a link of 1 MB/s
"""

from __future__ import annotations

import argparse
import os
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
from edgeval.tasks.samples import Samples
from tests.run.tiny_models import Memory, make_samples, make_target, write_tflite
from tests.sshd import Board, Proxy, start_board


def natural(n: int) -> Samples:
    """Images that pack about as well as photographs: smooth colours with noise of a few steps."""
    rng, plain = np.random.default_rng(1), make_samples(n, side=32)
    coarse = rng.integers(0, 256, (n, 4, 4, 3)).repeat(8, axis=1).repeat(8, axis=2)
    images = np.clip(coarse + rng.normal(0, 6, coarse.shape), 0, 255).astype(np.uint8)
    return Samples(images, plain.labels, plain.ids, plain.class_names)


def timed(host: Any, job: Job) -> tuple[float, Memory]:
    """Seconds of a run on an open host, and its answers."""
    sink = Memory()
    facts = probe(host)
    begun = time.perf_counter()
    infer(host, job, sink, progress=lambda *_: None, facts=facts)
    return time.perf_counter() - begun, sink


def measure(board: Board, folder: Path, rate: float | None) -> None:
    model = write_tflite(folder / "m.tflite", (1, 32, 32, 3), dtype="int8", answers=100)
    job = Job(model, natural(10_000), Preprocess(scale=1), make_target(), workers=1, latency=False)
    with LocalHost() as here:
        near, wanted = timed(here, job)
    print(f"here              {near:6.2f} s")
    with Proxy(board.port, rate=rate and rate * 1e6) as proxy:
        board.write_config(proxy.port)
        for name in ("ssh, first run", "ssh, second run"):
            begun = time.perf_counter()
            with SshHost(board.target()) as host:
                took, found = timed(host, job)
                sent = host.sent
            whole = time.perf_counter() - begun
            assert np.array_equal(found.all(), wanted.all())
            print(f"{name:17} {took:6.2f} s, {whole:6.2f} s with connecting; sent {sent / 1e6:.2f} MB")
    print(f"inputs as they are: {job.samples.images.nbytes / 1e6:.2f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, help="MB/s of the link")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        board = start_board(folder)
        os.environ["EDGEVAL_SSH_CONFIG"] = str(folder / "config")
        try:
            measure(board, folder, asked.rate)
        finally:
            board.server.terminate()
            board.server.wait()


if __name__ == "__main__":
    main()
