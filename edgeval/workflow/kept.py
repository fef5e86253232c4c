"""A kept comparison and what lies beside it: small pictures for its pages, and flipped samples to run again."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from edgeval.archive import read_npz
from edgeval.errors import DataError, IntegrityError
from edgeval.records.findings import Comparison
from edgeval.records.predictions import Predictions, encode, read_table
from edgeval.records.regression import RegressionComparison
from edgeval.records.seal import broken
from edgeval.records.sound import oversized, unsound
from edgeval.report.thumbnails import thumbnail
from edgeval.store import file_safe
from edgeval.tasks.samples import Samples

MOST_BYTES = 64_000_000
MOST_JSON = 256_000_000
LONGEST = 100
ROWS = TypeAdapter(list[Comparison])
Arrays = dict[str, NDArray[np.generic]]
Tables = Sequence[tuple[Predictions, Predictions] | None]


@dataclass(frozen=True)
class Flipped:
    """Flipped samples as they were: pixels where there are some, and both sides' answers a row of the comparison.

    images: (N, H, W, C) of `ids`, fewer than flipped where a cap was reached; tables: (reference, candidate) a row,
    None where only a comparison is known.
    """

    images: NDArray[np.generic] | None
    labels: NDArray[np.int64]
    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    tables: tuple[tuple[Predictions, Predictions] | None, ...]


def file_stem(text: str) -> str:
    """A file's name of at most 100 bytes; what had to be cut or is not ASCII is told apart by a hash."""
    safe = file_safe(text)
    if len(text) <= LONGEST and text.isascii():
        return safe
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{safe[: LONGEST - 13]}-{digest}"


def read_comparison(path: Path) -> tuple[list[Comparison], dict[str, bytes]]:
    """A kept comparison with its pictures. Raises DataError, also for what no comparison can say."""
    rows = [row for row in read_any(path) if isinstance(row, Comparison)]
    if not rows:
        raise DataError(f"{path} compares regression models", hint="give a comparison of classifiers")
    return rows, unpack_pictures(path.with_name(path.stem + ".images.npz"))


def read_any(path: Path) -> list[Comparison] | list[RegressionComparison]:
    """The rows of a kept comparison of classifiers, or the one of regression models. Raises DataError."""
    try:
        if path.stat().st_size > MOST_JSON:
            raise DataError("the comparison is too large", seen=f"{path.stat().st_size:,} bytes", hint="compare again")
        body = json.loads(path.read_text(encoding="utf-8"))
        wrong = oversized(body)
        if not wrong and isinstance(body, dict) and body.get("task") == "regression":
            return [read_numbers(path, body)]
        given = body["rows"] if _has_rows(body) else [body]
        rows = [] if wrong else ROWS.validate_python(given)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("the comparison cannot be read", seen=error, hint="see runs/comparisons/") from error
    except (ValidationError, ValueError, RecursionError) as error:
        seen = str(error).splitlines()[0]
        hint = "give the JSON that edgeval compare wrote"
        raise DataError(f"{path} is not a comparison", seen=seen, hint=hint) from error
    wrong = wrong or next((said for said in map(unsound, rows) if said), "" if rows else "no row")
    if wrong:
        raise DataError(f"{path} is not a comparison: it cannot be true", seen=wrong, hint="compare again")
    check_seals(path, given)
    return [row.model_copy(update={"seal": ""}) for row in rows]


def read_numbers(path: Path, body: Mapping[str, Any]) -> RegressionComparison:
    """A comparison of regression models from its JSON. Raises ValidationError, IntegrityError."""
    found = RegressionComparison.model_validate(body)
    check_seals(path, [body])
    return found.model_copy(update={"seal": ""})


def check_seals(path: Path, given: Sequence[Any]) -> None:
    """Raise IntegrityError where a row was changed after edgeval sealed it."""
    changed = [str(k + 1) for k, row in enumerate(given) if broken(row)]
    if changed:
        seen = f"the seal of row {', '.join(changed[:5])} does not fit" if len(given) > 1 else "its seal does not fit"
        raise IntegrityError(f"{path} was changed since edgeval wrote it", seen=seen, hint="compare again")


def thumbnails(rows: Sequence[Comparison], samples: Samples | None) -> dict[str, bytes]:
    """PNG pictures of the flipped samples in the galleries, by id."""
    if samples is None:
        return {}
    at = {name: i for i, name in enumerate(samples.ids)}
    wanted = dict.fromkeys(flip.id for row in rows for flip in row.flipped if flip.id in at)
    return {name: thumbnail(samples.images[at[name]]) for name in wanted}


def pack_pictures(images: Mapping[str, bytes]) -> bytes:
    """Pictures one after the other, each behind its length in four bytes, with their ids, as .npz."""
    joined = b"".join(len(picture).to_bytes(4, "little") + picture for picture in images.values())
    return _npz({"ids": np.array(list(images), dtype=np.str_), "png": np.frombuffer(joined, dtype=np.uint8)})


