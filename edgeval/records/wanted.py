"""What is wrong with a value of a card, in our own words: its key, what it must be, and the value seen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PLAIN = "a letter or digit, then letters, digits, - . _ only"
FORMS = {  # what a text must look like, by its key
    "name": PLAIN,
    "tags": PLAIN,
    "cpu": "a processor as qemu names it, such as cortex-a72",
    "where": "local, prebuilt or ssh:NAME",
    "sha256": "64 hexadecimal digits, as --record wrote them",
    "fail_on": "throttled, under-voltage, frequency-capped, soft-temperature-limit or such as temperature>80",
    "factory": "package.module:function",
}
KINDS = {  # by pydantic's name of the fault; {…} is filled from what it tells beside it
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("model_type", "dict_type", "model_attributes_type"), "a table"),
    "string_type": "a text in quotes",
    "string_too_short": "a text that is not empty",
    "finite_number": "a finite number",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}",
    "less_than_equal": "{le} or less",
    "literal_error": "{expected}",
}


def place(keys: Sequence[int | str]) -> str:
    """Where a value stands: `net.widths`, `value 2 of net.widths`, `metric in table 1 of gate.rules`."""
    cut = max((i for i, part in enumerate(keys) if isinstance(part, int)), default=None)
    if cut is None:
        return ".".join(str(part) for part in keys)
    outer, inner = f"{int(keys[cut]) + 1} of {place(keys[:cut])}", ".".join(str(part) for part in keys[cut + 1 :])
    return f"{inner} in table {outer}" if inner else f"value {outer}"


def must_be(fault: Mapping[str, Any]) -> str:
    """What a value must be, from one of pydantic's faults."""
    kind, told, given = fault["type"], fault.get("ctx", {}), fault.get("input")
    form = FORMS.get(next((part for part in reversed(fault["loc"]) if isinstance(part, str)), ""))
    if kind == "string_pattern_mismatch" and form:
        return form
    if kind in ("tuple_type", "list_type"):
        plain = isinstance(given, int | float | str)
        return f"a list, such as [{shown(given)}]" if plain else "a list, in square brackets"
    if kind == "too_short":
        least = told["min_length"]
        return f"a list of at least {least} value{'s' * (least != 1)}"
    if kind in KINDS:
        return KINDS[kind].format(**{k: f"{v:g}" if isinstance(v, float) else v for k, v in told.items()})
    return str(fault["msg"]).removeprefix("Input should be ")


def shown(value: object) -> str:
    """A value as a card has it, cut where it is long; nothing for a whole table."""
    if isinstance(value, dict):
        return ""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return (text if isinstance(value, bool | int | float | str | list | tuple | None) else str(value))[:120]


def meant(fault: Mapping[str, Any]) -> str:
    """'did you mean X?' for a word that is none of several."""
    choices = re.findall(r"'([^']*)'", str(fault.get("ctx", {}).get("expected", "")))
    given = fault.get("input")
    return nearest(given, choices) if len(choices) > 1 and isinstance(given, str) else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """'did you mean X? ' or nothing."""
    close = difflib.get_close_matches(name, list(known), n=2, cutoff=0.4)
    return f"did you mean {' or '.join(close)}? " if close else ""
