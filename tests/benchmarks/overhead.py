"""What edgeval costs on top of the runtime: the agent's loop against a bare interpreter loop.

    python tests/benchmarks/overhead.py resnet8_int8.tflite cifar10-test.npz --rounds 5

DATA is an .npz with `x`, (N, H, W, C) uint8. Everything is CPU time of one thread, so that a busy machine disturbs
little; both sides take turns every 500 images within one run. The limit is 1.05. Three comparisons:

- loop: prepare pixels, set, invoke, get, hash and frame the answers, against set, invoke, get on prepared inputs;
- against invoke alone;
- whole process: `agent.pyz run` with one worker, against a Python script that does no more than the bare loop.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from edgeval.run.agent.installed import runtimes
from edgeval.run.agent.worker import Bench
from edgeval.run.agentfile import agent_bytes

CHUNK = 500
SCRIPT = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
inputs = np.load(sys.argv[2], mmap_mode="r")
interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
into = interpreter.get_input_details()[0]["index"]
out_of = interpreter.get_output_details()[0]["index"]
answers = []
for k in range(len(inputs)):
    interpreter.set_tensor(into, inputs[k : k + 1])
    interpreter.invoke()
    answers.append(interpreter.get_tensor(out_of))
"""


class Bare:
    """The loop that nobody can do without."""

    def __init__(self, model: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(str(model), num_threads=1)
        self.interpreter.allocate_tensors()
        self.into = self.interpreter.get_input_details()[0]["index"]
        self.out_of = self.interpreter.get_output_details()[0]["index"]

    def answer(self, inputs: NDArray[Any]) -> None:
        set_tensor, invoke, get = self.interpreter.set_tensor, self.interpreter.invoke, self.interpreter.get_tensor
        answers = []
        for k in range(len(inputs)):
            set_tensor(self.into, inputs[k : k + 1])
            invoke()
            answers.append(get(self.out_of))

    def invoke_only(self, n: int) -> None:
        invoke = self.interpreter.invoke
        for _ in range(n):
            invoke()


def seconds(work: Any, *args: Any) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    work(*args)
    return time.process_time() - began


def one_round(bench: Bench, bare: Bare, inputs: NDArray[Any], sink: IO[bytes], turn: int) -> dict[str, float]:
    """CPU seconds of each way over all images, taking turns chunk by chunk."""
    spent = {"agent": 0.0, "bare": 0.0, "invoke": 0.0}
    for number, start in enumerate(range(0, len(inputs), CHUNK)):
        stop = min(start + CHUNK, len(inputs))
        ways = [
            ("agent", lambda a=start, b=stop: bench.send(sink, a, b)),
            ("bare", lambda a=start, b=stop: bare.answer(inputs[a:b])),
            ("invoke", lambda a=start, b=stop: bare.invoke_only(b - a)),
        ]
        shift = (number + turn) % len(ways)
        for name, work in ways[shift:] + ways[:shift]:
            spent[name] += seconds(work)
    return spent


def child_seconds(argv: list[str]) -> float:
    """CPU seconds of a child process and all that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        status = child.wait()
    if status:
        raise SystemExit(f"{argv[1]} ended with status {status}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write_job(folder: Path, model: Path, images: NDArray[Any], scale: float) -> dict[str, Any]:
    """The images and the agent in a folder, and the job that runs them."""
    np.save(folder / "inputs.npy", images)
    (folder / "agent.pyz").write_bytes(agent_bytes())
    job = {
        "model": str(model),
        "inputs": str(folder / "inputs.npy"),
        "preprocess": {"scale": scale, "mean": [0.0], "std": [1.0]},
        "ranges": [[0, len(images)]],
        "chunk": CHUNK,
        "engine": "litert",
        "version": runtimes()["litert"],
        "kernels": "auto",
        "threads": 1,
        "workers": 1,
        "latency": False,
        "sample_timeout_s": 60,
        "run_timeout_s": None,
    }
    (folder / "job.json").write_text(json.dumps(job))
    return job


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--scale", type=float, default=1.0)
    args = parser.parse_args()
    with np.load(args.data, allow_pickle=False) as data:
        images = data["x"][: args.images]
    with tempfile.TemporaryDirectory() as name, Path(os.devnull).open("wb") as sink:
        folder = Path(name)
        job = write_job(folder, args.model.resolve(), images, args.scale)
        bench, bare = Bench(job, threads=1), Bare(args.model)
        inputs = np.concatenate([bench.prepare(images[k : k + CHUNK]) for k in range(0, len(images), CHUNK)])
        np.save(folder / "prepared.npy", inputs)
        report(len(images), [one_round(bench, bare, inputs, sink, turn) for turn in range(args.rounds)])
        whole_process(folder, args.model, args.rounds)


def report(n: int, rounds: list[dict[str, float]]) -> None:
    """Print microseconds an image and the ratios."""
    for name in ("invoke", "bare", "agent"):
        print(f"{name:8} {median(r[name] for r in rounds) / n * 1e6:8.2f} us an image (median of {len(rounds)} rounds)")
    for base in ("bare", "invoke"):
        ratios = sorted(r["agent"] / r[base] for r in rounds)
        print(f"agent / {base}: median {median(ratios):.4f}, {ratios[0]:.4f} to {ratios[-1]:.4f}")


def whole_process(folder: Path, model: Path, rounds: int) -> None:
    """Print the ratio of whole processes, imports and start included."""
    agent = [sys.executable, str(folder / "agent.pyz"), "run", str(folder / "job.json")]
    bare = [sys.executable, "-c", SCRIPT, str(model), str(folder / "prepared.npy")]
    pairs = [(child_seconds(agent), child_seconds(bare)) for _ in range(rounds)]
    ratios = sorted(a / b for a, b in pairs)
    print(f"whole process: agent {median(a for a, _ in pairs):.2f} s, bare script {median(b for _, b in pairs):.2f} s")
    print(f"whole process, agent / bare: median {median(ratios):.4f}, {ratios[0]:.4f} to {ratios[-1]:.4f}")


if __name__ == "__main__":
    main()
