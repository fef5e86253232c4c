"""Find a card by name or path, read its TOML, and refuse what is not understood with the nearest known key."""

from __future__ import annotations

import re
import tomllib
import typing
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from edgeval.errors import CardError
from edgeval.records.wanted import meant, must_be, nearest, place, shown

Kind = Literal["models", "devices"]
PACKAGE = Path(__file__).resolve().parents[1]
WORDS = {"models": "ladder", "devices": "device"}


class Record(BaseModel):
    """A frozen record with a closed set of keys; field names may differ from keys by alias."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, protected_namespaces=(), allow_inf_nan=False
    )


class Card(Record):
    """A record that was read from a file; `path` is that file, `explicit` whether the user named it by path."""

    _path: Path = PrivateAttr(default=Path())
    _explicit: bool = PrivateAttr(default=False)

    @property
    def path(self) -> Path:
        return self._path

    @property
    def explicit(self) -> bool:
        return self._explicit


C = TypeVar("C", bound=Card)


def shelves(kind: Kind) -> list[Path]:
    """Folders that are searched for cards, in order: working folder, user configuration, shipped."""
    shipped = PACKAGE / "shipped" / kind
    return [
        Path.cwd() / kind,
        Path.home() / ".config" / "edgeval" / kind,
        shipped if shipped.is_dir() else PACKAGE.parent / kind,
    ]


def available(kind: Kind) -> dict[str, Path]:
    """Card files by name; an earlier shelf hides a later one."""
    found: dict[str, Path] = {}
    for shelf in shelves(kind):
        for path in sorted(shelf.glob("*.toml")) if shelf.is_dir() else []:
            if path.stem not in found and path.is_file() and _carries_schema(path):
                found[path.stem] = path
    return found


def find(kind: Kind, name: str) -> tuple[Path, bool]:
    """The card's file, and whether the user named it by path. Raises CardError with the nearest names."""
    if name.endswith(".toml") or "/" in name or "\\" in name:
        path = Path(name)
        if not path.is_file():
            raise CardError(f"there is no {WORDS[kind]} card at this path", seen=name, hint="check the path")
        return path, True
    known = available(kind)
    if name not in known:
        command = "edgeval devices list" if kind == "devices" else "edgeval models list"
        raise CardError(f"no {WORDS[kind]} is called that", seen=name, hint=f"{nearest(name, known)}all: {command}")
    return known[name], False


def read(model: type[C], path: Path, *, explicit: bool = False) -> C:
    """Read one TOML card into its record. Raises CardError in one line."""
    try:
        text = path.read_text(encoding="utf-8")
        card = model.model_validate(tomllib.loads(text))
    except UnicodeDecodeError as error:
        raise CardError("this is no card: it is not text", seen=path, hint="name a .toml file") from error
    except OSError as error:
        raise CardError("the card cannot be read", seen=path, hint=str(error)) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CardError(f"{path} is not valid TOML: {error}", hint="mend that line") from error
    except ValidationError as error:
        raise CardError(f"{path}: {explain(model, error)}") from error
    card._path, card._explicit = path, explicit
    return card


def explain(model: type[BaseModel], error: ValidationError) -> str:
    """One validation error as one line; an unknown key comes first, with the nearest known one."""
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    keys, where = first["loc"], place(first["loc"])
    if first["type"] == "extra_forbidden":
        close = nearest(str(keys[-1]), known_keys(model, keys[:-1]))
        return f"unknown key {_quoted(where)}; {close}".rstrip("; ")
    if first["type"] == "missing":
        return f"the key {_quoted(where)} is missing"
    seen = shown(first.get("input"))
    seen = f" (seen: {seen})" if seen else ""
    if first["type"] != "value_error":
        close = meant(first).rstrip()
        return f"{where or 'the card'} must be {must_be(first)}{seen}{'; ' * bool(close)}{close}"
    said = first["msg"].removeprefix("Value error, ")
    if re.split(r"[ .]", said)[0] in known_keys(model, keys):  # it begins with the key that it is about
        return f"{where}{'.' * bool(where)}{said}{seen}"
    return f"{where or 'the card'}: {said}{seen}"


def _quoted(where: str) -> str:
    """A key with its place: 'net.width', 'metric' in table 1 of gate.rules."""
    name, inside, table = where.partition(" in table ")
    return f"'{name}'{inside}{table}"


def known_keys(model: type[BaseModel], place: tuple[Any, ...]) -> list[str]:
    """The keys that the table at `place` of this record accepts."""
    for part in place:
        if isinstance(part, str):
            field = next((f for k, f in model.model_fields.items() if part in (k, f.alias)), None)
            inner = _inner_record(field.annotation) if field else None
            if inner is None:
                return []
            model = inner
    return [field.alias or key for key, field in model.model_fields.items()]


def _inner_record(annotation: Any) -> type[BaseModel] | None:
    """The record class inside an annotation such as `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_inner_record(part) for part in typing.get_args(annotation))
    return next((part for part in found if part is not None), None)


def _carries_schema(path: Path) -> bool:
    """Whether a TOML file says that it is a card of ours (other projects have folders called models too)."""
    try:
        head = path.read_text(encoding="utf-8", errors="replace")[:4000]
    except OSError:
        return False
    return any(line.replace(" ", "").startswith('schema="edgeval/') for line in head.splitlines())
