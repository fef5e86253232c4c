"""Read a CSV of errors by size."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from edgeval.errors import DataError

COLUMNS = ("params", "error")
LARGEST = 16 * 2**20
HEADER = "the first line must be params,error or params,error,seed"


def read_points(path: Path) -> dict[int, list[float]]:
    """Errors of each size by number of parameters, in the file's order. Raises DataError."""
    try:
        if path.stat().st_size > LARGEST:
            raise DataError("the file of points is too large", seen=f"{path.stat().st_size:,} bytes", hint=HEADER)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read", seen=error, hint=HEADER) from error
    rows = csv.DictReader(io.StringIO(text, newline=""))
    columns = [str(name).strip() for name in rows.fieldnames or []]
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
    if value < 1 or value != int(value):
        raise DataError(f"{path}, line {line}: params must be a whole number above 0", seen=row["params"])
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
