"""Which image files belong to which class: from a folder tree, or from a CSV."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeval.errors import DataError
from edgeval.tasks.labels import FILE, agreed, choices, distinct, read_classes, resolve
from edgeval.tasks.pictures import SUFFIXES

SPLITS = {"train", "val", "valid", "validation", "test"}
TREE = "put each image into a subfolder that is named after its class"
HEADER = "the first line must be path,label"


@dataclass(frozen=True)
class Listing:
    """Image files in order: `paths`, their `labels` and `ids`; `notes` on what was left out."""

    paths: list[Path]
    labels: list[int]
    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def list_folder(root: Path, class_names: tuple[str, ...] | None) -> Listing:
    """Images of a folder with one subfolder a class, ordered by class, then by path.

    Classes are `class_names`, else the lines of `classes.txt`, else the sorted subfolder names. Links to files and to
    class folders are followed, links to deeper folders are not. Hidden names are ignored; files that are no images
    are counted in the notes. Raises DataError.
    """
    folders = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    names = _names(root, folders, agreed(class_names, read_classes(root), str(root / FILE)))
    files = [(label, name) for label, folder in enumerate(names) for name in sorted(_walk(root, folder))]
    images = [(label, name) for label, name in files if Path(name).suffix.lower() in SUFFIXES]
    if not images:
        raise DataError(f"no class folder of {root} holds an image", seen=", ".join(names), hint=TREE)
    kept = {label for label, _ in images}
    empty = [name for label, name in enumerate(names) if label not in kept]
    notes = [f"no images of class {', '.join(empty)}"] if empty else []
    if len(files) > len(images):
        notes.append(f"files skipped because they are not images: {len(files) - len(images)}")
    paths, labels = [root / name for _, name in images], [label for label, _ in images]
    return Listing(paths, labels, tuple(name for _, name in images), names, tuple(notes))


def _names(root: Path, folders: list[str], names: tuple[str, ...] | None) -> tuple[str, ...]:
    """Class names in label order, checked against the subfolders that are there."""
    if not folders:
        raise DataError(f"{root} has no subfolder", hint=TREE)
    if names is None:
        if SPLITS.issuperset(folders):
            raise DataError(
                f"{root} holds splits, not classes", seen=", ".join(folders), hint=f"give {root / folders[0]}"
            )
        return tuple(folders)
    stray = next((folder for folder in folders if folder not in names), None)
    if stray is not None:
        raise DataError(f"a subfolder of {root} is not one of the classes", seen=stray, hint=choices(stray, names))
    return distinct(names, "the class names")


def _walk(root: Path, folder: str) -> Iterator[str]:
    """Relative paths, with forward slashes, of the visible files below a class folder; none if it is not there."""
    if not (root / folder).is_dir():
        return
    for where, folders, files in os.walk(root / folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(where).relative_to(root)
        yield from ((inside / name).as_posix() for name in files if not name.startswith("."))


def _unreadable(error: OSError) -> None:
    """Stop at a folder that cannot be listed: leaving its images out would change the result."""
    raise DataError("a folder cannot be read", seen=error, hint="check its permissions") from error


def list_csv(path: Path, class_names: tuple[str, ...] | None) -> Listing:
    """Images of a CSV with the columns `path` and `label`, in the order of its rows; other columns are noted.

    Paths are relative to the CSV's folder and may not leave it, so that ids are the same on every machine; a label is
    a class name or an index. Classes are `class_names`, else `classes.txt` beside the CSV, else what the labels say.
    Raises DataError.
    """
    rows, ignored = _rows(path)
    labels, names = resolve(
        [label for *_, label in rows],
        agreed(class_names, read_classes(path.parent), str(path.parent / FILE)),
        str(path),
    )
    ids, paths = files_of(path, [(line, name) for line, name, _ in rows])
    notes = (f"columns of the CSV that are not used: {', '.join(ignored)}",) if ignored else ()
    return Listing(paths, labels, ids, names, notes)


def csv_lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The columns of a CSV, and its rows with their line numbers, all as long as the header. Raises DataError."""
    try:
        # File names are bytes; surrogateescape carries those that are not UTF-8 through to the file system unchanged.
        text = path.read_bytes().decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = [column.strip() for column in next(reader, [])]
        lines = [(reader.line_num, row) for row in reader if row]
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV", seen=error, hint="double the quotes inside a field") from error
    uneven = next((line for line, row in lines if len(row) != len(header)), None)
    if uneven is not None:
        raise DataError(f"line {uneven} of {path} has another number of columns than the header", seen=",".join(header))
    return header, lines


def files_of(path: Path, names: list[tuple[int, str]]) -> tuple[tuple[str, ...], list[Path]]:
    """Ids and files of the (line, path) pairs of a CSV. Raises DataError for one that is not there."""
    ids = tuple(_inside(path.parent, name, line) for line, name in names)
    files = [path.parent / name for name in ids]
    for (line, name), file in zip(names, files, strict=True):
        if not file.is_file():
            raise DataError(f"line {line} of {path} names a file that is not there", seen=name, hint=_relative(path))
    return ids, files


def _rows(path: Path) -> tuple[list[tuple[int, str, str]], list[str]]:
    """(line, path, label) of each row, and the columns that are not used. Raises DataError."""
    header, lines = csv_lines(path)
    if header.count("path") != 1 or header.count("label") != 1:
        raise DataError(f"{path} must have the columns path and label", seen=",".join(header), hint=HEADER)
    if not lines:
        raise DataError(f"{path} has no row below its header", hint="one row an image: path,label")
    at_path, at_label = header.index("path"), header.index("label")
    rows = [(line, row[at_path], row[at_label].strip()) for line, row in lines]
    blank = next((line for line, _, label in rows if not label), None)
    if blank is not None:
        raise DataError(f"line {blank} of {path} has no label", hint="give each image a class name or an index")
    return rows, [column for column in header if column not in ("path", "label")]


def _inside(folder: Path, name: str, line: int) -> str:
    """`name` relative to the CSV's folder, in its shortest form. Raises DataError if it leads out of it."""
    short = os.path.relpath(name, folder) if os.path.isabs(name) else os.path.normpath(name)
    if not name or short == "." or short.split(os.sep)[0] == os.pardir:
        hint = f"put the CSV into a folder above all its images ({FILE} beside it)"
        raise DataError(f"the path on line {line} leads out of the CSV's folder", seen=name, hint=hint)
    return Path(short).as_posix()


def _relative(path: Path) -> str:
    """How paths in this CSV are written."""
    return f"paths are relative to {path.parent} and have forward slashes"
