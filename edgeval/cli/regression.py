"""compare and score for models that answer with numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display

if TYPE_CHECKING:
    from edgeval.records.fleet import DeviceState
    from edgeval.records.gate import GateSettings
    from edgeval.records.ladder import Ladder
    from edgeval.records.regression import RegressionComparison, RegressionEvidence
    from edgeval.records.verdict import Status
    from edgeval.store import Store

    Found = tuple[list[RegressionEvidence], list[DeviceState]]


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

    return looks_like_regression(_sides(what, given))


def compare_numbers(
    what: tuple[str, ...], given: dict[str, Any], *, json_to: str | None, store: Store, quiet: bool
) -> int:
    """Compare, keep, and print; the exit code of targets that did not answer."""
    from edgeval.workflow.regression import keep_regression

    with Display(quiet=quiet) as display:
        found, states = _weigh(what, given, store, display)
        rows = [evidence.comparison for evidence in found]
        pages = [keep_regression(row, store) for row in rows]
    return _show(rows, pages, states, json_to)


def gate_numbers(
    what: tuple[str, ...], given: dict[str, Any], *, settings: GateSettings, store: Store, quiet: bool
) -> tuple[Status, int]:
    """Compare, judge, keep, and print; the status, and the exit code of targets that did not answer."""
    from edgeval.gate.judge import worst
    from edgeval.workflow.gate import check_rules_for, judge_numbers
    from edgeval.workflow.regression import keep_regression

    if given["sequential"]:
        raise click.UsageError("--sequential does not go with --task regression")
    check_rules_for(settings, regression=True, outputs=_outputs(what, given, store))
    asked = next((rule.tolerance for rule in settings.rules if rule.tolerance is not None and not rule.output), None)
    given = given if given["tolerance"] or asked is None else {**given, "tolerance": (asked,)}
    with Display(quiet=quiet) as display:
        found, states = _weigh(what, given, store, display)
        if given["report_dir"] and len(found) > 1:
            raise click.UsageError("--report-dir takes one comparison of numbers; name one --rung")
        judged = [judge_numbers(evidence, settings, store) for evidence in found]
        pages = [keep_regression(row, store, report_dir=given["report_dir"]) for row, _ in judged]
    silent = _show([row for row, _ in judged], pages, states, given["json_to"])
    return worst([status for _, status in judged]), silent


def _outputs(what: tuple[str, ...], given: dict[str, Any], store: Store) -> tuple[str, ...]:
    """The outputs of what is asked for, as far as they are known before anything runs."""
    from edgeval.workflow.outputs import outputs_of_ladder, outputs_of_sides

    ladder = asked_ladder(what, given, store)
    if ladder is not None:
        return outputs_of_ladder(ladder)
    return outputs_of_sides(_sides(what, given), given["data"])


def _sides(what: tuple[str, ...], given: dict[str, Any]) -> list[str]:
    """Both sides, as far as they are typed."""
    return [text for text in (*what, given.get("reference"), given.get("candidate")) if text]


def _show(rows: list[RegressionComparison], pages: list[Path], states: list[DeviceState], json_to: str | None) -> int:
    """Print each comparison, or write the JSON of all; the exit code of targets that did not answer."""
    from edgeval.records.fleet import worst_code
    from edgeval.report.regression import render_text
    from edgeval.workflow.regression import rows_as_json

    text = "\n\n".join(render_text(row, report=page) for row, page in zip(rows, pages, strict=True))
    silent = [f"{one.name}: {one.state} (exit code {one.exit_code}): {one.error}" for one in states if one.error]
    options.emit("\n\n".join([text, *silent]), lambda: rows_as_json(rows, states), json_to)
    return worst_code(one.exit_code for one in states)


def _weigh(what: tuple[str, ...], given: dict[str, Any], store: Store, display: Display) -> Found:
    """Run what has not run yet and compare: one comparison, or one a rung of a ladder and target."""
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
    return [compare_regression((reference, candidate), setting, given["tolerance"], store, display)], []


def _weigh_ladder(ladder: Ladder, given: dict[str, Any], store: Store, display: Display) -> Found:
    """One comparison a rung and target."""
    from edgeval.cli.pairs import PIECES, SIDES, one_or_many
    from edgeval.workflow.compare import CompareOptions
    from edgeval.workflow.compare_numbers import compare_number_fleet, compare_number_ladder
    from edgeval.workflow.project import choose_target

    for name in ("data", "size", *(f"{side}{piece}" for side in SIDES for piece in PIECES)):
        if given[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with a ladder")
    names = one_or_many(choose_target(given["target"]), given)
    if given["shard"]:
        raise click.UsageError("--shard does not go with a ladder that learns numbers")
    how = {"format": given["fmt"], "seed": given["seed"], "instructions": given["instructions"]}
    asked = CompareOptions(names[0], given["emulate"], given["rungs"], **how)
    if len(names) > 1:
        return compare_number_fleet(ladder, asked, names, given["tolerance"], store, display)
    return compare_number_ladder(ladder, asked, given["tolerance"], store, display), []


def score_numbers(table: Path, tolerance: tuple[float, ...] | None, json_to: str | None) -> None:
    """Score and print."""
    from edgeval.report.regression import render_score
    from edgeval.workflow.regression import score_regression

    found = score_regression(table, tolerance)
    options.emit(render_score(found), lambda: found.model_dump_json(indent=1, by_alias=True), json_to)
