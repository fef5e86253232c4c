"""edgeval gate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options, regression
from edgeval.cli.display import Display
from edgeval.cli.pairs import Hooks, pairs, weigh
from edgeval.cli.results import keep_rows, show_rows

if TYPE_CHECKING:
    from edgeval.records.verdict import Status

STATUSES = {"fail": 1, "inconclusive": 3, "no-verdict": 5}


@click.command()
@pairs
@click.option("--config", type=click.Path(path_type=Path), help="File with the rules.  [default: edgeval.toml]")
@click.option(
    "--fail-on",
    type=click.Choice([*STATUSES, "any"]),
    multiple=True,
    help="What ends with its exit code, may be repeated; the rest ends with 0.  [default: any]",
)
@click.option("--warn-only", is_flag=True, help="End with 0 whatever the verdict; errors keep their codes.")
@click.option("--sequential", is_flag=True, help="End the run as soon as the verdict on all images is certain.")
@click.option("--report-dir", type=click.Path(path_type=Path), help="Also write page, Markdown, JUnit and JSON there.")
@options.json_file
@options.runs
@options.quiet
def gate(what: tuple[str, ...], json_to: str | None, runs: Path | None, quiet: bool, **given: Any) -> int:
    """Whether to ship: PASS, FAIL, INCONCLUSIVE or NO_VERDICT by the rules in edgeval.toml.

    Takes what compare takes. A rule passes only when the whole interval of the change lies inside its limit, and fails
    only when all of it lies outside. "Not significant" never means pass.

    \b
    Examples:
      edgeval gate --target desktop
      edgeval gate --target rpi4 --report-dir report
      edgeval gate --target rpi4-replay
      edgeval gate --target rpi4,rpi5 --report-dir report
      edgeval gate OLD.npz NEW.npz --config release.toml --json verdict.json
      edgeval gate --reference big.onnx --candidate small_int8.tflite --data val/ --fail-on fail

    Exit codes: 0 PASS; 1 FAIL; 3 INCONCLUSIVE; 5 NO_VERDICT; 2 wrong use or bad input; 4 device unreachable.
    """
    from edgeval.records.fleet import worst_code
    from edgeval.workflow.gate import early_judge, forewarn, gate_settings, judge_all
    from edgeval.workflow.project import open_store

    if given["warn_only"] and given["fail_on"]:
        raise click.UsageError("--warn-only and --fail-on say different things; give one")
    if given["sequential"] and given["record"]:
        raise click.UsageError("--record needs all answers, and --sequential stops before; give one")
    settings, store = gate_settings(given["config"]), open_store(runs)
    if regression.is_asked(what, given, store):
        asked = {**given, "json_to": json_to}
        status, silent = regression.gate_numbers(what, asked, settings=settings, store=store, quiet=quiet)
        return worst_code((silent, _code(status, given)))
    with Display(quiet=quiet) as display:
        counting = any(rule.metric == "instructions" for rule in settings.rules)
        early = early_judge(settings, store, display) if given["sequential"] else None
        found = weigh(what, given, store, display, Hooks(forewarn(settings, display), early, counting))
        rows, status = judge_all(found.evidences, settings, store)
        page = keep_rows(found, rows, store, given["report_dir"])
    silent = show_rows(found, rows, page, json_to)
    return worst_code((silent, _code(status, given)))


def _code(status: Status, given: dict[str, Any]) -> int:
    """The exit code of a verdict, as far as it is asked for."""
    from edgeval.gate.judge import EXIT

    code, asked = EXIT[status], given["fail_on"]
    if given["warn_only"] or (asked and "any" not in asked and code not in {STATUSES[name] for name in asked}):
        return 0
    return code
