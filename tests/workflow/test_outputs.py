"""The outputs that a rule may name are known before anything runs, and so is one that there is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeval.cli.edge import run
from edgeval.errors import InputError
from edgeval.physics.picture import Window
from edgeval.physics.plan import Plan
from edgeval.records.gate import GateSettings, Rule
from edgeval.records.reporter import Silent
from edgeval.workflow.gate import forewarn
from edgeval.workflow.outputs import outputs_of_sides
from edgeval.workflow.simulate import data_set
from tests.workflow.test_fit_chain import CARD

RULE = '[[gate.rules]]\nmetric = "mse_ratio"\noutput = "{}"\nmax = 1.1\n'
NOT_THERE = "an output that the models do not have (seen: phi); choose from "
MODELS = "--task regression --reference big.onnx --candidate small.tflite"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data and tables with two outputs, model files that cannot run, and a ladder that nobody has trained."""
    monkeypatch.chdir(tmp_path)
    x, y = np.zeros((3, 4, 4, 1), dtype=np.float32), np.eye(3)[:, :2]
    for name in ("test", "named"):
        np.savez(f"{name}.npz", x=x, y=y, output_names=["bright", "slope"])
    np.savez("plain.npz", x=x, y=y)
    np.savez("one.npz", x=x, y=y[:, 0])
    np.savez("old.npz", targets=y, values=y, output_names=["bright", "slope"])
    Path("data.csv").write_text("path,bright,slope\nnone.png,1,2\n")
    Path("tiny.toml").write_text(CARD)
    Path("magnets.toml").write_text(
        CARD.replace('train = "train.npz", validation = "validation.npz", test = "test.npz"', 'magnets = "m"')
    )
    for name in ("big.onnx", "small.tflite"):
        Path(name).write_bytes(b"no model")
    return tmp_path


@pytest.mark.parametrize(
    ("sides", "data", "names"),
    [
        ((), "named.npz", ("bright", "slope")),
        ((), "plain.npz", ("output 0", "output 1")),
        ((), "one.npz", ("output",)),
        ((), "data.csv", ("bright", "slope")),
        (("big.onnx", "old.npz"), None, ("bright", "slope")),
        (("big.onnx",), None, ()),
        (("gone.npz",), "gone.npz", ()),
    ],
)
def test_outputs_are_those_of_a_table_or_of_the_data(
    here: Path, sides: tuple[str, ...], data: str | None, names: tuple[str, ...]
) -> None:
    assert outputs_of_sides(sides, Path(data) if data else None) == names


def test_magnets_have_theirs(tmp_path: Path) -> None:
    data_set(Plan(window=Window(400, 16), shard_size=2), 2, tmp_path / "set", 1, Silent())
    assert outputs_of_sides((), tmp_path / "set") == ("theta", "j", "d")


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ("tiny.toml", "bright, slope"),
        ("magnets.toml", "theta, j, d"),
        ("old.npz gone.npz", "bright, slope"),
        (f"{MODELS} --data named.npz", "bright, slope"),
        (f"{MODELS} --data data.csv", "bright, slope"),
    ],
)
def test_a_rule_on_no_output_is_told_before_anything_runs(
    here: Path, capfd: pytest.CaptureFixture[str], line: str, choices: str
) -> None:
    Path("edgeval.toml").write_text(RULE.format("phi"))
    assert run(f"gate {line} -q".split()) == 2
    assert NOT_THERE + choices in capfd.readouterr().err
    assert not Path("runs").exists()


def test_a_rule_on_no_class_is_told_once_the_data_are_read() -> None:
    rule = Rule.model_validate({"metric": "class_accuracy", "max_drop": "5pt", "classes": ("cat", "dgo")})
    told = forewarn(GateSettings(rules=(rule,)), Silent())
    with pytest.raises(InputError, match=r"does not have \(seen: dgo\); did you mean dog"):
        told(np.array([0, 1]), ("cat", "dog"))
