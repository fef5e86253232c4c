"""Builds the stand-in for libedgetpu, once for each way in which it works or fails."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("standin.c")
MODES = ("works", "silent", "speaks", "crash-at-load", "crash-at-model", "takes-nothing", "takes-dense")
YOUNG = "BuildLabel(COMPILER=12.2.0,DATE=Jan 2 2025,TIME=09:51:57), RuntimeVersion(14)"
GOOGLES = "BuildLabel(COMPILER=6.3.0 20170516,DATE=redacted,TIME=redacted), RuntimeVersion(14)"


@dataclass(frozen=True)
class Library:
    """How a stand-in behaves."""

    mode: str = "works"
    version: str = YOUNG
    devices: int = 1
    without: str = ""

    def build(self, folder: Path) -> Path:
        """The shared library; skips without a C compiler."""
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no C compiler on this machine")
        place = folder / f"libstandin-{hashlib.sha256(repr(self).encode()).hexdigest()[:12]}.so"
        if place.exists():
            return place
        options = [f"-DMODE={MODES.index(self.mode)}", f'-DVERSION="{self.version}"', f"-DDEVICES={self.devices}"]
        options += [f"-D{self.without}"] if self.without else []
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-w", *options, "-o", place, SOURCE], check=True)
        return place
