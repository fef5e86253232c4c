"""edgeval.toml in the working folder: what a project says once, so that commands stay short, and its gate's rules."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from edgeval.errors import CardError
from edgeval.records.cards import Card, explain
from edgeval.records.gate import KINDS, GateSettings, blame, nearest_metric

FILE = "edgeval.toml"
HINTS = {
    "confidence": "write a number between 0.5 and 1, such as confidence = 0.95",
    "looks": "write a whole number from 1 to 100, such as looks = 3",
    "discordance": 'write a share of the answers, such as discordance = "5%"',
    "classes": 'write names in quotes, such as classes = ["3", "7"]',
    "correction": 'write correction = "holm" or "none"',
    "rules": "write each rule as a table of its own, under [[gate.rules]]",
    "gate": "write a table, [gate], and rules under [[gate.rules]]; edgeval init writes an example",
}


class Settings(Card):
    """Defaults of a project and the rules of its gate; every key may be left out."""

    ladder: str | None = None
    target: str | None = None
    runs: str | None = None
    gate: GateSettings = Field(default_factory=GateSettings)


def load_settings(folder: Path | None = None) -> Settings:
    """The folder's edgeval.toml, or the defaults where there is none. Raises CardError."""
    path = (folder or Path.cwd()) / FILE
    return read_settings(path) if path.exists() else Settings()


def read_settings(path: Path) -> Settings:
    """The settings in a file. Raises CardError that quotes the line which is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
        settings = Settings.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(
            "the settings cannot be read", seen=path, hint=f"{error}; edgeval init writes a file"
        ) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CardError(f"{path} is not valid TOML: {error}", hint="mend that line") from error
    except ValidationError as error:
        raise _explained(path, text, error) from error
    settings._path, settings._explicit = path, True
    return settings


def _explained(path: Path, text: str, error: ValidationError) -> CardError:
    """One line: where, the line itself, what is wrong and what to write."""
    first: Any = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    said = explain(Settings, error)
    if first["loc"] and first["loc"][-1] == "metric" and first["type"] == "literal_error":
        given = str(first["input"])
        said = f"there is no metric {given!r}"
    elif first["type"] == "value_error":
        said = first["msg"].removeprefix("Value error, ")
    line, key = blame(text, first["loc"], said), next((p for p in reversed(first["loc"]) if isinstance(p, str)), "")
    hint = "" if first["type"] in ("value_error", "extra_forbidden") else HINTS.get(key, "")
    if key == "metric" and first["type"] == "literal_error":
        hint = f"{nearest_metric(str(first['input']))}choose from {', '.join(KINDS)}"
    return CardError(f"{path}{', ' + line if line else ''}: {said}", hint=hint)


def json_schema() -> dict[str, Any]:
    """JSON Schema of edgeval.toml, for editors and checks outside edgeval."""
    schema = Settings.model_json_schema()
    schema["title"] = "edgeval.toml"
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema
