"""Compiled files, laid out as the Edge TPU compiler does, are read without it."""

from __future__ import annotations

import pytest

from edgeval.errors import ModelError
from edgeval.export.package import is_compiled, read_compiled
from edgeval.records.compiled import CompiledFile
from tests.edgetpu_files import CACHING, EXECUTION, STAND_ALONE, Run, compiled, flexbuffer, nested, package, swollen

SOFTMAX, RESHAPE = 25, 22


def read(*runs: Run, left: tuple[int, ...] = (), min_runtime: int = 14) -> CompiledFile:
    return read_compiled(compiled(flexbuffer(package(*runs, min_runtime=min_runtime)), left=left), "m")


def test_a_cached_model_says_its_memory_chip_and_runtime() -> None:
    said = read(Run(CACHING, 566_912), Run(EXECUTION, 0))
    assert (said.cached_bytes, said.streamed_bytes, said.left) == (566_912, 0, {})
    assert (said.parts, said.min_runtime, said.compiler, said.chip) == (1, 14, "16.0.384591198", "beagle")


@pytest.mark.parametrize(
    ("runs", "cached", "streamed"),
    [
        ([Run(CACHING, 6_000), Run(EXECUTION, 2_000)], 6_000, 2_000),
        ([Run(STAND_ALONE, 3_000)], 0, 3_000),
        ([Run(STAND_ALONE, 0)], 0, 0),
    ],
)
def test_what_does_not_fit_on_the_chip_is_streamed(runs: list[Run], cached: int, streamed: int) -> None:
    said = read(*runs)
    assert (said.cached_bytes, said.streamed_bytes) == (cached, streamed)


def test_operators_outside_are_left_on_the_cpu() -> None:
    assert read(Run(CACHING, 10), left=(SOFTMAX, RESHAPE, SOFTMAX)).left == {"SOFTMAX": 2, "RESHAPE": 1}


def test_an_older_runtime_is_told() -> None:
    assert read(Run(CACHING, 10), min_runtime=10).min_runtime == 10


@pytest.mark.parametrize("options", [b"", b"\x01", flexbuffer(b"12345678"), flexbuffer(package(), key=b"5")])
def test_damaged_options_are_no_crash(options: bytes) -> None:
    data = compiled(options)
    assert is_compiled(data)
    with pytest.raises(ModelError, match="m: what the Edge TPU compiler put into this file cannot be read"):
        read_compiled(data, "m")


def test_every_cut_and_flip_of_the_package_is_read_or_refused() -> None:
    whole = package(Run(CACHING, 64), Run(EXECUTION, 32))
    for at in range(0, len(whole), 3):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            try:
                said = read_compiled(compiled(flexbuffer(damaged)), "m")
            except ModelError:
                continue
            assert said.cached_bytes + said.streamed_bytes <= len(whole)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (swollen(Run(CACHING, 1 << 20), 100), "larger than the whole"),
        (nested(100, 1), "larger than the whole"),
        (nested(1, 4), "packages within packages"),
    ],
    ids=["one executable 100 times", "one chip 100 times", "deep"],
)
def test_a_small_file_does_not_swell(held: bytes, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        read_compiled(compiled(flexbuffer(held)), "m")


def test_a_package_for_two_chips_is_read() -> None:
    assert read_compiled(compiled(flexbuffer(nested(1, 2))), "m").cached_bytes == 10
