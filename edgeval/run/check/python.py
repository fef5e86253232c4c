"""Python, numpy and a runtime on a board, and the shortest way to them that the board allows."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from edgeval.records.target import Target
from edgeval.run.check.finding import Finding, Survey, as_root, card_line, copied, on_board, packages
from edgeval.run.check.wheels import LAST_FOR_CORAL, OLD_NUMPY, Wheel, fitting, machine, nearly, numbers

VENV = ".edgeval/venv"
SHELF = "edgeval-wheels"
TFLITE_ENGINES = ("litert", "tflite-runtime", "tensorflow")
MODULES = {
    "litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
    "tensorflow": "tensorflow",
    "onnxruntime": "onnxruntime",
    "tflm": "tflite_micro.python.tflite_micro.runtime",
}


def python(survey: Survey, target: Target) -> list[Finding]:
    """The interpreter and the width of its system."""
    found = [Finding("Python", "ok", f"{survey['python']} ({survey['installer']['executable']})")]
    if survey["pointer_bits"] == 32 and survey["machine"] in ("aarch64", "x86_64"):
        said = (
            f"the kernel says {survey['machine']} and has 64 bits, the system above it 32: wheels of {machine(survey)}"
        )
        found.append(
            Finding("userland", "note", said, ("only tflite-runtime has wheels for it; a 64-bit system has more",))
        )
    return found


def runtime(survey: Survey, target: Target) -> list[Finding]:
    """numpy, and a runtime that the card accepts for its format; how to get both."""
    engines, present = wanted(target), survey["runtimes"]
    have = next((engine for engine in engines if engine in present), None)
    if have is not None and survey["numpy"] is not None:
        return [Finding("numpy", "ok", survey["numpy"]), *_present(survey, target, have)]
    if have is not None:
        spec = OLD_NUMPY if have == "tflite-runtime" else "numpy"
        return [Finding("numpy", "missing", "not installed", way(survey, target, (spec,)))]
    numpy = Finding("numpy", "ok", survey["numpy"]) if survey["numpy"] else Finding("numpy", "missing", "not installed")
    best = best_wheel(survey, target)
    if best is None:
        return [numpy, Finding("runtime", "missing", f"none of {', '.join(engines)}", (nearly(survey, engines),))]
    said = f"none of {', '.join(engines)}; {best.spec} fits Python {survey['python']} on {machine(survey)}"
    return [numpy, Finding("runtime", "missing", said, way(survey, target, (best.spec, best.numpy)))]


def wanted(target: Target) -> list[str]:
    """Engines that may run what the card asks for, best first."""
    order: dict[str, None] = dict.fromkeys((target.runtime.engine, *target.runtime.accept))
    if target.model.format.startswith("onnx"):
        return ["onnxruntime"]
    return [name for name in order if name in TFLITE_ENGINES] or [*order]


def best_wheel(survey: Survey, target: Target) -> Wheel | None:
    """The wheel to install there; for an Edge TPU one that Google's own library works with, where there is one."""
    wheels = fitting(survey, wanted(target))
    if target.kind == "edgetpu":
        wheels.sort(key=lambda wheel: wheel.spec != LAST_FOR_CORAL)
    return next(iter(wheels), None)


def way(survey: Survey, target: Target, specs: Sequence[str]) -> tuple[str, ...]:
    """Steps that install these, as the board's system, network and pip allow."""
    tool, narrow = survey["installer"], survey["pointer_bits"] == 32
    # No wheels of numpy for 32 bits on the public index: the system has one of its own.
    system = ["python3-numpy"] if narrow and survey["numpy"] is None else []
    if narrow:
        specs = [spec for spec in specs if not spec.startswith("numpy")]
    if survey["network"] is False and target.transport.type != "local":
        return _carried(survey, target, specs, system)
    free = tool["in_venv"] or (tool["pip"] and not tool["externally_managed"])
    needs = [*system, *([] if free or tool["venv"] or not specs else ["python3-venv"])]
    steps = [packages(survey, target, *needs)] if needs else []
    if not specs:
        return tuple(steps)
    quoted = shlex.join(specs)
    if free:
        user = "" if tool["in_venv"] or survey["root"] else "--user "
        command = f"{shlex.quote(tool['executable'])} -m pip install {user}{quoted}"
        return (*steps, on_board(target, command))
    # Since PEP 668 a system's own Python takes nothing from pip.
    folder = f"{survey['home']}/{VENV}"
    shared = "--system-site-packages " if narrow else ""
    make = f"{shlex.quote(tool['executable'])} -m venv {shared}{shlex.quote(folder)}"
    install = on_board(target, f"{make} && {shlex.quote(folder + '/bin/pip')} install {quoted}")
    return (*steps, install, card_line(target, f'python = "{folder}/bin/python"'))


def _carried(survey: Survey, target: Target, specs: Sequence[str], system: Sequence[str]) -> tuple[str, ...]:
    """Wheels fetched here, copied, and unpacked where that Python looks: without network and without pip."""
    steps = []
    if system:
        names = " ".join(system)
        steps.append(f"on a board of this system with network: apt-get download {names} and what it depends on")
        steps.append(f"copy the .deb files, then: {as_root(survey, target, 'dpkg -i *.deb')}")
    if not specs:
        return tuple(steps)
    major, minor = (*numbers(survey["python"]), 0, 0)[:2]
    glibc = numbers(survey["glibc"] or "2.17")
    tags = ["manylinux2014", *(f"manylinux_2_{k}" for k in (27, 28, 31, 34) if glibc >= (2, k))]
    platforms = " ".join(f"--platform {shlex.quote(f'{tag}_{machine(survey)}')}" for tag in tags)
    alone = "--no-deps " if survey["pointer_bits"] == 32 else ""
    which = f"--only-binary=:all: --python-version {major}.{minor} {platforms}"
    interpreter = shlex.quote(survey["installer"]["executable"])
    unpack = (
        f"site=$({interpreter} -m site --user-site); mkdir -p $site && "
        f'for w in {SHELF}/*.whl; do {interpreter} -m zipfile -e "$w" $site || break; done'
    )
    fetch = f"pip download {alone}{which} -d {SHELF} {shlex.join(specs)}"
    return (*steps, fetch, copied(target, SHELF, "."), on_board(target, unpack))


def _present(survey: Survey, target: Target, have: str) -> list[Finding]:
    """A runtime that is there, and versions that are known not to go together."""
    version = survey["runtimes"][have]
    said, numpy = f"{have} {version}", numbers(survey["numpy"])
    if numpy >= (2,) and (have == "tflite-runtime" or (have == "litert" and numbers(version) < (1, 1))):
        return [
            Finding("runtime", "missing", f"{said} fails on numpy {survey['numpy']}", way(survey, target, (OLD_NUMPY,)))
        ]
    if have == "tflite-runtime" and numbers(version) < (2, 10):
        said += " gives one constant answer for int8 files whose Dense weights are quantised per channel"
        return [Finding("runtime", "note", said, ("edgeval export --for tflite-runtime",))]
    return [Finding("runtime", "ok", said)]
