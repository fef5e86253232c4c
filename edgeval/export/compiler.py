"""The Edge TPU compiler: its command line, its report as a record, and its failures as messages."""

from __future__ import annotations

import re

from edgeval.errors import ModelError
from edgeval.records.compiled import CompilerReport, OperatorRow

TOOL = "edgetpu_compiler"
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
ROW = re.compile(r"^(?P<operator>[A-Za-z][\w-]*)[ \t]+(?P<count>\d{1,9})[ \t]+(?P<status>\S.*?)\s*$", re.M)
QUANTISE = "quantise it to int8 first: edgeval export LADDER --for coral"
FAILURES = (
    ("Model not quantized", "the Edge TPU compiler takes quantised models only", QUANTISE),
    (
        "could not be parsed",
        "the Edge TPU compiler cannot parse the model",
        "check that the file is whole; else export it again: edgeval export LADDER --for coral",
    ),
    (
        "Internal compiler error. Aborting!",
        "the Edge TPU compiler stopped with an error of its own",
        "shrink the model or replace its newest operators; the report above names none",
    ),
)


def argv(tool: str, args: tuple[str, ...], *, model: str, folder: str) -> list[str]:
    """The compiler's command, operators shown, its files into `folder`. It never meets a shell."""
    return [tool, *args, "-s", "-o", folder, model]  # of two -o the last one counts


def parse_report(text: str) -> CompilerReport:
    """What the compiler printed, as a record."""
    return CompilerReport(
        version=_find(text, r"Compiler version (\S+)"),
        milliseconds=_count(text, r"Model compiled successfully in (\d{1,15}) ms"),
        operators=_count(text, r"Total number of operations:\s*(\d{1,15})\b"),
        subgraphs=_count(text, r"Number of Edge TPU subgraphs:\s*(\d{1,15})\b"),
        cached_bytes=_size(text, "On-chip memory used for caching model parameters"),
        streamed_bytes=_size(text, "Off-chip memory used for streaming uncached model parameters"),
        rows=tuple(
            OperatorRow(operator=row["operator"], count=int(row["count"]), status=row["status"])
            for row in ROW.finditer(text)
        ),
    )


def explain_failure(text: str, model: str, status: int) -> ModelError:
    """The one error that says why the compiler wrote nothing."""
    for words, what, hint in FAILURES:
        if words in text:
            return ModelError(f"{model}: {what}", seen=_line(text, words), hint=hint)
    said = [line for line in text.splitlines() if line.strip()]
    seen = f"exit status {status}: {said[-1] if said else 'no word'}"
    hint = "run the compiler by hand on that file, or give a prebuilt *_edgetpu.tflite"
    return ModelError(f"{model}: the Edge TPU compiler wrote no file", seen=seen, hint=hint)


def _line(text: str, words: str) -> str:
    """The line that holds these words."""
    return next(line.strip() for line in text.splitlines() if words in line)


def _find(text: str, pattern: str) -> str | None:
    match = re.search(pattern, text)
    return match[1] if match else None


def _count(text: str, pattern: str) -> int | None:
    found = _find(text, pattern)
    return int(found) if found else None


def _size(text: str, words: str) -> int | None:
    """Bytes behind these words: `553.62KiB`, `0.00B`."""
    match = re.search(rf"{re.escape(words)}:\s*(\d{{1,12}}(?:\.\d{{1,9}})?)\s*([KMG]?i?B)", text)
    return round(float(match[1]) * UNITS[match[2]]) if match and match[2] in UNITS else None
