"""edgeval.toml in the working folder: what a project says once, so that commands stay short."""

from __future__ import annotations

from pathlib import Path

from edgeval.records.cards import Card, read

FILE = "edgeval.toml"


class Settings(Card):
    """Defaults of a project; every key may be left out."""

    ladder: str | None = None
    target: str | None = None
    runs: str | None = None


def load_settings(folder: Path | None = None) -> Settings:
    """The folder's edgeval.toml, or the defaults where there is none. Raises CardError."""
    path = (folder or Path.cwd()) / FILE
    return read(Settings, path) if path.is_file() else Settings()
