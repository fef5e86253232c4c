"""Training from the command line: killed and resumed, other protocols, and the user's own network and images."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from edgeval.cli.edge import run
from edgeval.records.checkpoint import CheckpointCard
from edgeval.records.ladder import load_ladder
from edgeval.workflow.train import _mark

RUNS = ("side", "alone")
Typed = Callable[[str], tuple[int, str, str]]
CARD = """schema = "edgeval/ladder/1"
name = "mine"
[task]
train = "photos"
test = "photos"
mean = [0.5]
std = [0.25]
[net]
{net}
widths = [{widths}]
[train]
protocol = "mine"
epochs = {epochs}
batch = 8
augment = ["flip"]
"""
NET = '''
import torch


def build(width):
    """Two convolutions."""
    wide = int(width)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, wide, 3), torch.nn.ReLU(), torch.nn.Conv2d(wide, 3, 3), torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
    )
'''


@pytest.fixture
def type_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Typed:
    """A folder with 36 small photos in three classes, a network and cards; type command lines in it."""
    rng = np.random.default_rng(0)
    for label, colour in enumerate(("red", "green", "blue")):
        (tmp_path / "photos" / colour).mkdir(parents=True)
        for i in range(12):
            image = rng.integers(0, 80, (16, 16, 3), dtype=np.uint8)
            image[..., label] += 150
            Image.fromarray(image).save(tmp_path / "photos" / colour / f"{i} & co.png")
    (tmp_path / "mynet.py").write_text(NET)
    own = 'factory = "mynet:build"'
    (tmp_path / "own.toml").write_text(CARD.format(net=own, widths="2, 6", epochs=6))
    (tmp_path / "long.toml").write_text(CARD.format(net='name = "scalecnn"', widths="4", epochs=40))
    weights = own + '\ncheckpoint = "weights/w{width}.safetensors"'
    (tmp_path / "given.toml").write_text(CARD.format(net=weights, widths="2, 6", epochs=6))
    monkeypatch.chdir(tmp_path)

    def typed(line: str) -> tuple[int, str, str]:
        code = run(line.split())
        return code, *capfd.readouterr()

    return typed


def weights(folder: Path) -> str:
    (path,) = folder.rglob("checkpoint.json")
    return CheckpointCard.model_validate_json(path.read_bytes()).sha256


def test_a_killed_training_goes_on_to_the_same_weights(type_in: Typed, tmp_path: Path) -> None:
    assert type_in("train long.toml --runs whole -q")[0] == 0
    command = [sys.executable, "-m", "edgeval", "train", "long.toml", "--runs", "cut", "-q"]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    state = tmp_path / "cut" / "artifacts" / "mine" / "c4-s0" / "training.safetensors"
    while not state.exists() and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert state.exists(), "it was killed in the middle"
    assert not list((tmp_path / "cut").rglob("checkpoint.json"))
    assert type_in("train long.toml --runs cut -q")[0] == 0
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_a_damaged_state_means_starting_over_not_failing(type_in: Typed, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "artifacts" / "mine" / "c4-s0"
    folder.mkdir(parents=True)
    (folder / "training.safetensors").write_bytes(b"half a file")
    assert type_in("train long.toml --epochs 1 -q")[0] == 0


def test_a_file_that_cannot_grow_ends_in_one_line_that_names_it(type_in: Typed, tmp_path: Path) -> None:
    line = f"ulimit -f 40; exec {sys.executable} -m edgeval train long.toml --epochs 2 -q"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert "training.safetensors" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "runs").rglob("*.part"))
    assert type_in("train long.toml --epochs 2 -q")[0] == 0


def test_what_is_trained_is_not_trained_again_nor_mixed_up(type_in: Typed, tmp_path: Path) -> None:
    assert type_in("train long.toml --epochs 1 -q")[0] == 0
    (path,) = (tmp_path / "runs").rglob("checkpoint.safetensors")
    before = path.stat().st_mtime_ns
    assert type_in("train long.toml --epochs 1 -q")[0] == 0
    assert path.stat().st_mtime_ns == before
    code, _, err = type_in("train long.toml --epochs 2 -q")
    assert code == 2
    assert "another protocol" in err
    assert "--overwrite" in err
    assert type_in("train long.toml --epochs 2 --overwrite -q")[0] == 0
    card = CheckpointCard.model_validate_json(path.with_suffix(".json").read_bytes())
    assert card.recipe is not None
    assert card.recipe.protocol == "mine, 2 epochs"


def test_bf16_is_a_protocol_with_its_own_name(type_in: Typed, tmp_path: Path) -> None:
    assert type_in("train long.toml --epochs 1 --precision fp32 -q")[0] == 0
    assert type_in("train long.toml --epochs 1 -q")[0] == 0
    assert "another protocol" in type_in("train long.toml --epochs 1 --precision bf16 -q")[2]
    assert type_in("train long.toml --epochs 1 --precision bf16 --overwrite -q")[0] == 0
    (path,) = (tmp_path / "runs").rglob("checkpoint.json")
    card = CheckpointCard.model_validate_json(path.read_bytes())
    assert card.recipe is not None
    assert (card.recipe.protocol, card.recipe.precision) == ("mine, 1 epochs, bf16", "bf16")


def test_precision_does_not_change_the_mark_of_fp32() -> None:
    """Else what was trained before it was an option could not be gone on with."""
    ladder = load_ladder("scalecnn-digits100")
    expected = "10031d2f7efeba8e38ad"
    assert _mark(ladder, ladder.rung("c4"), 0, "data") == expected


@pytest.mark.timeout(300)
def test_a_users_own_network_and_photos_go_through_the_whole_chain(type_in: Typed, tmp_path: Path) -> None:
    assert type_in("train own.toml -q")[0] == 0
    code, _, err = type_in("export own.toml --format tflite-fp32 --format tflite-int8 -q")
    assert code == 0, err
    code, out, err = type_in("compare own.toml --json -")
    assert code == 0, err
    row = json.loads(out)
    assert row["n"] == 36
    assert row["class_names"] == ["blue", "green", "red"]
    assert "--runs" not in row["command"]
    assert sum(stage["net"] for stage in row["stages"]) == row["flips"]["gained"] - row["flips"]["lost"]


def test_weights_that_are_trained_again_make_old_exports_unusable(type_in: Typed) -> None:
    formats = "--format tflite-fp32 --format tflite-int8 -q"
    assert type_in("train own.toml --epochs 1 -q")[0] == 0
    assert type_in(f"export own.toml {formats}")[0] == 0
    assert type_in("train own.toml --rung w2 --epochs 2 --overwrite -q")[0] == 0
    code, _, err = type_in("compare own.toml -q")
    assert code == 5, err
    assert "trained again since it was exported" in err
    assert type_in(f"export own.toml {formats}")[0] == 0
    code, out, err = type_in("compare own.toml --json - -q")
    assert code == 0, err
    assert any("trained differently" in note for note in json.loads(out)["notes"])


def test_weights_that_are_given_are_taken_instead_of_training(type_in: Typed, tmp_path: Path) -> None:
    sys.path.insert(0, str(tmp_path))
    try:
        from mynet import build  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(tmp_path))
    (tmp_path / "weights").mkdir()
    torch.manual_seed(5)
    save_file(build(2).state_dict(), tmp_path / "weights" / "w2.safetensors")
    code, out, err = type_in("train given.toml --rung w2 -q")
    assert code == 0, err
    assert "weights given" in out
    code, _, err = type_in("train given.toml --rung w6 -q")
    assert code == 2
    assert "w6.safetensors" in err


def test_a_saved_program_is_exported_and_compared(type_in: Typed, tmp_path: Path) -> None:
    sys.path.insert(0, str(tmp_path))
    try:
        from mynet import build
    finally:
        sys.path.remove(str(tmp_path))
    torch.manual_seed(1)
    torch.export.save(torch.export.export(build(6).eval(), (torch.zeros(1, 3, 16, 16),)), tmp_path / "net.pt2")
    code, out, err = type_in("export net.pt2 --calibrate photos --format tflite-fp32 --format tflite-int8 -o made -q")
    assert code == 0, err
    assert "agrees with the original" in out
    sides = "--reference made/net-tflite-fp32.tflite --candidate made/net-tflite-int8.tflite --data photos"
    code, out, err = type_in(f"compare {sides} --json - -q")
    assert code == 0, err
    assert json.loads(out)["n"] == 36
    code, _, err = type_in("export broken.pt2 --calibrate photos -q")
    assert code == 2
    (tmp_path / "broken.pt2").write_bytes((tmp_path / "net.pt2").read_bytes()[:500])
    code, _, err = type_in("export broken.pt2 --calibrate photos -q")
    assert (code, "Traceback" in err) == (2, False)


def test_seeds_of_a_small_rung_are_trained_side_by_side(type_in: Typed, tmp_path: Path) -> None:
    card = CARD.format(net='name = "scalecnn"', widths="4", epochs=1)
    card += "lr = 1e-4\nlr_min = 1e-5\n"  # what rounding makes of the weights grows with lr
    (tmp_path / "seeds.toml").write_text(card + "seeds = [0, 1, 2]")
    code, _, err = type_in("train ./seeds.toml --workers 1 --runs side")
    assert (code, "seeds 0, 1, 2" in err) == (0, True)
    for seed in (0, 1, 2):
        assert type_in(f"train ./seeds.toml --seed {seed} --workers 1 --runs alone")[0] == 0
        one, two = (load_file(tmp_path / runs / f"artifacts/mine/c4-s{seed}/checkpoint.safetensors") for runs in RUNS)
        assert all(torch.allclose(one[name].float(), two[name].float(), atol=1e-3) for name in one)
    assert not list(tmp_path.rglob("training.safetensors"))
