"""Versions of nodes against this machine's, and how many jobs a cluster has room for."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from edgeval import __version__
from edgeval.cluster.nodes import Node, check_same, survey
from edgeval.errors import BenchError, InputError, RuntimeMissing
from edgeval.records.reporter import Silent
from edgeval.workflow import remote

HERE = {"edgeval": "0.1.0 (aaaa)", "python": "3.11", "torch": "2.13.0"}


def test_a_machine_tells_its_versions_and_what_it_lacks() -> None:
    found = survey()(["numpy", "no-such-package"])
    assert found["no-such-package"] is None
    assert re.fullmatch(re.escape(__version__) + r" \([0-9a-f]{8}\)", found["edgeval"] or "")
    assert re.fullmatch(r"3\.\d+", found["python"] or "")


@pytest.mark.parametrize(
    ("there", "seen"),
    [
        ({"torch": "2.11.0"}, "torch 2.11.0 there, 2.13.0 here"),
        ({"torch": None}, "torch missing there, 2.13.0 here"),
        ({"python": "3.12"}, "python 3.12 there, 3.11 here"),
        ({"edgeval": "0.1.0 (bbbb)"}, r"edgeval 0.1.0 \(bbbb\) there, 0.1.0 \(aaaa\) here"),
    ],
)
def test_a_difference_names_both_versions(there: Mapping[str, str | None], seen: str) -> None:
    check_same(HERE, dict(HERE), "same")
    with pytest.raises(RuntimeMissing, match=f"node far differs.*{seen}"):
        check_same(HERE, {**HERE, **there}, "far")


@pytest.mark.parametrize(
    ("machines", "device", "gpus", "size"),
    [
        ([(8, 0), (4, 0)], "auto", None, 12),
        ([(8, 2), (4, 0)], "auto", None, 2),
        ([(8, 2), (4, 0)], "cpu", 0.5, 12),
        ([(8, 1), (8, 1)], "cuda", 0.25, 8),
        ([(8, 1), (2, 1)], "cuda", 0.1, 10),
        ([(2, 1)], "auto", 0.3, 2),
    ],
)
def test_room_is_cores_and_parts_of_gpus(
    monkeypatch: pytest.MonkeyPatch, machines: list[tuple[int, int]], device: str, gpus: float | None, size: int
) -> None:
    monkeypatch.setattr(remote, "nodes", lambda: [Node("id", "name", *machine) for machine in machines])
    assert remote.Remote(Silent(), gpus, device).size() == size


@pytest.mark.parametrize(
    ("machines", "device", "gpus", "error"),
    [([], "auto", None, BenchError), ([(2, 0)], "cuda", None, InputError), ([(2, 1)], "cuda", 2.0, BenchError)],
)
def test_a_cluster_without_room_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    machines: list[tuple[int, int]],
    device: str,
    gpus: float | None,
    error: type[Exception],
) -> None:
    monkeypatch.setattr(remote, "nodes", lambda: [Node("id", "name", *machine) for machine in machines])
    with pytest.raises(error):
        remote.Remote(Silent(), gpus, device)
