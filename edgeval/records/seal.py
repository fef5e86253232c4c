"""A seal on what edgeval writes for people to keep: a hash of everything else, so that a later edit is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

KEY = "seal"


def sealed(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same JSON object with its seal."""
    return {**body, KEY: seal_of(body)}


def seal_of(body: Mapping[str, Any]) -> str:
    """SHA-256 of an object without its seal, however its JSON was spaced and ordered."""
    rest = {name: value for name, value in body.items() if name != KEY}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def broken(body: Any) -> bool:
    """Whether an object has a seal that does not fit; what never had one is not broken."""
    return isinstance(body, Mapping) and bool(body.get(KEY)) and body[KEY] != seal_of(body)
