"""Addresses that are none, that nobody answers at, or where something else does: one line, within seconds."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from edgeval.cli.edge import run
from edgeval.cluster import link
from edgeval.cluster.address import check_address, split
from edgeval.errors import InputError, UnreachableError

Typed = Callable[[str], tuple[int, str]]


@pytest.fixture
def type_in(capfd: pytest.CaptureFixture[str]) -> Typed:
    def typed(line: str) -> tuple[int, str]:
        code = run(line.split())
        return code, capfd.readouterr().err

    return typed


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.parametrize(
    "address", ["", "head", "head:", ":6379", "head:0", "head:65536", "head:x", "ray://head:10001"]
)
def test_what_is_no_address_is_wrong_use(address: str) -> None:
    with pytest.raises(InputError, match="no address of a Ray cluster"):
        check_address(address)


def test_hosts_may_be_numbers_of_either_kind() -> None:
    assert split("10.0.0.1:6379") == ("10.0.0.1", 6379)
    assert split("[::1]:6379") == ("::1", 6379)


def test_nobody_there_is_said_at_once(type_in: Typed) -> None:
    pytest.importorskip("ray")
    begun = time.monotonic()
    code, err = type_in(f"train scalecnn-digits100 --cluster 127.0.0.1:{free_port()} -q")
    assert (code, err.count("\n")) == (4, 1)
    assert "no Ray cluster can be joined at 127.0.0.1" in err
    assert "ray start --head" in err
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b""])
def test_something_else_that_answers_is_no_head(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            link, _ = server.accept()
            with link:
                link.recv(100)
                link.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(UnreachableError, match="no Ray cluster"):
            check_address(f"127.0.0.1:{server.getsockname()[1]}")
        thread.join()


def test_a_missing_extra_gives_the_line_that_installs_it(type_in: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "find_spec", lambda name: None)
    for verb in ("train", "export", "run"):
        code, err = type_in(f"{verb} scalecnn-digits100 --cluster local -q")
        assert (code, "pip install 'edgeval-toolkit[cluster]'" in err) == (4, True), err


@pytest.mark.parametrize(
    "line",
    [
        "train scalecnn-digits100 --gpus-per-job 0.5",
        "train scalecnn-digits100 --gpus-per-job 0.5 --cluster local --device cpu",
        "train scalecnn-digits100 --gpus-per-job 0 --cluster local",
        "run scalecnn-digits100 --target desktop,mcu --cluster local",
        "run scalecnn-digits100 --target rpi4 --cluster local",
        "export net.pt2 --cluster local",
    ],
)
def test_options_that_do_not_go_together_are_wrong_use(type_in: Typed, line: str) -> None:
    assert type_in(line)[0] == 2
