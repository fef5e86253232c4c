"""digits100 is the same everywhere, balanced, and its splits share no source digit."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeval.archive import read_npz
from edgeval.tasks import Split, digits, task
from edgeval.tasks.samples import Samples

PINS = {
    "train": "4bb58ed32394d640427f400316c2611760cc183107494835aa7daa38fe9ca695",
    "test": "941042aa2588ad3f7e7a6b3ea95dff757d5c0dec1c383845e8d1cf203e84e369",
}
COUNTS = {"train": 10_000, "test": 4_000}
SPLITS: tuple[Split, ...] = ("train", "test")


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Samples]:
    """Both splits, loaded once."""
    nowhere = tmp_path_factory.mktemp("nowhere") / "absent"
    return {split: task("digits100").load(split, nowhere, lambda done, total: None) for split in SPLITS}


def sources(samples: Samples) -> set[tuple[int, int]]:
    """(digit, source row) of every digit that was used, from ids and labels."""
    used = set()
    for name, label in zip(samples.ids, samples.labels.tolist(), strict=True):
        left, right = map(int, re.fullmatch(r"(?:train|test)-\d{5}-a(\d{4})-b(\d{4})", name).groups())
        used |= {(label // 10, left), (label % 10, right)}
    return used


@pytest.mark.parametrize("split", SPLITS)
def test_every_machine_makes_the_same_images(splits: dict[str, Samples], split: Split) -> None:
    assert splits[split].images.shape == (COUNTS[split], 32, 32, 3)
    assert splits[split].images.dtype == np.uint8
    assert splits[split].sha256 == PINS[split]


@pytest.mark.parametrize("split", SPLITS)
def test_each_hundred_images_hold_each_class_once(splits: dict[str, Samples], split: Split) -> None:
    labels = splits[split].labels.reshape(-1, 100)
    assert (np.sort(labels, axis=1) == np.arange(100)).all()
    assert len({tuple(row) for row in labels.tolist()}) == len(labels)
    assert splits[split].class_names[7] == "07"


def test_splits_are_disjoint_in_sources_and_in_pixels(splits: dict[str, Samples]) -> None:
    train, test = (sources(splits[split]) for split in SPLITS)
    assert not {row for _, row in train} & {row for _, row in test}
    assert not set(splits["train"].content_hashes()) & set(splits["test"].content_hashes())
    for digit in range(10):
        counts = [sum(of == digit for of, _ in used) for used in (train, test)]
        assert counts[0] >= 110
        assert counts[1] >= 50


def test_labels_are_those_of_the_source_digits(splits: dict[str, Samples]) -> None:
    labels = read_npz(digits.SOURCE)["labels"]
    assert all(labels[row] == digit for split in SPLITS for digit, row in sources(splits[split]))


def test_ids_name_position_and_sources(splits: dict[str, Samples]) -> None:
    assert splits["train"].ids[0] == "train-00000-a0203-b0859"
    assert len(set(splits["train"].ids) | set(splits["test"].ids)) == 14_000


@pytest.mark.parametrize("split", SPLITS)
def test_the_note_warns_of_shared_sources(splits: dict[str, Samples], split: Split) -> None:
    rows = {row for _, row in sources(splits[split])}
    assert f"share {len(rows)} source digits" in splits[split].notes[0]
    assert "optimistic" in splits[split].notes[0]


def test_normalisation_fits_the_training_pixels(splits: dict[str, Samples]) -> None:
    known = task("digits100")
    values = np.arange(256) * known.scale
    for channel, (mean, std) in enumerate(zip(known.mean, known.std, strict=True)):
        share = np.bincount(splits["train"].images[..., channel].ravel(), minlength=256) / (10_000 * 32 * 32)
        assert abs(share @ values - mean) < 0.002
        assert abs((share @ (values - mean) ** 2) ** 0.5 - std) < 0.002


def test_progress_counts_images(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    task("digits100").load("test", tmp_path, lambda done, total: seen.append((done, total)))
    assert seen[0] == (100, 4_000)
    assert seen[-1] == (4_000, 4_000)
    assert list(tmp_path.iterdir()) == []


def test_the_bundled_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    original, shipped = load_digits(), read_npz(digits.SOURCE)
    assert (shipped["images"] == original.images).all()
    assert (shipped["labels"] == original.target).all()
    assert shipped["images"].dtype == np.uint8
    assert digits.SOURCE.stat().st_size < 60_000
    assert "Creative Commons Attribution 4.0" in digits.SOURCE.with_name("digits.LICENSE.txt").read_text()


def test_loading_needs_nothing_heavy() -> None:
    code = (
        "import sys; from pathlib import Path; from edgeval.tasks import task;"
        "task('digits100').load('test', Path('.'), lambda done, total: None);"
        "print(sorted({'sklearn', 'torch', 'torchvision', 'scipy', 'PIL', 'http'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.strip() == "[]"
