"""Health of a board during a run: what the agent sends, what is kept, and which conditions count as met."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edgeval.records.target import Monitor
from edgeval.run.agent.monitor import Monitor as Watcher
from edgeval.run.health import slowdowns, summarise, watched
from tests.run.tiny_models import SIDE, Answer, make_samples, make_target, write_tflite

COOL = {
    "temperature_c": 50.0,
    "frequency_mhz": 1500.0,
    "throttled": "0x0",
    "throttling": [],
    "throttled_before": [],
}
HOT = COOL | {"temperature_c": 81.5, "frequency_mhz": 1000.0, "throttled": "0xe0008", "throttling": ["throttled"]}
WEAK = COOL | {"throttled": "0x50000", "throttled_before": ["under-voltage"]}
MUTE = COOL | {"temperature_c": None, "frequency_mhz": None, "throttled": None}
ALL = Monitor(temperature=True, throttled=True, frequency=True)


def test_the_course_of_a_run() -> None:
    assert summarise([COOL, HOT, COOL], ALL) == {
        "looks": 3,
        "temperature_c": {"before": 50.0, "highest": 81.5, "after": 50.0},
        "frequency_mhz": {"before": 1500.0, "lowest": 1000.0, "after": 1500.0},
        "throttling": ["throttled"],
    }


def test_nothing_watched_is_nothing_kept() -> None:
    assert summarise([], ALL) == {}
    assert not watched(Monitor())
    assert watched(Monitor(fail_on=("throttled",)))


def test_what_happened_between_two_looks_leaves_its_mark() -> None:
    assert slowdowns([COOL, WEAK]) == ["under-voltage"]
    assert slowdowns([WEAK, WEAK]) == []
    assert slowdowns([MUTE, MUTE]) is None


@pytest.mark.parametrize(
    ("condition", "looks", "said"),
    [
        ("throttled", [COOL, HOT], "throttled: throttled"),
        ("throttled", [COOL, COOL], None),
        ("throttled", [COOL, WEAK], None),
        ("under-voltage", [COOL, WEAK], "under-voltage: under-voltage"),
        ("under-voltage", [WEAK, WEAK], None),
        ("frequency-capped", [COOL, HOT], None),
        ("temperature>80", [COOL, HOT], "temperature>80: 81.5 °C"),
        ("temperature>81.5", [COOL, HOT], None),
        ("temperature>80", [MUTE, MUTE], "temperature>80: the board does not tell its temperature"),
        ("throttled", [MUTE, MUTE], "throttled: the board does not tell whether it is slowed down"),
    ],
)
def test_conditions_that_count_as_met(condition: str, looks: list[dict[str, Any]], said: str | None) -> None:
    assert summarise(looks, Monitor(fail_on=(condition,))).get("failed") == (None if said is None else [said])


@pytest.mark.parametrize("condition", ["hot", "temperature>", "temperature>80C", "throttled now", ""])
def test_unknown_conditions_are_refused(condition: str) -> None:
    with pytest.raises(ValidationError):
        Monitor(fail_on=(condition,))


def test_the_watcher_looks_before_during_and_after() -> None:
    said: list[dict[str, Any]] = []
    watcher = Watcher(lambda kind, **fields: said.append({"kind": kind, **fields}), 0.01)
    watcher.start()
    until = time.monotonic() + 20
    while len(said) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    watcher.stop()
    assert [look["phase"] for look in said][:2] == ["before", "during"]
    assert said[-1]["phase"] == "after"
    assert {look["kind"] for look in said} == {"health"}
    assert [look["at_s"] for look in said] == sorted(look["at_s"] for look in said)


def test_without_an_interval_nothing_is_said() -> None:
    watcher = Watcher(lambda kind, **fields: pytest.fail(kind), None)
    watcher.start()
    watcher.stop()


def test_a_whole_run_is_watched(answer: Callable[..., Answer], tmp_path: Path) -> None:
    monitor = Monitor(temperature=True, throttled=True, interval_s=0.05, fail_on=("under-voltage",))
    model = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3))
    got = answer(model, make_samples(), target=make_target().changed(monitor=monitor))
    assert got.result.health["looks"] >= 2
    assert set(got.result.health) >= {"looks", "temperature_c", "throttling"}
    assert answer(model, make_samples()).result.health == {}
