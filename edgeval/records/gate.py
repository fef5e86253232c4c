"""The gate's rules as edgeval.toml states them: metric, limit with its unit, confidence, and what makes no sense."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from edgeval.records.cards import Record
from edgeval.records.verdict import Limit
from edgeval.records.wanted import nearest

Metric = Literal[
    "top1",
    "top5",
    "class_accuracy",
    "bottom5",
    "bottom10",
    "bottom20",
    "lost_rate",
    "jaccard",
    "ece",
    "ece_equal_mass",
    "gini",
    "nll",
    "brier",
    "latency_p50_ms",
    "latency_p95_ms",
    "artifact_kb",
    "flash_kb",
    "peak_memory_mb",
    "arena_kb",
    "instructions",
    "mse_ratio",
    "max_abs_error",
    "within_tolerance",
]
NUMBERS = ("mse_ratio", "max_abs_error", "within_tolerance")  # of models that answer with numbers
LIMITS: tuple[Limit, ...] = ("max_drop", "max_increase", "max", "min")
AMOUNT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?)\s*([a-zA-Z%]*)")
HIGH: tuple[Limit, ...] = ("max_drop", "min")
LOW: tuple[Limit, ...] = ("max_increase", "max")


@dataclass(frozen=True)
class Kind:
    """What may be asked of a metric: its limits, the units of an amount, and the unit that is its own."""

    limits: tuple[Limit, ...]
    units: tuple[str, ...]
    example: str


SHARE, INDEX, SCORE = ("pt",), ("", "pt"), ("",)
KINDS: dict[str, Kind] = {
    **dict.fromkeys(("top1", "top5", "class_accuracy", "bottom5", "bottom10", "bottom20"), Kind(HIGH, SHARE, "1.0pt")),
    "within_tolerance": Kind(HIGH, SHARE, "1.0pt"),
    "lost_rate": Kind(("max",), SHARE, "2pt"),
    "jaccard": Kind(HIGH, INDEX, "0.8"),
    **dict.fromkeys(("ece", "ece_equal_mass", "gini"), Kind(LOW, INDEX, "0.02")),
    **dict.fromkeys(("nll", "brier"), Kind(LOW, SCORE, "0.05")),
    **dict.fromkeys(("latency_p50_ms", "latency_p95_ms"), Kind(LOW, ("ms",), "20ms")),
    **dict.fromkeys(("artifact_kb", "flash_kb", "arena_kb"), Kind(LOW, ("kb", "mb"), "500kb")),
    "peak_memory_mb": Kind(LOW, ("mb", "kb"), "64mb"),
    "instructions": Kind(LOW, SCORE, "2e6"),
    "mse_ratio": Kind(("max",), SCORE, "1.1"),
    "max_abs_error": Kind(("max",), SCORE, "0.1"),
}
SCALE: dict[str, dict[str, float]] = {
    "artifact_kb": {"kb": 1, "mb": 1000},
    "flash_kb": {"kb": 1, "mb": 1000},
    "arena_kb": {"kb": 1, "mb": 1000},
    "peak_memory_mb": {"mb": 1, "kb": 1e-3},
}


@dataclass(frozen=True)
class Amount:
    """A number as typed with its unit."""

    number: float
    unit: str
    typed: str


def amount(given: object) -> Amount:
    """'1.0pt', '2%', 0.02 ... Raises ValueError."""
    if isinstance(given, Amount):
        return given
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise ValueError('an amount is a number or a text such as "1.0pt"')
    match = AMOUNT.fullmatch(str(given).strip())
    if not match or abs(float(match[1])) == float("inf"):
        raise ValueError('this is no amount; write "1.0pt", "5%", "20ms", "500kb" or a plain number')
    return Amount(float(match[1]), match[2].lower(), str(given))


def share(given: object) -> float:
    """'5%' or '5pt' -> 0.05."""
    found = amount(given)
    if found.unit not in ("%", "pt"):
        raise ValueError(f'a share of the answers needs a unit; write "{found.number:g}%"')
    return found.number / 100


SIZE = {
    "anyOf": [
        {
            "type": "string",
            "pattern": r"^\s*\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?\s*([pP][tT]|%|[mM][sS]|[kKmM][bB])?\s*$",
        },
        {"type": "number", "minimum": 0},
    ],
    "description": "a size with its unit, such as 1.0pt, 5%, 20ms, 500kb, or a plain number",
}
Typed = Annotated[
    Amount | None, BeforeValidator(lambda given: None if given is None else amount(given)), WithJsonSchema(SIZE)
]
Share = Annotated[
    float,
    BeforeValidator(share),
    Field(gt=0, lt=1),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d*\.?\d+\s*(%|[pP][tT])\s*$"}),
]


class Rule(Record):
    """One rule: a metric and exactly one limit.

    max_drop is for what should be high, max_increase for the rest (both against the reference); max and min are
    absolute. Units: pt (percentage points), % (relative to the reference), ms, kb, mb, or none. output: the one that a
    rule on numbers is about, else all of them together.
    """

    model_config = ConfigDict(
        arbitrary_types_allowed=True, json_schema_extra={"oneOf": [{"required": [name]} for name in LIMITS]}
    )

    metric: Metric
    max_drop: Typed = None
    max_increase: Typed = None
    max: Typed = None
    min: Typed = None
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    classes: tuple[str, ...] = ()
    correction: Literal["holm", "none"] = "holm"
    tolerance: float | None = Field(default=None, gt=0)
    output: str = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> Rule:
        given = [name for name in LIMITS if getattr(self, name) is not None]
        kind = KINDS[self.metric]
        if len(given) != 1:
            seen = " and ".join(given) or "none"
            raise ValueError(f"a rule has exactly one limit (seen: {seen}); write {_example(self.metric)}")
        if given[0] not in kind.limits:
            better = "high" if "max_drop" in kind.limits else "low"
            said = f"{given[0]} makes no sense for {self.metric}, which should be {better}"
            raise ValueError(f"{said}; write {_example(self.metric)}")
        self._check_amount(given[0])
        owners = {"classes": ("class_accuracy",), "tolerance": ("within_tolerance",), "output": NUMBERS}
        for name, only in owners.items():
            if getattr(self, name) and self.metric not in only:
                raise ValueError(f"{name} goes with {', '.join(only)} only; remove it from this rule")
        if "correction" in self.model_fields_set and self.metric != "class_accuracy":
            raise ValueError("correction goes with class_accuracy only; remove it from this rule")
        if self.metric == "within_tolerance" and self.tolerance is None:
            raise ValueError("within_tolerance needs `tolerance`, in the unit of the output; write tolerance = 0.5")
        if "classes" in self.model_fields_set and not self.classes:
            raise ValueError("`classes` names no class; name some, or leave the key away for a rule on every class")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("a class is named twice in `classes`; name each once")
        return self

    def _check_amount(self, name: Limit) -> None:
        found, kind = self.amount, KINDS[self.metric]
        relative = ("%",) if name in ("max_drop", "max_increase") and self.metric != "jaccard" else ()
        allowed = (*kind.units, *relative)
        if found.number < 0:
            raise ValueError(f'{name} is a size, never negative; write {name} = "{abs(found.number):g}{found.unit}"')
        if found.unit not in allowed:
            wanted = " or ".join(f'"{found.number:g}{unit}"' if unit else f"{found.number:g}" for unit in allowed)
            unit = f"the unit {found.unit!r} does not go with" if found.unit else "a unit is missing for"
            meant = _meaning(allowed)
            raise ValueError(f"{unit} {self.metric}; write {name} = {wanted}{meant}")
        share = found.unit == "pt" or (found.unit == "" and kind.units == INDEX)
        if share and found.number > (100 if found.unit == "pt" else 1):
            raise ValueError(f"{name} = {found.typed!r} is more than the whole; a share lies in 0..100pt")

    @property
    def limit(self) -> Limit:
        """Which of the four limits this rule sets."""
        return next(name for name in LIMITS if getattr(self, name) is not None)

    @property
    def amount(self) -> Amount:
        found: Amount = getattr(self, self.limit)
        return found

    def margin(self, reference: float | None) -> float | None:
        """The limit in the metric's own unit (fractions for shares); None where % needs a reference that is missing."""
        found = self.amount
        if found.unit == "%":
            return None if reference is None else found.number / 100 * reference
        if found.unit == "pt":
            return found.number / 100
        return found.number * SCALE.get(self.metric, {}).get(found.unit, 1.0)

    @property
    def text(self) -> str:
        """The rule in words: 'top1: max_drop 1.0pt'."""
        classes = f" of {', '.join(self.classes)}" if self.classes else " of every class" * self._all_classes
        classes += f" of {self.output}" if self.output else ""
        return f"{self.metric}{classes}: {self.limit} {self.amount.typed.strip()}"

    @property
    def _all_classes(self) -> bool:
        return self.metric == "class_accuracy" and not self.classes


