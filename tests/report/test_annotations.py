"""Workflow commands that GitHub reads as we mean them, whatever the names are."""

from __future__ import annotations

import re

import pytest

from edgeval.records.findings import Comparison
from edgeval.report.annotations import data, prop, render_annotations
from tests.report.conftest import judge
from tests.report.hostile import hostile

COMMAND = re.compile(r"::(error|warning|notice) title=([^:,\r\n]*)::([^\r\n]*)")


def commands(text: str) -> list[tuple[str, str, str]]:
    """(kind, title, message) as the runner of GitHub reads them; fails on any other line."""
    found = []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        assert match, line
        kind, *words = match.groups()
        title, message = (re.sub("%(25|0D|0A|3A|2C)", lambda code: chr(int(code[1], 16)), word) for word in words)
        found.append((kind, title, message))
    return found


def test_the_worst_come_first(judged: Comparison, row: Comparison) -> None:
    found = commands(render_annotations([judge(row, "PASS"), judged, judge(row, "NO_VERDICT"), row]))
    assert [kind for kind, *_ in found] == ["error", "error", "warning", "warning", "notice"]
    assert found[1][1] == "edgeval: c4 (tflite-int8) on rpi4: fail"
    assert found[1][2].startswith("Top-1 accuracy may drop by at most 2.00 pt, measured −6.00 pt")
    assert found[3][2].endswith("\nclasses: beaver")
    assert found[-1][2] == "The only rule holds."


def test_nothing_is_said_without_a_verdict(row: Comparison) -> None:
    assert render_annotations([row]) == ""


def test_no_name_can_begin_a_command_of_its_own(judged: Comparison) -> None:
    bad = judged.model_copy(
        update={
            "candidate": judged.candidate.model_copy(update={"name": "x\n::error::owned\r\n::set-output name=a::b"})
        }
    )
    for row in (hostile(judged), bad):
        assert len(commands(render_annotations([row]))) == 3


@pytest.mark.parametrize(
    ("text", "message", "title"),
    [("50%, a:b\nc\r", "50%25, a:b%0Ac", "50%25%2C a%3Ab%0Ac"), ("", "", ""), ("%0A", "%250A", "%250A")],
)
def test_escapes(text: str, message: str, title: str) -> None:
    assert (data(text), prop(text)) == (message, title)
