"""Compact answers: three bytes a sample, read back as they were written, and nothing else believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeval.errors import DataError
from edgeval.records.answers import Answers, Entry, encode, no_answers, read_answers
from edgeval.records.predictions import Source

N, CLASSES = 5_000, 100
NAMES = tuple(f"class {k}" for k in range(CLASSES))


def line(rung: str, seed: int = 0, target: str | None = None) -> Entry:
    source = Source(name=f"net:{rung}", format="torch", params=1000, target=target)
    return Entry(ladder="net", rung=rung, seed=seed, protocol="paper", source=source, nll=1.5)


def made(models: int = 3) -> Answers:
    rng = np.random.default_rng(0)
    answers = no_answers("abc", rng.integers(0, CLASSES, N), NAMES)
    for k in range(models):
        answers = answers.having(line(f"c{k}"), rng.integers(0, CLASSES, N), rng.random(N))
    return answers


def written(folder: Path, **changed: object) -> Path:
    path = folder / "answers.npz"
    path.write_bytes(encode(made()))
    with np.load(path, allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    found |= {name: value for name, value in changed.items() if value is not None}  # type: ignore[misc]
    for name in [name for name, value in changed.items() if value is None]:
        del found[name]
    np.savez(path, **found)
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    answers, path = made(), tmp_path / "a.npz"
    path.write_bytes(encode(answers))
    back = read_answers(path)
    assert back.models == answers.models
    assert (back.data_sha256, back.class_names) == ("abc", NAMES)
    assert (back.classes == answers.classes).all()
    assert (back.labels == answers.labels).all()
    assert back.confidences.dtype == np.float16
    assert (back.confidences == answers.confidences).all()


def test_one_more_model_takes_three_bytes_a_sample_at_most() -> None:
    assert len(encode(made(9))) - len(encode(made(3))) <= 6 * (3 * N + 400)


def test_a_model_that_answers_again_takes_the_place_of_its_earlier_answers() -> None:
    answers, again = made(), np.zeros(N, dtype=np.int64)
    found = answers.having(line("c1"), again, np.full(N, 0.5))
    assert sorted(model.rung for model in found.models) == ["c0", "c1", "c2"]
    assert (found.classes[-1] == 0).all()
    assert (found.classes[0] == answers.classes[0]).all()
    assert len(answers.having(line("c1", seed=1), again, np.full(N, 0.5)).models) == 4
    assert len(answers.having(line("c1", target="board"), again, np.full(N, 0.5)).models) == 4


def header(schema: str = "edgeval/answers/1", params: int | None = 1000) -> np.ndarray:
    models = [line(f"c{k}").model_dump(mode="json") for k in range(3)]
    models[0]["source"]["params"] = params
    return np.array(json.dumps({"schema": schema, "data_sha256": "abc", "models": models}))


BAD: dict[str, Callable[[], dict[str, object]]] = {
    "no header": lambda: {"header": None},
    "no answers": lambda: {"classes": None},
    "header is no JSON": lambda: {"header": np.array("{")},
    "header of too many brackets": lambda: {"header": np.array("[" * 100_000)},
    "header of a later edgeval": lambda: {"header": header("edgeval/answers/2")},
    "no parameters": lambda: {"header": header(params=0)},
    "parameters not told": lambda: {"header": header(params=None)},
    "more parameters than numbers hold": lambda: {"header": header(params=10**400)},
    "header of another kind": lambda: {"header": np.array("[1]")},
    "unknown key": lambda: {
        "header": np.array('{"schema": "edgeval/answers/1", "data_sha256": "a", "models": [{"x": 1}]}')
    },
    "too few rows": lambda: {"classes": np.zeros((2, N), np.uint8)},
    "too short": lambda: {"confidences": np.zeros((3, N - 1), np.float16)},
    "a class beyond the names": lambda: {"classes": np.full((3, N), 100, np.uint8)},
    "a label beyond the names": lambda: {"labels": np.full(N, 200, np.uint8)},
    "NaN": lambda: {"confidences": np.full((3, N), np.nan, np.float16)},
    "over one": lambda: {"confidences": np.full((3, N), 1.5, np.float16)},
    "fractions as classes": lambda: {"classes": np.zeros((3, N), np.float32)},
}


@pytest.mark.parametrize("changed", BAD.values(), ids=BAD)
def test_a_file_that_holds_something_else_is_refused_in_one_line(
    tmp_path: Path, changed: Callable[[], dict[str, object]]
) -> None:
    path = written(tmp_path, **changed())
    with pytest.raises(DataError) as caught:
        read_answers(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="not a whole"):
        read_answers(path)
