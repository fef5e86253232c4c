"""A stick, a card or another delegate: hardware on the bus, its library, its nodes, and the right to use them."""

from __future__ import annotations

import shlex

from edgeval.records.target import Target
from edgeval.run.check.finding import Finding, Survey, as_root, card_line, packages
from edgeval.run.check.wheels import numbers

CORAL_PCI = "1ac1:089a"
CORAL = "libedgetpu"
GOOGLE_LAST = (2, 11)  # the newest runtime that Google's own build of the library works with


def accelerator(survey: Survey, target: Target) -> list[Finding]:
    """Everything that the card's delegate and [expect] ask for beyond the CPU."""
    return [*_library(survey, target), *_groups(survey, target), *_usb(survey, target), *_nodes(survey, target)]


def _library(survey: Survey, target: Target) -> list[Finding]:
    delegate = target.runtime.delegate
    if delegate is None:
        return []
    state = survey["paths"].get(delegate.library)
    if state == "open":
        return [Finding("library", "ok", delegate.library), *_pair(survey, target)]
    if state == "denied":
        said = f"{delegate.library} may not be read by {survey['user']}"
        return [
            Finding(
                "library", "missing", said, (as_root(survey, target, f"chmod a+r {shlex.quote(delegate.library)}"),)
            )
        ]
    if CORAL not in delegate.library:
        step = card_line(target, 'library = "/path/to/it.so"', "runtime.delegate")
        return [Finding("library", "missing", f"{delegate.library} is not there", (step,))]
    if survey["os_id"] == "mendel":
        return [Finding("library", "missing", "no libedgetpu", (packages(survey, target, "libedgetpu1-std"),))]
    steps = (
        "Python 3.9 or earlier with tflite-runtime up to 2.11: add Coral's package archive (coral.ai/software), then "
        + packages(survey, target, "libedgetpu1-std"),
        "a later runtime: the libedgetpu1-std package of github.com/feranick/libedgetpu that names your runtime",
    )
    return [Finding("library", "missing", f"{delegate.library} is not there", steps)]


def _pair(survey: Survey, target: Target) -> list[Finding]:
    """The library's build is not known from outside: say which runtimes the usual one crashes."""
    version = survey["runtimes"].get("tflite-runtime")
    assert target.runtime.delegate is not None  # called with a library
    if CORAL not in target.runtime.delegate.library or not version or numbers(version)[:2] <= GOOGLE_LAST:
        return []
    said = f"tflite-runtime {version} crashes with Google's own libedgetpu 16.0, which works up to 2.11"
    return [Finding("pair", "note", said, ("keep it only with the libedgetpu of github.com/feranick/libedgetpu",))]


def _groups(survey: Survey, target: Target) -> list[Finding]:
    missing = [name for name in target.expect.groups if name not in survey["groups"]]
    if survey["root"] or not target.expect.groups:
        return []
    if not missing:
        return [Finding("groups", "ok", ", ".join(target.expect.groups))]
    command = f"usermod -aG {shlex.quote(','.join(missing))} {shlex.quote(survey['user'])}"
    steps = (as_root(survey, target, command), "log in again: close shared connections to the board")
    return [Finding("groups", "missing", f"{survey['user']} is not in {', '.join(missing)}", steps)]


def _usb(survey: Survey, target: Target) -> list[Finding]:
    """One id of several is enough: a Coral stick has one before its first use and another after."""
    asked = [name.lower() for name in target.expect.usb_ids]
    if not asked:
        return []
    there = [name for name in asked if name in survey["usb"]]
    if there:
        return [Finding("usb", "ok", ", ".join(there))]
    said = f"none of {', '.join(asked)} on the bus ({len(survey['usb'])} other devices)"
    return [Finding("usb", "missing", said, ("plug the stick in (USB 3, no hub), wait 2 s and check again",))]


def _nodes(survey: Survey, target: Target) -> list[Finding]:
    found = []
    for node in target.expect.device_nodes:
        state = survey["paths"].get(node)
        if state == "open":
            found.append(Finding("node", "ok", node))
        elif state == "denied":
            group = "apex" if "apex" in node else "plugdev"
            step = as_root(survey, target, f"usermod -aG {group} {shlex.quote(survey['user'])}")
            found.append(Finding("node", "missing", f"{node} may not be opened by {survey['user']}", (step,)))
        else:
            found.append(Finding("node", "missing", f"{node} is not there", _driver(survey, target, node)))
    return found


def _driver(survey: Survey, target: Target, node: str) -> tuple[str, ...]:
    """What makes a missing node appear."""
    if "apex" in node and CORAL_PCI in survey["pci"]:
        return (packages(survey, target, "gasket-dkms"), as_root(survey, target, "modprobe apex"))
    return ("check that the device is plugged in and that the kernel has its driver (dmesg)",)
