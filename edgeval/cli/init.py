"""edgeval init."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--force", is_flag=True, help="Write over an edgeval.toml that is there.")
@click.option(
    "--task", type=click.Choice(["classification", "regression"]), default="classification", show_default=True
)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of edgeval.toml instead.")
def init(force: bool, task: str, schema: bool) -> None:
    """Write a commented edgeval.toml: ladder, target, and the gate's rules.

    \b
    Examples:
      edgeval init
      edgeval init --task regression
      edgeval init --schema > edgeval.schema.json
    """
    import json

    from edgeval.gate.starter import REGRESSION, TEMPLATE
    from edgeval.records.settings import FILE, json_schema
    from edgeval.store import Store

    if schema:
        click.echo(json.dumps(json_schema(), indent=1))
        return
    path = Path(FILE)
    if path.is_file() and not force:
        raise click.UsageError(f"there is an {FILE} here already; --force writes over it")
    if path.is_dir():
        raise click.UsageError(f"{FILE} is a folder here; remove or rename it")
    Store(Path()).write(path, (REGRESSION if task == "regression" else TEMPLATE).encode())
    click.echo(f"wrote {FILE}; read it, then: edgeval gate")
