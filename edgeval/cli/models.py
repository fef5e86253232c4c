"""edgeval models."""

from __future__ import annotations

import click

from edgeval.cli.plain import echo


@click.group()
def models() -> None:
    """The ladders that edgeval knows: one TOML card each.

    Cards are looked for in ./models, ~/.config/edgeval/models, and among the shipped ones.

    \b
    Examples:
      edgeval models list
      edgeval models show scalecnn-digits100
    """


@models.command("list")
def list_models() -> None:
    """All ladder cards by name.

    \b
    Example:
      edgeval models list
    """
    from edgeval.errors import CardError
    from edgeval.records.cards import available, read
    from edgeval.records.ladder import Ladder

    for name, path in sorted(available("models").items()):
        try:
            card = read(Ladder, path)
        except CardError as error:
            echo(f"edgeval: {name} is left out: {error}", err=True)
            continue
        rungs = ", ".join(rung.name for rung in card.rungs)
        echo(f"{name:22} {card.summary}\n{'':22} rungs {rungs}")


@models.command()
@click.argument("name")
def show(name: str) -> None:
    """One ladder card as it is understood, with all that it leaves to defaults, as TOML.

    \b
    Example:
      edgeval models show scalecnn-digits100
    """
    from edgeval.records.cards import find, read
    from edgeval.records.ladder import Ladder
    from edgeval.records.toml import as_toml
    from edgeval.workflow.data import preprocess_of

    path, explicit = find("models", name)
    card = read(Ladder, path, explicit=explicit)
    table = card.model_dump(mode="json", by_alias=True)
    table["task"] |= preprocess_of(card).model_dump(mode="json", include={"scale", "mean", "std"})
    if card.regression is not None:
        del table["train"]  # [regression] stands in its place
    echo(f"# {path}\n{as_toml(table)}", nl=False)
