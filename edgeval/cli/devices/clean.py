"""edgeval devices clean."""

from __future__ import annotations

import click

from edgeval.cli import options
from edgeval.cli.display import Display
from edgeval.cli.plain import echo


@click.command("clean")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@options.quiet
def command(name: str, dry_run: bool, quiet: bool) -> None:
    """Remove everything that edgeval keeps on a device: models, images, the agent.

    Only files of edgeval's in the folder that it made and marked are touched. The next run sends again what it needs.

    \b
    Example:
      edgeval devices clean lab-pi --dry-run
    """
    from edgeval.workflow.clean import clean_device

    with Display(quiet=quiet) as display:
        found = clean_device(name, display, dry=dry_run)
    did = "would be removed" if dry_run else "removed"
    echo(f"{name}: {found.files} files, {found.size / 1e6:.1f} MB {did} ({found.folder})")
    if found.left:
        echo(f"{found.left} other things lie there that are not edgeval's: they stay")
