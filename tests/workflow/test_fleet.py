"""Several targets at once: who is meant, who died, what is said of it, and what the exit code is."""

from __future__ import annotations

import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeval.cli.edge import run
from edgeval.errors import CardError, InputError
from edgeval.records.fleet import worst_code
from edgeval.records.reporter import Silent
from edgeval.workflow.fleet import Stoppable, muster, targets_of
from tests.conftest import Typed
from tests.workflow.fleet_lab import N, lab_of, let_die, write_card

RULES = '[[gate.rules]]\nmetric = "top1"\nmax_drop = "{}"\n'
Compare = Callable[[str], Typed]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Compare:
    return lab_of(tmp_path, monkeypatch, capfd)


MEANT = {
    "one": ("one",),
    "one,slow": ("one", "slow"),
    " one , slow,": ("one", "slow"),
    "one,one": ("one",),
    "tag:twins": ("one", "two"),
    "slow,tag:twins": ("slow", "one", "two"),
    "tag:twins,tag:lab": ("one", "two", "slow"),
}


@pytest.mark.parametrize("text", MEANT)
def test_targets_that_are_meant(lab: Compare, text: str) -> None:
    assert targets_of(text) == MEANT[text]


def test_a_tag_that_no_card_has_names_the_nearest(lab: Compare) -> None:
    with pytest.raises(CardError, match=r"no device card has this tag .*twin.*did you mean twins"):
        targets_of("tag:twin")
    with pytest.raises(InputError, match="names no target"):
        targets_of(" , ")


def test_two_cards_of_one_name_are_refused(lab: Compare, tmp_path: Path) -> None:
    write_card("again")
    card = tmp_path / "devices" / "again.toml"
    card.write_text(card.read_text().replace('name = "again"', 'name = "one"'))
    with pytest.raises(InputError, match="two targets have one name"):
        muster(["one", "again"], lambda bench, told: None, Silent())


def test_each_target_gets_the_files_of_its_own_runtime(type_there: Callable[[str], Typed], tmp_path: Path) -> None:
    card = tmp_path / "old.toml"
    card.write_text('schema = "edgeval/device/1"\nname = "old"\n[model]\nper_channel_dense = false\n')
    code, out, err = type_there(f"compare --target desktop,{card} --rung c4 --images 40 --floor-budget 0 --json -")
    assert code == 2, err
    one, other = json.loads(out)["devices"]
    assert (one["state"], other["state"]) == ("answered", "failed")
    assert "--for tflite-runtime" in other["error"]


@pytest.mark.parametrize(
    ("codes", "counts"), [((0, 1, 4), 4), ((3, 1), 1), ((5, 1, 3), 5), ((4, 2, 5), 2), ((), 0), ((0, 3), 3)]
)
def test_the_exit_code_that_counts(codes: tuple[int, ...], counts: int) -> None:
    assert worst_code(codes) == counts


def test_one_row_a_target_and_where_they_disagree(lab: Compare) -> None:
    code, out, err = lab("compare --target one,two,slow --json -")
    assert code == 0, err
    body = json.loads(out)
    assert [row["target"]["name"] for row in body["rows"]] == ["one", "two", "slow"]
    assert [device["state"] for device in body["devices"]] == ["answered"] * 3
    assert [(pair["one"], pair["other"]) for pair in body["disagreement"]] == [
        ("one", "two"),
        ("one", "slow"),
        ("two", "slow"),
    ]
    assert body["disagreement"][0]["changed"] == 0
    assert body["exit_code"] == 0


def test_a_target_out_of_reach_does_not_end_the_others(lab: Compare, tmp_path: Path) -> None:
    code, out, _ = lab("compare --target one,closed,slow")
    assert code == 4
    assert all(len(line) <= 80 for line in out.splitlines() if "Report:" not in line), out
    assert "closed            unreachable (exit code 4): nothing listens for ssh" in out
    assert "slow" in out
    reports = tmp_path / "runs" / "reports"
    (page,) = reports.glob("fleet-*.html")
    text = page.read_text(encoding="utf-8")
    for link in ("one/float32.tflite-against-int8.tflite.html", "slow/float32.tflite-against-int8.tflite.html"):
        assert f'href="{link}"' in text
        assert (reports / link).is_file()
    assert "unreachable" in text
    index = (reports / "index.html").read_text(encoding="utf-8")
    assert f'href="{page.name}"' in index
    assert 'href="one/index.html"' in index


