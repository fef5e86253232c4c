"""What the porter answers: lines that start with SIGN, so that what a login shell prints is passed over."""

from __future__ import annotations

import json
import sys
from typing import Any, Dict

SIGN = b"edgeval-porter "

Words = Dict[str, Any]


class Refusal(Exception):
    """Why a request is not done; `code` says which kind."""

    def __init__(self, code: str, seen: str) -> None:
        super().__init__(code, seen)
        self.words = {"error": code, "seen": seen}


def reply(words: Words) -> None:
    """Send one line to the host."""
    sys.stdout.buffer.write(SIGN + json.dumps(words).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()
