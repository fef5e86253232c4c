"""Read a CSV of errors by size."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from edgeval.errors import DataError

COLUMNS = ("params", "error")
LARGEST = 16 * 2**20
MOST_PARAMS = 10**15
HEADER = "the first line must be params,error or params,error,seed"


def read_points(path: Path) -> dict[int, list[float]]:
    """Errors of each size by number of parameters, in the file's order. Raises DataError."""
    try:
        if path.stat().st_size > LARGEST:
            raise DataError("the file of points is too large", seen=f"{path.stat().st_size:,} bytes", hint=HEADER)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read", seen=error, hint=HEADER) from error
    try:
        return _read(path, csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise DataError(f"{path} is no table", seen=error, hint=HEADER) from error


def _read(path: Path, rows: csv.DictReader[str]) -> dict[int, list[float]]:
    """The rows of the table by size."""
    columns = [str(name).strip() for name in rows.fieldnames or []]
    if len(set(columns)) < len(columns):
        raise DataError(f"{path} has a column twice", seen=", ".join(columns), hint=HEADER)
    if not set(COLUMNS) <= set(columns):
        raise DataError(f"{path} has no columns params and error", seen=", ".join(columns) or "nothing", hint=HEADER)
    rows.fieldnames = columns
    found: dict[int, list[float]] = {}
    seen: set[tuple[int, str]] = set()
    for row in rows:
        params, value = _params(path, rows.line_num, row), _number(path, rows.line_num, "error", row)
        seed = (row.get("seed") or "").strip()
        if seed and (params, seed) in seen:
            raise DataError(f"{path}, line {rows.line_num}: this size has that seed already", seen=f"{params}, {seed}")
        seen.add((params, seed))
        found.setdefault(params, []).append(value)
    return found


def _params(path: Path, line: int, row: dict[str, str | None]) -> int:
    """A whole number of parameters above 0."""
    value = _number(path, line, "params", row)
    if not 1 <= value <= MOST_PARAMS or value != int(value):
        said = f"params must be a whole number above 0, at most {MOST_PARAMS}"
        raise DataError(f"{path}, line {line}: {said}", seen=row["params"])
    return int(value)


def _number(path: Path, line: int, column: str, row: dict[str, str | None]) -> float:
    """A finite number."""
    text = (row.get(column) or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise DataError(f"{path}, line {line}: {column} must be a number", seen=text or "nothing", hint=HEADER)
    return value
