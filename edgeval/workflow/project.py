"""What a project says once in edgeval.toml, and what is assumed where it says nothing."""

from __future__ import annotations

from pathlib import Path

from edgeval.errors import InputError
from edgeval.records.cards import available
from edgeval.records.foreign import check_trusted
from edgeval.records.ladder import Ladder, load_ladder
from edgeval.records.settings import load_settings
from edgeval.records.target import load_target
from edgeval.store import Store


def open_store(runs: Path | None) -> Store:
    """The results folder: --runs, else edgeval.toml's, else `runs` here."""
    return Store(runs or Path(load_settings().runs or "runs")).check()


def choose_target(name: str | None) -> str:
    """The target: --target, else edgeval.toml's, else this computer. Raises CardError (see records/foreign.py)."""
    if name is not None:
        return name
    found = load_settings().target or "desktop"
    for word in found.split(","):
        if "/" in word or word.endswith(".toml"):
            check_trusted(load_target(word), typed=False)  # the path stands in a file: nobody typed it
    return found


def choose_ladder(name: str | None, store: Store) -> Ladder:
    """The ladder that is asked for, else edgeval.toml's, else the only one in the results folder."""
    name = name or load_settings().ladder
    if name is None:
        found = store.ladders()
        if len(found) != 1:
            choices = ", ".join(found) or "none yet (edgeval train scalecnn-digits100 makes one)"
            raise InputError("which ladder?", seen=f"{store.root}/artifacts has {choices}", hint="name one")
        name = found[0]
        if name not in available("models"):
            hint = "name its card by its path"
            raise InputError(f"{store.root} holds the ladder {name}, whose card is not among those found", hint=hint)
    return load_ladder(name)
