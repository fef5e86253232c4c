"""edgeval scaling."""

from __future__ import annotations

from pathlib import Path

import click

from edgeval.cli import options
from edgeval.cli.display import Display


@click.command()
@click.argument("ladder", required=False)
@click.option("--points", type=click.Path(path_type=Path), help="CSV with params,error and optionally seed.")
@options.target
@options.rungs
@click.option("--format", "formats", type=click.Choice(options.FORMATS), multiple=True, help="[default: the target's]")
@click.option(
    "--keep",
    "margins",
    multiple=True,
    metavar="M=SIZE",
    help="What the rung to ship must keep of the largest one; may be repeated.  [default: bottom5=5pt]",
)
@click.option("--figure", type=click.Path(path_type=Path), metavar="FILE", help="Write the picture: .svg or .html.")
@options.cluster
@options.json_file
@options.runs
@options.quiet
def scaling(
    ladder: str | None,
    points: Path | None,
    target: str | None,
    emulate: bool,
    rungs: tuple[str, ...],
    seeds: tuple[int, ...],
    formats: tuple[str, ...],
    margins: tuple[str, ...],
    figure: Path | None,
    cluster: str | None,
    json_to: str | None,
    runs: Path | None,
    quiet: bool,
) -> None:
    """Which rung to ship to a target, and how error falls with size: as trained in torch and as deployed there.

    A row a rung: accuracy, worst classes, calibration, latency, memory, size and flips, and which rungs are on the
    Pareto front. The smallest rung that keeps what --keep asks for is found by the gate's own rule, on every seed.
    Laws come with the regression's interval and that over seeds, the exponent between neighbouring sizes, and laws
    with a floor or a break (AICc).

    \b
    Examples:
      edgeval scaling scalecnn-digits100
      edgeval scaling scalecnn-digits100 --keep bottom5=5pt --keep top1=2pt
      edgeval scaling scalecnn-digits100 --target desktop --format tflite-int8 --json laws.json
      edgeval scaling scalecnn-cifar100 --cluster 10.0.0.1:6379
      edgeval scaling --points errors.csv --figure laws.svg
      edgeval scaling --points errors.csv --json -
    """
    from edgeval.report.laws import render_laws
    from edgeval.workflow.keep import DEFAULT, margin_rule
    from edgeval.workflow.predict import RunOptions
    from edgeval.workflow.project import choose_ladder, choose_target, open_store
    from edgeval.workflow.runjob import run_there
    from edgeval.workflow.scaling import scaling_of_ladder, scaling_of_points
    from edgeval.workflow.scaling_report import check_figure, keep_scaling, write_figure

    check_figure(figure)
    if points is not None:
        if ladder or target or emulate or rungs or seeds or formats or margins or cluster:
            raise click.UsageError("--points stands alone: give a ladder and its options, or a file of points")
        found, note = scaling_of_points(points), ""
    else:
        rules = [margin_rule(typed) for typed in margins or (DEFAULT,)]
        store = open_store(runs)
        asked = RunOptions(choose_target(target), emulate, rungs, formats, seeds)  # type: ignore[arg-type]
        ladder_card = choose_ladder(ladder, store)
        with Display(quiet=quiet) as display:
            if cluster is not None:
                run_there(cluster, ladder_card, asked, store, display)
            found = scaling_of_ladder(ladder_card, asked, store, display, rules=rules)
        note = keep_scaling(found, ladder_card.name, store)
    if figure is not None:
        note = "\n".join(filter(None, (note, write_figure(found, figure))))
    options.emit(render_laws(found, note=note), lambda: found.model_dump_json(indent=1, by_alias=True), json_to)
