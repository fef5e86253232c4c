"""What a device says of itself: the files of many boards, odd texts, and installed packages."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeval.run.agent import facts, parse, survey
from edgeval.run.agent.installed import installed, installer, runtimes
from tests.run.boards import BOARDS, Board, lay

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS.keys())


@each_board
def test_name_processor_memory_and_system(board: Board, tmp_path: Path) -> None:
    root = lay(board, tmp_path)
    cpu, features = parse.cpuinfo(facts.text(root + "proc/cpuinfo"))
    release = parse.os_release(facts.text(root + "etc/os-release"))
    assert facts.board(root) == board.name
    assert (cpu or "") == board.cpu
    assert not board.feature or board.feature in features
    assert tuple(value or 0 for value in parse.meminfo(facts.text(root + "proc/meminfo"))) == board.memory
    assert (release.get("id", ""), release.get("version_codename")) == board.os


@each_board
def test_temperature_clock_and_throttling(board: Board, tmp_path: Path) -> None:
    found = facts.health(lay(board, tmp_path))
    assert {key: found[key] for key in board.health} == board.health


@each_board
def test_what_is_on_the_buses(board: Board, tmp_path: Path) -> None:
    assert facts.hardware(lay(board, tmp_path)) == (list(board.usb), list(board.pci))


def test_an_old_kernel_has_no_estimate_of_free_memory() -> None:
    assert parse.meminfo("MemTotal: 2048 kB\nMemFree: 1024 kB\n") == (2, 1)


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("throttled=0x50005\n", 0x50005),
        ("throttled=0x0", 0),
        ("50005\n", 0x50005),
        ("VCHI initialization failed", None),
        ('error=2 error_msg="Invalid arguments"', None),
        ("", None),
        ("throttled=0x123456789abc", None),
    ],
)
def test_both_forms_of_the_firmwares_bits(text: str, bits: int | None) -> None:
    assert parse.throttled(text) == bits


@pytest.mark.parametrize("bits", range(4))
def test_each_bit_has_its_word_and_a_twin_since_boot(bits: int) -> None:
    words = ["under-voltage", "frequency-capped", "throttled", "soft-temperature-limit"]
    assert parse.throttling(1 << bits) == ([words[bits]], [])
    assert parse.throttling(1 << bits + 16) == ([], [words[bits]])


@pytest.mark.parametrize(
    ("zones", "degrees"),
    [
        ([("acpitz", "27800"), ("x86_pkg_temp", "61000")], 61.0),
        ([("cpu0-thermal", "40000"), ("cpu1-thermal", "42000")], 42.0),
        ([("battery", "31000")], 31.0),
        ([("soc", "-127000"), ("acpitz", "27800")], 27.8),
        ([("cpu", ""), ("soc", "warm")], None),
    ],
)
def test_the_processors_zone_counts(zones: list[tuple[str, str]], degrees: float | None) -> None:
    assert parse.celsius(zones) == degrees


APT = "# deb http://old.example/debian x\ndeb [signed-by=/k] http://deb.example/debian bookworm main\n"
DEB822 = "Types: deb\nURIs: http://one.example/debian https://two.example:8443/debian\nSuites: trixie\n"


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        (APT, ["deb.example"]),
        (DEB822, ["one.example", "two.example"]),
        ("[global]\nextra-index-url=https://user:word@wheels.example/simple\n", ["wheels.example"]),
        ("deb cdrom:[Debian]/ bookworm main", []),
    ],
)
def test_hosts_that_packages_come_from(text: str, hosts: list[str]) -> None:
    assert parse.package_hosts(text) == hosts


@given(st.text(), st.text())
def test_no_text_raises(one: str, two: str) -> None:
    for read in (parse.cpuinfo, parse.meminfo, parse.os_release, parse.whole, parse.throttled, parse.package_hosts):
        read(one)
    parse.celsius([(one, two)])
    parse.hardware_id(one, two)
    assert parse.throttling(parse.throttled(one)) is not None


@given(st.integers(), st.sampled_from(["\n", "", " kB\n"]))
def test_numbers_beyond_all_sense_say_nothing(value: int, end: str) -> None:
    found = parse.whole(f"{value}{end}")
    assert found in (None, value)


def test_a_survey_of_this_computer(tmp_path: Path) -> None:
    found = survey.survey(str(tmp_path / "not" / "there"), ["/dev/null", "/no/such", "libc.so.6", "libnone.so.1"])
    assert found["folder_error"] is None
    assert found["disk_free_mb"] > 0
    assert not (tmp_path / "not").exists()
    assert found["paths"]["/dev/null"] == "open"
    assert found["paths"]["/no/such"] is found["paths"]["libnone.so.1"] is None
    assert found["user"]
    assert found["groups"]
    assert found["installer"]["in_venv"] == (sys.prefix != sys.base_prefix)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can read a device that nobody may")
def test_root_may_open_what_others_may_not(tmp_path: Path) -> None:
    (tmp_path / "node").touch(mode=0o000)
    assert survey.access(str(tmp_path / "node")) == "open"


def test_a_folder_that_cannot_be_written_says_why() -> None:
    assert survey.unwritable("/proc/edgeval")


def test_how_packages_come_into_this_python() -> None:
    found = installer()
    assert found["executable"] == sys.executable
    assert found["venv"] is True
    assert not (found["in_venv"] and found["externally_managed"])


@pytest.mark.parametrize(
    ("folder", "engine", "version"),
    [
        ("ai_edge_litert-2.3.0.dist-info", "litert", "2.3.0"),
        ("tflite_runtime-2.14.0.egg-info", "tflite-runtime", "2.14.0"),
        ("tensorflow_cpu-2.21.0-py3.9.egg-info", "tensorflow", "2.21.0"),
        ("onnxruntime_gpu-1.26.0rc1.dist-info", "onnxruntime", "1.26.0rc1"),
    ],
)
def test_runtimes_are_found_without_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, engine: str, version: str
) -> None:
    (tmp_path / folder).mkdir()
    monkeypatch.setattr(sys, "path", ["/no/such/folder", str(tmp_path)])
    assert runtimes() == {engine: version}


def test_the_first_on_the_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for shelf, version in (("a", "2.0"), ("b", "1.0")):
        (tmp_path / shelf / f"numpy-{version}.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "a"), str(tmp_path / "b")])
    assert installed() == {"numpy": "2.0"}
