"""Rules for models that answer with numbers, as typed on two tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgeval.cli.edge import run
from edgeval.measures.paired import tango


def tables(n: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """old.npz and new.npz: errors of both, the new ones with more noise."""
    rng = np.random.default_rng(0)
    targets = rng.normal(size=n)
    before = rng.normal(scale=0.1, size=n)
    after = before + rng.normal(scale=noise, size=n)
    np.savez("old.npz", targets=targets, values=targets + before)
    np.savez("new.npz", targets=targets, values=targets + after)
    return before, after


@pytest.mark.parametrize(
    ("noise", "rule", "code"),
    [
        (0.01, 'metric = "mse_ratio"\nmax = 1.1', 0),
        (0.1, 'metric = "mse_ratio"\nmax = 1.1', 1),
        (0.031, 'metric = "mse_ratio"\nmax = 1.1', 3),
        (0.01, 'metric = "within_tolerance"\nmax_drop = "2pt"\ntolerance = 0.2', 0),
        (0.2, 'metric = "within_tolerance"\nmax_drop = "2pt"\ntolerance = 0.2', 1),
        (0.01, 'metric = "within_tolerance"\nmin = "90pt"\ntolerance = 0.2', 0),
        (0.01, 'metric = "mse_ratio"\noutput = "output"\nmax = 1.1', 0),
        (0.01, 'metric = "max_abs_error"\nmax = 0.5', 0),
        (0.01, 'metric = "max_abs_error"\nmax = 0.3', 1),
        (0.01, 'metric = "max_abs_error"\noutput = "y"\nmax = 0.3', 2),
        (0.01, 'metric = "top1"\nmax_drop = "2pt"', 2),
        (0.01, 'metric = "latency_p95_ms"\nmax = "2ms"', 5),
    ],
)
def test_numbers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    noise: float,
    rule: str,
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    before, after = tables(1500, noise)
    Path("edgeval.toml").write_text(f"[[gate.rules]]\n{rule}\n")
    assert run(["gate", "old.npz", "new.npz", "-q", "--json", "-"]) == code
    out = capfd.readouterr().out
    if code == 2:
        return
    found = json.loads(out)["verdict"]["rules"][0]
    if found["limit"] == "max_drop":
        one, two = np.abs(before) <= 0.2, np.abs(after) <= 0.2
        low = tango(int((one & ~two).sum()), int((~one & two).sum()), 1500, 0.9)[0]
        assert found["bound"] == pytest.approx(low)


OF_ONE = """
[[gate.rules]]
metric = "mse_ratio"
output = "{0}"
max = 1.2
[[gate.rules]]
metric = "within_tolerance"
output = "{0}"
tolerance = 0.3
max_drop = "2pt"
[[gate.rules]]
metric = "max_abs_error"
output = "{0}"
max = 0.8
"""


@pytest.mark.parametrize(("output", "code"), [("calm", 0), ("wild", 1)])
def test_rules_on_one_output_see_that_output_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], output: str, code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    targets, before = rng.normal(size=(1500, 2)), rng.normal(scale=0.1, size=(1500, 2))
    after = before + rng.normal(size=(1500, 2)) * [0.01, 1.0]
    for name, errors in (("old", before), ("new", after)):
        np.savez(f"{name}.npz", targets=targets, values=targets + errors, output_names=np.array(["calm", "wild"]))
    Path("edgeval.toml").write_text(OF_ONE.format(output))
    assert run(["gate", "old.npz", "new.npz", "-q", "--json", "-"]) == code
    ratio, share, largest = json.loads(capfd.readouterr().out)["verdict"]["rules"]
    k = ("calm", "wild").index(output)
    assert ratio["value"] == pytest.approx((after[:, k] ** 2).mean() / (before[:, k] ** 2).mean())
    drop = (np.abs(after[:, k]) <= 0.3).mean() - (np.abs(before[:, k]) <= 0.3).mean()
    assert (share["value"], largest["value"]) == pytest.approx((drop, np.abs(after[:, k]).max()))
    assert {rule["output"] for rule in (ratio, share, largest)} == {output}
    assert "at most 0.002 of all err by more" in largest["method"]
