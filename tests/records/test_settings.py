"""edgeval.toml: rules that make sense, and errors that quote the line and say what to write."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edgeval.errors import CardError
from edgeval.gate.starter import REGRESSION, TEMPLATE
from edgeval.records.gate import KINDS, Rule
from edgeval.records.settings import Settings, json_schema, load_settings, read_settings
from edgeval.workflow.gate import check_rules_for

SCHEMA = Path(__file__).parents[2] / "docs" / "edgeval.schema.json"
WRONG = [
    ('metric = "top1"\nmax_drop = 1.0', "line 3: max_drop = 1.0", 'write max_drop = "1pt" or "1%"'),
    ('metric = "top1"\nmax_drop = "0.01"', "line 3", "a unit is missing"),
    ('metric = "top1"\nmax_increase = "1pt"', "line 3", 'write max_drop = "1.0pt" or min = "85pt"'),
    ('metric = "top1"\nmax_drop = "-1pt"', "line 3", 'never negative; write max_drop = "1pt"'),
    ('metric = "ece"\nmax_drop = 0.01', "line 3", "which should be low; write max_increase = 0.02"),
    ('metric = "topp1"\nmax_drop = "1pt"', "line 2", "did you mean top1"),
    ('metric = "top1"\nmax_dro = "1pt"', "line 3", "did you mean max_drop"),
    ('metric = "top1"', "line 2", "exactly one limit (seen: none)"),
    ('metric = "top1"\nmax_drop = "1pt"\nmin = "80pt"', "line 3", "exactly one limit (seen: max_drop and min)"),
    ('max_drop = "1pt"', "line 1", "the key 'metric' in table 1 of gate.rules is missing"),
    ('metric = "latency_p95_ms"\nmax = 20', "line 3", 'write max = "20ms"'),
    ('metric = "artifact_kb"\nmax = "20ms"', "line 3", "the unit 'ms' does not go with artifact_kb"),
    ('metric = "top1"\nmax_drop = "two points"', "line 3", "this is no amount"),
    ('metric = "top1"\nmax_drop = true', "line 3", "an amount is a number or a text"),
    ('metric = "top1"\nmax_drop = "200pt"', "line 3", "more than the whole"),
    (
        'metric = "top1"\nmax_drop = "1pt"\nconfidence = 95',
        "line 4",
        "in table 1 of gate.rules must be less than 1",
    ),
    ('metric = "top1"\nmax_drop = "1pt"\nlooks = 2', "line 4", "unknown key 'looks' in table 1 of gate.rules"),
    ('metric = "class_accuracy"\nmax_drop = "1pt"\nclasses = ["a", 3]', "line 4", "value 2 of classes in table 1 of"),
    ('metric = "top1"\nmax_drop = "1pt"\nclasses = ["a"]', "line 2", "classes goes with class_accuracy only"),
    ('metric = "top1"\nmax_drop = "1pt"\noutput = "a"', "line 2", "output goes with mse_ratio, max_abs_error"),
    ('metric = "class_accuracy"\nclasses = ["a", "a"]\nmax_drop = "5pt"', "line", "named twice"),
    ('metric = "class_accuracy"\nmax_drop = "5pt"\ncorrection = "bonf"', "line 4", "holm"),
    ('metric = "within_tolerance"\nmax_drop = "5pt"', "line 2", "needs `tolerance`"),
    ('metric = "mse_ratio"\nmax_increase = 0.1', "line 3", "write max = 1.1"),
]


def wrong(folder: Path, text: str) -> str:
    """What reading this text says."""
    path = folder / "edgeval.toml"
    path.write_text(text)
    with pytest.raises(CardError) as caught:
        read_settings(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("rule", "line", "said"), WRONG, ids=[rule.replace("\n", "; ") for rule, _, _ in WRONG])
def test_a_rule_that_makes_no_sense(tmp_path: Path, rule: str, line: str, said: str) -> None:
    message = wrong(tmp_path, f"[[gate.rules]]\n{rule}\n")
    assert line in message
    assert said in message


def test_the_line_is_found_among_other_rules_and_in_inline_tables(tmp_path: Path) -> None:
    good = 'metric = "top1"\nmax_drop = "1pt"\n'
    assert "line 6: max_drop = 3" in wrong(
        tmp_path, f'[[gate.rules]]\n{good}[[gate.rules]]\nmetric = "bottom5"\nmax_drop = 3\n'
    )
    inline = '[gate]\nrules = [\n  {metric = "lost_rate", max = "2pt"},\n  {metric = "ece", max_drop = 0.1},\n]\n'
    assert "line 4: {metric" in wrong(tmp_path, inline)
    assert "line 2: loks = 3" in wrong(tmp_path, "[gate]\nloks = 3\n")
    assert "did you mean target" in wrong(tmp_path, 'targte = "rpi4"\n')


@pytest.mark.parametrize("text", ["[gate", "gate = 3", "[gate]\nrules = 3", "[gate]\ndiscordance = 5", "\x00"])
def test_what_is_no_settings_file(tmp_path: Path, text: str) -> None:
    assert "edgeval.toml" in wrong(tmp_path, text)


def test_a_folder_or_bytes_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "edgeval.toml").mkdir()
    with pytest.raises(CardError, match="cannot be read"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("metric", "limits", "reference", "margin"),
    [
        ("top1", {"max_drop": "2.0pt"}, 0.8, 0.02),
        ("top1", {"max_drop": "2%"}, 0.8, 0.016),
        ("top1", {"max_drop": "2 PT"}, None, 0.02),
        ("top1", {"max_drop": "2%"}, None, None),
        ("ece", {"max_increase": 0.02}, None, 0.02),
        ("ece", {"max_increase": "2pt"}, None, 0.02),
        ("artifact_kb", {"max": "1.5mb"}, None, 1500),
        ("peak_memory_mb", {"max": "500kb"}, None, 0.5),
        ("latency_p95_ms", {"max_increase": "10%"}, 20, 2),
        ("instructions", {"max": 2e6}, None, 2e6),
    ],
)
def test_margins_in_the_metrics_own_unit(
    metric: str, limits: dict[str, Any], reference: float | None, margin: float | None
) -> None:
    assert Rule.model_validate({"metric": metric, **limits}).margin(reference) == pytest.approx(margin)


def test_the_starter_file_is_read_with_and_without_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "edgeval.toml"
    path.write_text(TEMPLATE)
    assert [rule.metric for rule in read_settings(path).gate.rules] == ["top1", "lost_rate"]
    keys = [
        line for line in TEMPLATE.splitlines() if line.startswith(("# [[", "# looks", "# disc", "# req", "# target"))
    ]
    rules = [line for line in TEMPLATE.splitlines() if line.startswith(("# metric", "# max", "# classes", "# corr"))]
    assert len(keys) > 6
    assert len(rules) > 8
    commented = (line[2:] if line in (*keys, *rules) else line for line in TEMPLATE.splitlines())
    path.write_text("\n".join(commented))
    assert {rule.metric for rule in read_settings(path).gate.rules} <= set(KINDS)
    assert len(read_settings(path).gate.rules) == 7


def test_the_starter_file_for_numbers_has_rules_on_numbers(tmp_path: Path) -> None:
    path = tmp_path / "edgeval.toml"
    path.write_text(REGRESSION)
    rules = read_settings(path).gate.rules
    assert [rule.metric for rule in rules] == ["mse_ratio", "within_tolerance"]
    check_rules_for(read_settings(path).gate, regression=True)


def test_the_json_schema_is_the_shipped_one_and_agrees_with_the_reader() -> None:
    schema = json_schema()
    assert json.loads(SCHEMA.read_text()) == schema
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(TEMPLATE), schema)
    for bad in ({"gate": {"rules": [{"metric": "top1"}]}}, {"gate": {"looks": 0}}, {"x": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)
        with pytest.raises(ValueError, match="validation error"):
            Settings.model_validate(bad)


def test_wrong_values_come_with_what_to_write(tmp_path: Path) -> None:
    head = '[[gate.rules]]\nmetric = "class_accuracy"\nmax_drop = "1pt"\n'
    assert "such as confidence = 0.95" in wrong(tmp_path, head + "confidence = 95\n")
    assert "names no class" in wrong(tmp_path, head + "classes = []\n")
    assert "under [[gate.rules]]" in wrong(tmp_path, "[gate]\nrules = 3\n")
