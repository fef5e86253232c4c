"""edgeval devices clean."""

from __future__ import annotations

import click


@click.command("clean")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def command(name: str, dry_run: bool) -> None:
    """Remove everything that edgeval keeps on a device: models, images, the agent.

    Only the device's folder that edgeval made and marked is touched. The next run sends again what it needs.

    \b
    Example:
      edgeval devices clean lab-pi --dry-run
    """
    from edgeval.cli.display import Display
    from edgeval.workflow.clean import clean_device

    with Display() as display:
        found = clean_device(name, display, dry=dry_run)
    did = "would be removed" if dry_run else "removed"
    click.echo(f"{name}: {found.files} files, {found.size / 1e6:.1f} MB {did} ({found.folder})")
