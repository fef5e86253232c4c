"""What a host offers, and which runtime there will run a model."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeval.errors import BenchError, CardError, ModelError, RuntimeMissing
from edgeval.records.kerasfile import keras_form
from edgeval.records.target import Target
from edgeval.run.agentfile import agent_bytes
from edgeval.run.check.wheels import fitting
from edgeval.run.host import Host
from edgeval.run.intake import HINT, read_facts

ANSWER_MAX = 1 << 20
TFLITE_ENGINES = ("litert", "tflite-runtime", "tensorflow")
PACKAGES = {"litert": "ai-edge-litert", "tflite-runtime": "tflite-runtime", "tensorflow": "tensorflow"}
MICRO = "pip install 'edgeval-toolkit[micro]'"
DESKTOP = "pip install 'edgeval-toolkit[run]'"
KERAS = "pip install 'edgeval-toolkit[tensorflow]'"


def probe(host: Host) -> dict[str, Any]:
    """Facts of the host (see the agent's facts.py). Raises BenchError if its Python cannot say them."""
    return _asked(host, "facts")


def survey(host: Host, folder: str, paths: Sequence[str]) -> dict[str, Any]:
    """Facts and what only a check needs (see the agent's survey.py). Raises BenchError as `probe`."""
    return _asked(host, "survey", folder, *paths)


def _asked(host: Host, *words: str) -> dict[str, Any]:
    """The agent's answer to one of its commands."""
    agent = host.put(agent_bytes(), "agent.pyz")
    with host.run([host.python, agent, *words]) as process:
        answer = process.stdout.read(ANSWER_MAX)
        if len(answer) == ANSWER_MAX:
            raise BenchError("the device's answer does not end", seen=f"{len(answer):,} bytes", hint=HINT)
        status, complaint = process.wait(), process.stderr_tail()
    lines = [line for line in answer.splitlines() if line.startswith(b'{"machine"')]
    if status or not lines:
        seen = f"{host.python}, exit status {status}: {last_line(complaint)}"
        hint = "it needs Python 3.7 or later: set python in the card's [transport] table"
        raise BenchError("the device's Python does not run the agent", seen=seen, hint=hint)
    return read_facts(lines[-1])


def pick_engine(facts: dict[str, Any], target: Target, model: Path) -> tuple[str, str]:
    """The engine that runs this file on this target, and its version.

    `.onnx` takes onnxruntime; `.tflite` the card's engine, then those that it accepts. Raises RuntimeMissing
    with the line that installs one, ModelError for another kind of file.
    """
    wanted = _engines(target, model)
    present = facts["runtimes"]
    if facts["numpy"] is None:
        raise RuntimeMissing(
            "the device's Python has no numpy", seen=facts["python"], hint=_install(facts, target, wanted)
        )
    for engine in wanted:
        if engine in present:
            return engine, present[engine]
    found = ", ".join(f"{name} {version}" for name, version in present.items()) or "none"
    what = f"no runtime for {model.suffix} files on {target.name}: wanted {' or '.join(wanted)}"
    hint = KERAS if keras_form(model) is not None else _install(facts, target, wanted)
    raise RuntimeMissing(what, seen=f"installed: {found}", hint=hint)


def last_line(text: str) -> str:
    """The last line of a message, where Python puts the error."""
    return text.splitlines()[-1] if text else "no message"


def _engines(target: Target, model: Path) -> list[str]:
    """Engines that may run this file, best first."""
    runtime = target.runtime
    if runtime.delegate is not None and model.suffix.lower() != ".tflite":
        hint = "give a .tflite file"
        raise ModelError(f"{target.name} runs .tflite files only: its delegate is TFLite's", seen=model.name, hint=hint)
    if keras_form(model) is not None:
        if target.transport.type != "local":
            hint = "edgeval export makes its TFLite files"
            raise ModelError("Keras models run on this computer only", seen=f"{model} on {target.name}", hint=hint)
        return ["tensorflow"]
    if runtime.engine == "tflm":
        if model.suffix.lower() != ".tflite":
            hint = "edgeval export --format tflite-int8 makes one"
            raise ModelError(f"{target.name} runs .tflite files only", seen=model.name, hint=hint)
        return ["tflm"]
    if model.suffix.lower() == ".onnx":
        return ["onnxruntime"]
    if model.suffix.lower() != ".tflite":
        raise ModelError("a model file ends in .onnx, .tflite, .keras or .h5", seen=model.name)
    order: tuple[str, ...] = (runtime.engine, *runtime.accept)
    wanted = [name for name in dict.fromkeys(order) if name in TFLITE_ENGINES]
    if not wanted:
        raise CardError(
            "the card names no engine that runs .tflite files", seen=runtime.engine, hint="set engine = 'litert'"
        )
    return wanted


def _install(facts: dict[str, Any], target: Target, wanted: list[str]) -> str:
    """The command that installs what is missing."""
    if wanted == ["tflm"]:
        return MICRO
    own = target.transport.type == "local" and target.transport.local_python is None
    if own and {"litert", "onnxruntime"} & set(wanted):
        return DESKTOP
    best = next(iter(fitting(facts, wanted)), None)
    specs = (best.spec, best.numpy) if best else (PACKAGES.get(wanted[0], wanted[0]), "numpy")
    command = f"{target.transport.python} -m pip install {shlex.join(specs)}"
    if target.transport.type == "local":
        return command
    return f"on {target.name}: {command} (edgeval devices check {target.typed} gives all steps)"
