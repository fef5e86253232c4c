"""How numbers and names are worded, the same in every report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgeval.records.arena import Arena
from edgeval.records.findings import Comparison, Interval
from edgeval.records.predictions import Latency, Source
from edgeval.records.regression import RegressionComparison

DASH = "—"
MINUS = "−"
SHARES = frozenset(
    {"top1", "top5", "bottom5", "bottom10", "bottom20", "lost_rate", "class_accuracy", "within_tolerance"}
)
UNITS = {
    "latency_p50_ms": "ms",
    "latency_p95_ms": "ms",
    "peak_memory_mb": "MB",
    "instructions": "",
    "max_abs_error": "",
}
UNITS |= dict.fromkeys(("artifact_kb", "flash_kb", "arena_kb"), "kB")
METRIC_NAMES = {
    "top1": "Top-1 accuracy",
    "top5": "Top-5 accuracy",
    "ece": "ECE, 15 equal-width bins",
    "ece_equal_mass": "ECE, equal-mass bins",
    "gini": "Gini of class accuracies",
    "bottom5": "Mean of the 5 worst classes",
    "bottom10": "Mean of the 10 worst classes",
    "bottom20": "Mean of the 20 worst classes",
    "nll": "Negative log-likelihood",
    "brier": "Brier score",
    "lost_rate": "Share of answers lost",
    "class_accuracy": "Class accuracy",
    "jaccard": "Jaccard index of the errors",
    "latency_p50_ms": "Latency, median",
    "latency_p95_ms": "Latency, 95th percentile",
    "artifact_kb": "Size of the model file",
    "peak_memory_mb": "Peak memory",
    "flash_kb": "Flash for the model file",
    "arena_kb": "Tensor arena",
    "instructions": "Instructions an image",
    "mse_ratio": "Ratio of mean squared errors",
    "max_abs_error": "Largest error",
    "within_tolerance": "Share within tolerance",
}
ORIGINS = {
    "desktop": "run on this desktop",
    "emulated": "run on an emulated board",
    "device": "run on the device itself",
    "replayed": "replayed from a recording",
    "imported": "read from a table of predictions made elsewhere",
}


def visible(text: str) -> str:
    """Text in which characters that move a cursor, turn the reading direction or break an encoding are spelt out."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def clean(text: str, limit: int = 80) -> str:
    """A name made visible, and cut where it is too long to read."""
    return visible(text if len(text) <= limit else text[: limit - 1] + "…")


def count(n: int) -> str:
    """12345 -> '12,345'."""
    return f"{n:,}".replace("-", MINUS)


def signed_count(n: int) -> str:
    """A change in a number of images, with its sign."""
    return f"{n:+,}".replace("-", MINUS) if n else "0"


def percent(share: float | None, digits: int = 2) -> str:
    """A share in 0..1 as percent."""
    return DASH if share is None else f"{100 * share:.{digits}f}%"


def points(delta: float | None) -> str:
    """A difference of two shares in percentage points."""
    return DASH if delta is None else f"{_signed(100 * delta, 2)} pt"


def value(metric: str, number: float | None) -> str:
    """A measure in its own unit: percent for shares, ms, kB or MB where it has one, a plain number for the rest."""
    if metric in SHARES:
        return percent(number)
    if metric in UNITS and number is not None:
        return f"{_compact(number)} {UNITS[metric]}".rstrip()
    return DASH if number is None else f"{number:.3f}".replace("-", MINUS)


def change(metric: str, delta: float | None) -> str:
    """A difference of two measures, signed: points for shares, a plain number for the rest."""
    if metric in SHARES:
        return points(delta)
    if metric in UNITS and delta is not None:
        return f"{'+' if delta > 0 else ''}{_compact(delta)} {UNITS[metric]}".rstrip()
    return DASH if delta is None else _signed(delta, 3)


def change_interval(metric: str, ci95: Interval | None) -> str:
    """The interval of a difference, in the unit of `change`."""
    if ci95 is None:
        return DASH
    scale, digits, unit = (100, 2, " pt") if metric in SHARES else (1, 3, "")
    low, high = (_signed(scale * end, digits) for end in ci95)
    return f"{low} to {high}{unit}"


def value_interval(metric: str, ci95: Interval | None) -> str:
    """The interval of a measure, in the unit of `value`."""
    return DASH if ci95 is None else f"{value(metric, ci95[0])} to {value(metric, ci95[1])}"


