"""An Edge TPU target from a model file to the verdict, with a stand-in compiler and a stand-in library."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.cli.edge import run
from tests.conftest import Typed
from tests.edgetpu_files import CACHING, EXECUTION, Run, compiled, dense, flexbuffer, package
from tests.sshd import Board
from tests.standin import GOOGLES, Library

REPORT = """Edge TPU Compiler version 16.0.384591198
Model compiled successfully in 12 ms.
On-chip memory used for caching model parameters: 2.00KiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: {total}
Operator                       Count      Status
FULLY_CONNECTED                1          Mapped to Edge TPU
{more}
"""
COMPILER = """
import os, shutil, sys
words = sys.argv[1:]
folder, model = words[words.index("-o") + 1], words[-1]
print(open({report!r}).read())
if {status}:
    sys.exit({status})
name = os.path.basename(model)[: -len(".tflite")] + "_edgetpu.tflite"
shutil.copy({made!r}, os.path.join(folder, name))
"""
MADE = compiled(flexbuffer(package(Run(CACHING, 2048), Run(EXECUTION, 0))))


@dataclass
class Desk:
    """A folder with a model, data, a stand-in compiler and a card `stick`; and a command line in it."""

    folder: Path
    typed: Callable[..., Typed]

    def card(self, library: Library, *, where: str = "local", tool: str = "", **tables: str) -> None:
        """Write the card; `tables` are lines added to the table of that name."""
        path = library.build(self.folder)
        lines = {
            "runtime": f'engine = "litert"\n{tables.get("runtime", "")}',
            "runtime.delegate": f'library = "{path}"\n{tables.get("delegate", "")}',
            "model": "per_channel_dense = false",
            "compile": f'tool = "{tool or self.folder / "compiler"}"\nversion = "16.0"\nwhere = "{where}"',
            "accept": tables.get("accept", ""),
        }
        text = 'schema = "edgeval/device/1"\nname = "stick"\nkind = "edgetpu"\n'
        text += "".join(f"[{name}]\n{body}\n" for name, body in lines.items())
        (self.folder / "stick.toml").write_text(text)

    def compiler(self, *, made: bytes = MADE, status: int = 0, total: int = 1, more: str = "") -> None:
        """Write the stand-in compiler."""
        (self.folder / "made.bin").write_bytes(made)
        (self.folder / "report.txt").write_text(REPORT.format(total=total, more=more) if not status else more)
        held = {"report": str(self.folder / "report.txt"), "made": str(self.folder / "made.bin"), "status": status}
        path = self.folder / "compiler"
        path.write_text(f"#!{sys.executable}\n" + COMPILER.format(**held))
        path.chmod(0o755)

    def compare(self, *more: str, candidate: str = "m.tflite") -> Typed:
        words = ["compare", "--reference", "m.tflite", "--candidate", candidate, "--data", "d.npz", "--scale", "1"]
        return self.typed(*words, "--target", "./stick.toml", "--floor-budget", "0", *more)

    def row(self, *more: str, candidate: str = "m.tflite") -> dict[str, Any]:
        code, out, err = self.compare("--json", "-", *more, candidate=candidate)
        assert code == 0, err
        body: dict[str, Any] = json.loads(out)
        return body


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.tflite").write_bytes(dense())
    images = np.random.default_rng(7).integers(0, 256, (40, 4, 4, 3), dtype=np.uint8)
    np.savez(tmp_path / "d.npz", x=images, y=np.arange(40) % 3)

    def typed(*words: str) -> Typed:
        code = run(list(words))
        return code, *capfd.readouterr()

    made = Desk(tmp_path, typed)
    made.compiler()
    made.card(Library())
    return made


def test_a_model_is_compiled_once_run_on_the_stick_and_compared(desk: Desk) -> None:
    row = desk.row()
    said = row["candidate"]["runtime"]
    assert (row["target"]["target"], row["candidate"]["origin"]) == ("stick", "device")
    assert (said["delegate"], said["delegated"], said["unproven"]) == ("edgetpu", 1, [])
    assert said["canary"] == {"inputs": 8, "agreement": 1.0, "against": f"litert {said['version']}"}
    note = "compiled for the Edge TPU: 1 of 1 operators mapped; 2,048 bytes cached, 0 streamed for each image"
    assert any(note in text for text in row["notes"])
    (kept,) = (desk.folder / "runs" / "compiled").glob("*/m_edgetpu.tflite")
    assert kept.read_bytes() == MADE
    (desk.folder / "compiler").unlink()
    assert desk.row()["metrics"] == row["metrics"]


def test_a_prebuilt_file_beside_the_model_is_taken(desk: Desk) -> None:
    desk.card(Library(), where="prebuilt")
    code, _, err = desk.compare()
    assert code == 2
    assert "m.tflite is not compiled for the Edge TPU" in err
    assert "edgetpu_compiler -s m.tflite" in err
    assert "put m_edgetpu.tflite into" in err
    (desk.folder / "m_edgetpu.tflite").write_bytes(MADE)
    assert desk.row()["candidate"]["runtime"]["delegated"] == 1


def test_a_compiled_file_is_a_candidate_itself(desk: Desk) -> None:
    (desk.folder / "other_edgetpu.tflite").write_bytes(MADE)
    row = desk.row(candidate="other_edgetpu.tflite")
    assert row["candidate"]["runtime"]["compiled"].startswith("compiled for the Edge TPU: all operators mapped")


def test_a_prebuilt_file_of_another_model_is_refused(desk: Desk) -> None:
    (desk.folder / "m_edgetpu.tflite").write_bytes(compiled(flexbuffer(package(Run(CACHING, 9))), scale=0.5))
    code, _, err = desk.compare()
    assert code == 5
    assert "m_edgetpu.tflite was not compiled from m.tflite" in err
    assert "scale 0.5" in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "Invalid model: m.tflite\nModel not quantized\n",
            "the Edge TPU compiler takes quantised models only",
        ),
        ("Invalid model: m.tflite\nModel could not be parsed\n", "the Edge TPU compiler cannot parse the model"),
        ("Internal compiler error. Aborting! \n", "the Edge TPU compiler stopped with an error of its own"),
    ],
)
def test_the_compilers_refusals_are_told(desk: Desk, text: str, words: str) -> None:
    desk.compiler(status=1, more=text)
    code, _, err = desk.compare()
    assert (code, words in err) == (2, True), err


def test_a_missing_compiler_says_what_to_do(desk: Desk) -> None:
    desk.card(Library(), tool="no-such-compiler")
    code, _, err = desk.compare()
    assert code == 4
    for words in ("no-such-compiler does not run (local)", "ssh:NAME", "put m_edgetpu.tflite into"):
        assert words in err


def test_a_compiler_that_hangs_is_ended(desk: Desk) -> None:
    (desk.folder / "compiler").write_text("#!/bin/sh\nsleep 60\n")
    card = desk.folder / "stick.toml"
    card.write_text(card.read_text().replace('version = "16.0"', "timeout_s = 0.3"))
    code, _, err = desk.compare()
    assert (code, "the program does not end" in err, "timeout_s" in err) == (4, True, True), err


def test_names_never_meet_a_shell(desk: Desk) -> None:
    name = "a;touch pwned $(touch pwned) m.tflite"
    (desk.folder / name).write_bytes(dense())
    assert desk.row(candidate=name)["candidate"]["runtime"]["delegated"] == 1
    assert not (desk.folder / "pwned").exists()


DEVICES = Path(__file__).parents[2] / "devices"
LEFT = compiled(flexbuffer(package(Run(CACHING, 2048))), left=(25,))  # a SOFTMAX outside


@pytest.mark.parametrize(
    ("accept", "words"),
    [
        ("mapped_ops_min = 0.9", "fewer than 90.0% of its operators are mapped (seen: 50.0%; on the CPU: 1 SOFTMAX)"),
        ("cached_bytes_max = 2000", "take more of the chip's memory than cached_bytes_max (seen: 2,048 bytes, at most"),
    ],
)
def test_what_the_card_accepts_is_enforced(desk: Desk, accept: str, words: str) -> None:
    desk.compiler(made=LEFT, total=2, more="SOFTMAX  1  More than one subgraph is not supported")
    desk.card(Library(), accept=accept)
    code, _, err = desk.compare()
    assert (code, words in err) == (2, True), err


def test_without_a_device_the_cpu_is_never_called_coral(desk: Desk) -> None:
    desk.card(Library("silent", devices=0))
    code, _, err = desk.compare()
    assert (code, "no Edge TPU is found" in err) == (4, True)
    desk.card(Library("silent", devices=0), runtime='on_missing = "cpu"')
    row = desk.row()
    assert row["target"]["target"] == row["target"]["name"] == row["candidate"]["target"] == "cpu fallback"
    assert any(note.startswith("cpu fallback: these are the CPU's answers") for note in row["notes"])
    (desk.folder / "edgeval.toml").write_text('[[gate.rules]]\nmetric = "top1"\nmax_drop = "50pt"\n')
    words = ["gate", "--reference", "m.tflite", "--candidate", "m.tflite", "--data", "d.npz", "--scale", "1"]
    code, out, err = desk.typed(*words, "--target", "./stick.toml", "--floor-budget", "0")
    assert code == 5, (out, err)
    assert "is not proven to have run on the accelerator: no Edge TPU is found" in " ".join(out.split())


def test_a_pair_that_crashes_is_refused_before_it_does(desk: Desk) -> None:
    desk.card(Library(version=GOOGLES))
    code, _, err = desk.compare()
    assert (code, "this library crashes with this runtime" in err, "known_crash" in err) == (4, True, True), err


def test_a_crash_with_the_model_is_a_message(desk: Desk) -> None:
    desk.card(Library("crash-at-model"))
    code, _, err = desk.compare()
    assert code == 4
    assert "crash together: signal 11 (SIGSEGV) (seen: libedgetpu (runtime 14) with litert" in err


def test_a_model_with_per_channel_dense_is_stopped_before_the_compiler(desk: Desk) -> None:
    (desk.folder / "wide.tflite").write_bytes(dense(scales=3))
    code, _, err = desk.compare(candidate="wide.tflite")
    assert (code, "wide.tflite: the Edge TPU cannot run FULLY_CONNECTED" in err, "tensor weights" in err) == (
        2,
        True,
        True,
    )


def test_a_ladder_takes_the_files_that_were_exported_for_coral(type_there: Callable[[str], Typed]) -> None:
    compare = "compare scalecnn-digits100 --rung c4 --target coral-usb --emulate --floor-budget 0"
    code, _, err = type_there(compare)
    line = "edgeval export scalecnn-digits100 --rung c4 --seed 0 --format tflite-int8 --for coral"
    assert (code, line in err) == (2, True), err
    assert type_there(line.removeprefix("edgeval "))[0] == 0
    code, out, err = type_there(f"{compare} --json -")
    assert code == 0, err
    row = json.loads(out)
    made = json.loads(Path("runs/artifacts/scalecnn-digits100/c4-s0/tflite-int8.coral.tflite.json").read_text())
    assert row["candidate"]["sha256"] == made["sha256"]
    assert (row["candidate"]["origin"], row["latency_ms"]) == ("emulated", None)
    lacking = (DEVICES / "coral-usb.toml").read_text().replace('"ssh"', '"local"').replace('"error"', '"cpu"')
    Path("stick.toml").write_text(
        lacking.replace("libedgetpu.so.1", "libno-such.so")
        .replace("tflite-runtime", "litert")
        .replace('host = "coral"\n', "")
    )
    code, out, err = type_there(compare.replace("coral-usb --emulate", "./stick.toml --json -"))
    row = json.loads(out)
    assert (row["target"]["target"], row["stages"][-1]["name"]) == ("cpu fallback", "device")
    Path("edgeval.toml").write_text('[[gate.rules]]\nmetric = "top1"\nmax_drop = "99pt"\n')
    code, out, err = type_there(compare.replace("compare", "gate"))
    assert code == 5, err
    assert "the stand-in is approximate" in " ".join(out.split())


def test_compiler_and_stick_may_both_be_elsewhere(desk: Desk, board: Board) -> None:
    desk.card(Library(), where="ssh:board")
    card = desk.folder / "stick.toml"
    card.write_text(card.read_text() + f'[transport]\ntype = "ssh"\nhost = "board"\npython = "{sys.executable}"\n')
    row = desk.row()
    assert (row["candidate"]["origin"], row["candidate"]["runtime"]["delegate"]) == ("device", "edgetpu")
    (kept,) = (desk.folder / "runs" / "compiled").glob("*/*.json")
    assert json.loads(kept.read_text())["where"] == "ssh:board"
    desk.card(Library(), where="ssh:board", tool="no-such-compiler")
    code, _, err = desk.compare()
    assert (code, "no-such-compiler does not run (ssh:board)" in err) == (4, True), err
