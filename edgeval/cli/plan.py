"""edgeval plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgeval.cli import options

METRICS = ("top1", "class_accuracy", "lost_rate", "within_tolerance")


@click.command()
@click.option("--metric", type=click.Choice(METRICS), help="[default: every rule of edgeval.toml that can be planned]")
@click.option("--margin", metavar="SIZE", help="Largest drop (lost_rate: largest share) that passes, as 2pt.")
@click.option("--discordance", metavar="SHARE", help="Share of answers that flip either way.  [default: 5%]")
@click.option("--power", type=click.FloatRange(0.01, 0.999), default=0.8, help="Chance to pass.  [default: 0.8]")
@click.option("--confidence", type=click.FloatRange(0.5, 0.9999, min_open=True), help="[default: 0.95]")
@click.option("--looks", type=click.IntRange(1, 100), help="Planned looks that share the level.  [default: 1]")
@click.option("--next-look", is_flag=True, help="Size the look after those that the gate remembers for the target.")
@click.option("--images", type=click.IntRange(1), help="Also say the chance to pass with so many images.")
@click.option("--target", metavar="T", help="Device whose speed counts.  [default: desktop]")
@click.option("--config", type=click.Path(path_type=Path), help="File with the rules.  [default: edgeval.toml]")
@options.json_file
@options.runs
def plan(metric: str | None, margin: str | None, json_to: str | None, runs: Path | None, **given: Any) -> None:
    """How many images the gate needs so that an unchanged model passes, and how long they take on the target.

    \b
    Examples:
      edgeval plan --metric top1 --margin 2pt --discordance 5%
      edgeval plan --metric class_accuracy --margin 5pt --discordance 4% --power 0.9 --target desktop
      edgeval plan
    """
    from edgeval.records.settings import load_settings, read_settings
    from edgeval.workflow import plan as planning
    from edgeval.workflow.project import choose_target, open_store

    if (metric is None) != (margin is None):
        raise click.UsageError("give --metric and --margin together, or neither to plan the rules of edgeval.toml")
    settings = (read_settings(given["config"]) if given["config"] else load_settings()).gate
    store, asked = open_store(runs), planning.question(given, settings, choose_target(given["target"]))
    rules = planning.rules_for(metric, margin, given["confidence"], settings)
    plans = [planning.plan(rule, asked, store) for rule in rules]
    text = "\n".join(line for one in plans for line in planning.in_words(one, asked))
    options.emit(text, lambda: _json(plans), json_to)


def _json(plans: list[Any]) -> str:
    """One plan as an object, several as a list under `rules`."""
    import json

    bodies = [one.model_dump(mode="json") for one in plans]
    whole = bodies[0] if len(bodies) == 1 else {"rules": bodies}
    return json.dumps({"schema": "edgeval/plan/1", **whole}, indent=1)