def test_a_target_that_dies_while_it_runs_has_a_row_that_says_so(lab: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    let_die(monkeypatch, "slow")
    code, out, _ = lab("compare --target one,slow --json -")
    body = json.loads(out)
    assert (code, body["exit_code"]) == (4, 4)
    assert [row["target"]["name"] for row in body["rows"]] == ["one"]
    assert [device["state"] for device in body["devices"]] == ["answered", "unreachable"]
    assert "the agent was ended" in body["devices"][1]["error"]
    assert body["disagreement"] == []


def test_where_nobody_answers_the_error_names_all(lab: Compare) -> None:
    write_card("closed-too", transport="ssh", host='host = "127.0.0.1"\nport = 2')
    code, out, err = lab("compare --target closed,closed-too --json -")
    assert (code, out) == (4, "")
    assert "none of the 2 targets answered" in err
    assert "closed-too:" in err


@pytest.mark.parametrize(
    ("drop", "targets", "code"), [("90pt", "one,slow", 0), ("90pt", "one,closed", 4), ("0.01pt", "one,slow", 3)]
)
def test_the_gate_judges_every_target(lab: Compare, tmp_path: Path, drop: str, targets: str, code: int) -> None:
    (tmp_path / "edgeval.toml").write_text(RULES.format(drop))
    done, out, err = lab(f"gate --target {targets} --report-dir report")
    assert done == code, out + err
    found = {path.name for path in (tmp_path / "report").iterdir()}
    assert {"report.html", "report.md", "report.json", "junit.xml", "index.html", "target-one.html"} <= found
    root = ET.fromstring((tmp_path / "report" / "junit.xml").read_text())  # noqa: S314  our own file
    assert len(root) == 2
    assert (root.get("errors") == "0") == (code == 0)
    body = json.loads((tmp_path / "report" / "report.json").read_text())
    assert body["exit_code"] == body["verdict"]["exit_code"] == code
    assert out.startswith({0: "PASS", 3: "INCONCLUSIVE", 4: "NO VERDICT: 1 of 2 targets did not answer (closed)"}[code])
    status = {0: "PASS", 3: "INCONCLUSIVE", 4: "NO_VERDICT"}[code]
    assert body["verdict"]["status"] == status
    assert f'class="verdict {status}"' in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_warnings_only_still_tell_of_a_target_out_of_reach(lab: Compare, tmp_path: Path) -> None:
    (tmp_path / "edgeval.toml").write_text(RULES.format("0.01pt"))
    assert lab("gate --target one,slow --warn-only")[0] == 0
    assert lab("gate --target one,closed --warn-only")[0] == 4


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("compare --target one,two --record x.npz", "--record records one target"),
        ("gate --target one,two --sequential", "--sequential watches one target"),
        ("compare --target one,two --task regression", "several targets do not go with"),
        ("compare --target one,nobody", "no device is called that"),
    ],
)
def test_what_does_not_go_with_several_targets(lab: Compare, tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "edgeval.toml").write_text(RULES.format("1pt"))
    code, _, err = lab(line)
    assert code == 2, err
    assert said in err


def test_tables_run_nowhere(lab: Compare) -> None:
    assert run(["compare", "a.npz", "b.npz", "--target", "one,two"]) == 2


def test_an_interrupt_ends_the_work_of_every_thread() -> None:
    stop = threading.Event()
    told = Stoppable(Silent(), stop)
    progress = told.bar("x")
    progress(1, N)
    stop.set()
    with pytest.raises(Exception, match="interrupted"):
        progress(2, N)
