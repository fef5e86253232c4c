"""What the device says of itself, read from files and never by importing a runtime."""

from __future__ import annotations

import os
import platform
import re
import struct
import sys
from typing import Any, Dict, Iterator, List, Optional, Tuple

# One engine may come in several distributions; the first that is installed counts.
DISTRIBUTIONS = {
    "litert": ("ai_edge_litert", "ai_edge_litert_nightly"),
    "tflite-runtime": ("tflite_runtime", "tflite_runtime_nightly"),
    "tensorflow": ("tensorflow", "tensorflow_cpu", "tensorflow_aarch64", "tf_nightly"),
    "onnxruntime": ("onnxruntime", "onnxruntime_gpu"),
}


def facts() -> Dict[str, Any]:
    """Machine, Python, runtimes and, where they can be read, temperature (C), throttling and frequency (MHz)."""
    cpu, features = parse_cpuinfo(_text("/proc/cpuinfo"))
    numpy = installed().get("numpy")
    return {
        "machine": platform.machine(),
        "pointer_bits": struct.calcsize("P") * 8,
        "board": _text("/proc/device-tree/model").strip("\0\n ") or None,
        "cpu": cpu or platform.processor() or None,
        "cpu_features": features,
        "cores": cores(),
        "memory_mb": _memory_mb(),
        "system": platform.system(),
        "kernel": platform.release(),
        "glibc": _glibc(),
        "python": platform.python_version(),
        "numpy": numpy,
        "runtimes": runtimes(),
        "temperature_c": _scaled("/sys/class/thermal/thermal_zone0/temp", 1000),
        "frequency_mhz": _scaled("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", 1000),
        "throttled": _text("/sys/devices/platform/soc/soc:firmware/get_throttled").strip() or None,
        "missing": [] if numpy else ["numpy is not installed"],
    }


def runtimes() -> Dict[str, str]:
    """The version of each engine that is installed."""
    present = installed()
    found = (
        (engine, next((present[n] for n in names if n in present), None)) for engine, names in DISTRIBUTIONS.items()
    )
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


def parse_cpuinfo(text: str) -> Tuple[Optional[str], List[str]]:
    """CPU model and features from the text of /proc/cpuinfo (x86 or Arm)."""
    pairs: Dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        pairs.setdefault(key.strip(), value.strip())
    model = pairs.get("model name") or pairs.get("Model")
    if "CPU part" in pairs:
        part = "implementer {} part {}".format(pairs.get("CPU implementer", "?"), pairs["CPU part"])
        model = "{} ({})".format(model, part) if model else part
    return model, sorted((pairs.get("flags") or pairs.get("Features") or "").split())


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _path_entries() -> Iterator[str]:
    """Names in the folders of the import path, in its order."""
    for folder in sys.path:
        try:
            yield from sorted(os.listdir(folder or "."))
        except OSError:
            continue


def _glibc() -> Optional[str]:
    """The version of the GNU C library, None elsewhere."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").replace("glibc ", "") or None
    except (ValueError, OSError, AttributeError):
        return None


def _memory_mb() -> Optional[int]:
    """Memory of the machine in MiB."""
    match = re.search(r"^MemTotal:\s+(\d+) kB", _text("/proc/meminfo"), re.M)
    return int(match.group(1)) // 1024 if match else None


def _scaled(path: str, unit: int) -> Optional[float]:
    """A whole number from a file of the kernel, divided by `unit`."""
    text = _text(path).strip()
    return int(text) / unit if re.match(r"^-?\d+$", text) else None


def _text(path: str) -> str:
    """The text of a file, empty if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
