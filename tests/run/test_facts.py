"""What a device says of itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgeval.run.agent.facts import installed, parse_cpuinfo, runtimes

PI4 = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU part\t: 0xd08

Hardware\t: BCM2835
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""
X86 = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: sse2 fma avx2\n\nprocessor\t: 1\nmodel name\t: other\n"


@pytest.mark.parametrize(
    ("text", "model", "feature"),
    [
        (PI4, "Raspberry Pi 4 Model B Rev 1.4 (implementer 0x41 part 0xd08)", "asimd"),
        (X86, "AMD EPYC", "avx2"),
    ],
)
def test_cpuinfo_of_arm_and_x86(text: str, model: str, feature: str) -> None:
    found, features = parse_cpuinfo(text)
    assert found == model
    assert feature in features


def test_no_cpuinfo_is_no_error() -> None:
    assert parse_cpuinfo("") == (None, [])


@pytest.mark.parametrize(
    ("folder", "engine", "version"),
    [
        ("ai_edge_litert-2.3.0.dist-info", "litert", "2.3.0"),
        ("tflite_runtime-2.14.0.egg-info", "tflite-runtime", "2.14.0"),
        ("tensorflow_cpu-2.21.0-py3.9.egg-info", "tensorflow", "2.21.0"),
        ("onnxruntime_gpu-1.26.0rc1.dist-info", "onnxruntime", "1.26.0rc1"),
    ],
)
def test_runtimes_are_found_without_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, engine: str, version: str
) -> None:
    (tmp_path / folder).mkdir()
    monkeypatch.setattr(sys, "path", ["/no/such/folder", str(tmp_path)])
    assert runtimes() == {engine: version}


def test_the_first_on_the_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for shelf, version in (("a", "2.0"), ("b", "1.0")):
        (tmp_path / shelf / f"numpy-{version}.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "a"), str(tmp_path / "b")])
    assert installed() == {"numpy": "2.0"}
