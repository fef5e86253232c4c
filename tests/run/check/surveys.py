"""What the agent's survey says on boards as they are sold and set up, and the cards that they are held against."""

from __future__ import annotations

from typing import Any

from edgeval.records.target import Target

NOW = 1_800_000_000.0

FRESH: dict[str, Any] = {
    "machine": "aarch64",
    "pointer_bits": 64,
    "board": "Raspberry Pi 4 Model B Rev 1.4",
    "cpu": "Raspberry Pi 4 Model B Rev 1.4 (implementer 0x41 part 0xd08)",
    "cpu_features": ["asimd", "cpuid", "crc32", "evtstrm", "fp"],
    "cores": 4,
    "memory_mb": 3792,
    "memory_free_mb": 3323,
    "system": "Linux",
    "os": "Debian GNU/Linux 12 (bookworm)",
    "kernel": "6.6.51+rpt-rpi-v8",
    "glibc": "2.36",
    "python": "3.11.2",
    "numpy": None,
    "runtimes": {},
    "missing": ["numpy is not installed"],
    "temperature_c": 47.7,
    "frequency_mhz": 600.0,
    "frequency_max_mhz": 1800.0,
    "governor": "ondemand",
    "throttled": "0x0",
    "throttling": [],
    "throttled_before": [],
    "installer": {
        "executable": "/usr/bin/python3",
        "pip": True,
        "venv": True,
        "in_venv": False,
        "externally_managed": True,
    },
    "os_id": "debian",
    "os_codename": "bookworm",
    "user": "pi",
    "home": "/home/pi",
    "root": False,
    "sudo": True,
    "groups": ["adm", "pi", "plugdev", "video"],
    "usb": ["1d6b:0002", "2109:3431"],
    "pci": ["14e4:2711"],
    "nodes": [],
    "paths": {},
    "folder": "~/.cache/edgeval-device",
    "folder_error": None,
    "disk_free_mb": 24_000,
    "time": NOW + 2,
    "network": True,
}


def changed(base: dict[str, Any], *, installer: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """A board that differs in these."""
    return {**base, **values, "installer": {**base["installer"], **(installer or {})}}


BOOKWORM = FRESH
READY = changed(FRESH, numpy="2.3.1", runtimes={"litert": "2.3.0"})
TRIXIE = changed(
    FRESH,
    board="Raspberry Pi 5 Model B Rev 1.0",
    os="Debian GNU/Linux 13 (trixie)",
    os_codename="trixie",
    python="3.13.5",
    glibc="2.41",
)
BARE = changed(TRIXIE, installer={"pip": False, "venv": False}, user="root", home="/root", root=True, board=None)
BULLSEYE = changed(
    FRESH,
    os="Debian GNU/Linux 11 (bullseye)",
    python="3.9.2",
    glibc="2.31",
    installer={"externally_managed": False},
)
NARROW = changed(
    FRESH,
    pointer_bits=32,
    board="Raspberry Pi 3 Model B Rev 1.2",
    os="Raspbian GNU/Linux 12 (bookworm)",
    os_id="raspbian",
)
NARROW_TRIXIE = changed(NARROW, python="3.13.5", glibc="2.41", machine="armv7l")
ZERO = changed(NARROW, machine="armv6l", board="Raspberry Pi Zero W Rev 1.1")
DEVBOARD = changed(
    FRESH,
    board="Freescale i.MX8MQ Phanbell",
    os="Mendel GNU/Linux 5 (Eagle)",
    os_id="mendel",
    os_codename=None,
    python="3.7.3",
    glibc="2.28",
    user="mendel",
    home="/home/mendel",
    groups=["apex", "mendel", "plugdev"],
    pci=["16c3:abcd", "1ac1:089a"],
    paths={"libedgetpu.so.1": "open", "/dev/apex_0": "open"},
    throttled=None,
    installer={"externally_managed": False},
)
OFFLINE = changed(FRESH, network=False, installer={"pip": False, "venv": False})
ALPINE = changed(FRESH, os="Alpine Linux v3.20", os_id="alpine", glibc=None)


def card(**tables: Any) -> Target:
    """A card for a board over ssh."""
    transport = {"type": "ssh", "host": "rpi4"} | tables.pop("transport", {})
    return Target.model_validate({"schema": "edgeval/device/1", "name": "mine", "transport": transport, **tables})


PLAIN = card()
CORAL = card(
    kind="edgetpu",
    runtime={"engine": "tflite-runtime", "accept": ["tflite-runtime"], "delegate": {"library": "libedgetpu.so.1"}},
    expect={"usb_ids": ["1a6e:089a", "18d1:9302"], "groups": ["plugdev"]},
)
CORAL_BOARD = card(
    kind="edgetpu",
    transport={"user": "mendel", "port": 2222},
    runtime={"engine": "tflite-runtime", "accept": ["tflite-runtime"], "delegate": {"library": "libedgetpu.so.1"}},
    expect={"device_nodes": ["/dev/apex_0"], "groups": ["apex"], "model_match": "phanbell"},
)
