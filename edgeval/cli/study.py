"""edgeval study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display

if TYPE_CHECKING:
    from edgeval.records.study import Study


@click.command()
@click.argument("name", type=click.Choice(["tiny-regime"]))
@click.option(
    "--ladder", "ladders", multiple=True, metavar="L", help="Ladder; may be repeated.  [default: the paper's]"
)
@options.recipe
@options.cluster
@click.option("--target", "targets", multiple=True, metavar="T", help="Target; may be repeated.  [default: desktop]")
@click.option("--format", "formats", type=click.Choice(options.FORMATS), multiple=True, help="[default: the target's]")
@click.option("--trained-only", is_flag=True, help="Export and run nothing: the laws as trained.")
@click.option(
    "--continue",
    "earlier",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --trained-only: go on from these answers; what they hold is not trained again.",
)
@click.option(
    "--answers", type=click.Path(path_type=Path), help="Analyse this file of kept answers, and train nothing."
)
@click.option("--published", is_flag=True, help="Analyse the paper's published figures, and train nothing.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the report.")
@options.json_file
@options.runs
@options.quiet
def study(
    name: str,
    answers: Path | None,
    published: bool,
    out: Path | None,
    json_to: str | None,
    runs: Path | None,
    quiet: bool,
    **given: Any,
) -> None:
    """A whole paper from one command: train, export, run, compare, fit and report, resumable at any time.

    tiny-regime: "Scaling Laws in the Tiny Regime" (arXiv 2603.07365), ScaleCNN and MobileNetV2 on CIFAR-100, 18 widths
    and five seeds; then the same laws in int8 on each target. The whole of it wants a GPU; the second example takes
    about an hour on two cores.

    \b
    Examples:
      edgeval study tiny-regime
      edgeval study tiny-regime --rung c4 --rung c8 --rung c12 --seed 0 --seed 1 --seed 2 --epochs 30
      edgeval study tiny-regime --answers docs/results/tiny-regime/answers.npz --json -
      edgeval study tiny-regime --published
    """
    from edgeval.report.study_text import render_study_text
    from edgeval.workflow.study import study_of_file, study_of_paper
    from edgeval.workflow.study_report import check_folder, write_study

    typed = any(value for key, value in given.items() if key != "device")
    if (answers or published) and (typed or (answers and published)):
        raise click.UsageError("--answers FILE and --published stand alone: they analyse what is there")
    if out is not None:
        check_folder(out)
    fault: Exception | None = None
    if answers is not None:
        found = study_of_file(answers)
    elif published:
        found = study_of_paper()
    else:
        found, fault, place = _whole(given, runs, quiet=quiet)
        out = out or place
    page = write_study(found, out) if out else None
    options.emit(render_study_text(found, page), lambda: found.model_dump_json(indent=1, by_alias=True), json_to)
    if fault:
        raise fault


def _whole(given: dict[str, Any], runs: Path | None, *, quiet: bool) -> tuple[Study, Exception | None, Path]:
    """Train, export, run and analyse; what was found, what a network ended with, and the study's folder."""
    from edgeval.records.papers import tiny_regime
    from edgeval.workflow.project import open_store
    from edgeval.workflow.remote import pool_of
    from edgeval.workflow.study import StudyOptions, folder_of
    from edgeval.workflow.study import study as work
    from edgeval.workflow.train import TrainOptions

    names = {key: given.pop(key) for key in ("cluster", "ladders", "targets", "formats", "trained_only", "earlier")}
    if names["trained_only"] and (names["targets"] or names["formats"]):
        raise click.UsageError("--trained-only runs nothing on a target")
    if names["earlier"] and not names["trained_only"]:
        raise click.UsageError("--continue goes with --trained-only: exports need the networks themselves")
    places = () if names["trained_only"] else names["targets"] or ("desktop",)
    asked = StudyOptions(
        TrainOptions(**given), names["ladders"] or tiny_regime.LADDERS, places, names["formats"], names["earlier"]
    )
    store = open_store(runs)
    with (
        Display(quiet=quiet) as display,
        pool_of(names["cluster"], "export", display, device=given["device"]) as pool,
    ):
        done = work(asked, store, display, pool)
    return done.found, done.fault, folder_of(store)
