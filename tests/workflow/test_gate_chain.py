"""The gate on a real ladder: what it decides, stops early, extends, and refuses to decide."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Typed = tuple[int, str, str]
LADDER = "scalecnn-digits100"


def rules(folder: Path, *lines: str) -> str:
    """A file of rules beside the demo; what names it on the command line."""
    path = folder / "rules.toml"
    path.write_text("\n".join(f"[[gate.rules]]\n{line}\n" for line in lines))
    return f"--config {path} --json - -q --floor-budget 0"


@pytest.fixture
def gate(type_there: Callable[[str], Typed], tmp_path: Path, demo: Any) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Type `gate LADDER ...` with these rules; exit code and JSON. Looks of other tests are forgotten first."""
    shutil.rmtree(demo.folder / "runs/looks", ignore_errors=True)

    def typed(words: str, *lines: str) -> tuple[int, dict[str, Any]]:
        code, out, err = type_there(f"gate {LADDER} {words} {rules(tmp_path, *lines)}")
        assert out, err
        return code, json.loads(out)

    return typed


def test_several_rungs_end_with_the_worst_of_them(gate: Any) -> None:
    code, found = gate("", 'metric = "top1"\nmax_drop = "10pt"')
    verdicts = {row["candidate"]["name"]: row["verdict"]["status"] for row in found["rows"]}
    assert verdicts == {f"{LADDER}:c4": "FAIL", f"{LADDER}:c8": "PASS"}
    assert (code, found["verdict"]) == (1, {"status": "FAIL", "exit_code": 1})


def test_an_approximate_stand_in_decides_nothing(gate: Any) -> None:
    code, found = gate("--rung c8 --target rpi4 --emulate", 'metric = "top1"\nmax_drop = "10pt"')
    assert (code, found["verdict"]["status"]) == (5, "NO_VERDICT")
    assert "approximate" in found["verdict"]["reasons"][0]
    assert found["verdict"]["rules"][0]["status"] == "PASS"


def test_a_clear_case_ends_early_with_the_verdict_of_all_images(gate: Any, demo: Any) -> None:
    for margin, status in (("1.5pt", "FAIL"), ("12pt", "PASS")):
        code, found = gate("--rung c8 --sequential", f'metric = "top1"\nmax_drop = "{margin}"')
        shutil.rmtree(demo.folder / "runs/looks")
        early = found["verdict"]
        assert (code, early["status"]) == ({"FAIL": 1, "PASS": 0}[status], status)
        assert early["sequential"]["used"] == found["n"] < early["sequential"]["total"] == 4000


def test_sequential_rules_and_sides_that_cannot_be(type_there: Callable[[str], Typed], tmp_path: Path) -> None:
    ece = rules(tmp_path, 'metric = "ece"\nmax_increase = 0.1')
    assert type_there(f"gate {LADDER} --sequential {ece}")[0] == 2
    top1 = rules(tmp_path, 'metric = "top1"\nmax_drop = "2pt"')
    tables = f"--reference {LADDER}:c12:torch --candidate {LADDER}:c8:torch"
    code, _, err = type_there(f"gate {tables} --sequential {top1}")
    assert (code, "--sequential" in err) == (2, True)


def test_a_longer_run_extends_a_shorter_one(gate: Any, demo: Any) -> None:
    rule = 'metric = "top1"\nmax_drop = "3pt"'
    for other in (demo.folder / "runs/predictions").glob("*.chunks"):  # of other tests in this folder
        shutil.rmtree(other)
    _, short = gate("--rung c4 --images 300", rule)
    (chunks,) = (demo.folder / "runs/predictions").glob("*c4*int8*.chunks")
    first = {path.name for path in chunks.glob("*.npy")}
    _, long = gate("--rung c4 --images 900", rule)
    assert (short["n"], long["n"], long["verdict"]["look"]) == (300, 900, 2)
    assert set(short["flips"]["lost_ids"]) <= set(long["flips"]["lost_ids"])
    ranges = sorted(tuple(map(int, path.name.split("-")[:2])) for path in chunks.glob("*.npy"))
    assert first <= {path.name for path in chunks.glob("*.npy")}
    assert [stop for _, stop in ranges[:-1]] == [start for start, _ in ranges[1:]]
    assert ranges[-1][1] >= 900
    later = sum(stage["net"] for stage in long["stages"])
    assert later == long["flips"]["gained"] - long["flips"]["lost"]


def test_the_kernel_floor_is_measured_and_expectations_are_told(type_there: Callable[[str], Typed]) -> None:
    _, out, _ = type_there(f"compare {LADDER} --rung c8 --images 400 --floor-budget 30s --json - -q")
    found = json.loads(out)
    families = {name for pair in found["kernel_floor"]["pairs"] for name in (pair["one"], pair["other"])}
    assert families == {"auto", "builtin", "reference"}
    assert found["kernel_floor"]["n"] <= 400
    assert found["expected"]["top1"]["value"] == pytest.approx(found["stages"][0]["top1"], abs=1e-9)
    assert found["verdict"] is None
