"""The canary: a few inputs whose answers are known go first, since some runtimes answer wrongly without a word."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import IntegrityError

COUNT = 8
AGREEMENT_MIN = 0.5  # share of the canary's answers; kernel families that differ keep above 0.9
DENSE_RIGHT = (2, 10)  # the first tflite-runtime that reads Dense weights with a scale a channel rightly

Floats = NDArray[np.float32]


def places(n: int) -> NDArray[np.int64]:
    """Up to eight positions spread over n samples."""
    found: NDArray[np.int64] = np.unique(np.linspace(0, n - 1, COUNT).round().astype(np.int64))
    return found


def compare(host: Floats, device: Floats, hello: dict[str, Any], *, classes: bool = True) -> dict[str, Any]:
    """What the canary shows, for the record: answers (n, outputs) of the desktop and of the device.

    classes: whether outputs are classes, whose highest counts. Raises IntegrityError where the device gives one
    answer to everything, or other classes than the desktop for most of the inputs.
    """
    runtime = f"{hello['engine']} {hello['version']}, kernels {hello['kernels']}"
    n = len(host)
    if n > 1 and _constant(device) and not _constant(host):
        what = f"the canary: the device gives one and the same answer to {n} different inputs, this computer does not"
        raise IntegrityError(what, seen=runtime, hint=_cause(hello))
    if not classes or host.shape[1] < 2:
        return {"inputs": n}
    share = agreement(host, device)
    if share < AGREEMENT_MIN:
        what = "the canary: the device gives other answers than this computer for the same file and inputs"
        raise IntegrityError(what, seen=f"{share:.0%} of {n} agree; {runtime}", hint=_cause(hello))
    return {"inputs": n, "agreement": share}


def agreement(host: Floats, device: Floats) -> float:
    """The share of rows in which the device's class is one of the desktop's highest (an int8 grid makes ties)."""
    chosen = host[np.arange(len(host)), device.argmax(axis=1)]
    return float((chosen == host.max(axis=1)).mean())


def _constant(rows: Floats) -> bool:
    return bool((rows == rows[0]).all())


def _cause(hello: dict[str, Any]) -> str:
    """The likely cause, and what to do."""
    version = tuple(int(part) for part in str(hello["version"]).split(".")[:2] if part.isdigit())
    if hello["engine"] == "tflite-runtime" and version < DENSE_RIGHT:
        return (
            "tflite-runtime before 2.10 reads int8 Dense weights with a scale a channel wrongly: make the file with"
            " edgeval export --for tflite-runtime, or install 2.10 or later"
        )
    return "try another version of the runtime, or kernels = 'builtin' in the card's [runtime] table"
