"""Which packages this Python has, by names of folders and never by importing a runtime."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import sysconfig
from typing import Any, Dict, Iterator, Optional

# One engine may come in several distributions; the first that is installed counts.
DISTRIBUTIONS = {
    "litert": ("ai_edge_litert", "ai_edge_litert_nightly"),
    "tflite-runtime": ("tflite_runtime", "tflite_runtime_nightly"),
    "tensorflow": ("tensorflow", "tensorflow_cpu", "tensorflow_aarch64", "tf_nightly"),
    "onnxruntime": ("onnxruntime", "onnxruntime_gpu"),
    "tflm": ("tflite_micro",),
}


def runtimes(present: Optional[Dict[str, str]] = None) -> Dict[str, str]:
    """The version of each engine that is installed."""
    have = installed() if present is None else present
    found = ((engine, next((have[n] for n in names if n in have), None)) for engine, names in DISTRIBUTIONS.items())
    return {engine: version for engine, version in found if version is not None}


def installed() -> Dict[str, str]:
    """Version of each installed distribution by normalised name; the first on the path counts.

    Reads names of metadata folders: importlib.metadata is missing before Python 3.8.
    """
    found: Dict[str, str] = {}
    for name in _path_entries():
        match = re.match(r"^(.+?)-([^-]+?)(-py[\d.]+)?\.(dist|egg)-info$", name)
        if match:
            found.setdefault(re.sub(r"[-_.]+", "_", match.group(1)).lower(), match.group(2))
    return found


def installer() -> Dict[str, Any]:
    """How packages come into this Python: pip, virtual environments, and whether the system forbids pip (PEP 668)."""
    marker = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    inside = sys.prefix != sys.base_prefix
    return {
        "executable": sys.executable,
        "pip": _has("pip"),
        "venv": _has("venv") and _has("ensurepip"),
        "in_venv": inside,
        "externally_managed": os.path.exists(marker) and not inside,
    }


def _has(module: str) -> bool:
    """Whether a module could be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _path_entries() -> Iterator[str]:
    """Names in the folders of the import path, in its order."""
    for folder in sys.path:
        try:
            yield from sorted(os.listdir(folder or "."))
        except OSError:
            continue
