"""What the device says of itself, read from files and never by importing a runtime."""

from __future__ import annotations

import glob
import os
import platform
import struct
import subprocess
from typing import Any, Dict, List, Optional, Tuple

from . import parse
from .installed import installed, runtimes

COMMAND_S = 5


def facts() -> Dict[str, Any]:
    """Machine, system, Python, runtimes and, where it can be read, memory (MiB) and health."""
    cpu, features = parse.cpuinfo(text("/proc/cpuinfo"))
    present = installed()
    numpy = present.get("numpy")
    total, free = parse.meminfo(text("/proc/meminfo"))
    base = {
        "machine": platform.machine(),
        "pointer_bits": struct.calcsize("P") * 8,
        "board": board(),
        "cpu": cpu or platform.processor() or None,
        "cpu_features": features,
        "cores": cores(),
        "memory_mb": total,
        "memory_free_mb": free,
        "system": platform.system(),
        "os": parse.os_release(text("/etc/os-release")).get("pretty_name"),
        "kernel": platform.release(),
        "glibc": glibc(),
        "python": platform.python_version(),
        "numpy": numpy,
        "runtimes": runtimes(present),
        "missing": [] if numpy else ["numpy is not installed"],
    }
    return dict(base, **health())


def health(root: str = "/") -> Dict[str, Any]:
    """What changes while the device works: degrees C, MHz, and what slows it down. None where that cannot be read.

    throttled: the firmware's bits; throttling: what holds now; throttled_before: what held since the last boot.
    """
    bits = throttled(root)
    now, before = parse.throttling(bits)
    if "1" in [text(path).strip() for path in _undervoltage(root)] and "under-voltage" not in now:
        now = ["under-voltage", *now]
    return {
        "temperature_c": temperature(root),
        "frequency_mhz": _fastest(root, "scaling_cur_freq"),
        "frequency_max_mhz": _fastest(root, "cpuinfo_max_freq"),
        "governor": text(root + "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip() or None,
        "throttled": None if bits is None else hex(bits),
        "throttling": now,
        "throttled_before": before,
    }


def board(root: str = "/") -> Optional[str]:
    """The name of the board or of the computer."""
    tree = text(root + "proc/device-tree/model") or text(root + "sys/firmware/devicetree/base/model")
    return (tree or text(root + "sys/class/dmi/id/product_name")).strip("\0\n ") or None


def throttled(root: str = "/") -> Optional[int]:
    """The firmware's bits, from the kernel's file or from the Pi's own tool; None on other boards."""
    for path in sorted(glob.glob(root + "sys/devices/platform/soc*/*firmware/get_throttled")):
        bits = parse.throttled(text(path))
        if bits is not None:
            return bits
    return parse.throttled(_output(["vcgencmd", "get_throttled"])) if root == "/" else None


def temperature(root: str = "/") -> Optional[float]:
    """Degrees C of the processor."""
    folders = sorted(glob.glob(root + "sys/class/thermal/thermal_zone*"))
    return parse.celsius([(text(folder + "/type").strip(), text(folder + "/temp")) for folder in folders])


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def glibc() -> Optional[str]:
    """The version of the GNU C library, None elsewhere."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").replace("glibc ", "") or None
    except (ValueError, OSError, AttributeError):
        return None


def text(path: str) -> str:
    """The text of a file, empty if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except (OSError, ValueError):
        return ""


def hardware(root: str = "/") -> Tuple[List[str], List[str]]:
    """Ids of what is on the USB and on the PCI bus."""
    usb = [(folder + "/idVendor", folder + "/idProduct") for folder in glob.glob(root + "sys/bus/usb/devices/*")]
    pci = [(folder + "/vendor", folder + "/device") for folder in glob.glob(root + "sys/bus/pci/devices/*")]
    ids = [{parse.hardware_id(text(a), text(b)) for a, b in bus} for bus in (usb, pci)]
    return sorted(i for i in ids[0] if i), sorted(i for i in ids[1] if i)


def _undervoltage(root: str) -> List[str]:
    """The alarms of a Pi's voltage sensor, where the kernel has one."""
    sensors = [folder for folder in glob.glob(root + "sys/class/hwmon/hwmon*") if "rpi_volt" in text(folder + "/name")]
    return [folder + "/in0_lcrit_alarm" for folder in sensors]


def _fastest(root: str, name: str) -> Optional[float]:
    """The highest figure (MHz) among the cores."""
    paths = glob.glob(root + "sys/devices/system/cpu/cpu[0-9]*/cpufreq/" + name)
    found = [value for value in (parse.scaled(text(path), 1000) for path in paths) if value is not None]
    return max(found) if found else None


def _output(argv: List[str]) -> str:
    """What a program prints, empty if it is missing, fails or hangs."""
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=COMMAND_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
