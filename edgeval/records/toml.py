"""A card as TOML text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

BARE = re.compile(r"[A-Za-z0-9_-]+")


def as_toml(table: Mapping[str, Any]) -> str:
    """The text of a card, its tables below its own keys; what is None or an empty table is left out."""
    return "\n".join(_lines(table, "")) + "\n"


def _lines(table: Mapping[str, Any], name: str) -> Iterator[str]:
    """Lines of a table and those inside it; JSON writes strings, numbers and lists as TOML does."""
    plain = {key: value for key, value in table.items() if value is not None and not isinstance(value, Mapping)}
    if name and plain:
        yield f"\n[{name}]"
    for key, value in plain.items():
        yield f"{_key(key)} = {json.dumps(value, ensure_ascii=False)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _lines(value, f"{name}.{_key(key)}" if name else _key(key))


def _key(text: str) -> str:
    """A key, in quotes where TOML wants them."""
    return text if BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
