"""How a study of regressors words its numbers: errors, exponents, ratios, and where a network ran."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import Along, DeepRegression, OutputErrors, SizeErrors
from edgeval.records.findings import Interval
from edgeval.records.laws import Exponent
from edgeval.report import wording

Place = tuple[str, str]
ORDER = ("tflite-fp32", "onnx-fp32", "tflite-int8", "onnx-int8")
KINDS = {"tflite": "TFLite", "onnx": "ONNX"}
PAPER = "1 to 2, up to about 2.3"  # exponents along images: abstract, and summaries of the paper


def error(value: float | None, digits: int = 3) -> str:
    """3.01e-5: every error has the same form, so that its power of ten is seen at once."""
    if value is None:
        return wording.DASH
    number, _, power = f"{value:.{digits - 1}e}".partition("e")
    return f"{number}e{int(power)}".replace("-", wording.MINUS) if value < 0 else f"{number}e{int(power)}"


def ratio(value: float | None) -> str:
    """Three digits: 0.998, 12.3, 1,240."""
    if value is None:
        return wording.DASH
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def rounded(value: float) -> str:
    """Two digits of a size or a factor: 2679 -> '2,700', 3.46 -> '3.5'."""
    if not 0 < value < math.inf:
        return f"{value:g}"
    digits = 1 - math.floor(math.log10(value))
    return f"{round(value, digits):,.{max(0, digits)}f}"


def number(value: float | None, digits: int = 2) -> str:
    """A plain number with the typographic minus."""
    if value is None:
        return wording.DASH
    shown = f"{value:.{digits}f}"
    return shown.replace("-", wording.MINUS if float(shown) else "")


def between(sizes: tuple[float | None, float | None]) -> str:
    """'910 to 3,500', '820 or more', 'up to 440,000': an interval of sizes, None for an end outside of the window."""
    low, high = sizes
    if low is None:
        return "the whole window" if high is None else f"up to {rounded(high)}"
    return f"{rounded(low)} or more" if high is None else f"{rounded(low)} to {rounded(high)}"


def signed(value: float) -> str:
    """Four digits with a sign; what rounds to zero has none."""
    shown = f"{value:+.4f}"
    return shown.replace("-", wording.MINUS) if float(shown) else shown[1:]


def ends(interval: Interval | None, digits: int = 2) -> str:
    """'1.20 to 1.42'."""
    return wording.DASH if interval is None else f"{number(interval[0], digits)} to {number(interval[1], digits)}"


def exponent(found: Exponent | None) -> str:
    """'1.31 (1.20 to 1.42)', with the regression's interval."""
    return wording.DASH if found is None else f"{number(found.value)} ({ends(found.ci95)})"


def along_words(along: Along, fixed: str) -> str:
    """'along images, 64 wide'."""
    return f"along {along}" + (f", {fixed}" if fixed else "")


def output(row: SizeErrors, name: str) -> OutputErrors | None:
    """One output of one size, where it is there."""
    return next((one for one in row.outputs if one.output == name), None)


def trained(found: DeepRegression) -> list[SizeErrors]:
    """The sizes as trained, by network, images and parameters."""
    return by_size(found, [row for row in found.rows if row.format == TORCH])


def by_size(found: DeepRegression, rows: Sequence[SizeErrors]) -> list[SizeErrors]:
    """Networks in their order, each by images and parameters."""
    nets = list(dict.fromkeys(row.net for row in found.rows))
    return sorted(rows, key=lambda row: (nets.index(row.net), row.images, row.params))


def places(found: DeepRegression) -> list[Place]:
    """Where networks were deployed, floats before int8, the targets of a format in their order."""
    there = dict.fromkeys((row.format, row.target) for row in found.rows if row.format != TORCH)
    return sorted(there, key=lambda place: rank(place[0]))


def rank(fmt: str) -> int:
    """Where a format stands among others."""
    return ORDER.index(fmt) if fmt in ORDER else len(ORDER)


def format_words(fmt: str) -> str:
    """'tflite-int8' -> 'int8 TFLite'."""
    kind, _, precision = fmt.partition("-")
    return "as trained" if fmt == TORCH else f"{precision} {KINDS[kind]}" if kind in KINDS and precision else fmt


def place_words(found: DeepRegression, place: Place) -> str:
    """'int8 TFLite', and any other target than the desktop, with its origin."""
    fmt, target = place
    words = format_words(fmt)
    origin = next((row.origin for row in found.rows if (row.format, row.target) == place), "desktop")
    if fmt == TORCH or target == origin == "desktop":
        return words
    return f"{words} on {target}" + ("" if origin == "desktop" or origin in target else f" ({origin})")
