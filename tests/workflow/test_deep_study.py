"""The study of regressors as a user types it: trained, exported, run, analysed, and gone on with."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.cli.edge import run
from edgeval.records.cards import available
from edgeval.records.ladder import load_ladder
from edgeval.records.papers import deep_regression
from edgeval.records.regressors import BASELINE, encode_regressors, read_regressors
from edgeval.store import Store
from edgeval.workflow.deep_answers import KeptErrors
from tests.workflow.test_fit_chain import CARD, lay, type_in

STUDY = "study deep-regression --ladder tiny.toml --format tflite-int8 -q"
KEPT = Path("runs/studies/deep-regression/errors.npz")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a small study went through."""
    folder = tmp_path_factory.mktemp("deep")
    lay(folder)
    card = CARD.replace("[4, 16]", "[4]").replace("[40, 200]", "[40, 80, 200]").replace("checks", "seeds = [0]\nchecks")
    (folder / "tiny.toml").write_text(card)
    type_in(folder, f"{STUDY} --json found.json")
    return folder


def test_every_network_is_kept_as_trained_and_as_deployed_with_its_baselines(done: Path) -> None:
    found = read_regressors(done / KEPT)
    places = {(m.net, m.images, m.source.format) for m in found.models}
    nets = {("fcn", n, fmt) for n in (40, 80, 200) for fmt in ("torch", "tflite-int8")}
    assert places == nets | {(b, n, BASELINE) for n in (40, 80, 200) for b in ("mean predictor", "kernel ridge")}
    assert all(m.steps for m in found.models if m.source.format == "tflite-int8")
    assert all(m.rate == 0.003 for m in found.models if m.net == "fcn")
    trained = {(m.images, m.train_sha256) for m in found.models if m.net == "fcn"}
    assert trained == {(m.images, m.source.sha256) for m in found.models if m.source.format == BASELINE}
    assert len({m.mark for m in found.models if m.net == "fcn"}) == 3
    assert "report: runs/studies/deep-regression/study.html" in (done / "out.txt").read_text()


def test_the_analysis_sets_them_side_by_side(done: Path) -> None:
    told = json.loads((done / "found.json").read_text())
    assert told["schema"] == "edgeval/deep-regression/1"
    assert {(law["output"], law["format"]) for law in told["laws"]} == {
        (o, f) for o in ("bright", "slope") for f in ("torch", "tflite-int8")
    }
    assert len(told["baselines"]) == 6
    assert {floor["output"] for floor in told["floors"]} == {"bright", "slope"}
    assert len(told["checks"]) == 4


