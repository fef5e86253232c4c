"""Provenance shows what was recorded, and nothing where nothing was."""

from edgeval.records.findings import Comparison
from edgeval.report import provenance


def test_every_recorded_fact_is_shown(row: Comparison) -> None:
    facts = dict(provenance.facts(row))
    assert facts["model file, sha256"] == [row.reference.sha256, row.candidate.sha256]
    assert facts["parameters"] == ["1,203,000", "75,200"]
    assert facts["runtime: version"] == ["2.3.0", "2.3.0"]
    assert facts["host: cpu features"] == ["asimd", "asimd"]
    assert facts["fidelity"] == ["not recorded", "bit-exact"]
    assert facts["preprocessing"][0] == "(pixel × 0.00392157 − [0.507, 0.487, 0.441]) / [0.267, 0.256, 0.276]"
    assert "runtime: delegate" not in facts


def test_what_nobody_recorded_is_left_out(plain_row: Comparison) -> None:
    assert [name for name, _ in provenance.facts(plain_row)] == ["model", "format", "origin"]


def test_the_target_has_a_column_where_it_is_not_the_candidate(row: Comparison) -> None:
    other = row.model_copy(update={"target": row.target.model_copy(update={"target": "rpi5"})})
    assert [name for name, _ in provenance.sides(row)] == ["reference", "candidate"]
    assert [name for name, _ in provenance.sides(other)] == ["reference", "candidate", "target"]
    assert dict(provenance.facts(other))["target"] == ["desktop", "rpi4", "rpi5"]
