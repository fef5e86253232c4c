"""compare and score for models that answer with numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display

if TYPE_CHECKING:
    from edgeval.records.gate import GateSettings
    from edgeval.records.regression import RegressionEvidence
    from edgeval.records.verdict import Status
    from edgeval.store import Store


def is_asked(what: tuple[str, ...], given: dict[str, Any]) -> bool:
    """Whether --task says regression, or says nothing and a table holds targets and values."""
    if given["task"] is not None:
        return bool(given["task"] == "regression")
    from edgeval.workflow.regression import looks_like_regression

    return looks_like_regression([text for text in (*what, given.get("reference"), given.get("candidate")) if text])


def compare_numbers(
    what: tuple[str, ...], given: dict[str, Any], *, json_to: str | None, store: Store, quiet: bool
) -> None:
    """Compare, keep, and print."""
    from edgeval.report.regression import render_text
    from edgeval.workflow.regression import as_json, keep_regression

    with Display(quiet=quiet) as display:
        row = _weigh(what, given, store, display).comparison
        page = keep_regression(row, store)
    options.emit(render_text(row, report=page), lambda: as_json(row), json_to)


def gate_numbers(
    what: tuple[str, ...], given: dict[str, Any], *, settings: GateSettings, store: Store, quiet: bool
) -> Status:
    """Compare, judge, keep, and print; the status."""
    from edgeval.report.regression import render_text
    from edgeval.workflow.gate import check_rules_for, judge_numbers
    from edgeval.workflow.regression import as_json, keep_regression

    if given["sequential"]:
        raise click.UsageError("--sequential does not go with --task regression")
    check_rules_for(settings, regression=True)
    asked = next((rule.tolerance for rule in settings.rules if rule.tolerance is not None), None)
    given = given if given["tolerance"] or asked is None else {**given, "tolerance": (asked,)}
    with Display(quiet=quiet) as display:
        row, status = judge_numbers(_weigh(what, given, store, display), settings, store)
        page = keep_regression(row, store, report_dir=given["report_dir"])
    options.emit(render_text(row, report=page), lambda: as_json(row), given["json_to"])
    return status


def _weigh(what: tuple[str, ...], given: dict[str, Any], store: Store, display: Display) -> RegressionEvidence:
    """Run what has not run yet and compare."""
    from edgeval.cli.pairs import Hooks, one_or_many, sides
    from edgeval.workflow.regression import compare_regression

    for name in ("outputs", "reference_outputs", "candidate_outputs", "images", "record"):
        if given[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with --task regression")
    reference, candidate, setting = sides(what, given, Hooks(instructions=given["instructions"]))
    if given["shard"] or len(one_or_many(setting.target, given)) > 1:
        raise click.UsageError("several targets do not go with --task regression; give one")
    return compare_regression((reference, candidate), setting, given["tolerance"], store, display)


def score_numbers(table: Path, tolerance: tuple[float, ...] | None, json_to: str | None) -> None:
    """Score and print."""
    from edgeval.report.regression import render_score
    from edgeval.workflow.regression import score_regression

    found = score_regression(table, tolerance)
    options.emit(render_score(found), lambda: found.model_dump_json(indent=1, by_alias=True), json_to)
