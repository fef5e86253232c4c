"""Keep a comparison and write what people read: HTML, Markdown, and the JSON that both come from."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from edgeval.errors import DataError, RuntimeMissing
from edgeval.records.findings import Comparison
from edgeval.report.html import render_html
from edgeval.report.markdown import render_markdown
from edgeval.report.thumbnails import thumbnail
from edgeval.store import Store, file_safe, read_arrays
from edgeval.tasks.samples import Samples

ROWS = TypeAdapter(list[Comparison])


def as_json(rows: Sequence[Comparison]) -> str:
    """One comparison as an object, several as a list under `rows`."""
    if len(rows) == 1:
        return rows[0].model_dump_json(indent=1, by_alias=True)
    body = [row.model_dump(mode="json", by_alias=True) for row in rows]
    return json.dumps({"schema": "edgeval/compare/1", "rows": body}, indent=1, allow_nan=False)


def keep(rows: Sequence[Comparison], samples: Samples | None, store: Store, name: str) -> Path:
    """Write the comparison and its reports; the path of the page (Markdown where HTML cannot be made)."""
    store.open()
    images = thumbnails(rows, samples)
    place = rows[0].target.target or rows[0].target.name
    name, place = file_safe(name), file_safe(place)
    kept = store.root / "comparisons" / f"{name}-{place}"
    store.write(kept.with_name(f"{kept.name}.json"), as_json(rows).encode())
    buffer = io.BytesIO()
    np.savez_compressed(buffer, ids=np.array(list(images)), png=_packed(list(images.values())))
    store.write(kept.with_name(f"{kept.name}.images.npz"), buffer.getvalue())
    folder = store.root / "reports" / place
    page = store.write(folder / f"{name}.md", render_markdown(rows).encode())
    try:
        return store.write(folder / f"{name}.html", render_html(rows, images=images).encode())
    except RuntimeMissing:
        return page


def thumbnails(rows: Sequence[Comparison], samples: Samples | None) -> dict[str, bytes]:
    """PNG pictures of the flipped samples in the galleries, by id."""
    if samples is None:
        return {}
    at = {name: i for i, name in enumerate(samples.ids)}
    wanted = dict.fromkeys(flip.id for row in rows for flip in row.flipped if flip.id in at)
    return {name: thumbnail(samples.images[at[name]]) for name in wanted}


def read_comparison(path: Path) -> tuple[list[Comparison], dict[str, bytes]]:
    """A kept comparison with its pictures. Raises DataError."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        rows = ROWS.validate_python(body["rows"] if isinstance(body, dict) and "rows" in body else [body])
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("the comparison cannot be read", seen=error, hint="see runs/comparisons/") from error
    except (json.JSONDecodeError, ValidationError) as error:
        seen = str(error).splitlines()[0]
        raise DataError(
            f"{path} is not a comparison", seen=seen, hint="give the JSON that edgeval compare wrote"
        ) from error
    beside = path.with_name(path.stem + ".images.npz")
    return rows, _unpacked(read_arrays(beside)) if beside.is_file() else {}


def render(path: Path, images: Mapping[str, bytes], rows: Sequence[Comparison]) -> None:
    """Write a page where the user asks for it, by its suffix."""
    text = render_markdown(rows) if path.suffix == ".md" else render_html(rows, images=images)
    Store(path.parent).write(path, text.encode())


def _packed(pictures: list[bytes]) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Pictures one after the other, each behind its length in four bytes."""
    joined = b"".join(len(picture).to_bytes(4, "little") + picture for picture in pictures)
    return np.frombuffer(joined, dtype=np.uint8)


def _unpacked(arrays: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]) -> dict[str, bytes]:
    """The pictures of `_packed`, by id."""
    data, found, at = arrays["png"].tobytes(), {}, 0
    for name in arrays["ids"].tolist():
        size = int.from_bytes(data[at : at + 4], "little")
        found[str(name)] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return found
