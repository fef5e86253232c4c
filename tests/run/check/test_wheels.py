"""Which wheel fits which board, against the tables of what the public index holds."""

from __future__ import annotations

from typing import Any

import pytest

from edgeval.run.check.board import fits
from edgeval.run.check.wheels import fitting, machine, nearly, numbers
from tests.run.check.surveys import FRESH, changed

ENGINES = ["litert", "tflite-runtime", "onnxruntime"]
FIRST = [
    ("3.7.3", "aarch64", 64, "2.28", "tflite-runtime==2.11.0"),
    ("3.8.0", "aarch64", 64, "2.31", "tflite-runtime==2.13.0"),
    ("3.9.2", "aarch64", 64, "2.31", "ai-edge-litert==2.1.0"),
    ("3.9.2", "armv7l", 32, "2.31", "tflite-runtime==2.13.0"),
    ("3.11.2", "aarch64", 32, "2.36", "tflite-runtime==2.14.0"),
    ("3.11.2", "aarch64", 64, "2.36", "ai-edge-litert"),
    ("3.14.0", "aarch64", 64, "2.41", "ai-edge-litert"),
    ("3.10.0", "aarch64", 64, "2.24", "tflite-runtime==2.13.0"),
]


@pytest.mark.parametrize(("python", "kind", "bits", "glibc", "spec"), FIRST)
def test_the_first_wheel_that_fits(python: str, kind: str, bits: int, glibc: str, spec: str) -> None:
    survey = changed(FRESH, python=python, machine=kind, pointer_bits=bits, glibc=glibc)
    assert fitting(survey, ENGINES)[0].spec == spec


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"machine": "armv6l", "pointer_bits": 32}, "ARMv6"),
        ({"machine": "riscv64"}, "riscv64"),
        ({"glibc": None}, "GNU C library"),
        ({"python": "3.15.0"}, "a Python from 3.7 to 3.14"),
        ({"glibc": "2.12"}, "glibc 2.12 is too old"),
    ],
)
def test_why_no_wheel_fits(values: dict[str, Any], words: str) -> None:
    survey = changed(FRESH, **values)
    assert fitting(survey, ENGINES) == []
    assert words in nearly(survey, ENGINES)


@pytest.mark.parametrize(
    ("told", "bits", "wheels"),
    [("aarch64", 32, "armv7l"), ("armv8l", 32, "armv7l"), ("arm64", 64, "aarch64"), ("x86_64", 32, "i686")],
)
def test_the_machine_that_wheels_are_made_for(told: str, bits: int, wheels: str) -> None:
    assert machine(changed(FRESH, machine=told, pointer_bits=bits)) == wheels


@pytest.mark.parametrize(
    ("version", "asked", "good"),
    [
        ("3.11.2", "3.11", True),
        ("3.11.2", "3.1", False),
        ("3.11.2", ">=3.9,<3.12", True),
        ("3.12.0", ">=3.9,<3.12", False),
        ("3.11.2", "<=3.11", True),
        ("3.11.2", "three", False),
        ("", ">=2.17", False),
    ],
)
def test_versions_that_a_card_asks_for(version: str, asked: str, good: bool) -> None:
    assert fits(version, asked) is good


def test_odd_versions_are_no_numbers() -> None:
    assert numbers("2.5.0.post1") == (2, 5, 0)
    assert numbers("unknown") == ()