class GateSettings(Record):
    """The [gate] table of edgeval.toml.

    looks: how many looks at these data are planned; the level of every rule is divided among them (Bonferroni).
    discordance: the share of answers expected to flip, from which the chance of passing is foretold before a run.
    """

    rules: tuple[Rule, ...] = ()
    looks: int = Field(default=1, ge=1, le=100)
    require_provenance: bool = False
    discordance: Share = 0.05


def _example(metric: str) -> str:
    """A limit that makes sense for a metric, as it stands in the file."""
    kind = KINDS[metric]
    floor = "85pt" if kind.units == SHARE else kind.example
    sizes = {limit: floor if limit == "min" else kind.example for limit in kind.limits}
    return " or ".join(
        f'{limit} = "{size}"' if "" not in kind.units else f"{limit} = {size}" for limit, size in sizes.items()
    )


def _meaning(units: tuple[str, ...]) -> str:
    """What the units mean, where that is not plain."""
    said = [text for unit, text in (("pt", "pt: percentage points"), ("%", "%: of the reference")) if unit in units]
    return f" ({'; '.join(said)})" if said else ""


def blame(text: str, place: tuple[int | str, ...], message: str) -> str:
    """The line of edgeval.toml that an error is about, quoted with its number; empty where it cannot be told.

    `place` is the path of keys that validation stopped at. TOML readers give no positions, so the line is looked for:
    the key in the block of its [[gate.rules]] table, or in its inline table.
    """
    lines = text.splitlines()
    index = next((part for part in place if isinstance(part, int)), None)
    key = next((part for part in reversed(place) if isinstance(part, str)), "")
    span = _rule_lines(lines, index) if index is not None else range(len(lines))
    named = [
        *([key] if key not in ("rules", "gate", "") else []),
        *(n for n in LIMITS if re.search(rf"\b{n}\b", message)),
    ]
    for name in (*named, "metric"):
        for i in span:
            if re.search(rf"""(^|[\s{{,"']){re.escape(name)}["']?\s*=""", lines[i].split("#")[0]):
                return f"line {i + 1}: {lines[i].strip()[:120]}"
    return f"line {span[0] + 1}: {lines[span[0]].strip()[:120]}" if index is not None and len(span) else ""


def _rule_lines(lines: list[str], index: int) -> range:
    """The lines of the index-th rule."""
    heads = [i for i, line in enumerate(lines) if re.match(r"\s*\[\[\s*gate\s*\.\s*rules\s*\]\]", line)]
    if index < len(heads):
        after = (i for i in range(heads[index] + 1, len(lines)) if re.match(r"\s*\[", lines[i]))
        return range(heads[index], next(after, len(lines)))
    inline = [i for i, line in enumerate(lines) if re.search(r"\{.*\bmetric\b", line.split("#")[0])]
    return range(inline[index], inline[index] + 1) if index < len(inline) else range(len(lines))


def nearest_metric(name: str) -> str:
    """'did you mean top1? ' for a metric that does not exist."""
    return nearest(name, KINDS)
