"""What the Edge TPU's library and the system say about the device: version, devices, rights, and who holds it."""

from __future__ import annotations

import ctypes
import glob
import os
import re
from typing import Any, Dict, List, Optional, Tuple

from .frames import Fault

USB_IDS = ("1a6e:089a", "18d1:9302")  # before and after its first use
KINDS = {0: "pcie", 1: "usb"}
LAST_OLD_RUNTIME = (2, 11)  # the last that Google's builds of the library work with
GOOGLES = ("5.4.0 20160609", "6.3.0 20170516")  # the compilers of Google's builds
DPKG = "/var/lib/dpkg/status"


class _Device(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("path", ctypes.c_char_p)]


def about(library: Any) -> Optional[Dict[str, Any]]:
    """Version and devices by an opened library; None for one that is no Edge TPU library."""
    if not hasattr(library, "edgetpu_version") or not hasattr(library, "edgetpu_list_devices"):
        return None
    library.edgetpu_version.restype = ctypes.c_char_p
    version = (library.edgetpu_version() or b"").decode("utf-8", "replace")
    return {"version": version, "devices": _devices(library), "package": package_version()}


def runtime_number(version: str) -> Optional[int]:
    """14 of `... RuntimeVersion(14)`."""
    match = re.search(r"RuntimeVersion\((\d+)\)", version)
    return int(match.group(1)) if match else None


def package_version(path: str = DPKG) -> Optional[str]:
    """The version of the Debian package that brought the library, None without one."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return None
    match = re.search(r"^Package: libedgetpu1-(?:std|max)\n(?:.+\n)*?Version: (\S+)", text, re.M)
    return match.group(1) if match else None


def is_googles(known: Dict[str, Any]) -> bool:
    """Whether this is Google's own build, which knows the delegate interface of old runtimes only."""
    package = known.get("package")
    if package:
        return "tf" not in package
    return any("COMPILER=" + name in known["version"] for name in GOOGLES)


def check_pair(known: Dict[str, Any], engine: str, version: str) -> None:
    """Raise Fault for a library and a runtime that are known to end in signal 11."""
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    young = engine == "litert" or numbers > LAST_OLD_RUNTIME
    if not (young and is_googles(known)):
        return
    seen = "{} with {} {}".format(name(known), engine, version)
    hint = (
        "install tflite-runtime 2.11.1 or older, or a libedgetpu built for this runtime (16.0tf2.17.1 or the like); "
        "known_crash = true in [runtime.delegate] tries it all the same"
    )
    raise Fault("delegate-pair", "this library crashes with this runtime", seen, hint)


def name(known: Dict[str, Any]) -> str:
    """The library in words."""
    number = runtime_number(known["version"])
    words = ["libedgetpu"] + ([known["package"]] if known.get("package") else [])
    return " ".join(words) + (" (runtime {})".format(number) if number else "")


def trouble(known: Dict[str, Any], usb: str = "/sys/bus/usb/devices", dev: str = "/dev") -> Fault:
    """Why the library gives no delegate though it loads: no device, no right to use it, or somebody else does."""
    nodes = device_nodes(usb, dev)
    if not nodes and not known["devices"]:
        seen = "no USB id {}, no {}/apex_*".format(" or ".join(USB_IDS), dev)
        hint = "plug it in (a USB 3 port, without a hub), then: lsusb; PCIe: ls -l /dev/apex_0"
        return Fault("delegate-device", "no Edge TPU is found", seen, hint)
    for node, group in nodes:
        if not os.access(node, os.R_OK | os.W_OK):
            hint = "sudo usermod -aG {} $USER, then log in again (and plug the stick in again)".format(group)
            return Fault("delegate-device", "no permission to use the Edge TPU", node, hint)
    for node, _ in nodes:
        holder = holder_of(node)
        if holder:
            hint = "end that program, or wait for it"
            return Fault("delegate-device", "the Edge TPU is in use", "{}: {}".format(node, holder), hint)
    seen = ", ".join(path for path, _ in nodes) or known["devices"][0]["path"]
    hint = "check [runtime.delegate] options; unplug the stick and plug it in again; another program may hold it"
    return Fault("delegate-device", "the Edge TPU is there and its delegate does not start", seen, hint)


def device_nodes(usb: str = "/sys/bus/usb/devices", dev: str = "/dev") -> List[Tuple[str, str]]:
    """Device files of Edge TPUs, each with the group that may use it."""
    found = [(path, "apex") for path in sorted(glob.glob(os.path.join(dev, "apex_*")))]
    for folder in sorted(glob.glob(os.path.join(usb, "*"))):
        vendor, product, bus, number = (_text(folder, key) for key in ("idVendor", "idProduct", "busnum", "devnum"))
        if vendor + ":" + product in USB_IDS and bus.isdigit() and number.isdigit():
            node = os.path.join(dev, "bus", "usb", "{:03d}".format(int(bus)), "{:03d}".format(int(number)))
            found.append((node, "plugdev"))
    return found


def holder_of(node: str, proc: str = "/proc") -> Optional[str]:
    """Another process that has this device file open, as far as it can be seen."""
    for link in glob.glob(os.path.join(proc, "[0-9]*", "fd", "*")):
        owner = link[len(proc) :].strip("/").split("/")[0]
        try:
            if owner != str(os.getpid()) and os.readlink(link) == node:
                return "process {} ({})".format(owner, _text(os.path.join(proc, owner), "comm") or "unknown")
        except OSError:
            continue
    return None


def _devices(library: Any) -> List[Dict[str, str]]:
    """Devices that the library lists."""
    library.edgetpu_list_devices.restype = ctypes.POINTER(_Device)
    library.edgetpu_list_devices.argtypes = [ctypes.POINTER(ctypes.c_size_t)]
    count = ctypes.c_size_t(0)
    listed = library.edgetpu_list_devices(ctypes.byref(count))
    items = [listed[k] for k in range(count.value if listed else 0)]
    found = [
        {"type": KINDS.get(item.type, str(item.type)), "path": (item.path or b"").decode("utf-8", "replace")}
        for item in items
    ]
    if listed and hasattr(library, "edgetpu_free_devices"):
        library.edgetpu_free_devices.argtypes = [ctypes.POINTER(_Device)]
        library.edgetpu_free_devices.restype = None
        library.edgetpu_free_devices(listed)
    return found


def _text(folder: str, name: str) -> str:
    """A one-line file of the kernel, empty if it cannot be read."""
    try:
        with open(os.path.join(folder, name), encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
