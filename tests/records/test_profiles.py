"""For which family of runtimes a device's card wants which format."""

from __future__ import annotations

from typing import Any

import pytest

from edgeval.records.artifact import FORMATS
from edgeval.records.target import Target

CARDS = [
    ({}, {}),
    ({"model": {"per_channel_dense": False}}, dict.fromkeys(("tflite-int8", "tflite-16x8"), "tflite-runtime")),
    (
        {"kind": "edgetpu", "model": {"per_channel_dense": False}},
        dict.fromkeys(("tflite-int8", "tflite-16x8"), "coral"),
    ),
]


@pytest.mark.parametrize(("tables", "special"), CARDS)
def test_only_integer_files_are_made_anew_for_runtimes_that_misread_dense_weights(
    tables: dict[str, Any], special: dict[str, str]
) -> None:
    target = Target.model_validate({"schema": "edgeval/device/1", "name": "board", **tables})
    assert {fmt: target.profile(fmt) for fmt in FORMATS} == dict.fromkeys(FORMATS, "litert") | special
