"""Bad input at every door: one clear line, the right exit code, no traceback, and nothing lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeval.cli.edge import run

LADDER = """schema = "edgeval/ladder/1"
name = "mine"
[task]
train = "photos"
test = "photos"
[net]
name = "scalecnn"
widths = [4]
"""
Y = np.array([0, 1, 1, 0])
X = np.zeros((4, 8, 8, 3), dtype=np.uint8)


def lay(folder: Path) -> None:
    """Good and bad files under speaking names."""
    probs = np.eye(2)[Y]
    np.savez(folder / "good.npz", labels=Y, probs=probs, ids=np.arange(4))
    np.savez(folder / "nan.npz", labels=Y, probs=np.where(probs > 0, np.nan, 0))
    np.savez(folder / "ids.npz", labels=Y, probs=probs, ids=np.arange(4) + 9)
    np.savez(folder / "three.npz", labels=Y, probs=np.eye(3)[Y])
    np.savez(folder / "out.npz", labels=Y + 5, probs=probs)
    np.savez(folder / "data.npz", x=X, y=Y)
    np.savez(folder / "chw.npz", x=X.transpose(0, 3, 1, 2), y=Y)
    np.savez(folder / "short.npz", x=X, y=Y[:3])
    np.savez(folder / "badlabel.npz", x=X, y=Y - 1)
    np.savez(folder / "nanx.npz", x=np.full(X.shape, np.nan, dtype=np.float32), y=Y)
    np.savez(folder / "pickled.npz", labels=np.array([{}, {}]), probs=probs[:2])
    (folder / "cut.npz").write_bytes((folder / "good.npz").read_bytes()[:200])
    for name in ("empty.npz", "empty.onnx", "empty.tflite", "empty.pt2", "empty.csv"):
        (folder / name).write_bytes(b"")
    for name in ("noise.onnx", "noise.tflite", "noise.pt2"):
        (folder / name).write_bytes(b"not a model at all" * 50)
    (folder / "labels.csv").write_text("path,label\nno-such.png,0\n")
    (folder / "wrong.csv").write_text("file,class\na.png,0\n")
    (folder / "photos" / "cat").mkdir(parents=True)
    (folder / "photos" / "dog").mkdir()
    Image.fromarray(X[0]).save(folder / "photos" / "cat" / "a.png")
    (folder / "photos" / "dog" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (folder / "nothing").mkdir()
    (folder / "card.toml").write_text(LADDER)
    (folder / "typo.toml").write_text(LADDER.replace("widths", "width"))
    (folder / "factory.toml").write_text(LADDER.replace('name = "scalecnn"', 'factory = "no_such_module:net"'))
    (folder / "board.toml").write_text('schema = "edgeval/device/1"\nname = "board"\n[runtime]\nthreds = 2\n')
    (folder / "old").mkdir()
    (folder / "old" / "edgeval.json").write_text('{"format": 99}')
    (folder / "file").write_text("a file where a folder should be")
    (folder / "comparison.json").write_text('{"schema": "edgeval/compare/1"}')


TWO = "compare --reference {} --candidate {} --data {}"
CASES = [
    ("score no-such.npz", 2, "no such file"),
    ("score empty.npz", 2, "0 bytes"),
    ("score cut.npz", 2, "not a whole .npz"),
    ("score nan.npz", 2, "NaN"),
    ("score out.npz", 2, "must lie in 0..1"),
    ("score pickled.npz", 2, "without pickle"),
    ("score photos", 2, "a folder, not an .npz file"),
    ("score data.npz", 2, "no array 'labels'"),
    ("score", 2, "Missing argument"),
    ("scroe good.npz", 2, "No such command"),
    ("compare good.npz ids.npz", 2, "different samples"),
    ("compare good.npz three.npz", 2, "different numbers of classes"),
    ("compare good.npz nan.npz", 2, "NaN"),
    ("compare good.npz", 2, "give two tables"),
    ("compare good.npz good.npz good.npz", 2, "two tables"),
    ("compare --reference good.npz", 2, "both --reference and --candidate"),
    ("compare --reference empty.onnx --candidate empty.tflite", 2, "need labelled data"),
    (TWO.format("no.onnx", "no.tflite", "data.npz"), 2, "no such model file"),
    (TWO.format("empty.onnx", "noise.onnx", "data.npz"), 2, "0 bytes"),
    (TWO.format("noise.onnx", "noise.onnx", "data.npz"), 2, "noise.onnx"),
    (TWO.format("noise.tflite", "noise.tflite", "data.npz"), 2, "noise.tflite"),
    (TWO.format("noise.tflite", "noise.tflite", "chw.npz"), 2, "channels first"),
    (TWO.format("noise.tflite", "noise.tflite", "short.npz"), 2, "differ in number"),
    (TWO.format("noise.tflite", "noise.tflite", "badlabel.npz"), 2, "abel"),
    (TWO.format("noise.tflite", "noise.tflite", "nanx.npz"), 2, "NaN"),
    (TWO.format("noise.tflite", "noise.tflite", "nothing"), 2, "nothing"),
    (TWO.format("noise.tflite", "noise.tflite", "photos"), 2, "b.png"),
    (TWO.format("noise.tflite", "noise.tflite", "labels.csv"), 2, "no-such.png"),
    (TWO.format("noise.tflite", "noise.tflite", "wrong.csv"), 2, "path"),
    (TWO.format("noise.tflite", "noise.tflite", "empty.csv"), 2, "empty.csv"),
    (TWO.format("noise.tflite", "noise.tflite", "no-such"), 2, "no-such"),
    (TWO.format("noise.tflite", "noise.tflite", "data.npz --mean 1,x"), 2, "list of numbers"),
    (TWO.format("noise.tflite", "noise.tflite", "data.npz --std 0"), 2, "std"),
    (TWO.format("noise.tflite", "noise.tflite", "data.npz --scale nan"), 2, "scale"),
    (TWO.format("noise.tflite", "noise.tflite", "data.npz --size 0x9"), 2, "size"),
    (TWO.format("noise.tflite", "noise.tflite", "data.npz --mean 1,2"), 2, "mean"),
    (TWO.format("scalecnn-digits100:c5:torch", "good.npz", "data.npz"), 2, "no such rung"),
    (TWO.format("scalecnn-digits100:c4:tflite-int4", "good.npz", "data.npz"), 2, "no such format"),
    (TWO.format("scalecnn-digit:c4:torch", "good.npz", "data.npz"), 2, "did you mean scalecnn-digits100"),
    ("compare", 2, "which ladder?"),
    ("compare scalecnn-digits100", 2, "edgeval train scalecnn-digits100 && edgeval export scalecnn-digits100"),
    ("compare scalecnn-digits100 --target rpi6", 2, "did you mean rpi"),
    ("compare scalecnn-digits100 --target board.toml", 2, "did you mean threads"),
    ("compare scalecnn-digits100 --target rpi4", 4, "add --emulate"),
    ("compare scalecnn-digits100 --target coral-usb", 4, "no host of that name"),
    ("compare scalecnn-digits100 --target mcu", 2, "edgeval train scalecnn-digits100"),
    ("compare scalecnn-digits100 --target=", 2, "--target names no target"),
    ("run scalecnn-digits100 --target=", 2, "--target names no target"),
    ("compare scalecnn-digits100 --target desktop --emulate", 2, "no stand-in"),
    ("compare scalecnn-digits100 --format tflite-int4", 2, "tflite-int4"),
    ("compare scalecnn-digits100 --rung c5", 2, "choose from c4"),
    ("compare scalecnn-digits100 --seed -1", 2, "seed"),
    ("compare scalecnn-digits100 --runs old", 2, "format"),
    ("run scalecnn-digits100", 2, "edgeval train"),
    ("train no-such-ladder", 2, "no ladder is called that"),
    ("train no/such.toml", 2, "no ladder card at this path"),
    ("train typo.toml", 2, "did you mean widths"),
    ("train card.toml", 2, "b.png"),
    ("train scalecnn-digits100 --epochs 0", 2, "epochs"),
    ("train scalecnn-digits100 --rung c4 --runs file", 2, "cannot be used"),
    ("export scalecnn-digits100", 2, "edgeval train scalecnn-digits100"),
    ("export scalecnn-digits100 --rung c4 --seed 3", 2, "edgeval train scalecnn-digits100 --rung c4 --seed 3"),
    ("export noise.pt2", 2, "--calibrate"),
    ("devices show toaster", 2, "no device is called that"),
    ("report no.json -o x.html", 2, "cannot be read"),
    ("report comparison.json -o x.html", 2, "not a comparison"),
    ("report comparison.json -o x.pdf", 2, ".html or .md"),
    ("score good.npz --json file/x.json", 2, "refused"),
]


def test_a_rung_that_is_typed_twice_counts_once() -> None:
    from edgeval.cli.compare import compare
    from edgeval.cli.train import train

    words = ["scalecnn-digits100", "--rung", "c8", "--rung", "c4", "--rung", "c8"]
    for command in (compare, train):
        assert command.make_context("it", list(words)).params["rungs"] == ("c8", "c4")


@pytest.fixture
def type_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[str], tuple[int, str, str]]:
    """Type a command line in a folder of good and bad files; exit code, standard output, standard error."""
    lay(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEVAL_DATA", str(tmp_path / "cache"))

    def typed(line: str) -> tuple[int, str, str]:
        code = run(line.split())
        return code, *capfd.readouterr()

    return typed


@pytest.mark.parametrize(("line", "code", "said"), CASES, ids=[line for line, _, _ in CASES])
def test_one_clear_line_and_the_right_code(
    type_in: Callable[[str], tuple[int, str, str]], line: str, code: int, said: str
) -> None:
    found, out, err = type_in(line)
    assert said in err
    assert found == code
    assert "Traceback" not in out + err
    assert "unexpected" not in err
    assert len([text for text in err.splitlines() if text.startswith(("edgeval: ", "Error: "))]) == 1
    assert out == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(type_in: Callable[[str], tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    code, _, err = type_in("train scalecnn-digits100 --rung c4 --epochs 1 --runs locked/runs")
    assert (code, "cannot be used" in err) == (2, True)


def test_json_on_standard_output_stands_alone(type_in: Callable[[str], tuple[int, str, str]]) -> None:
    import json

    code, out, _ = type_in("score good.npz --json -")
    assert code == 0
    assert json.loads(out)["top1"]["value"] == 1.0
    code, out, _ = type_in("compare good.npz good.npz --json -")
    assert code == 0
    assert json.loads(out)["flips"]["both_right"] == 4


@pytest.mark.parametrize("kind", ["devices", "models"])
def test_one_bad_card_stops_no_list(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / kind).mkdir()
    (tmp_path / kind / "broken.toml").write_text('schema = "edgeval/x/1"\nnmae = "b"\n')
    monkeypatch.chdir(tmp_path)
    assert run([kind, "list"]) == 0
    out, err = capfd.readouterr()
    assert {"devices": "rpi4", "models": "scalecnn-digits100"}[kind] in out
    assert err.startswith("edgeval: broken is left out: ")
    assert err.count("\n") == 1


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path)
    assert run(["score", str(tmp_path / "good.npz"), "--json", f"{tmp_path}/good.npz/x.json"]) == 2
    assert f"{tmp_path}/good.npz" in capfd.readouterr().err


def test_what_cannot_be_kept_is_shown_all_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path)
    store = tmp_path / "runs"
    store.mkdir()
    (store / "comparisons").write_text("a file where a folder should be")
    good = str(tmp_path / "good.npz")
    assert run(["compare", good, good, "--runs", str(store), "-q"]) == 2
    out, err = capfd.readouterr()
    assert "top-1  100.00% -> 100.00%" in out
    assert str(store / "comparisons") in err
