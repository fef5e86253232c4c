"""edgeval study from the command line: on the demo's ladder, resumed, cut, from a kept file, and typed wrongly."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeval.records.answers import read_answers
from edgeval.workflow.study_work import exports
from tests.conftest import Demo, Typed

LINE = "study tiny-regime --ladder scalecnn-digits100 -q"
KEPT = Path("runs/studies/tiny-regime")


def test_the_whole_chain_leaves_answers_and_a_report(type_there: Callable[[str], Typed]) -> None:
    code, out, err = type_there(f"{LINE} --json -")
    found = json.loads(out)
    assert code == 0, err
    assert found["schema"] == "edgeval/study/1"
    assert {(row["rung"], row["format"]) for row in found["rows"]} == {
        (rung, fmt) for rung in ("c4", "c8", "c12") for fmt in ("torch", "tflite-int8")
    }
    assert [law["n_points"] for law in (*found["laws"], *found["deployed"])] == [3, 3]
    assert all((KEPT / f"study.{suffix}").stat().st_size > 2_000 for suffix in ("md", "html", "json"))
    before = (KEPT / "answers.npz").stat().st_mtime_ns
    assert json.loads(type_there(f"{LINE} --json -")[1]) == found
    assert (KEPT / "answers.npz").stat().st_mtime_ns == before, "nothing was done again"


def test_a_file_of_answers_gives_the_same_analysis_elsewhere(
    type_there: Callable[[str], Typed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = json.loads(type_there(f"{LINE} --json -")[1])
    shutil.copy(KEPT / "answers.npz", tmp_path / "a.npz")
    monkeypatch.chdir(tmp_path)
    code, out, err = type_there(f"study tiny-regime --answers {tmp_path / 'a.npz'} --out {tmp_path / 'page'} --json -")
    assert code == 0, err
    assert json.loads(out) == found
    assert (tmp_path / "page" / "study.md").exists()
    assert not Path("runs").exists()


def test_what_is_trained_counts_without_its_exports(type_there: Callable[[str], Typed]) -> None:
    shutil.rmtree(KEPT, ignore_errors=True)
    code, out, err = type_there(f"{LINE} --trained-only --rung c4 --rung c8")
    assert code == 0, err
    assert "2 networks of 2 sizes" in out
    answers = read_answers(KEPT / "answers.npz")
    assert {model.source.format for model in answers.models} == {"torch"}
    assert all(model.temperature and model.ece_after is not None for model in answers.models)


def test_answers_from_elsewhere_spare_the_training(
    type_there: Callable[[str], Typed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert type_there(f"{LINE} --trained-only --rung c4 --rung c8")[0] == 0
    shutil.copy(KEPT / "answers.npz", tmp_path / "a.npz")
    monkeypatch.chdir(tmp_path)
    line = f"{LINE} --trained-only --rung c4 --rung c8 --runs bare --continue a.npz"
    code, out, err = type_there(line)
    assert code == 0, err
    assert "2 networks of 2 sizes" in out
    assert not list(Path("bare").rglob("checkpoint.*"))
    assert type_there(line.replace("--trained-only ", ""))[0] == 2


def test_a_damaged_file_of_its_own_answers_is_named_with_what_mends_it(type_there: Callable[[str], Typed]) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / "answers.npz").write_bytes(b"half a file")
    code, _, err = type_there(f"{LINE} --trained-only")
    (KEPT / "answers.npz").unlink()
    assert code == 5
    assert "is damaged" in err
    assert "remove it and run the same line" in err


def test_a_folder_that_cannot_hold_the_report_is_told_before_the_work(type_there: Callable[[str], Typed]) -> None:
    Path("taken").write_text("a file")
    code, out, err = type_there("study tiny-regime --trained-only --out taken/report")
    assert (code, out) == (2, "")
    assert "choose another --out DIR" in err


def test_a_rung_that_diverges_leaves_the_others_alone(demo: Demo, type_there: Callable[[str], Typed]) -> None:
    card = (Path(__file__).parents[2] / "models" / "scalecnn-digits100.toml").read_text()
    wild = card.replace("widths = [4, 8, 12]", "widths = [2, 3]").replace("lr = 0.05", "lr = 1e30")
    Path("wild.toml").write_text(wild.replace('"scalecnn-digits100"', '"wild"').replace("epochs = 5", "epochs = 1"))
    line = "study tiny-regime --ladder scalecnn-digits100 --ladder wild.toml --trained-only -q"
    code, out, err = type_there(line)
    assert code == 5
    assert "the training loss became" in err
    assert "seen: c" in err, "it says which rung"
    assert "3 networks of 3 sizes" in out


def test_the_published_figures_need_nothing(type_there: Callable[[str], Typed]) -> None:
    code, out, err = type_there("study tiny-regime --published")
    assert (code, err) == (0, "")
    assert "alpha 0.1560" in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_each_target_gets_the_files_that_its_runtime_takes() -> None:
    assert exports(("desktop", "pi4-emulated"), ()) == {"litert": ("tflite-int8",)}
    assert exports(("desktop", "coral-usb"), ()) == {"litert": ("tflite-int8",), "coral": ("tflite-int8",)}
    assert exports(("desktop",), ("onnx-int8", "tflite-int8")) == {"litert": ("onnx-int8", "tflite-int8")}


def test_a_protocol_of_another_name_takes_the_place_of_the_old(type_there: Callable[[str], Typed]) -> None:
    card = (Path(__file__).parents[2] / "models" / "scalecnn-digits100.toml").read_text()
    line = "study tiny-regime --ladder named.toml --rung c4 --trained-only"
    for name in ("digits100", "renamed"):
        Path("named.toml").write_text(card.replace('protocol = "digits100"', f'protocol = "{name}"'))
        code, out, err = type_there(line)
        assert code == 0, err
        assert f"protocol {name};" in out


WRONG = {
    "rung of no ladder": ("study tiny-regime --rung c5", "no ladder of the study has such a rung (seen: c5)"),
    "two ways at once": ("study tiny-regime --published --rung c4", "stand alone"),
    "nothing to run": ("study tiny-regime --trained-only --target desktop", "--trained-only"),
    "no such file": ("study tiny-regime --answers none.npz", "no such file"),
    "no answers": ("study tiny-regime --answers pyproject.toml", "pyproject.toml"),
    "answers of another kind": ("study tiny-regime --answers other.npz", "give the answers.npz that"),
    "seed beyond torch": (f"study tiny-regime --seed {2**64}", "is not in the range"),
    "batch beyond the card's": ("study tiny-regime --batch 999999999", "is not in the range"),
    "no such study": ("study big-regime", "big-regime"),
}


@pytest.mark.parametrize(("line", "said"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_told_in_one_line(type_there: Callable[[str], Typed], line: str, said: str) -> None:
    Path("pyproject.toml").write_text("x")
    np.savez("other.npz", x=np.zeros(3))
    code, out, err = type_there(line)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_without_data_and_without_a_network_one_line_says_where_to_put_the_file(
    type_there: Callable[[str], Typed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEVAL_DATA", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    code, _, err = type_there("study tiny-regime --rung c4 --epochs 1 -q")
    assert code in (2, 4)
    assert "cifar-100-binary.tar.gz" in err
    assert str(tmp_path) in err


def test_a_target_that_is_lost_leaves_the_others_alone(type_there: Callable[[str], Typed]) -> None:
    card = (Path(__file__).parents[2] / "devices" / "rpi4.toml").read_text(encoding="utf-8")
    Path("away.toml").write_text(card.replace('host = "rpi4"', 'host = "nowhere.invalid"'), encoding="utf-8")
    code, out, err = type_there(f"{LINE} --target away.toml --target desktop")
    assert code == 4
    assert err.count("nowhere.invalid") == 1
    assert "tflite-int8 on desktop (desktop)" in out
    assert (KEPT / "study.md").exists()


def test_a_name_that_is_no_targets_is_told_before_anything_is_trained(type_there: Callable[[str], Typed]) -> None:
    code, _, err = type_there(
        "study tiny-regime --ladder scalecnn-digits100 --runs new --target desktop --target nowhere"
    )
    assert code == 2
    assert "no device is called that (seen: nowhere)" in err
    assert not list(Path("new").rglob("checkpoint.*"))
