"""Files of the kernel as boards show them, and what each says: one board a table, laid out under a folder by `lay`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

CPUFREQ = "sys/devices/system/cpu/cpu{}/cpufreq/"
PI4_FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
PI5_FIRMWARE = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"


@dataclass(frozen=True)
class Board:
    """What lies in the files of a board, and what is to be read from them."""

    files: dict[str, str]
    name: str | None
    cpu: str
    feature: str
    memory: tuple[int, int]
    os: tuple[str, str | None]
    health: dict[str, object] = field(default_factory=dict)
    usb: tuple[str, ...] = ()
    pci: tuple[str, ...] = ()


def lay(board: Board, folder: Path) -> str:
    """Write the files; the folder as a root that ends in a slash."""
    for name, text in board.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return f"{folder}/"


def arm64(part: str, features: str, tail: str = "") -> str:
    core = (
        f"BogoMIPS\t: 108.00\nFeatures\t: {features}\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
        f"CPU variant\t: 0x0\nCPU part\t: {part}\nCPU revision\t: 3\n\n"
    )
    return "".join(f"processor\t: {i}\n{core}" for i in range(4)) + tail


def memory(total: int, free: int, available: int | None = None) -> str:
    third = "" if available is None else f"MemAvailable:   {available:8} kB\n"
    return f"MemTotal:       {total:8} kB\nMemFree:        {free:8} kB\n{third}Buffers:           49408 kB\n"


def release(name: str, key: str, codename: str | None = None) -> str:
    more = f"VERSION_CODENAME={codename}\n" if codename else ""
    return (
        f'PRETTY_NAME="{name}"\nNAME="{name.split(maxsplit=1)[0]}"\n{more}ID={key}\nHOME_URL="https://example.org/"\n'
    )


def clocks(now: int, most: int, governor: str, cores: int = 4) -> dict[str, str]:
    files = {}
    for i in range(cores):
        files |= {
            CPUFREQ.format(i) + "scaling_cur_freq": f"{now}\n",
            CPUFREQ.format(i) + "cpuinfo_max_freq": f"{most}\n",
        }
        files[CPUFREQ.format(i) + "scaling_governor"] = f"{governor}\n"
    return files


def zone(number: int, kind: str, temp: str) -> dict[str, str]:
    folder = f"sys/class/thermal/thermal_zone{number}/"
    return {folder + "type": f"{kind}\n", folder + "temp": f"{temp}\n"}


def plugged(bus: str, names: tuple[str, str], *devices: tuple[str, str, str]) -> dict[str, str]:
    return {
        f"sys/bus/{bus}/devices/{place}/{name}": f"{value}\n"
        for place, *values in devices
        for name, value in zip(names, values, strict=True)
    }


def usb(*devices: tuple[str, str, str]) -> dict[str, str]:
    return plugged("usb", ("idVendor", "idProduct"), *devices)


def pci(*devices: tuple[str, str, str]) -> dict[str, str]:
    return plugged("pci", ("vendor", "device"), *devices)


A72 = "fp asimd evtstrm crc32 cpuid"
A76 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
V7 = "half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm crc32"
ARM32 = (
    f"processor\t: 0\nmodel name\t: ARMv7 Processor rev 4 (v7l)\nBogoMIPS\t: 38.40\nFeatures\t: {V7}\n"
    "CPU implementer\t: 0x41\nCPU architecture: 7\nCPU variant\t: 0x0\nCPU part\t: 0xd03\nCPU revision\t: 4\n\n"
    "Hardware\t: BCM2835\nRevision\t: a02082\nSerial\t\t: 00000000deadbeef\nModel\t\t: Raspberry Pi 3 Model B Rev 1.2\n"
)

BOARDS = {
    "Pi 4, bookworm, hot": Board(
        {
            "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
            "proc/cpuinfo": arm64("0xd08", A72, "Revision\t: c03114\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"),
            "proc/meminfo": memory(3_883_404, 2_911_872, 3_403_520),
            "etc/os-release": release("Debian GNU/Linux 12 (bookworm)", "debian", "bookworm"),
            PI4_FIRMWARE: "e0008\n",
            **zone(0, "cpu-thermal", "82300"),
            **clocks(1_000_000, 1_500_000, "ondemand"),
            **usb(("usb1", "1d6b", "0002"), ("1-1", "2109", "3431"), ("2-1", "18d1", "9302"), ("1-1:1.0", "", "")),
        },
        "Raspberry Pi 4 Model B Rev 1.4",
        "Raspberry Pi 4 Model B Rev 1.4 (implementer 0x41 part 0xd08)",
        "crc32",
        (3792, 3323),
        ("debian", "bookworm"),
        {
            "temperature_c": 82.3,
            "frequency_mhz": 1000,
            "frequency_max_mhz": 1500,
            "governor": "ondemand",
            "throttled": "0xe0008",
            "throttling": ["soft-temperature-limit"],
            "throttled_before": ["frequency-capped", "throttled", "soft-temperature-limit"],
        },
        ("18d1:9302", "1d6b:0002", "2109:3431"),
    ),
    "Pi 5, trixie, weak supply": Board(
        {
            "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
            "proc/cpuinfo": arm64("0xd0b", A76, "Revision\t: d04170\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n"),
            "proc/meminfo": memory(8_254_720, 6_911_872, 7_403_520),
            "etc/os-release": release("Debian GNU/Linux 13 (trixie)", "debian", "trixie"),
            PI5_FIRMWARE: "50005\n",
            "sys/class/hwmon/hwmon2/name": "rpi_volt\n",
            "sys/class/hwmon/hwmon2/in0_lcrit_alarm": "1\n",
            **zone(0, "cpu-thermal", "51250"),
            **clocks(2_400_000, 2_400_000, "performance"),
            **pci(("0000:01:00.0", "0x1ac1", "0x089a")),
        },
        "Raspberry Pi 5 Model B Rev 1.0",
        "Raspberry Pi 5 Model B Rev 1.0 (implementer 0x41 part 0xd0b)",
        "asimddp",
        (8061, 7230),
        ("debian", "trixie"),
        {
            "temperature_c": 51.25,
            "throttled": "0x50005",
            "throttling": ["under-voltage", "throttled"],
            "throttled_before": ["under-voltage", "throttled"],
            "governor": "performance",
        },
        pci=("1ac1:089a",),
    ),
    "Pi Zero 2 W, voltage alarm alone": Board(
        {
            "proc/device-tree/model": "Raspberry Pi Zero 2 W Rev 1.0\0",
            "proc/cpuinfo": arm64("0xd03", A72, "Revision\t: 902120\nModel\t\t: Raspberry Pi Zero 2 W Rev 1.0\n"),
            "proc/meminfo": memory(436_000, 90_112, 240_640),
            "etc/os-release": release("Debian GNU/Linux 12 (bookworm)", "debian", "bookworm"),
            "sys/class/hwmon/hwmon1/name": "rpi_volt\n",
            "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n",
            **zone(0, "cpu-thermal", "44008"),
        },
        "Raspberry Pi Zero 2 W Rev 1.0",
        "Raspberry Pi Zero 2 W Rev 1.0 (implementer 0x41 part 0xd03)",
        "asimd",
        (425, 235),
        ("debian", "bookworm"),
        {"temperature_c": 44.008, "frequency_mhz": None, "throttled": None, "throttling": ["under-voltage"]},
    ),
    "Pi 3, 32 bits": Board(
        {
            "proc/device-tree/model": "Raspberry Pi 3 Model B Rev 1.2\0",
            "proc/cpuinfo": ARM32,
            "proc/meminfo": memory(945_364, 400_000, 700_416),
            "etc/os-release": release("Raspbian GNU/Linux 12 (bookworm)", "raspbian", "bookworm"),
            PI4_FIRMWARE: "0\n",
            **zone(0, "cpu-thermal", "47236"),
        },
        "Raspberry Pi 3 Model B Rev 1.2",
        "ARMv7 Processor rev 4 (v7l) (implementer 0x41 part 0xd03)",
        "neon",
        (923, 684),
        ("raspbian", "bookworm"),
        {"throttled": "0x0", "throttling": [], "throttled_before": []},
    ),
    "Coral Dev Board, Mendel": Board(
        {
            "proc/device-tree/model": "Freescale i.MX8MQ Phanbell\0",
            "proc/cpuinfo": arm64("0xd03", "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"),
            "proc/meminfo": memory(1_006_000, 500_000, 800_768),
            "etc/os-release": release("Mendel GNU/Linux 5 (Eagle)", "mendel"),
            **zone(0, "cpu-thermal", "47000"),
            **zone(1, "gpu-thermal", "49000"),
            **clocks(1_500_000, 1_500_000, "performance"),
            **pci(("0001:01:00.0", "0x1ac1", "0x089a"), ("0000:00:00.0", "0x16c3", "0xabcd")),
        },
        "Freescale i.MX8MQ Phanbell",
        "implementer 0x41 part 0xd03",
        "aes",
        (982, 782),
        ("mendel", None),
        {"temperature_c": 47.0, "governor": "performance", "throttled": None, "throttling": []},
        pci=("16c3:abcd", "1ac1:089a"),
    ),
    "Jetson Nano": Board(
        {
            "proc/device-tree/model": "NVIDIA Jetson Nano Developer Kit\0",
            "proc/cpuinfo": arm64("0xd07", "fp asimd evtstrm aes pmull sha1 sha2 crc32"),
            "proc/meminfo": memory(4_059_252, 1_000_000, 2_000_896),
            "etc/os-release": release("Ubuntu 18.04.6 LTS", "ubuntu", "bionic"),
            **zone(0, "AO-therm", "43000"),
            **zone(1, "CPU-therm", "37500"),
            **zone(2, "PMIC-Die", "100000"),
            **zone(3, "iwlwifi", ""),
            **clocks(921_600, 1_479_000, "schedutil"),
        },
        "NVIDIA Jetson Nano Developer Kit",
        "implementer 0x41 part 0xd07",
        "pmull",
        (3964, 1954),
        ("ubuntu", "bionic"),
        {"temperature_c": 37.5, "frequency_mhz": 921.6, "frequency_max_mhz": 1479},
    ),
    "x86 laptop": Board(
        {
            "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: sse2 fma avx2\n\n"
            "processor\t: 1\nmodel name\t: other\n",
            "proc/meminfo": memory(24_684_000, 21_000_000, 22_000_640),
            "etc/os-release": "NAME=Fedora\nID=fedora\nPRETTY_NAME='Fedora Linux 42'\n",
            "sys/class/dmi/id/product_name": "Precision 5530\n",
            **zone(0, "INT3400 Thermal", "20000"),
            **zone(1, "x86_pkg_temp", "61000"),
            **clocks(3_900_123, 4_500_000, "powersave", 2),
        },
        "Precision 5530",
        "AMD EPYC",
        "avx2",
        (24105, 21485),
        ("fedora", None),
        {"temperature_c": 61.0, "frequency_mhz": 3900.123, "throttled": None},
    ),
    "nothing at all": Board({}, None, "", "", (0, 0), ("", None), {"temperature_c": None, "governor": None}),
}
