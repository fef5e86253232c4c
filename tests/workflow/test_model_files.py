"""Models of the user through the command line: what is declared, told, refused, leaked; and diagnose."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save_model

from edgeval.cli.edge import run
from edgeval.errors import IntegrityError
from edgeval.records.artifact import Calibration
from edgeval.tasks.own import load_own
from edgeval.workflow.finished import finished_elsewhere
from edgeval.workflow.leakage import leaked
from tests.conftest import Typed

SIDE, CLASSES, N = 6, 12, 240
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
NAMES = [str(k) for k in range(CLASSES)]


def write_model(path: Path, *, mean: Any = 0, std: Any = 1, scale: float = 1 / 255, bgr: bool = False) -> Path:
    """The nearest of CLASSES patterns, by a dense layer; the input is NCHW and made as said."""
    patterns, bias = rule()
    factor = np.array(std) / (255 * scale)
    matrix = (patterns - 0.5) * factor  # undoes mean and std: input x factor + shift is the image in 0..1
    shift = bias + ((patterns - 0.5) * np.array(mean) / (255 * scale)).sum(axis=(1, 2, 3))
    if bgr:
        matrix = matrix[..., ::-1]
    weights = matrix.transpose(1, 2, 3, 0).transpose(2, 0, 1, 3).reshape(-1, CLASSES)
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "b"], ["answer"]),
    ]
    held = [numpy_helper.from_array(v.astype(np.float32), n) for n, v in (("w", weights), ("b", shift))]
    io = [("image", ["n", 3, SIDE, SIDE]), ("answer", ["n", CLASSES])]
    image, answer = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in io)
    graph = helper.make_graph(nodes, "nearest", [image], [answer], held)
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)
    return path


def rule() -> tuple[Any, Any]:
    """Patterns (CLASSES, H, W, 3) of 0 and 1, and the bias that makes the dense layer choose the nearest."""
    patterns = np.random.default_rng(3).integers(0, 2, (CLASSES, SIDE, SIDE, 3)).astype(float)
    patterns[..., 2] = 0.6 * patterns[..., 2] + 0.4  # colours differ, so that their order counts
    bias = -((patterns - 0.5) * (patterns + 0.5)).sum(axis=(1, 2, 3)) / 2
    return patterns, bias


def write_data(path: Path, labels: Any = None, **more: Any) -> Path:
    """Noisy patterns with their labels."""
    rng, (patterns, _) = np.random.default_rng(4), rule()
    y = np.arange(N) % CLASSES
    noisy = 0.5 + 0.25 * (patterns[y] - 0.5) + rng.normal(0, 0.16, (N, SIDE, SIDE, 3))
    x = np.clip(noisy * 255, 0, 255).astype(np.uint8)
    np.savez(path, x=x, y=y if labels is None else labels(y), **more)
    return path


@pytest.fixture
def type_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Typed]:
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path / "d.npz")

    def typed(*words: str) -> Typed:
        code = run(list(words))
        return code, *capfd.readouterr()

    return typed


def accuracy(type_in: Callable[..., Typed], model: str, *flags: str) -> float:
    words = [
        "--reference",
        model,
        "--candidate",
        model,
        "--data",
        "d.npz",
        "--floor-budget",
        "0",
        "--json",
        "-",
        *flags,
    ]
    code, out, err = type_in("compare", *words)
    assert code == 0, err
    found = json.loads(out)
    return float((found.get("rows") or [found])[0]["metrics"]["top1"]["candidate"])


CASES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("0..255", {"scale": 1.0}, {}, "--scale 1 "),
    ("BGR", {"mean": MEAN, "std": STD, "bgr": True}, {}, "--channels bgr"),
    ("shifted", {}, {"labels": lambda y: (y + 1) % CLASSES}, "labels"),
    ("words", {}, {"labels": lambda y: np.array([sorted(NAMES).index(n) for n in NAMES])[y]}, "2"),
]


@pytest.mark.parametrize(("name", "model", "data", "said"), CASES, ids=[case[0] for case in CASES])
def test_diagnose_finds_what_is_wrong(
    type_in: Callable[..., Typed], tmp_path: Path, name: str, model: dict[str, Any], data: dict[str, Any], said: str
) -> None:
    names = {"class_names": np.array(sorted(NAMES))} if name == "words" else {}
    write_model(tmp_path / "m.onnx", **model)
    write_data(tmp_path / "d.npz", **data, **names)
    code, out, err = type_in("diagnose", "m.onnx", "--data", "d.npz", "--expect-top1", "0.99", "--json", "-", "-q")
    assert code == 0, err
    found = json.loads(out)
    assert found["fits"]["accuracy"] > 0.95
    assert found["default"]["accuracy"] < 0.95
    assert said in found["sentence"]


def test_the_flags_and_the_card_that_diagnose_names_mend_it(type_in: Callable[..., Typed], tmp_path: Path) -> None:
    write_model(tmp_path / "m.onnx", mean=MEAN, std=STD, bgr=True)
    _, out, _ = type_in("diagnose", "m.onnx", "--data", "d.npz", "--expect-top1", "99%", "--json", "-", "-q")
    found = json.loads(out)
    assert found["n"] == N
    assert accuracy(type_in, "m.onnx", "-q") < 0.95
    assert accuracy(type_in, "m.onnx", "-q", *found["fits"]["flags"].split()) == found["fits"]["accuracy"]
    (tmp_path / "m.toml").write_text(found["fits"]["toml"])
    assert accuracy(type_in, "m.onnx", "-q") == found["fits"]["accuracy"]


def test_diagnose_stops_at_once_where_nothing_is_wrong_and_says_when_nothing_fits(
    type_in: Callable[..., Typed], tmp_path: Path
) -> None:
    write_model(tmp_path / "m.onnx")
    code, out, _ = type_in("diagnose", "m.onnx", "--data", "d.npz", "--expect-top1", "0.95", "-q")
    assert (code, "which fits the expected 95.00%" in out) == (0, True)
    write_data(tmp_path / "d.npz", labels=lambda y: np.random.default_rng(1).permutation(y))
    code, out, _ = type_in("diagnose", "m.onnx", "--data", "d.npz", "--expect-top1", "0.95", "-q")
    assert (code, "None of the usual suspects reaches 95.00%" in out) == (5, True)
    assert "the outputs are logits" in out


def test_a_path_may_hold_anything(type_in: Callable[..., Typed], tmp_path: Path) -> None:
    name = "a 'b' \"c\"\nd \u00e9\u4e16.onnx"
    write_model(tmp_path / name)
    assert accuracy(type_in, name, "-q") > 0.95


def test_layout_and_kind_are_said(type_in: Callable[..., Typed], tmp_path: Path) -> None:
    write_model(tmp_path / "m.onnx", scale=1.0)
    words = ["--reference", "m.onnx", "--candidate", "m.onnx", "--data", "d.npz", "--candidate-layout", "nhwc"]
    code, _, err = type_in("compare", *words)
    assert code == 2
    assert "its outputs look like logits" in err
    assert "leave --layout nhwc away" in err


def test_calibration_images_are_found_in_the_test_data(tmp_path: Path) -> None:
    samples = load_own(write_data(tmp_path / "d.npz"))
    known = Calibration.of(samples.take([5, 3]))
    renamed = type(samples)(samples.images, samples.labels, tuple(f"x{i}" for i in samples.ids), samples.class_names)
    assert leaked(known.content_hashes, renamed) == ["x3", "x5"]
    assert leaked((), samples) == []


@pytest.mark.parametrize("error", [IntegrityError("answers are missing"), FileNotFoundError("a chunk")])
def test_work_that_another_command_finished_is_taken_over(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)), finished_elsewhere(tmp_path / "table.npz"):
        raise error
    (tmp_path / "table.npz").touch()
    with finished_elsewhere(tmp_path / "table.npz"):
        raise error
