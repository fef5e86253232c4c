"""Answers of tflite-runtime 2.14's reference kernels, in an environment of their own (numpy 1, Python 3.11)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from numpy.typing import NDArray

PINS = ("tflite-runtime==2.14.0", "numpy==1.26.4")
SCRIPT = """
import sys, numpy as np
from tflite_runtime.interpreter import Interpreter, OpResolverType
model, given, made = sys.argv[1:]
kernels = OpResolverType.BUILTIN_REF
interpreter = Interpreter(model, experimental_op_resolver_type=kernels, num_threads=1)
interpreter.allocate_tensors()
into, out_of = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
rows = []
for image in np.load(given):
    interpreter.set_tensor(into, image[None])
    interpreter.invoke()
    rows.append(interpreter.get_tensor(out_of)[0].copy())
np.save(made, np.array(rows))
"""


def reference_answers(model: Path, prepared: NDArray[np.generic], folder: Path) -> NDArray[np.generic]:
    """(n, outputs) of inputs (n, ...), one image at a time; skips where the environment cannot be made."""
    np.save(folder / "given.npy", prepared)
    words = [old_python(), "-c", SCRIPT, str(model), str(folder / "given.npy"), str(folder / "made.npy")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=_clean())
    assert done.returncode == 0, done.stderr
    made: NDArray[np.generic] = np.load(folder / "made.npy")
    return made


@cache
def old_python() -> str:
    """A Python that has the old runtime: $EDGEVAL_TFLITE_RUNTIME, or a cached environment that pip fills once."""
    if "EDGEVAL_TFLITE_RUNTIME" in os.environ:
        return os.environ["EDGEVAL_TFLITE_RUNTIME"]
    base = sys.executable if sys.version_info < (3, 12) else shutil.which("python3.11")
    if base is None:
        pytest.skip("tflite-runtime 2.14 needs Python 3.11: none found ($EDGEVAL_TFLITE_RUNTIME names one)")
    cached = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "edgeval-tests"
    folder, done = cached / "tflite-runtime-2.14.0", cached / "tflite-runtime-2.14.0" / "done"
    cached.mkdir(parents=True, exist_ok=True)
    with FileLock(cached / "lock"):
        if not done.exists():
            _fill(base, folder)
            done.touch()
    return str(folder / "bin" / "python")


def _fill(base: str, folder: Path) -> None:
    """A new environment with the pinned packages, or a skip that says what failed."""
    shutil.rmtree(folder, ignore_errors=True)
    if base == sys.executable:
        venv.create(folder, with_pip=True)
    else:
        subprocess.run([base, "-m", "venv", str(folder)], check=True, capture_output=True)
    words = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *PINS]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=_clean())
    if done.returncode:
        pytest.skip(f"{' '.join(PINS)} could not be installed: {done.stderr.strip().splitlines()[-1]}")


def _clean() -> dict[str, str]:
    """This environment without a path to other packages."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