def p_value(p: float) -> str:
    """'p = 0.034', never rounded to zero."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def size(n_bytes: int) -> str:
    """Bytes in kB or MB (powers of ten)."""
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:,.1f} kB"


def latency(measured: Latency) -> str:
    """Median and 95th percentile of one image."""
    threads = "1 thread" if measured.threads == 1 else f"{measured.threads} threads"
    return f"{measured.p50:.3g} ms median, {measured.p95:.3g} ms 95th percentile ({threads}, n = {count(measured.n)})"


def arena(found: Arena) -> str:
    """The smallest arena that works, and what it is made of."""
    parts = f"activations {size(found.head)}, the rest {size(found.tail)}"
    return f"{found.smallest:,} B is the smallest that works; {found.total:,} B recorded ({parts}; 64-bit build)"


def microcontroller(source: Source) -> str:
    """What a microcontroller needs for the model; empty where it was not measured."""
    if source.arena is None:
        return ""
    flash = "" if source.size_bytes is None else f", flash {size(source.size_bytes)}"
    return f"tensor arena {size(source.arena.smallest)} (64-bit build: an upper bound){flash}"


def metric_name(metric: str) -> str:
    """A measure in words; an unknown one keeps its own name."""
    return METRIC_NAMES.get(metric, metric)


def reference_words(row: Comparison) -> str:
    """What the reference is called in a sentence."""
    whole = bool(row.stages) and row.stages[0].name == "size"
    return "the largest model" if whole else "the reference"


def sentence(row: Comparison) -> str:
    """The finding in one plain sentence: how many answers turned wrong, and how many turned right."""
    flips = row.flips
    images = "1 image" if row.n == 1 else f"{count(row.n)} images"
    are = "is" if flips.lost == 1 else "are"
    back = "is" if flips.gained == 1 else "are"
    return (
        f"Of {images}, {count(flips.lost)} that {reference_words(row)} gets right {are} now wrong "
        f"and {count(flips.gained)} that it gets wrong {back} now right."
    )


def drop_words(share: float) -> str:
    """The smallest drop that a run could have seen; none where that is more than everything."""
    return f"{100 * share:.2f} pt" if share < 1 else "none, there are too few images"


def place(row: Comparison | RegressionComparison) -> str:
    """Where the candidate ran, by the name of its target."""
    return row.target.target or row.target.name


def title(row: Comparison | RegressionComparison) -> str:
    """Candidate, format and place."""
    where = f" on {place(row)}" if row.target.target or row.target.name != row.candidate.name else ""
    return f"{row.candidate.name} ({row.candidate.format}){where}"


def short_names(rows: Sequence[Comparison]) -> list[str]:
    """The candidates' names without the ladder that all of them share: `scalecnn-cifar100:c4` -> `c4`."""
    names = [row.candidate.name for row in rows]
    ladders, rungs = {name.rpartition(":")[0] for name in names}, [name.rpartition(":")[2] for name in names]
    return rungs if len(ladders) == 1 and all(rungs) else names


def badge(source: Source) -> str:
    """The origin of the numbers; an emulated one comes with its fidelity in a word, a replayed one with its source."""
    if source.recording is not None:
        return f"replayed from {source.recording.origin}"
    fidelity = (source.fidelity or "fidelity unknown").partition(":")[0]  # the notes say the rest
    return f"{source.origin}, {fidelity}" if source.origin == "emulated" else source.origin


def runtime_words(source: Source) -> str:
    """Runtime, version and kernels in one short line; empty where nothing was recorded."""
    facts = source.runtime or {}
    engine = next((str(facts[key]) for key in ("engine", "name") if facts.get(key)), "")
    words = [f"{engine} {facts.get('version') or ''}".strip()]
    words += [f"kernels {facts['kernels']}"] if facts.get("kernels") else []
    words += [f"delegate {flat(facts['delegate'])}"] if facts.get("delegate") else []
    return ", ".join(word for word in words if word)


def flat(item: Any) -> str:
    """A recorded fact, nested or not, as one line."""
    if isinstance(item, Mapping):
        return ", ".join(f"{key}: {flat(inner)}" for key, inner in item.items() if inner not in (None, "", [], {}))
    if isinstance(item, (list, tuple)):
        return ", ".join(flat(inner) for inner in item)
    if isinstance(item, bool):
        return "yes" if item else "no"
    return "not recorded" if item is None else str(item)


def _compact(number: float) -> str:
    """Three digits below a hundred, whole numbers above."""
    shown = f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
    return shown.replace("-", MINUS)


def _signed(number: float, digits: int) -> str:
    """A rounded number with its sign; what rounds to zero has none."""
    shown = f"{number:+.{digits}f}"
    return f"{0:.{digits}f}" if float(shown) == 0 else shown.replace("-", MINUS)
