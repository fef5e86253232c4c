"""Markdown for a pull request: the same numbers, and names that stay names."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from edgeval.errors import InputError
from edgeval.records.findings import Comparison
from edgeval.report import wording
from edgeval.report.markdown import escape, render_markdown
from tests.report.hostile import hostile


def test_the_same_numbers(row: Comparison) -> None:
    text = render_markdown([row])
    top1 = row.metrics["top1"]
    for expected in (
        "c4 (tflite-int8) on rpi4",
        "emulated, bit-exact",
        wording.sentence(row),
        wording.change_interval("top1", top1.ci95),
        wording.change("ece", row.metrics["ece"].delta),
        f"| **sum** | {wording.count(sum(s.lost for s in row.stages))} |",
        row.command,
    ):
        assert expected in text
    assert len(text) < 4_000


def cells(line: str) -> int:
    """The number of cells of a table line; an escaped border is no border."""
    return len(re.findall(r"(?<!\\)\|", line)) - 1


def test_tables_are_whole(rows: list[Comparison], plain_row: Comparison) -> None:
    for text in (render_markdown([*rows, plain_row]), render_markdown([hostile(row) for row in rows])):
        for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
            widths = {cells(line) for line in table.splitlines()}
            assert len(widths) == 1


def test_hostile_names_bring_in_no_markup(row: Comparison) -> None:
    text = render_markdown([hostile(row)])
    before_code = text[: text.index("````") if "````" in text else text.index("```console")]
    assert set(re.findall(r"<[a-zA-Z/!][^>]*>", before_code)) == {"<details>", "<summary>", "</summary>"}
    assert not re.search(r"(?<!\\)\[[^\n]*\]\(javascript:", before_code)
    assert "@someone" not in before_code
    assert not re.search(r"(?<!\\)`", before_code.split("<details>")[0])
    text.encode("utf-8")


def test_a_command_cannot_leave_its_code_block(row: Comparison) -> None:
    text = render_markdown([row.model_copy(update={"command": "x\n```\n<script>alert(1)</script> ````"})])
    fences = re.findall(r"^`{3,}", text, re.MULTILINE)
    assert fences == ["`````", "`````"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("maple_tree", r"maple\_tree"),
        ("a|b", r"a\|b"),
        ("<b>", "&lt;b&gt;"),
        ("[x](javascript:y)", r"\[x\]\(javascript:y)"),
        ("a\nb", "a\\\\nb"),
        ("@dev", "@\u200bdev"),
        ("c4 (tflite-int8)", "c4 (tflite-int8)"),
    ],
)
def test_escape(name: str, expected: str) -> None:
    assert escape(name) == expected


def test_missing_parts_are_dashes_with_a_reason(plain_row: Comparison) -> None:
    text = render_markdown([plain_row])
    assert "no interval: needs probabilities on both sides" in text
    assert "None" not in text
    assert "| Step |" not in text


def test_markdown_and_text_need_only_the_core() -> None:
    code = (
        "import sys; import edgeval.report.markdown, edgeval.report.text, edgeval.report.html; "
        "print([m for m in ('jinja2', 'matplotlib', 'PIL', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_verdict_comes_first(judged: Comparison, row: Comparison) -> None:
    text = render_markdown([judged])
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == "## ❌ FAIL"
    assert lines[1].startswith("1 of 4 rules is broken: Top-1 accuracy may drop by at most 2.00 pt")
    table = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)[0].splitlines()
    assert {cells(line) for line in table} == {6}
    assert [line.split(" ")[1] for line in table[2:]] == ["❌", "❔", "✅", "❔"]
    assert "about 400 more images decide it; classes: beaver" in table[-1]
    assert "does not judge" not in text
    assert "##" not in render_markdown([row]).replace("###", "")


def test_hostile_rules_break_no_table(judged: Comparison) -> None:
    text = render_markdown([hostile(judged), hostile(judged)])
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        assert len({cells(line) for line in table.splitlines()}) == 1
    assert "<script" not in text.split("```")[0]


def test_no_row_is_an_error() -> None:
    with pytest.raises(InputError, match="no comparison"):
        render_markdown([])
