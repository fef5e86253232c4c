"""gate, plan and init as typed: exit codes, what reaches standard output, and what bad rules and tables say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.cli.edge import run

Gate = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Gate:
    """Type a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def line(*words: str) -> tuple[int, str, str]:
        code = run(words)
        return code, *capfd.readouterr()

    return line


def tables(n: int, lost: int, gained: int, **extra: Any) -> None:
    """old.npz and new.npz with so many flips, as probabilities over three classes."""
    labels = np.arange(n) % 3
    before, now = np.ones(n, bool), np.ones(n, bool)
    now[:lost] = False
    before[lost : lost + gained] = False
    for name, right in (("old", before), ("new", now)):
        probs = np.full((n, 3), 0.1)
        probs[np.arange(n), np.where(right, labels, (labels + 1) % 3)] = 0.8
        np.savez(f"{name}.npz", labels=labels, probs=probs, ids=np.arange(n), **extra)


def rules(*lines: str) -> None:
    text = "\n".join(f"[[gate.rules]]\n{line}\n" for line in lines)
    Path("edgeval.toml").write_text(text)


TOP1 = 'metric = "top1"\nmax_drop = "2pt"'
TABLES = ("gate", "old.npz", "new.npz", "-q")


@pytest.mark.parametrize(
    ("flips", "code", "status"),
    [((2000, 20, 20), 0, "PASS"), ((2000, 150, 20), 1, "FAIL"), ((300, 8, 6), 3, "INCONCLUSIVE")],
)
def test_exit_codes(typed: Gate, flips: tuple[int, int, int], code: int, status: str) -> None:
    tables(*flips)
    rules(TOP1)
    found, out, _ = typed(*TABLES, "--json", "-")
    verdict = json.loads(out)["verdict"]
    assert (found, verdict["status"], verdict["exit_code"]) == (code, status, code)
    assert set(verdict["rules"][0]) >= {"metric", "margin", "value", "bound", "confidence", "status", "more_images"}
    assert (verdict["look"], verdict["rules"][0]["margin"]) == (1, pytest.approx(0.02))
    assert (verdict["rules"][0]["more_images"] is not None) == (status == "INCONCLUSIVE")
    assert "imported" in " ".join(verdict["reasons"])


def test_the_first_screen_says_the_verdict_first(typed: Gate) -> None:
    tables(2000, 150, 20)
    rules(TOP1)
    code, out, err = typed("gate", "old.npz", "new.npz")
    assert (code, out.split(":")[0]) == (1, "FAIL")
    assert max(map(len, out.splitlines()[:-1])) <= 80
    assert "an unchanged model passes with a chance of" in err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--fail-on", "fail"), 0),
        (("--fail-on", "inconclusive"), 3),
        (("--fail-on", "any"), 3),
        (("--fail-on", "fail", "--fail-on", "inconclusive"), 3),
        (("--warn-only",), 0),
        (("--warn-only", "--fail-on", "fail"), 2),
        (("--fail-on", "sometimes"), 2),
    ],
)
def test_what_ends_with_a_code_can_be_chosen(typed: Gate, words: tuple[str, ...], code: int) -> None:
    tables(300, 8, 6)
    rules(TOP1)
    assert typed(*TABLES, *words)[0] == code


def test_provenance_can_be_required(typed: Gate) -> None:
    tables(2000, 20, 20)
    Path("edgeval.toml").write_text(f"[gate]\nrequire_provenance = true\n[[gate.rules]]\n{TOP1}\n")
    code, out, _ = typed(*TABLES)
    assert code == 5
    assert "NO VERDICT" in out.splitlines()[0]


def test_no_rules_and_wrong_rules(typed: Gate) -> None:
    tables(20, 1, 1)
    code, _, err = typed(*TABLES)
    assert (code, "edgeval init" in err) == (2, True)
    rules('metric = "top1"\nmax_drop = 2')
    code, _, err = typed(*TABLES)
    assert (code, "line 3: max_drop = 2: a unit is missing" in err) == (2, True)
    code, _, err = typed(*TABLES, "--config", "none.toml")
    assert (code, err.count("\n")) == (2, 1)


def test_a_class_that_is_not_there(typed: Gate) -> None:
    tables(300, 2, 2, class_names=np.array(["cat", "dog", "cow"]))
    rules('metric = "class_accuracy"\nclasses = ["cats"]\nmax_drop = "5pt"')
    code, _, err = typed(*TABLES)
    assert (code, "did you mean cat" in err) == (2, True)


def test_a_second_look_at_more_images(typed: Gate) -> None:
    rules(TOP1)
    confidences = []
    for n in (300, 300, 900):
        tables(n, 8, 6)
        _, out, _ = typed(*TABLES, "--json", "-")
        verdict = json.loads(out)["verdict"]
        confidences.append((verdict["look"], verdict["rules"][0]["confidence"]))
    assert confidences == [(1, 0.95), (1, 0.95), (2, pytest.approx(0.995))]
    _, out, _ = typed("plan", "--metric", "top1", "--margin", "2pt", "--next-look", "--target", "new", "--json", "-")
    assert json.loads(out)["look"] == 3


def test_report_dir_has_everything_a_pipeline_wants(typed: Gate) -> None:
    tables(2000, 150, 20)
    rules(TOP1, 'metric = "lost_rate"\nmax = "20pt"')
    code, _, _ = typed(*TABLES, "--report-dir", "out put")
    kinds = {path.suffix for path in Path("out put").iterdir()}
    assert (code, kinds >= {".html", ".md", ".xml", ".json"}) == (1, True)


@pytest.mark.parametrize(
    ("words", "images"),
    [
        (("--margin", "2pt", "--discordance", "5%"), 773),
        (("--margin", "2pt", "--discordance", "5%", "--looks", "2"), 982),
        (("--margin", "1pt", "--power", "0.9"), 4282),
    ],
)
def test_plan(typed: Gate, words: tuple[str, ...], images: int) -> None:
    code, out, _ = typed("plan", "--metric", "top1", *words, "--json", "-")
    found = json.loads(out)
    assert (code, found["images"], found["seconds"]) == (0, pytest.approx(images, abs=2), None)


@pytest.mark.parametrize(
    "words",
    [
        ("--metric", "top1", "--margin", "2"),
        ("--metric", "top1", "--margin", "-2pt"),
        ("--metric", "top1"),
        ("--metric", "ece", "--margin", "2pt"),
        ("--metric", "top1", "--margin", "2pt", "--discordance", "5"),
        ("--metric", "lost_rate", "--margin", "2pt", "--discordance", "6%"),
        ("--metric", "top1", "--margin", "2pt", "--target", "nowhere"),
        ("--metric", "top1", "--margin", "2pt", "--next-look"),
        (),
    ],
)
def test_what_cannot_be_planned(typed: Gate, words: tuple[str, ...]) -> None:
    code, out, err = typed("plan", *words)
    assert (code, out) == (2, "")
    assert err


def test_init_writes_once_and_its_rules_work(typed: Gate) -> None:
    assert typed("init")[0] == 0
    assert typed("init")[0] == 2
    assert typed("init", "--force")[0] == 0
    tables(2000, 20, 20)
    assert typed(*TABLES)[0] == 0
    assert json.loads(typed("init", "--schema")[1])["title"] == "edgeval.toml"
