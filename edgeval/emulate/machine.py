"""The command line of qemu for one board, and starting it on a free port of this computer."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from edgeval.emulate.image import Image
from edgeval.emulate.process import Running, remember
from edgeval.emulate.programs import run, tail
from edgeval.errors import BenchError

TRIES = 3  # another program may take the port between finding and using it
KERNEL = "console=ttyAMA0 loglevel=4 panic=-1 nokaslr mitigations=off kpti=off random.trust_bootloader=on"
COUNTING = "norandmaps"  # the same addresses at every start


@dataclass(frozen=True)
class Hardware:
    """What qemu pretends to be.

    counting: one core on a virtual clock that goes one nanosecond an instruction, so that counts repeat exactly.
    """

    cpu: str
    cores: int
    memory_mb: int
    counting: bool = False


def boot(image: Image, initrd: Path, hardware: Hardware, folder: Path) -> Running:
    """Start qemu in the background; its files are in `folder`. Raises BenchError with qemu's own words."""
    log, pidfile = folder / "qemu.log", folder / "qemu.pid"
    (folder / "serial.log").unlink(missing_ok=True)
    for attempt in range(TRIES):
        log.unlink(missing_ok=True)
        pidfile.unlink(missing_ok=True)
        port = free_port()
        background: list[str | Path] = ["-daemonize", "-pidfile", pidfile, "-serial", f"file:{folder / 'serial.log'}"]
        try:
            run([*command(image, initrd, hardware, port), *background], log, "starting qemu")
        except BenchError:
            if attempt + 1 == TRIES or "host forwarding" not in tail(log, 5):
                raise
        else:
            break
    return remember(int(pidfile.read_text(encoding="ascii")), port, folder / "running.json")


def command(image: Image, initrd: Path, hardware: Hardware, port: int) -> list[str | Path]:
    """qemu's words: an Arm machine whose disk forgets all changes and which reaches nothing but the ssh port here."""
    cores = 1 if hardware.counting else hardware.cores
    clock = ["-icount", "shift=0"] if hardware.counting else ["-accel", "tcg,thread=multi"]
    kernel = f"{KERNEL} {COUNTING}" if hardware.counting else KERNEL
    return [
        "qemu-system-aarch64",
        *("-M", "virt,gic-version=3", "-cpu", hardware.cpu, "-smp", str(cores), "-m", str(hardware.memory_mb)),
        *clock,
        *("-kernel", image.kernel, "-initrd", initrd, "-append", kernel),
        *("-drive", f"if=none,id=disk,format=raw,snapshot=on,file={_escaped(image.disk)}"),
        *("-device", "virtio-blk-device,drive=disk"),
        *("-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"),
        *("-device", "virtio-net-device,netdev=net", "-device", "virtio-rng-device"),
        *("-nodefaults", "-display", "none", "-monitor", "none"),
    ]


def free_port() -> int:
    """A port of this computer that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _escaped(path: Path) -> str:
    """A path within an option of qemu, where a comma is written twice."""
    return str(path).replace(",", ",,")
