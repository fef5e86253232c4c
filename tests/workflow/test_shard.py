"""Identical boards share the images: every image once, whoever dies; boards that differ are refused."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.errors import BenchError, InputError, IntegrityError
from edgeval.records.artifact import Preprocess
from edgeval.records.reporter import Silent
from edgeval.run.host import LocalHost
from edgeval.run.infer import infer
from edgeval.run.job import Job
from edgeval.workflow.bench import Bench, open_bench
from edgeval.workflow.fleet import Opening
from edgeval.workflow.shard import Crew, check_identical, differences, open_crew
from tests.conftest import Typed
from tests.run.tiny_models import SIDE, Memory, make_samples, make_target, write_tflite
from tests.workflow.fleet_lab import DyingHost, lab_of, let_die, write_card

N = 400
Make = Callable[..., Bench]


class Once(Memory):
    """A sink that refuses to be told anything twice, whoever tells it."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: Counter[int] = Counter()

    def save(self, start: int, stop: int, outputs: Any) -> None:
        assert all(stop <= a or b <= start for a, b in self.chunks), "an image was answered twice"
        self.threads[threading.get_ident()] += stop - start
        super().save(start, stop, outputs)


@pytest.fixture(scope="module")
def here() -> Iterator[Bench]:
    with open_bench("desktop") as bench:
        yield bench


@pytest.fixture
def board(here: Bench, tmp_path: Path) -> Make:
    """A board like this computer, under another name, on a host of its own; with `dies`, after so many chunks."""

    def make(name: str, *, dies: int | None = None, **facts: Any) -> Bench:
        folder = tmp_path / name
        host = LocalHost(folder) if dies is None else DyingHost(dies, folder)
        return replace(here, name=name, host=host, facts={**here.facts, **facts})

    return make


@pytest.fixture
def job(tmp_path: Path) -> Job:
    model = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3), dtype="int8")
    return Job(model, make_samples(N), Preprocess(scale=1), make_target(), latency=False, workers=1)


def alone(job: Job, here: Bench) -> Any:
    sink = Memory()
    infer(here.host, job, sink, progress=lambda *_: None, facts=here.facts)
    return sink.all()


def test_two_boards_answer_everything_once_between_them(job: Job, here: Bench, board: Make) -> None:
    sink, steps = Once(), list[int]()
    result = Crew([board("a"), board("b")]).infer(job, sink, lambda done, n: steps.append(done))
    np.testing.assert_array_equal(sink.all(), alone(job, here))
    assert sum(result.shared["images"].values()) == N
    assert min(result.shared["images"].values()) > 0
    assert len(sink.threads) == 2
    assert steps[-1] == max(steps) == N


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_what_a_dying_board_leaves_is_taken_over(job: Job, here: Bench, board: Make, frames: int) -> None:
    sink, crew = Once(), Crew([board("a", dies=frames), board("b")])
    result = crew.infer(replace(job, chunk=20), sink, lambda *_: None)
    np.testing.assert_array_equal(sink.all(), alone(job, here))
    assert sum(result.shared["images"].values()) == N
    assert [one.name for one in crew.benches] == ["b"]
    (absent,) = result.shared["absent"]
    assert absent.startswith("a: the agent was ended")


def test_where_all_die_the_last_error_is_told_and_what_was_saved_stays(job: Job, board: Make) -> None:
    sink = Once()
    with pytest.raises(BenchError, match="the agent was ended"):
        Crew([board("a", dies=1), board("b", dies=1)]).infer(replace(job, chunk=20), sink, lambda *_: None)
    saved = dict(sink.chunks)
    Crew([board("a"), board("b")]).infer(replace(job, chunk=20), sink, lambda *_: None)
    assert sum(stop - start for start, stop in sink.chunks) == N
    assert all(sink.chunks[place] is outputs for place, outputs in saved.items())


def test_nothing_left_to_answer_still_tells_how_the_model_runs(job: Job, board: Make) -> None:
    sink = Once()
    crew = Crew([board("a"), board("b")])
    crew.infer(job, sink, lambda *_: None)
    assert crew.infer(replace(job, latency=True), sink, lambda *_: None).latency is not None


def test_a_board_that_answers_wrongly_is_not_covered_up(tmp_path: Path, job: Job, board: Make) -> None:
    model = write_tflite(tmp_path / "nan.tflite", (1, SIDE, SIDE, 3), nan=True)
    with pytest.raises(IntegrityError, match="NaN"):
        Crew([board("a"), board("b")]).infer(replace(job, model=model), Once(), lambda *_: None)


def test_a_board_can_be_left_out_until_one_is_left(board: Make) -> None:
    one, two = board("a"), board("b")
    crew = Crew([one, two])
    crew.drop(one, BenchError("the link is gone"))
    assert (crew.benches, crew.absent) == ([two], ["a: the link is gone"])
    with pytest.raises(BenchError, match="gone too"):
        crew.drop(two, BenchError("gone too"))


DIFFERENT = {
    "cpu": {"cpu": "another"},
    "cpu_features": {"cpu_features": ["sse"]},
    "runtimes": {"runtimes": {"litert": "1.0"}},
    "pointer_bits": {"pointer_bits": 32},
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_boards_that_differ_are_refused_with_what_differs(board: Make, name: str) -> None:
    with pytest.raises(InputError, match=f"only identical boards .*{name}: .* on a, .* on b"):
        check_identical([board("a"), board("b", **DIFFERENT[name])])
    assert differences([board("a"), board("b")]) == []


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[[str], Typed]:
    return lab_of(tmp_path, monkeypatch, capfd)


def test_shared_images_give_the_row_that_one_board_gives(lab: Callable[[str], Typed]) -> None:
    code, out, err = lab("compare --target one --json -")
    assert code == 0, err
    single = json.loads(out)
    code, out, err = lab("compare --target one,two --shard --runs elsewhere --json -")
    assert code == 0, err
    row = json.loads(out)
    assert row["flips"] == single["flips"]
    assert row["target"]["name"] == "one+two"
    assert sum(row["candidate"]["host"]["shares"]["images"].values()) == row["n"]
    assert any("shared the images: one" in note for note in row["notes"])


def test_a_board_that_dies_is_told_in_a_note(lab: Callable[[str], Typed], monkeypatch: pytest.MonkeyPatch) -> None:
    let_die(monkeypatch, "two")
    code, out, err = lab("compare --target tag:twins --shard --json -")
    assert code == 0, err
    assert any("took over from two: the agent was ended" in note for note in json.loads(out)["notes"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("compare --target one --shard", "--shard shares the images among several targets"),
        ("compare --target one,slow --shard", "kernels: auto on one, reference on slow"),
        ("compare --target one,two --shard --record x.npz", "--record records one target"),
    ],
)
def test_wrong_use_of_shard(lab: Callable[[str], Typed], line: str, said: str) -> None:
    code, _, err = lab(line)
    assert code == 2, err
    assert said in err


def test_a_board_out_of_reach_leaves_its_share_to_the_others(lab: Callable[[str], Typed]) -> None:
    write_card("closed", transport="ssh", host='host = "127.0.0.1"\nport = 1')
    with open_crew(["closed", "one"], Opening(), Silent()) as bench:
        assert bench.name == "closed+one"
        assert bench.crew is not None
        assert [one.name for one in bench.crew.benches] == ["one"]
