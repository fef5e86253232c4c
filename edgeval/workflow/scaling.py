"""Fit laws of error against size: to a file of points, or to what a ladder's rungs answered."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from edgeval.compare.laws import law
from edgeval.errors import DataError, MissingError
from edgeval.measures.powerlaw import FEWEST
from edgeval.records.ladder import Ladder
from edgeval.records.reporter import Reporter
from edgeval.records.scaling import Law, Scaling
from edgeval.store import Store
from edgeval.workflow.export import torch_table
from edgeval.workflow.predict import RunOptions, run_ladder

COLUMNS = ("params", "error")
LARGEST = 16 * 2**20
HEADER = "the first line must be params,error or params,error,seed"


def scaling_of_points(path: Path) -> Scaling:
    """The law over a CSV with the columns params, error and optionally seed. Raises DataError."""
    return Scaling(**law(path.name, read_points(path)).model_dump())


def scaling_of_ladder(ladder: Ladder, options: RunOptions, store: Store, reporter: Reporter) -> Scaling:
    """The law over a ladder's float checkpoints, and over its exported files on the target. Raises MissingError."""
    errors, names = _trained(ladder, options, store)
    trained = law(f"{ladder.name}, as trained", errors, names=names)
    return Scaling(**trained.model_dump(), deployed=tuple(_deployed(ladder, options, store, reporter)))


def _trained(ladder: Ladder, options: RunOptions, store: Store) -> tuple[dict[int, list[float]], dict[int, str]]:
    """Errors of the torch answers of the asked rungs by size, and the rungs' names by size."""
    errors: dict[int, list[float]] = {}
    names: dict[int, str] = {}
    for rung in [ladder.rung(name) for name in options.rungs] or ladder.rungs:
        for seed in options.seeds or store.seeds(ladder.name, rung.name):
            path = torch_table(store, ladder, rung, seed)
            if path.exists():
                table = store.read_table(path)
                params = table.source.params or 0
                errors.setdefault(params, []).append(1 - float(table.correct.mean()))
                names[params] = rung.name
    if len(errors) < FEWEST:
        seen = ", ".join(names.values()) or f"nothing of {ladder.name} in {store.root}"
        more = f"edgeval train {ladder.typed} && edgeval export {ladder.typed}{store.flag}"
        hint = "leave --rung away, or name more" if len(options.rungs) in range(1, FEWEST) else f"run: {more}"
        raise MissingError(f"a law needs at least {FEWEST} exported rungs", seen=seen, hint=hint)
    return errors, names


def _deployed(ladder: Ladder, options: RunOptions, store: Store, reporter: Reporter) -> list[Law]:
    """One law a format on the target."""
    found: dict[str, dict[int, list[float]]] = {}
    names: dict[int, str] = {}
    for ran in run_ladder(ladder, options, store, reporter):
        source = ran.table.source
        params = source.params or 0
        name = f"{ladder.name}, {source.format} on {source.target} ({source.origin})"
        found.setdefault(name, {}).setdefault(params, []).append(1 - float(ran.table.correct.mean()))
        names[params] = source.name.rpartition(":")[2]
    return [law(name, errors, names=names) for name, errors in found.items()]


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
