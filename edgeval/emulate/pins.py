"""What an emulated board is made of; the hash of all of it names the disk image that is kept."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

SUITE, ARCHITECTURE, PYTHON = "bookworm", "arm64", "3.11"
USER = "pi"
PACKAGES = (
    "bash",
    "busybox-static",
    "coreutils",
    "grep",
    "libpython3-stdlib",
    "libstdc++6",
    "linux-image-arm64",
    "openssh-server",
    "openssh-sftp-server",
    "procps",
    "python3-minimal",
    "sed",
    "util-linux",
)
WHEELS = ("ai-edge-litert==2.3.0", "numpy==2.4.6", "onnxruntime==1.32.0")
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")
# In the order in which they are loaded: a disk, its file system, then network and randomness.
MODULES = (
    "virtio_mmio",
    "virtio_blk",
    "crc16",
    "crc32c_generic",
    "mbcache",
    "jbd2",
    "ext4",
    "failover",
    "net_failover",
    "virtio_net",
    "virtio-rng",
)
SPARE_MB = 768  # room on the disk for models, images and answers
GUEST = Path(__file__).parent / "guest"
FORMAT = 1  # raised when the building itself changes what comes out


def pins(*, wheels: bool = True) -> dict[str, Any]:
    """Everything that decides what the image holds."""
    return {
        "format": FORMAT,
        "suite": SUITE,
        "architecture": ARCHITECTURE,
        "python": PYTHON,
        "packages": PACKAGES,
        "wheels": WHEELS if wheels else (),
        "modules": MODULES,
        "spare_mb": SPARE_MB,
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(GUEST.iterdir())},
    }


def image_key(*, wheels: bool = True) -> str:
    """A short name for exactly these pins."""
    text = json.dumps(pins(wheels=wheels), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
