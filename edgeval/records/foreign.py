"""Cards that came with a working folder: somebody else may have written them, so they start no program of their own."""

from __future__ import annotations

import os
import posixpath
import re

from edgeval.errors import CardError
from edgeval.records.cards import shelves
from edgeval.records.target import Target

COMPILER = "edgetpu_compiler"
INSTALLED = ("/usr/", "/lib/", "/lib64/", "/opt/")  # where only the owner of a machine puts files


def check_trusted(target: Target, *, typed: bool) -> None:
    """Raise CardError where a card would load or start what it brought along, unless the user typed the card's path.

    Cards of ~/.config/edgeval and those that come with edgeval are the user's own.
    """
    own = [shelf.resolve() for shelf in shelves("devices")[1:]]
    if typed or not target.path.name or target.path.parent.resolve() in own:
        return
    if target.transport.type == "local" and not _is_python(target.transport.local_python):
        raise _refused(target, "starts a Python from outside the system's folders", target.transport.python)
    delegate, compiler = target.runtime.delegate, target.compile
    if delegate is not None and not _installed(delegate.library):
        raise _refused(target, "loads a library from outside the system's folders", delegate.library)
    if compiler is None or compiler.where == "prebuilt":
        return
    if not (_installed(compiler.tool) and posixpath.basename(compiler.tool) == COMPILER):
        raise _refused(target, f"starts another program than {COMPILER}", compiler.tool)


def _installed(name: str) -> bool:
    """Whether a library or a program goes by a bare name, or lies where a system keeps them."""
    return "/" not in name or posixpath.normpath(name).startswith(INSTALLED)


def _is_python(name: str | None) -> bool:
    """Whether this is a Python that the system has, or edgeval's own."""
    return name is None or (_installed(name) and bool(re.fullmatch(r"python[\d.]*", posixpath.basename(name))))


def _refused(target: Target, what: str, seen: str) -> CardError:
    hint = f"if you trust it, name it by its path: --target {os.path.relpath(target.path)}"
    return CardError(f"the card {target.name} of this folder {what}", seen=seen, hint=hint)