def unpack_pictures(path: Path) -> dict[str, bytes]:
    """The pictures of `pack_pictures`, by id; none where the file is missing. Raises DataError."""
    if not path.is_file():
        return {}
    arrays = _whole(path, "ids", "png")
    data, found, at = arrays["png"].tobytes(), {}, 0
    for name in arrays["ids"].tolist():
        size = int.from_bytes(data[at : at + 4], "little")
        found[str(name)] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def pack_flipped(rows: Sequence[Comparison], samples: Samples | None, tables: Tables) -> bytes:
    """Pixels of the flipped samples and both sides' answers to them, each within `MOST_BYTES`, as .npz.

    The shown flips come first, so a cap cuts those that no page shows.
    """
    arrays: Arrays = {}
    for k, (row, pair) in enumerate(zip(rows, [*tables, *[None] * len(rows)], strict=False)):
        if pair is not None:
            for side, table in zip(("reference", "candidate"), pair, strict=True):
                arrays[f"{side}_{k}"] = np.frombuffer(encode(_rows(table, _order(row))), dtype=np.uint8)
    if samples is not None:
        at = {name: i for i, name in enumerate(samples.ids)}
        each = max(1, samples.images[:1].nbytes)
        wanted = dict.fromkeys(name for row in rows for name in _order(row) if name in at)
        index = [at[name] for name in wanted][: MOST_BYTES // each]
        chosen = [samples.ids[i] for i in index]
        arrays |= {"x": samples.images[index], "y": samples.labels[index], "ids": np.array(chosen, dtype=np.str_)}
        arrays["class_names"] = np.array(samples.class_names, dtype=np.str_)
    return _npz(arrays)


def unpack_flipped(path: Path, rows: Sequence[Comparison]) -> Flipped:
    """The flipped samples beside a comparison, or what the comparison itself knows of them. Raises DataError."""
    arrays = read_npz(path) if path.is_file() else {}
    tables = tuple(_table_pair(arrays, k) for k in range(len(rows)))
    names = tuple(arrays["class_names"].tolist()) if "class_names" in arrays else rows[0].class_names
    if "x" not in arrays:
        return Flipped(None, np.zeros(0, np.int64), (), names, tables)
    whole = _whole(path, "x", "y", "ids")
    if not len(whole["x"]) == len(whole["y"]) == len(whole["ids"]):
        raise DataError(f"{path} is damaged", seen="arrays of different lengths", hint="compare again")
    return Flipped(whole["x"], whole["y"].astype(np.int64), tuple(map(str, whole["ids"].tolist())), names, tables)


def known_answers(row: Comparison) -> tuple[Predictions, Predictions]:
    """Both sides' top answers to the flips that a comparison shows, where the whole tables are not at hand."""
    at = {name: i for i, name in enumerate(row.class_names)}
    flips = [f for f in row.flipped if {f.label, f.reference.class_name, f.candidate.class_name} <= set(at)]
    if not flips:
        hint = "compare again with this version, and keep the results folder"
        raise DataError("this comparison holds no flipped sample that could be bundled", hint=hint)
    labels = np.array([at[f.label] for f in flips], dtype=np.int64)
    ids = tuple(f.id for f in flips)

    def side(name: str, source: Any) -> Predictions:
        answers = np.array([at[getattr(f, name).class_name] for f in flips], dtype=np.int64)
        return Predictions(labels, answers, row.class_names, "classes", source, ids=ids)

    return side("reference", row.reference), side("candidate", row.candidate)


def _has_rows(body: object) -> bool:
    return isinstance(body, dict) and "rows" in body


def _order(row: Comparison) -> list[str]:
    """Ids of all flips, those that the pages show first."""
    return list(dict.fromkeys([*(flip.id for flip in row.flipped), *row.flips.lost_ids, *row.flips.gained_ids]))


def _rows(table: Predictions, wanted: Sequence[str]) -> Predictions:
    """These samples of a table, as far as they fit; rows that have no ids are numbered."""
    ids = table.ids or tuple(str(i) for i in range(len(table)))
    at = {name: i for i, name in enumerate(ids)}
    each = 8 if table.outputs is None else table.outputs[:1].nbytes
    index = [at[name] for name in wanted if name in at][: max(1, MOST_BYTES // max(1, each))]
    return replace(table, ids=ids).take(np.array(index, dtype=np.int64))


def _table_pair(arrays: Mapping[str, NDArray[np.generic]], k: int) -> tuple[Predictions, Predictions] | None:
    """Both tables of row k."""
    found = [_decoded(arrays[f"{side}_{k}"]) for side in _sides(arrays, k)]
    return (found[0], found[1]) if len(found) == 2 else None


def _sides(arrays: Mapping[str, NDArray[np.generic]], k: int) -> Iterator[str]:
    return (side for side in ("reference", "candidate") if f"{side}_{k}" in arrays)


def _decoded(data: NDArray[np.generic]) -> Predictions:
    """A table from the bytes of its file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.npz"
        path.write_bytes(data.tobytes())
        return read_table(path, trusted=True)


def _whole(path: Path, *names: str) -> Arrays:
    """The arrays of a file, if all of these are there."""
    arrays = read_npz(path)
    missing = [name for name in names if name not in arrays]
    if missing:
        raise DataError(f"{path} is damaged", seen=f"no array {missing[0]}", hint="compare again")
    return arrays


def _npz(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
