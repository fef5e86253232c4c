"""Class names: reads them from `classes.txt`, and turns what a file says about a class into its index."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from edgeval.errors import DataError

FILE = "classes.txt"
MOST = 100_000
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def read_classes(folder: Path) -> tuple[str, ...] | None:
    """Names in `classes.txt`, one a line in label order; None without that file. Raises DataError."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text", seen=error, hint="one class name a line") from error
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not names:
        raise DataError(f"{path} names no class", hint="one class name a line, in label order")
    return distinct(names, str(path))


def distinct(names: tuple[str, ...], where: str) -> tuple[str, ...]:
    """The names, if all differ. Raises DataError."""
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise DataError(f"a class name occurs twice in {where}", seen=repeated[0], hint="each class needs its own name")
    return names


def agreed(given: tuple[str, ...] | None, found: tuple[str, ...] | None, where: str) -> tuple[str, ...] | None:
    """The class names that were given or found, None if neither. Raises DataError if both are there and differ."""
    if given is not None and found is not None and given != found:
        want, have = next((a, b) for a, b in zip_longest(given, found, fillvalue="nothing") if a != b)
        hint = "give both sides the same classes in the same order"
        raise DataError(
            f"{where} has other class names, or another order, than it should", seen=f"{have}, not {want}", hint=hint
        )
    return given if given is not None else found


def named(labels: Sequence[int], names: tuple[str, ...] | None) -> tuple[str, ...]:
    """The given names, or the labels' own numbers as names. Raises DataError if a label has no name."""
    low, high = min(labels, default=0), max(labels, default=0)
    count = high + 1 if names is None else len(names)
    if low < 0 or high >= min(count, MOST):
        hint = "labels count from 0; check the labels or the class names"
        raise DataError(f"labels must lie in 0..{min(count, MOST) - 1}", seen=f"{low}..{high}", hint=hint)
    return distinct(names, "the class names") if names is not None else tuple(str(label) for label in range(count))


def resolve(words: Sequence[str], names: tuple[str, ...] | None, where: str) -> tuple[list[int], tuple[str, ...]]:
    """Index of each word, and the class names. A word is a name, or else an index; `where` names the file.

    Without names, words that are all whole numbers are indices, and words that are no numbers are sorted into classes.
    """
    if names is None:
        numbers = [word for word in words if NUMBER.fullmatch(word)]
        if len(numbers) == len(words) and all(word.isdigit() for word in words):
            labels = [int(word.lstrip("0")[:20] or 0) for word in words]
            return labels, named(labels, None)
        if numbers:
            odd = next((word for word in words if not word.isdigit()), numbers[0])
            hint = f"give whole numbers from 0, or list the class names in {FILE}"
            raise DataError(
                f"labels of {where} are neither all indices nor all names", seen=f"{numbers[0]}, {odd}", hint=hint
            )
        names = tuple(sorted(set(words)))
    index = {name: at for at, name in enumerate(distinct(names, "the class names"))}
    index = {str(at): at for at in range(len(names))} | index
    unknown = next((at for at, word in enumerate(words) if word not in index), None)
    if unknown is not None:
        raise DataError(
            f"no class is called that (row {unknown + 1} of {where})",
            seen=words[unknown],
            hint=choices(words[unknown], names),
        )
    return [index[word] for word in words], names


def choices(word: str, names: tuple[str, ...]) -> str:
    """The nearest names, and how many there are."""
    near = difflib.get_close_matches(word, names, n=3)
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{guess}there are {len(names)} classes, {names[0]} to {names[-1]}"
