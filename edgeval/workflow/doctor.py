"""Look at this machine: what is there, what is missing, and what would mend it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from dataclasses import dataclass

from edgeval import __version__
from edgeval.errors import EdgevalError
from edgeval.run.host import LocalHost
from edgeval.run.probe import probe
from edgeval.workflow.data import data_folder
from edgeval.workflow.jobs import cores

EXTRAS = {
    "run": ("ai-edge-litert", "onnxruntime"),
    "train": ("torch", "torchvision"),
    "export": ("litert-torch", "ai-edge-quantizer", "onnx", "onnxscript"),
    "report": ("matplotlib", "jinja2"),
    "tensorflow": ("tensorflow",),
    "micro": ("tflite-micro",),
    "cluster": ("ray",),
}
TOOLS = {
    "ssh": "boards are reached over it",
    "qemu-system-aarch64": "emulated boards need it",
    "edgetpu_compiler": "Coral needs it",
}


@dataclass(frozen=True)
class Item:
    """One thing about this machine."""

    name: str
    ok: bool
    state: str


def examine() -> list[Item]:
    """Everything that matters to edgeval on this machine."""
    items = [
        Item("edgeval", True, __version__),
        Item("python", (3, 11) <= sys.version_info < (3, 14), platform.python_version()),
        Item("machine", True, f"{platform.system()} {platform.machine()}, {cores()} cores{_memory()}"),
    ]
    items += [_extra(name, packages) for name, packages in EXTRAS.items()]
    items += [_gpu(), _agent()]
    items += [_tool(name, why) for name, why in TOOLS.items()]
    folder = data_folder()
    free = shutil.disk_usage(folder if folder.exists() else folder.home()).free / 2**30
    return [*items, Item("data folder", True, f"{folder} ({free:.0f} GiB free; set EDGEVAL_DATA to change it)")]


def _extra(name: str, packages: tuple[str, ...]) -> Item:
    """Whether an install extra is there, with versions."""
    found = {package: _version(package) for package in packages}
    missing = [package for package, version in found.items() if version is None]
    if missing:
        return Item(f"extra {name}", False, f"missing {', '.join(missing)}: pip install 'edgeval-toolkit[{name}]'")
    return Item(f"extra {name}", True, ", ".join(f"{package} {version}" for package, version in found.items()))


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _gpu() -> Item:
    """What torch sees, if torch is there."""
    if _version("torch") is None:
        return Item("GPU", False, "unknown: torch is not installed")
    import torch

    name = torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
    return Item("GPU", bool(name), name or "none: training runs on the CPU")


def _agent() -> Item:
    """Whether the device agent answers here."""
    try:
        with LocalHost() as host:
            facts = probe(host)
    except EdgevalError as error:
        return Item("device agent", False, str(error))
    runtimes = ", ".join(f"{name} {version}" for name, version in facts.get("runtimes", {}).items() if version)
    return Item("device agent", bool(runtimes), runtimes or "no runtime found: pip install 'edgeval-toolkit[run]'")


def _tool(name: str, why: str) -> Item:
    """Whether a program is on the path."""
    path = shutil.which(name)
    return Item(name, path is not None, path or f"not found; {why}")


def _memory() -> str:
    """Physical memory, where the system tells."""
    try:
        return f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    except (ValueError, OSError, AttributeError):
        return ""
