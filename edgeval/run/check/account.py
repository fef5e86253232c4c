"""A board's account of itself, checked before any advice is made of it."""

from __future__ import annotations

from typing import Any

from edgeval.errors import BenchError
from edgeval.run.check.finding import Survey
from edgeval.run.intake import HINT

TEXTS = ("machine", "python", "system", "user", "home", "folder")
MAYBE_TEXTS = ("board", "cpu", "os", "os_id", "glibc", "numpy", "governor", "folder_error")
NUMBERS = ("memory_mb", "memory_free_mb", "temperature_c", "frequency_mhz", "frequency_max_mhz", "disk_free_mb")
LISTS = ("cpu_features", "throttling", "throttled_before", "groups", "usb", "pci")
FLAGS = ("pip", "venv", "in_venv", "externally_managed")


def read_survey(told: dict[str, Any]) -> Survey:
    """The same, if everything is of its kind. Raises BenchError for what the agent would not say."""
    tool = told.get("installer")
    right = {
        **{key: isinstance(told.get(key), str) for key in TEXTS},
        **{key: isinstance(told.get(key), str | None) for key in MAYBE_TEXTS},
        **{key: told.get(key) is None or _number(told[key]) for key in NUMBERS},
        **{key: _texts(told.get(key)) for key in LISTS},
        "time": _number(told.get("time")),
        "root": isinstance(told.get("root"), bool),
        "network": isinstance(told.get("network"), bool | None),
        "paths": isinstance(told.get("paths"), dict),
        "pointer_bits": _number(told.get("pointer_bits")),
        "runtimes": isinstance(told.get("runtimes"), dict) and _texts([*told["runtimes"].values()]),
        "installer": isinstance(tool, dict)
        and isinstance(tool.get("executable"), str)
        and all(isinstance(tool.get(flag), bool) for flag in FLAGS),
    }
    wrong = next((key for key, good in right.items() if not good), None)
    if wrong is not None:
        raise BenchError(
            "the device's account of itself is not the agent's", seen=f"{wrong}: {told.get(wrong)}", hint=HINT
        )
    return {**dict.fromkeys((*MAYBE_TEXTS, *NUMBERS, "network")), **told}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
