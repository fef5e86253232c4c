"""Runs on a device over a real ssh server: links that break, runs that wait, and nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgeval.errors import BenchError, LinkLost, RuntimeMissing, UnreachableError
from edgeval.records.artifact import Preprocess
from edgeval.run.infer import infer
from edgeval.run.job import Job
from edgeval.run.probe import pick_engine, probe
from edgeval.run.ssh import SshHost
from tests.run.ssh.ssh_lab import LONG, SLEEP, Listener, gone, script
from tests.run.tiny_models import SIDE, Memory, make_samples, make_target, write_tflite
from tests.sshd import Board, Proxy


def test_no_numpy_comes_with_the_command(board: Board, tmp_path: Path) -> None:
    bare = script(tmp_path / "python", f'exec {sys.executable} -S "$@"')
    with SshHost(board.target(python=bare)) as host:
        facts = probe(host)
    with pytest.raises(RuntimeMissing, match=r"no numpy .*on board: .*pip install ai-edge-litert numpy"):
        pick_engine(facts, board.target(), Path("m.tflite"))


def test_a_silent_link_is_noticed_on_both_sides(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeval.run.ssh.link.IDLE_S", 3)
    monkeypatch.setattr("edgeval.run.ssh.session.PULSE_S", 0.3)
    with Proxy(board.port) as proxy:
        board.write_config(proxy.port)
        with SshHost(board.target()) as host:
            with host.run([host.python, "-c", SLEEP, LONG]) as process:
                assert process.stdout.readline() == b"on\n"
                assert not gone(LONG, 5)
                proxy.silent = True
                assert gone(LONG, 15)
                with pytest.raises(LinkLost, match="broke off"):
                    process.wait()
            proxy.silent = False


def test_a_second_run_waits_and_says_for_whom(board: Board) -> None:
    listener = Listener()
    with (
        SshHost(board.target()) as first,
        SshHost(board.target(), listener) as second,
        first.run([first.python, "-c", SLEEP, "1"], alone=True) as process,
    ):
        assert process.stdout.readline() == b"on\n"
        with second.run([second.python, "-c", SLEEP, "0"], alone=True) as other:
            assert other.stdout.readline() == b"on\n"
            assert other.wait() == 0
        assert process.wait() == 0
    assert "board is in use by" in listener.said[0]
    assert f"{socket.gethostname()} (process {os.getpid()}) for" in listener.said[0]


def test_a_second_run_does_not_wait_for_ever(board: Board) -> None:
    with (
        SshHost(board.target()) as first,
        SshHost(board.target(), wait_s=0.5) as second,
        first.run([first.python, "-c", SLEEP, LONG], alone=True) as process,
    ):
        assert process.stdout.readline() == b"on\n"
        with pytest.raises(BenchError, match=r"in use by another run .*process") as caught:
            second.run([second.python, "-c", SLEEP, "0"], alone=True)
        assert caught.value.exit_code == 4
        with second.run([second.python, "-c", SLEEP, "0"]) as other:
            assert other.stdout.read() == b"on\n"
    assert gone(LONG)


def test_the_same_run_takes_over_what_its_broken_link_left(board: Board) -> None:
    with SshHost(board.target()) as host:
        left = host.run([host.python, "-c", SLEEP, LONG], alone=True)
        assert left.stdout.readline() == b"on\n"
        with host.run([host.python, "-c", SLEEP, "0"], alone=True) as process:
            assert process.stdout.read() == b"on\n"
            assert gone(LONG, 1)
        with left:
            pass


def test_a_board_that_starts_again_is_waited_for(board: Board, tmp_path: Path) -> None:
    model, listener, kept = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3)), Listener(), Memory()
    job = Job(model, make_samples(4000), Preprocess(scale=1), make_target(), chunk=1, workers=1, latency=False)
    with Proxy(board.port) as proxy:
        board.write_config(proxy.port)

        def up() -> None:
            proxy.refuse = False

        def progress(done: int, total: int) -> None:
            if 0 < done < 3000 and not listener.said and not proxy.refuse:
                proxy.refuse = True
                threading.Timer(2, up).start()
                proxy.cut()

        with SshHost(board.target(), listener) as host:
            infer(host, job, kept, progress=progress, facts=probe(host), say=listener.say)
    assert len(kept.all()) == 4000
    assert any("try 2 of" in line for line in listener.said)


def test_a_board_that_stays_away_is_given_up_and_what_was_saved_is_kept(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeval.run.patience.PAUSES_S", (0.1, 0.1))
    model, kept = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3)), Memory()
    job = Job(model, make_samples(4000), Preprocess(scale=1), make_target(), chunk=1, workers=1, latency=False)
    with Proxy(board.port) as proxy:
        board.write_config(proxy.port)

        def progress(done: int, total: int) -> None:
            if done > 100 and not proxy.refuse:
                proxy.refuse = True
                proxy.cut()

        with SshHost(board.target()) as host, pytest.raises(UnreachableError, match="cannot be made again") as caught:
            infer(host, job, kept, progress=progress, facts=probe(host))
    assert caught.value.exit_code == 4
    assert 100 < len(kept.all()) < 4000


def test_a_killed_agent_is_told_from_a_broken_link(board: Board, tmp_path: Path) -> None:
    killed = script(
        tmp_path / "python", f'case "$*" in *"agent.pyz run"*) kill -9 $$;; esac; exec {sys.executable} "$@"'
    )
    model = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3))
    job = Job(model, make_samples(), Preprocess(scale=1), make_target(), latency=False)
    with SshHost(board.target(python=killed)) as host, pytest.raises(BenchError, match=r"too little memory .*137"):
        infer(host, job, Memory(), progress=lambda *_: None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_neither_ctrl_c_nor_a_kill_leaves_a_process_on_the_board(board: Board, number: signal.Signals) -> None:
    program = (
        "import sys; from edgeval.run.ssh import SshHost; from edgeval.records.target import *\n"
        "t = Transport(type='ssh', host='board', python=sys.executable)\n"
        "with SshHost(Target(schema='edgeval/device/1', name='board', transport=t)) as host:\n"
        f"    with host.run([host.python, '-c', {SLEEP!r}, '{LONG}']) as process:\n"
        "        print(process.stdout.readline(), flush=True); process.stdout.read()\n"
    )
    words, root = [sys.executable, "-c", program], Path(__file__).parents[3]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root) as child:
        assert child.stdout is not None
        assert b"on" in child.stdout.readline()
        child.send_signal(number)
        said = child.communicate(timeout=20)[1]
    assert (b"KeyboardInterrupt" in said) == (number == signal.SIGINT)
    assert gone(LONG)
    assert gone(str(board.folder / "config"))  # which every ssh of ours has in its command line
