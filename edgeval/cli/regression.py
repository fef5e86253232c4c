"""compare and score for models that answer with numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display

if TYPE_CHECKING:
    from edgeval.records.gate import GateSettings
    from edgeval.records.ladder import Ladder
    from edgeval.records.regression import RegressionComparison, RegressionEvidence
    from edgeval.records.verdict import Status
    from edgeval.store import Store


def asked_ladder(what: tuple[str, ...], given: dict[str, Any], store: Store) -> Ladder | None:
    """The ladder that is meant, where it learns numbers; None for one that learns classes, and for two sides."""
    from edgeval.workflow.project import choose_ladder

    named = given["reference"] or given["candidate"] or len(what) > 1 or any(text.endswith(".npz") for text in what)
    ladder = None if named else choose_ladder(what[0] if what else None, store)
    return ladder if ladder is not None and ladder.regression is not None else None


def is_asked(what: tuple[str, ...], given: dict[str, Any], store: Store | None = None) -> bool:
    """Whether --task says regression, or says nothing and a table holds targets and values, or a ladder learns them."""
    if store is not None and asked_ladder(what, given, store) is not None:
        return True
    if given["task"] is not None:
        return bool(given["task"] == "regression")
    from edgeval.workflow.regression import looks_like_regression

    return looks_like_regression([text for text in (*what, given.get("reference"), given.get("candidate")) if text])


def compare_numbers(
    what: tuple[str, ...], given: dict[str, Any], *, json_to: str | None, store: Store, quiet: bool
) -> None:
    """Compare, keep, and print."""
    from edgeval.workflow.regression import keep_regression

    with Display(quiet=quiet) as display:
        rows = [evidence.comparison for evidence in _weigh(what, given, store, display)]
        pages = [keep_regression(row, store) for row in rows]
    _show(rows, pages, json_to)


def gate_numbers(
    what: tuple[str, ...], given: dict[str, Any], *, settings: GateSettings, store: Store, quiet: bool
) -> Status:
    """Compare, judge, keep, and print; the status."""
    from edgeval.gate.judge import worst
    from edgeval.workflow.gate import check_rules_for, judge_numbers
    from edgeval.workflow.regression import keep_regression

    if given["sequential"]:
        raise click.UsageError("--sequential does not go with --task regression")
    check_rules_for(settings, regression=True)
    asked = next((rule.tolerance for rule in settings.rules if rule.tolerance is not None), None)
    given = given if given["tolerance"] or asked is None else {**given, "tolerance": (asked,)}
    with Display(quiet=quiet) as display:
        found = _weigh(what, given, store, display)
        if given["report_dir"] and len(found) > 1:
            raise click.UsageError("--report-dir takes one comparison of numbers; name one --rung")
        judged = [judge_numbers(evidence, settings, store) for evidence in found]
        pages = [keep_regression(row, store, report_dir=given["report_dir"]) for row, _ in judged]
    _show([row for row, _ in judged], pages, given["json_to"])
    return worst([status for _, status in judged])


def _show(rows: list[RegressionComparison], pages: list[Path], json_to: str | None) -> None:
    """Print each comparison, or write the JSON of all."""
    from edgeval.report.regression import render_text
    from edgeval.workflow.regression import rows_as_json

    text = "\n\n".join(render_text(row, report=page) for row, page in zip(rows, pages, strict=True))
    options.emit(text, lambda: rows_as_json(rows), json_to)


def _weigh(what: tuple[str, ...], given: dict[str, Any], store: Store, display: Display) -> list[RegressionEvidence]:
    """Run what has not run yet and compare: one comparison, or one a rung of a ladder."""
    from edgeval.cli.pairs import Hooks, one_or_many, sides
    from edgeval.workflow.regression import compare_regression

    for name in ("outputs", "reference_outputs", "candidate_outputs", "images", "record"):
        if given[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with --task regression")
    ladder = asked_ladder(what, given, store)
    if ladder is not None:
        return _weigh_ladder(ladder, given, store, display)
    reference, candidate, setting = sides(what, given, Hooks(instructions=given["instructions"]))
    if given["shard"] or len(one_or_many(setting.target, given)) > 1:
        raise click.UsageError("several targets do not go with --task regression; give one")
    return [compare_regression((reference, candidate), setting, given["tolerance"], store, display)]


def _weigh_ladder(ladder: Ladder, given: dict[str, Any], store: Store, display: Display) -> list[RegressionEvidence]:
    """One comparison a rung, on one target."""
    from edgeval.cli.pairs import PIECES, SIDES, one_or_many
    from edgeval.workflow.compare import CompareOptions
    from edgeval.workflow.compare_numbers import compare_number_ladder
    from edgeval.workflow.project import choose_target

    for name in ("data", "size", *(f"{side}{piece}" for side in SIDES for piece in PIECES)):
        if given[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with a ladder")
    names = one_or_many(choose_target(given["target"]), given)
    if given["shard"] or len(names) > 1:
        raise click.UsageError("several targets do not go with a ladder that learns numbers; give one")
    how = {"format": given["fmt"], "seed": given["seed"], "instructions": given["instructions"]}
    asked = CompareOptions(names[0], given["emulate"], given["rungs"], **how)
    return compare_number_ladder(ladder, asked, given["tolerance"], store, display)


def score_numbers(table: Path, tolerance: tuple[float, ...] | None, json_to: str | None) -> None:
    """Score and print."""
    from edgeval.report.regression import render_score
    from edgeval.workflow.regression import score_regression

    found = score_regression(table, tolerance)
    options.emit(render_score(found), lambda: found.model_dump_json(indent=1, by_alias=True), json_to)
