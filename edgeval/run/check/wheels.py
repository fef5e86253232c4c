"""Which runtime has a wheel for which board: by Python, processor, width of the userland and C library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgeval.run.check.finding import Survey

Version = tuple[int, ...]
OLD_NUMPY = "numpy<2"  # tflite-runtime was built for numpy 1 and fails on 2


@dataclass(frozen=True)
class Wheel:
    """A distribution that pip finds for Python `since` to `until` on these machines, with this glibc or a later."""

    engine: str
    spec: str
    since: Version
    until: Version
    glibc: Version
    machines: tuple[str, ...] = ("aarch64", "x86_64")
    numpy: str = "numpy"


LAST_FOR_CORAL = "tflite-runtime==2.11.0"  # with Google's own library for the Edge TPU
TFLITE = ("aarch64", "armv7l", "x86_64")
WHEELS = (
    Wheel("litert", "ai-edge-litert", (3, 10), (3, 14), (2, 27)),
    Wheel("litert", "ai-edge-litert==2.1.0", (3, 9), (3, 9), (2, 27)),
    Wheel("tflite-runtime", "tflite-runtime==2.14.0", (3, 8), (3, 11), (2, 34), TFLITE, OLD_NUMPY),
    Wheel("tflite-runtime", "tflite-runtime==2.13.0", (3, 8), (3, 10), (2, 17), TFLITE, OLD_NUMPY),
    Wheel("tflite-runtime", LAST_FOR_CORAL, (3, 7), (3, 9), (2, 17), TFLITE, OLD_NUMPY),
    Wheel("tflm", "tflite-micro>=0.dev0", (3, 10), (3, 14), (2, 17), ("x86_64",)),
    Wheel("onnxruntime", "onnxruntime", (3, 10), (3, 14), (2, 28)),
    Wheel("onnxruntime", "onnxruntime", (3, 7), (3, 9), (2, 17)),
)


def numbers(text: str) -> Version:
    """The leading numbers of a version: 3.11.2rc1 as (3, 11, 2)."""
    match = re.match(r"\d{1,6}(\.\d{1,6}){0,4}", text)
    return tuple(int(part) for part in match.group(0).split(".")) if match else ()


def machine(survey: Survey) -> str:
    """The machine that wheels are made for: a 32-bit userland on a 64-bit kernel takes those of armv7l."""
    told = str(survey.get("machine")).replace("arm64", "aarch64").replace("AMD64", "x86_64")
    if survey["pointer_bits"] == 32:
        return {"aarch64": "armv7l", "armv8l": "armv7l", "x86_64": "i686"}.get(told, told)
    return told


def fitting(survey: Survey, engines: Sequence[str]) -> list[Wheel]:
    """Wheels that run there, in the order of `engines`."""
    python, here = numbers(str(survey.get("python")))[:2], machine(survey)
    glibc = numbers(str(survey.get("glibc")))
    return [
        wheel
        for engine in engines
        for wheel in WHEELS
        if wheel.engine == engine
        and wheel.since <= python <= wheel.until
        and here in wheel.machines
        and glibc >= wheel.glibc
    ]


def nearly(survey: Survey, engines: Sequence[str]) -> str:
    """Why no wheel runs there: the first thing that would have to be different."""
    python, here, glibc = (*numbers(survey["python"]), 0, 0)[:2], machine(survey), survey["glibc"]
    rows = [wheel for wheel in WHEELS if wheel.engine in engines]
    if here == "armv6l":
        return "no runtime has wheels for ARMv6 (Pi 1, Pi Zero): use a Pi Zero 2 W or later"
    if not any(here in wheel.machines for wheel in rows):
        bits = f" ({survey['pointer_bits']}-bit)"
        return f"{' and '.join(engines)} have no wheel for {here}{bits}: install a 64-bit system"
    if glibc is None:
        return "wheels are made for the GNU C library, and this system has another: install a Debian-based one"
    rows = [wheel for wheel in rows if here in wheel.machines]
    pythons = [wheel for wheel in rows if wheel.since <= python <= wheel.until]
    if not pythons:
        least, most = min(wheel.since for wheel in rows), max(wheel.until for wheel in rows)
        span = f"{least[0]}.{least[1]} to {most[0]}.{most[1]}"
        cure = "install a 64-bit system" if survey["pointer_bits"] == 32 else f"install a Python from {span}"
        return f"no wheel for Python {python[0]}.{python[1]} on {here} (there are some for {span}): {cure}"
    need = min(wheel.glibc for wheel in pythons)
    return f"glibc {glibc} is too old, wheels need {need[0]}.{need[1]}: install a newer system"
