"""The table of rungs, its front and the damage of deployment, on small tables whose answers are counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeval.compare.deployed import Answered, answered, deployed
from edgeval.records.predictions import Latency, Predictions, Source

N, CLASSES = 60, 6


def network(rung: str, params: int, wrong: list[int], *, seed: int = 0, **facts: object) -> Answered:
    """A network that errs on these images."""
    labels = np.arange(N) % CLASSES
    classes = labels.copy()
    classes[wrong] = (labels[wrong] + 1) % CLASSES
    source = Source(name=f"net:{rung}", format="tflite-int8", params=params, **facts)  # type: ignore[arg-type]
    names = tuple(str(k) for k in range(CLASSES))
    return answered(Predictions(labels, classes, names, "classes", source), rung, seed, Path(rung))


def ms(p50: float) -> Latency:
    return Latency(p50=p50, p95=2 * p50, n=9, threads=1)


TRAINED = [
    network("c4", 1_000, list(range(30))),
    network("c8", 4_000, list(range(20))),
    network("c12", 9_000, list(range(10))),
]
RAN = [
    network("c4", 1_000, list(range(1, 34)), latency=ms(1), size_bytes=2_000, peak_memory_mb=40.1),
    network("c8", 4_000, list(range(20)), latency=ms(9), size_bytes=9_000, peak_memory_mb=44.0),
    network("c12", 9_000, list(range(10)), latency=ms(3), size_bytes=9_000, peak_memory_mb=44.2),
]


def test_rows_count_flips_against_the_reference_and_against_the_own_network() -> None:
    rows = {row.name: row for row in deployed("x", TRAINED, RAN, TRAINED[2:]).rows}
    assert list(rows) == ["c4", "c8", "c12"]
    assert (rows["c4"].lost, rows["c4"].gained) == (24, 1)
    assert (rows["c8"].lost, rows["c8"].gained, rows["c8"].latency_p50_ms, rows["c8"].artifact_kb) == (10, 0, 9, 9)
    hurt = rows["c4"].damage
    assert hurt is not None
    assert (hurt.lost, hurt.gained, hurt.delta) == (4, 1, pytest.approx(-3 / N))
    assert hurt.ci95[0] < hurt.delta < hurt.ci95[1]


def test_what_is_beaten_at_everything_is_off_the_front_and_noise_decides_nothing() -> None:
    found = deployed("x", TRAINED, RAN, TRAINED[2:])
    assert [row.front for row in found.rows] == [True, False, True]  # c8's 0.2 MB less are noise
    assert found.objectives == ("top1", "bottom5", "latency_p50_ms", "peak_memory_mb", "artifact_kb")


def test_what_one_rung_lacks_is_left_out_of_the_front_and_told() -> None:
    ran = [network("c4", 1_000, list(range(30)), size_bytes=2_000, peak_memory_mb=40.0), *RAN[1:]]
    found = deployed("x", TRAINED, ran, TRAINED[2:])
    assert found.missing == ("latency_p50_ms",)
    assert found.rows[0].latency_p50_ms is None


def test_a_slowed_board_has_no_latency() -> None:
    hot = {"monitor": {"failed": ["throttled"]}}
    ran = [*RAN[:2], network("c12", 9_000, list(range(10)), latency=ms(3), host=hot)]
    found = deployed("x", TRAINED, ran, TRAINED[2:])
    assert found.rows[2].latency_p50_ms is None
    assert any("c12: latency left out" in note for note in found.notes)


def test_seeds_are_averaged_and_those_without_a_reference_are_told() -> None:
    more = [network(one.rung, one.params, list(range(k)), seed=1) for one, k in zip(TRAINED, (32, 22, 8), strict=True)]
    found = deployed("x", [*TRAINED, *more], [*RAN, *more], TRAINED[2:])
    assert found.rows[0].seeds == (0, 1)
    assert found.rows[0].top1 == pytest.approx(1 - 65 / 2 / N)
    assert (found.rows[1].lost, found.rows[1].gained) == (10, 0)  # of seed 0 alone
    assert found.rows[0].damage is not None
    assert [one.seed for one in found.rows[0].damage.by_seed] == [0, 1]
    assert found.alpha_change is not None
    assert "seeds within each size" in found.alpha_change.method
    assert any("the reference has no seed 1" in note for note in found.notes)