def test_what_is_finished_is_not_done_again_and_another_seed_is_added(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(done, folder)
    weights = {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*.safetensors")}
    monkeypatch.chdir(folder)
    assert run(f"{STUDY} --seed 0 --seed 1 --rung w4-n200 --out report".replace(" -q", "").split()) == 0
    assert '2 networks, protocol "regression", 1 of them trained already' in capfd.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in weights} == weights
    seeds = {m.seed for m in read_regressors(folder / KEPT).models if m.rung == "w4-n200"}
    assert seeds == {0, 1}
    assert (folder / "report" / "study.md").exists()


def test_a_file_that_does_not_say_how_its_networks_were_trained_stays_as_it_is(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(done, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    found = read_regressors(KEPT)
    models = tuple(m.model_copy(update={"mark": None, "train_sha256": None}) for m in found.models)
    KEPT.write_bytes(encode_regressors(replace(found, models=models)))
    assert run(f"{STUDY} --trained-only".replace("--format tflite-int8 ", "").split()) == 0
    assert read_regressors(KEPT).models == models


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("train.npz", "again.npz", "networks of 40 images learn from different ones (seen: tiny and two); study these"),
        ("updates = 300", "updates = 30", "two recipes under one protocol (seen: regression: tiny and two); give one"),
    ],
)
def test_ladders_that_do_not_go_together_are_told_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    lay(tmp_path)
    monkeypatch.chdir(tmp_path)
    whole = dict(np.load("train.npz"))
    np.savez("again.npz", **whole | {name: whole[name][::-1] for name in ("x", "y")})
    Path("two.toml").write_text(CARD.replace('"tiny"', '"two"').replace(old, new))
    assert run(["study", "deep-regression", "--ladder", "tiny.toml", "--ladder", "two.toml", "-q"]) == 2
    assert said in capfd.readouterr().err
    assert not Path("runs/artifacts").exists()


def test_the_analysis_of_the_kept_errors_is_the_same(
    done: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(done)
    assert run(f"study deep-regression --answers {KEPT} --json -".split()) == 0
    assert json.loads(capfd.readouterr().out) == json.loads((done / "found.json").read_text())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("deep-regression --ladder tiny.toml --rung w9-n40", "choose from w4-n40"),
        ("deep-regression --ladder scalecnn-cifar100", "networks that learn numbers"),
        ("deep-regression --epochs 3", "the cards' [regression] say it"),
        ("deep-regression --published", "goes with tiny-regime"),
        ("deep-regression --ladder tiny.toml --target nowhere", "nowhere"),
        ("deep-regression --trained-only --target desktop", "runs nothing on a target"),
        ("deep-regression --answers tiny.toml", "tiny.toml"),
        ("deep-regression --answers train.npz", "(seen: no array header); give the errors.npz that"),
        ("deep-regression --answers .", "a folder, not an .npz file"),
        ("deep-regression --answers absent.npz", "absent.npz"),
        ("tiny-regime --small", "goes with deep-regression"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    done: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    monkeypatch.chdir(done)
    assert run(["study", *line.split()]) == 2
    err = capfd.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_a_ladder_stands_beside_those_of_the_small_protocol(
    done: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(done)
    assert run(["study", "deep-regression", "--small", "--ladder", "tiny.toml", "--rung", "w9-n40"]) == 2
    err = capfd.readouterr().err
    assert all(rung in err for rung in ("w128-n125", "w8-n250", "w64-n4000", "w4-n200"))


@pytest.mark.parametrize("line", ["deep-regression --ladder tiny.toml", "tiny-regime --rung c4 --epochs 1"])
def test_a_study_folder_that_is_a_file_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], line: str
) -> None:
    lay(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    Path("runs/studies").write_text("")
    assert run(["study", *line.split(), "-q"]) == 2
    assert "choose another --runs DIR" in capfd.readouterr().err
    assert not Path("runs/artifacts").exists()


def test_a_damaged_file_is_named_with_what_mends_it(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(done, folder)
    (folder / KEPT).write_bytes((folder / KEPT).read_bytes()[:200])
    monkeypatch.chdir(folder)
    assert run(STUDY.split()) == 5
    err = capfd.readouterr().err
    assert "is damaged" in err
    assert "remove it" in err


def test_the_protocol_of_two_cores_is_in_the_shipped_cards() -> None:
    cards = {name: load_ladder(name) for name in available("models")}
    small = [card for card in cards.values() if card.regression and card.regression.protocol == "two cores"]
    assert {card.net.name for card in small} == {"fcn", "resnet", "vit"}
    for card in small:
        assert card.regression is not None
        assert max(card.regression.images) <= 4000
        assert len(card.seeds) == 3
    usual = [cards[name] for name in deep_regression.SMALL]
    assert {card.net.name for card in usual} == {"fcn", "resnet"}
    assert all(card in small for card in usual)


def test_two_runs_in_one_folder_keep_each_others_answers(done: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(done, folder)
    (folder / KEPT).unlink()
    ladder, store = load_ladder(str(folder / "tiny.toml")), Store(folder / "runs")
    one, other = (KeptErrors(store, (folder / KEPT).parent) for _ in range(2))
    one.torch(ladder, ladder.rung("w4-n40"), 0)
    other.torch(ladder, ladder.rung("w4-n80"), 0)
    one.torch(ladder, ladder.rung("w4-n200"), 0)
    assert {m.images for m in read_regressors(folder / KEPT).models} == {40, 80, 200}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": lambda y: y + 0.25}, "must answer the same test images"),
        ({"y": lambda y: y * 1e-6}, "the spread of 'bright' is not within 0.001 to 10000 (seen: 2."),
        ({"y": lambda y: y * 1e30}, "scale the targets of all parts"),
        ({"y": lambda y: y[:, :1], "output_names": lambda names: names[:1]}, "bright of 8x8x1)"),
        ({"x": lambda x: x[:, 1:]}, "bright, slope of 8x8x1 and bright, slope of 7x8x1"),
    ],
)
def test_test_images_that_do_not_fit_are_told_before_anything_is_trained(
    done: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    change: dict[str, Callable[[Any], Any]],
    said: str,
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(done, folder)
    with np.load(folder / "test.npz") as arrays:
        np.savez(folder / "test.npz", **{k: change.get(k, lambda v: v)(arrays[k]) for k in arrays})
    monkeypatch.chdir(folder)
    assert run([*STUDY.split(), "--seed", "7"]) == 2
    assert said in capfd.readouterr().err
    assert not list(folder.glob("runs/artifacts/*/*-s7"))


def test_a_network_that_answers_far_off_leaves_the_others_alone(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(done, folder)
    wild = CARD.replace('"tiny"', '"wild"').replace("[4, 16]", "[4]").replace("[40, 200]", "[40]")
    wild = wild.replace("updates = 300", 'protocol = "wild"\nupdates = 1').replace("checks = 5", "checks = 1")
    (folder / "wild.toml").write_text(wild.replace("[0.003]", "[1e5]"))
    monkeypatch.chdir(folder)
    line = "study deep-regression --ladder wild.toml --ladder tiny.toml --trained-only --seed 0 --json found.json"
    assert run(line.split()) == 5
    err = capfd.readouterr().err
    assert "wild:w4-n40: w4-n40 answers too far from the targets" in err
    assert "the others go on" in err
    assert "wild" not in {m.ladder for m in read_regressors(KEPT).models}
    assert len(json.loads(Path("found.json").read_text())["laws"]) == 4


def test_a_file_that_its_runtime_refuses_leaves_the_others_alone(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(done, folder)
    monkeypatch.chdir(folder)
    KEPT.unlink()
    store = Store(Path("runs"))
    found = store.artifact(store.rung("tiny", "w4-n40", 0), "tflite-int8.tflite")
    assert found is not None
    whole = found[0].read_bytes()
    broken = whole[: len(whole) // 2]
    card = found[1].model_copy(update={"sha256": hashlib.sha256(broken).hexdigest()})
    store.write_artifact(store.rung("tiny", "w4-n40", 0), broken, card)
    assert run(STUDY.removesuffix(" -q").split()) == 2
    assert "tiny:w4-n40 on desktop" in capfd.readouterr().err
    there = {(m.rung, m.source.format) for m in read_regressors(KEPT).models if m.source.format != BASELINE}
    assert there == {(f"w4-n{n}", fmt) for n in (40, 80, 200) for fmt in ("torch", "tflite-int8")} - {
        ("w4-n40", "tflite-int8")
    }
