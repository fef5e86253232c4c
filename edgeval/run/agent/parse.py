"""Texts that a kernel or a tool gives about a device, and what they say; odd texts say nothing and raise nothing."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

# Bits of the Raspberry Pi's firmware; each has a twin 16 places up that stays set until the next boot.
THROTTLED = ((0, "under-voltage"), (1, "frequency-capped"), (2, "throttled"), (3, "soft-temperature-limit"))
OCCURRED = 16
CPU_ZONE = re.compile(r"cpu|soc|x86_pkg|k10temp|coretemp", re.I)
LARGEST = 1 << 53  # beyond it a number in these files is damage


def cpuinfo(text: str) -> Tuple[Optional[str], List[str]]:
    """CPU model and features from /proc/cpuinfo (x86 or Arm)."""
    pairs: Dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        pairs.setdefault(key.strip(), value.strip())
    model = pairs.get("model name") or pairs.get("Model")
    if "CPU part" in pairs:
        part = "implementer {} part {}".format(pairs.get("CPU implementer", "?"), pairs["CPU part"])
        model = "{} ({})".format(model, part) if model else part
    return model, sorted((pairs.get("flags") or pairs.get("Features") or "").split())


def meminfo(text: str) -> Tuple[Optional[int], Optional[int]]:
    """MiB of memory in all and MiB that a program can still get, from /proc/meminfo."""
    found = {name: int(kb) // 1024 for name, kb in re.findall(r"^(\w+):\s+(\d{1,15}) kB", text, re.M | re.A)}
    free = found.get("MemAvailable", found.get("MemFree"))  # kernels before 3.14 have no estimate
    return found.get("MemTotal"), free


def os_release(text: str) -> Dict[str, str]:
    """Keys of /etc/os-release in lower case, without quotes."""
    pairs = re.findall(r"""^([A-Z_]+)=(["']?)(.*)\2\s*$""", text, re.M)
    return {key.lower(): value for key, _, value in pairs}


def whole(text: str) -> Optional[int]:
    """The whole number that a file of the kernel holds."""
    match = re.match(r"^-?\d{1,16}$", text.strip(), re.A)
    value = int(match.group(0)) if match else None
    return value if value is not None and abs(value) < LARGEST else None


def scaled(text: str, unit: int) -> Optional[float]:
    """The whole number that a file of the kernel holds, in other units."""
    value = whole(text)
    return None if value is None else value / unit


def celsius(zones: Sequence[Tuple[str, str]]) -> Optional[float]:
    """The temperature of the processor from (type, temp) of thermal zones: a CPU's zone, else the first that tells."""
    told = [(kind, value) for kind, value in ((kind, scaled(temp, 1000)) for kind, temp in zones) if value is not None]
    real = [(kind, value) for kind, value in told if -60 < value < 200]  # a zone that is switched off says -127 or 255
    named = [value for kind, value in real if CPU_ZONE.search(kind)]
    return max(named) if named else real[0][1] if real else None


def throttled(text: str) -> Optional[int]:
    """The bits of `vcgencmd get_throttled` (throttled=0x50005) or of the kernel's file (50005)."""
    match = re.match(r"^(?:throttled=)?(?:0x)?([0-9a-fA-F]{1,8})$", text.strip())
    return int(match.group(1), 16) if match else None


def throttling(bits: Optional[int]) -> Tuple[List[str], List[str]]:
    """What slows the board down now, and what did since it started."""
    if bits is None:
        return [], []
    now = [word for bit, word in THROTTLED if bits >> bit & 1]
    return now, [word for bit, word in THROTTLED if bits >> (bit + OCCURRED) & 1]


def hardware_id(vendor: str, product: str) -> Optional[str]:
    """A USB or PCI id as 18d1:9302 from the two files of a device."""
    parts = [re.match(r"^(?:0x)?([0-9a-fA-F]{4})$", text.strip()) for text in (vendor, product)]
    if parts[0] is None or parts[1] is None:
        return None
    return "{}:{}".format(parts[0].group(1), parts[1].group(1)).lower()


def package_hosts(text: str) -> List[str]:
    """Hosts of the package sources in a file of apt's (one-line or deb822) or in pip.conf."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", ";"))]
    hosts: Dict[str, Any] = dict.fromkeys(re.findall(r"\bhttps?://(?:[^/@\s]*@)?([\w.-]+)", "\n".join(lines), re.A))
    return list(hosts)
