"""What forbids a verdict: each reason by itself, and nothing where a run is in order."""

from __future__ import annotations

import re
from typing import Any

import pytest

from edgeval.gate.trust import distrust, imported
from edgeval.records.evidence import Evidence
from edgeval.records.findings import Stage
from tests.gate.conftest import Made

GOOD = {
    "origin": "desktop",
    "format": "tflite-int8",
    "runtime": {"engine": "litert", "version": "2.3.0"},
    "data_sha256": "a" * 64,
    "leaked": 0,
}


def changed(evidence: Evidence, **values: Any) -> Any:
    """The comparison with another candidate."""
    row = evidence.comparison
    return row.model_copy(update={"candidate": row.candidate.model_copy(update=values)})


def test_a_run_in_order_can_be_judged(flipping: Made) -> None:
    assert distrust(flipping(10, 1, 1, **GOOD).comparison) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"runtime": {"engine": "litert"}}, "unknown version"),
        ({"runtime": None}, "unknown version"),
        ({"leaked": 3}, "calibrated on 3 of these very test images"),
        ({"data_sha256": "b" * 64}, "different data"),
        ({"origin": "emulated", "fidelity": "approximate: another CPU"}, "stand-in is approximate"),
        ({"origin": "emulated", "fidelity": None}, "stand-in is unknown"),
        ({"runtime": {"version": "1", "requested_delegate": "libedgetpu.so.1"}}, "not proven to have run"),
        ({"runtime": {"version": "1", "unproven": ["the library lists no device"]}}, "accelerator: the library lists"),
        ({"runtime": {"version": "1", "unexpected": ["x86_64, the card expects aarch64"]}}, "another board .*aarch64"),
    ],
)
def test_what_is_not_proven_forbids_a_verdict(flipping: Made, values: dict[str, Any], said: str) -> None:
    (reason,) = distrust(changed(flipping(10, 1, 1, **GOOD), **values))
    assert re.search(said, reason)


def test_a_bit_exact_stand_in_may_decide(flipping: Made) -> None:
    assert distrust(changed(flipping(10, 1, 1, **GOOD), origin="emulated", fidelity="bit-exact")) == []


def test_an_export_that_does_not_reproduce_its_network(flipping: Made) -> None:
    values = {"name": "export", "from": "torch", "to": "fp32", "top1": 0.5, "ece": None, "net": 0, "jaccard": None}
    step = Stage.model_validate({**values, "lost": 30, "gained": 30, "charged_lost": 0, "charged_gained": 0})
    row = flipping(1000, 1, 1, **GOOD).comparison.model_copy(update={"stages": (step,)})
    assert "60 of 1,000 answers flipped" in distrust(row)[0]


def test_imported_tables_are_judged_unless_provenance_is_required(flipping: Made) -> None:
    row = flipping(10, 1, 1).comparison
    assert distrust(row) == []
    assert imported(row) == "both sides are imported tables: where the answers come from is not proven"
    assert len(distrust(row, require_provenance=True)) == 2
