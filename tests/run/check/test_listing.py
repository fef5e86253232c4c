"""Recorded boards held against their cards: what is said to be missing, and every step that mends it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import surveys as s

from edgeval.records.target import Target, load_target
from edgeval.run.check.finding import Finding
from edgeval.run.check.listing import asked_paths, findings
from tests.run.check.surveys import CORAL, CORAL_BOARD, NOW, PLAIN, card, changed

BOARDS = {k: v for k, v in vars(s).items() if isinstance(v, dict) and "machine" in v}
APT = "sudo apt-get update && sudo apt-get install -y --no-install-recommends "
VENV = "/usr/bin/python3 -m venv /home/pi/.edgeval/venv && /home/pi/.edgeval/venv/bin/pip install "
NARROW = VENV.replace("-m venv", "-m venv --system-site-packages")
CARD = "write into [transport] of the card of mine: python = "
UNPACK = "site=$(/usr/bin/python3 -m site --user-site); mkdir -p $site && "
UNPACK += 'for w in edgeval-wheels/*.whl; do /usr/bin/python3 -m zipfile -e "$w" $site || break; done'
TAGS = " ".join(f"--platform manylinux{tag}_aarch64" for tag in ("2014", "_2_27", "_2_28", "_2_31", "_2_34"))
FETCH = f"pip download --only-binary=:all: --python-version 3.11 {TAGS} -d edgeval-wheels ai-edge-litert numpy"


def ssh(command: str, way: str = "ssh -t -- rpi4") -> str:
    return f'{way} "{command}"' if "'" in command else f"{way} {shlex.quote(command)}"


def state(survey: dict[str, Any], target: Target = PLAIN) -> dict[str, Finding]:
    return {item.name: item for item in findings(survey, target, NOW)}


STEPS = [
    (s.BOOKWORM, PLAIN, [ssh(VENV + "ai-edge-litert numpy"), CARD + '"/home/pi/.edgeval/venv/bin/python"']),
    (s.TRIXIE, PLAIN, [ssh(VENV + "ai-edge-litert numpy"), CARD + '"/home/pi/.edgeval/venv/bin/python"']),
    (
        s.BARE,
        PLAIN,
        [
            ssh(APT.replace("sudo ", "") + "python3-venv"),
            ssh(VENV.replace("/home/pi", "/root") + "ai-edge-litert numpy"),
            CARD + '"/root/.edgeval/venv/bin/python"',
        ],
    ),
    (s.BULLSEYE, PLAIN, [ssh("/usr/bin/python3 -m pip install --user ai-edge-litert==2.1.0 numpy")]),
    (
        s.NARROW,
        PLAIN,
        [
            ssh(APT + "python3-numpy"),
            ssh(NARROW + "tflite-runtime==2.14.0"),
            CARD + '"/home/pi/.edgeval/venv/bin/python"',
        ],
    ),
    (
        s.NARROW_TRIXIE,
        PLAIN,
        ["no wheel for Python 3.13 on armv7l (there are some for 3.7 to 3.11): install a 64-bit system"],
    ),
    (s.ZERO, PLAIN, ["no runtime has wheels for ARMv6 (Pi 1, Pi Zero): use a Pi Zero 2 W or later"]),
    (
        s.DEVBOARD,
        CORAL_BOARD,
        [
            ssh(
                "/usr/bin/python3 -m pip install --user tflite-runtime==2.11.0 'numpy<2'",
                "ssh -t -p 2222 -- mendel@rpi4",
            )
        ],
    ),
    (s.OFFLINE, PLAIN, [FETCH, "scp -r -- edgeval-wheels rpi4:.", ssh(UNPACK)]),
    (
        s.ALPINE,
        PLAIN,
        ["wheels are made for the GNU C library, and this system has another: install a Debian-based one"],
    ),
    (
        changed(s.BULLSEYE, glibc="2.24", python="3.10.1"),
        PLAIN,
        [ssh("/usr/bin/python3 -m pip install --user tflite-runtime==2.13.0 'numpy<2'")],
    ),
]


@pytest.mark.parametrize(("survey", "target", "steps"), STEPS)
def test_the_way_to_a_runtime(survey: dict[str, Any], target: Target, steps: list[str]) -> None:
    found = state(survey, target)
    assert found["runtime"].state == "missing"
    assert list(found["runtime"].mend) == steps


@pytest.mark.parametrize("survey", [s.BOOKWORM, s.TRIXIE, s.NARROW, s.OFFLINE], ids=["12", "13", "32", "offline"])
def test_a_fresh_board_lacks_numpy_and_a_runtime_only(survey: dict[str, Any]) -> None:
    assert [item.name for item in findings(survey, PLAIN, NOW) if item.state == "missing"] == ["numpy", "runtime"]


def test_a_board_that_is_ready_lacks_nothing() -> None:
    found = findings(s.READY, PLAIN, NOW)
    assert {item.state for item in found} == {"ok"}
    assert [item.name for item in found] == [
        "board",
        "Python",
        "folder",
        "clock",
        "numpy",
        "runtime",
        "memory",
        "health",
    ]


def test_a_narrow_system_offline_gets_numpy_as_a_package_and_the_wheel_alone() -> None:
    steps = state(changed(s.NARROW, network=False))["runtime"].mend
    assert "apt-get download python3-numpy" in steps[0]
    assert "--no-deps" in steps[2]
    assert "armv7l" in steps[2]
    assert "numpy" not in steps[2]


VENV_PYTHON = {"executable": "/home/pi/v/bin/python", "in_venv": True, "externally_managed": False}
ODD = [
    ({"numpy": None, "runtimes": {"litert": "2.3.0"}}, "numpy", "missing", "pip install numpy"),
    ({"numpy": "2.1.0", "runtimes": {"tflite-runtime": "2.14.0"}}, "runtime", "missing", "pip install 'numpy<2'"),
    ({"numpy": "2.1.0", "runtimes": {"litert": "1.0.1"}}, "runtime", "missing", "numpy<2"),
    (
        {"numpy": "1.24.0", "runtimes": {"tflite-runtime": "2.8.0"}},
        "runtime",
        "note",
        "edgeval export --for tflite-runt",
    ),
    ({"folder_error": "Read-only file system"}, "folder", "missing", 'workdir = "/a/folder'),
    ({"folder_error": "No space left on device"}, "disk", "missing", "edgeval devices clean mine"),
    ({"disk_free_mb": 30}, "disk", "missing", "apt-get clean"),
    ({"time": NOW - 90 * 86_400}, "clock", "missing", "timedatectl set-ntp true"),
    ({"time": NOW - 90 * 86_400, "network": False}, "clock", "missing", "date -u -s @1800000000"),
    ({"time": NOW + 600}, "clock", "note", "10 minutes ahead"),
    ({"memory_free_mb": 20}, "memory", "missing", "ps -eo rss"),
    ({"throttling": ["under-voltage"]}, "health", "note", "own power supply"),
    ({"throttled_before": ["throttled"]}, "health", "note", "cool the board"),
    ({"pointer_bits": 32}, "userland", "note", "only tflite-runtime"),
    ({"network": False}, "network", "note", "no package server"),
]


@pytest.mark.parametrize(("values", "name", "how", "words"), ODD)
def test_what_else_can_be_wrong(values: dict[str, Any], name: str, how: str, words: str) -> None:
    item = state(changed(s.READY, installer=VENV_PYTHON, **values))[name]
    assert item.state == how
    assert words in " ".join([item.said, *item.mend])


EXPECT = [
    ({"machine": "armv7l"}, "machine"),
    ({"model_match": "Raspberry Pi 5"}, "model"),
    ({"cpu_features": ["asimd", "asimddp"]}, "cpu"),
    ({"python": "3.9"}, "Python"),
    ({"glibc": "2.40"}, "glibc"),
    ({"device_nodes": ["/dev/apex_0"]}, "node"),
    ({"groups": ["apex"]}, "groups"),
    ({"usb_ids": ["1a6e:089a"]}, "usb"),
]


@pytest.mark.parametrize(("expect", "name"), EXPECT)
def test_a_board_that_is_not_what_its_card_expects(expect: dict[str, Any], name: str) -> None:
    wrong = [item for item in findings(s.READY, card(expect=expect), NOW) if item.state == "missing"]
    assert [item.name for item in wrong] == [name]
    assert wrong[0].mend


def test_a_board_that_is_what_its_card_expects() -> None:
    expect = {"machine": "aarch64", "model_match": "raspberry pi 4", "cpu_features": ["crc32"], "glibc": "2.28"}
    expect |= {"python": ">=3.9,<3.13", "groups": ["plugdev"], "usb_ids": ["FFFF:0000", "2109:3431"]}
    assert {item.state for item in findings(s.READY, card(expect=expect), NOW)} == {"ok"}


def test_a_coral_stick_step_by_step() -> None:
    found = state(changed(s.BULLSEYE, groups=["pi"], paths={}), CORAL)
    missing = [name for name, item in found.items() if item.state == "missing"]
    assert missing == ["numpy", "runtime", "library", "groups", "usb"]
    assert "tflite-runtime==2.11.0" in found["runtime"].mend[0]
    assert "libedgetpu1-std" in found["library"].mend[0]
    assert found["groups"].mend[0] == ssh("sudo usermod -aG plugdev pi")


def test_a_card_on_the_bus_without_a_driver() -> None:
    found = state(changed(s.DEVBOARD, paths={"libedgetpu.so.1": "open"}), CORAL_BOARD)
    assert "gasket-dkms" in found["node"].mend[0]
    denied = state(changed(s.DEVBOARD, paths={"libedgetpu.so.1": "open", "/dev/apex_0": "denied"}), CORAL_BOARD)
    assert "usermod -aG apex mendel" in denied["node"].mend[0]


def test_a_runtime_that_crashes_googles_library() -> None:
    survey = changed(s.READY, numpy="1.24.0", runtimes={"tflite-runtime": "2.14.0"}, usb=["18d1:9302"])
    found = state(changed(survey, paths={"libedgetpu.so.1": "open"}), CORAL)
    assert found["pair"].state == "note"
    assert "2.14.0 crashes with" in found["pair"].said


def test_what_the_card_names_is_asked_for() -> None:
    assert asked_paths(CORAL_BOARD) == ["/dev/apex_0", "libedgetpu.so.1"]
    assert asked_paths(PLAIN) == []


def test_a_shipped_card_is_copied_before_it_is_written() -> None:
    steps = state(s.BOOKWORM, load_target("rpi4"))["runtime"].mend
    assert steps[-1].startswith("write into [transport] of devices/rpi4.toml (mkdir -p devices && cp -n ")


def test_a_card_of_ones_own_is_written_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('schema = "edgeval/device/1"\nname = "own"\n[transport]\ntype = "ssh"\nhost = "own"\n')
    assert (
        f"write into [transport] of {path}: python = " in state(s.BOOKWORM, load_target(str(path)))["runtime"].mend[-1]
    )


def test_an_emulated_board_is_reached_with_its_own_settings() -> None:
    target = PLAIN.changed(transport=PLAIN.transport.as_ssh("board", Path("/c/ssh_config")))
    _, copy, unpack = state(s.OFFLINE, target)["runtime"].mend
    assert copy.startswith("scp -r -F /c/ssh_config -- ")
    assert unpack.startswith("ssh -t -F /c/ssh_config -- board ")


def test_nobody_is_ever_sent_to_a_package_of_another_trade() -> None:
    for survey in BOARDS.values():
        for target in (PLAIN, CORAL, CORAL_BOARD):
            assert "pycoral" not in str(findings(survey, target, NOW))


HOSTILE = "$(touch /tmp/x); `id` 'a' \"b\"\n-oProxyCommand=id"


def test_hostile_words_reach_no_shell() -> None:
    target = card(
        transport={"host": HOSTILE, "user": HOSTILE, "identity": HOSTILE},
        runtime={"delegate": {"library": "/libedgetpu;reboot"}},
        expect={"groups": ["a; reboot"], "device_nodes": ["/dev/apex_0; reboot"]},
    )
    survey = changed(s.FRESH, home="/home/a b;reboot", user="a;reboot", installer={"executable": "/opt/p y;reboot"})
    survey["paths"] = {"/libedgetpu;reboot": "denied", "/dev/apex_0; reboot": "denied"}
    for item in findings(survey, target, NOW):
        for step in item.mend:
            if step.startswith("ssh"):
                words = shlex.split(step)
                assert words[-2] == f"{HOSTILE}@{HOSTILE}"
                assert "reboot" not in [word.strip(";") for word in shlex.split(words[-1])]
