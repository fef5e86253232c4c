"""Why an Edge TPU does not answer, from device files and versions laid out on the spot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from edgeval.run.agent import edgetpu
from edgeval.run.agent.frames import Fault

OLD = "BuildLabel(COMPILER=6.3.0 20170516,DATE=redacted,TIME=redacted), RuntimeVersion(14)"
NEW = "BuildLabel(COMPILER=14.2.0,DATE=Feb 22 2026,TIME=09:51:57), RuntimeVersion(14)"


def known(version: str = OLD, package: str | None = None, devices: int = 0) -> dict[str, Any]:
    listed = [{"type": "usb", "path": "/sys/bus/usb/devices/1-9"}] * devices
    return {"version": version, "package": package, "devices": listed}


def stick(folder: Path, usb_id: str = "18d1:9302") -> tuple[str, str, Path]:
    """A fake /sys and /dev with one USB device."""
    where = folder / "usb" / "1-9"
    where.mkdir(parents=True)
    vendor, product = usb_id.split(":")
    for name, text in {"idVendor": vendor, "idProduct": product, "busnum": "2", "devnum": "5"}.items():
        (where / name).write_text(text + "\n")
    node = folder / "dev" / "bus" / "usb" / "002" / "005"
    node.parent.mkdir(parents=True)
    node.touch()
    return str(folder / "usb"), str(folder / "dev"), node


@pytest.mark.parametrize("usb_id", ["1a6e:089a", "18d1:9302"])
def test_a_stick_is_found_before_and_after_its_first_use(tmp_path: Path, usb_id: str) -> None:
    usb, dev, node = stick(tmp_path, usb_id)
    (tmp_path / "dev" / "apex_0").touch()
    assert edgetpu.device_nodes(usb, dev) == [(f"{dev}/apex_0", "apex"), (str(node), "plugdev")]


def test_another_usb_device_is_none(tmp_path: Path) -> None:
    usb, dev, _ = stick(tmp_path, "045e:0001")
    assert edgetpu.device_nodes(usb, dev) == []
    assert "no Edge TPU is found" in str(edgetpu.trouble(known(), usb, dev))


def test_a_missing_right_comes_with_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usb, dev, node = stick(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may open everything
    fault = edgetpu.trouble(known(), usb, dev)
    assert fault.fields["message"] == "no permission to use the Edge TPU"
    assert (fault.fields["seen"], "-aG plugdev" in fault.fields["hint"]) == (str(node), True)


def test_the_program_that_holds_it_is_named(tmp_path: Path) -> None:
    usb, dev, node = stick(tmp_path)
    fds = tmp_path / "proc" / "123" / "fd"
    fds.mkdir(parents=True)
    (fds.parent / "comm").write_text("frigate\n")
    (fds / "9").symlink_to(node)
    assert edgetpu.holder_of(str(node), str(tmp_path / "proc")) == "process 123 (frigate)"
    assert edgetpu.holder_of(str(node) + "0", str(tmp_path / "proc")) is None
    assert "is there and its delegate does not start" in str(edgetpu.trouble(known(devices=1), usb, dev))


@pytest.mark.parametrize(
    ("label", "package", "engine", "version"),
    [
        (OLD, None, "tflite-runtime", "2.12.0"),
        (OLD, None, "tensorflow", "2.16.1"),
        (OLD, None, "litert", "1.0.1"),
        (NEW, "16.0", "tflite-runtime", "2.14.0"),
    ],
)
def test_pairs_that_crash_are_refused(label: str, package: str | None, engine: str, version: str) -> None:
    with pytest.raises(Fault, match="this library crashes with this runtime") as caught:
        edgetpu.check_pair(known(label, package), engine, version)
    named = f"libedgetpu{' ' + package if package else ''} (runtime 14) with {engine} {version}"
    assert caught.value.fields["seen"] == named


@pytest.mark.parametrize(
    ("label", "package", "engine", "version"),
    [
        (OLD, None, "tflite-runtime", "2.5.0.post1"),
        (OLD, None, "tflite-runtime", "2.11.1"),
        (OLD, "16.0tf2.17.1-1.bookworm", "litert", "2.3.0"),
        (NEW, None, "litert", "2.3.0"),
    ],
)
def test_pairs_that_work_are_not(label: str, package: str | None, engine: str, version: str) -> None:
    edgetpu.check_pair(known(label, package), engine, version)


def test_the_debian_package_is_read(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(
        "Package: libedge\nVersion: 9\n\nPackage: libedgetpu1-std\nStatus: install ok installed\nVersion: 16.0\n\n"
    )
    assert edgetpu.package_version(str(status)) == "16.0"
    assert edgetpu.package_version(str(tmp_path / "none")) is None


def test_a_version_without_a_number_has_none() -> None:
    assert edgetpu.runtime_number(NEW) == 14
    assert edgetpu.runtime_number("strange") is None
