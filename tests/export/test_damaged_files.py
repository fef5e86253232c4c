"""Damaged TFLite files, compiled ones among them: whatever reads them names the damage, and nothing else comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeval.errors import ModelError
from edgeval.export import edgetpu, inspect, package
from edgeval.records.target import load_target
from edgeval.run.micro import check_file, fidelity_of
from tests.edgetpu_files import CACHING, EXECUTION, Run, compiled, dense, flexbuffer
from tests.edgetpu_files import package as packed

COMPILED = compiled(flexbuffer(packed(Run(CACHING, 2048), Run(EXECUTION, 0))))


def damaged(data: bytes, times: int) -> Iterator[bytes]:
    """The file cut short, or with up to 11 bytes changed behind its identifier."""
    rng = np.random.default_rng(3)
    for turn in range(times):
        copy = bytearray(data)
        if turn % 5 == 0:
            copy = copy[: rng.integers(8, len(data))]
        else:
            places = rng.integers(8, len(data), rng.integers(1, 12))
            copy[:] = bytes(rng.choice([0, 1, 127, 128, 255]) if at in places else byte for at, byte in enumerate(copy))
        yield bytes(copy)


def micro(folder: Path, data: bytes) -> None:
    path = folder / "m.tflite"
    path.write_bytes(data)
    check_file(path, load_target("mcu"))
    fidelity_of(path, None)


READERS: dict[str, tuple[bytes, Callable[[Path, bytes], object]]] = {
    "compiled": (COMPILED, lambda _, data: package.read_compiled(data, "m")),
    "border": (COMPILED, lambda _, data: package.border(data)),
    "rules": (dense(), lambda _, data: edgetpu.check(data, "m")),
    "anatomy": (dense(), lambda _, data: inspect._tflite(data)),
    "micro": (dense(), micro),
}


@pytest.mark.parametrize("name", READERS)
def test_damage_never_comes_out_as_another_error(tmp_path: Path, name: str) -> None:
    whole, read = READERS[name]
    refused = 0
    for data in damaged(whole, 300):
        try:
            read(tmp_path, data)
        except ModelError:
            refused += 1
    assert refused > 60


def test_a_model_without_a_graph_is_damaged() -> None:
    from edgeval.export import flatbuffer

    model = flatbuffer.parse(dense())
    model.subgraphs = []
    with pytest.raises(ModelError, match="the TFLite file is damaged"):
        edgetpu.check(flatbuffer.pack(model), "m")
