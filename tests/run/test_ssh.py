"""A device over a real ssh server: what goes wrong is told apart, and nothing of ours is left behind."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import SIDE, Memory, make_samples, make_target, write_tflite

from edgeval.errors import BenchError, CardError, EdgevalError, LinkLost, RuntimeMissing, UnreachableError
from edgeval.records.artifact import Preprocess
from edgeval.run.infer import Job, infer, pick_engine, probe
from edgeval.run.ssh import SshHost
from edgeval.run.ssh.upload import Packing, deflated, pixels
from tests.pythons import VERSIONS, any_python
from tests.sshd import Board, Proxy, free_port, start_board

LONG = f"1{secrets.randbelow(10**9):09}"  # seconds that tell our processes from any others
SLEEP = "import sys, time; print('on', flush=True); time.sleep(float(sys.argv[1]))"


class Listener:
    """A reporter that keeps what it hears."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.bars: dict[str, list[tuple[int, int]]] = {}

    def say(self, text: str) -> None:
        self.said.append(text)

    def bar(self, label: str, unit: str = "images") -> Callable[[int, int], None]:
        steps = self.bars.setdefault(f"{label} {unit}", [])
        return lambda done, total: steps.append((done, total))


def gone(word: str, seconds: float = 8) -> bool:
    """Whether no process has this word in its command line, at the latest after this time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(word.encode() in _command(place) for place in Path("/proc").glob("[0-9]*/cmdline")):
            return True
        time.sleep(0.05)
    return False


def _command(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError:
        return b""


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


# --- what is refused, and how ---


def no_such_host(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"host": "no-such-board.invalid"}


def closed_port(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"port": free_port()}


def wrong_user(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"user": "nobody-of-that-name"}


def unknown_key(board: Board, tmp_path: Path) -> dict[str, Any]:
    board.known_hosts.write_text("")
    return {}


def changed_key(board: Board, tmp_path: Path) -> dict[str, Any]:
    kind, key = (board.folder / "user_key.pub").read_text().split()[:2]
    board.known_hosts.write_text(f"[127.0.0.1]:{board.port} {kind} {key}\n")
    return {}


def no_python(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"python": "/no/such/python3"}


def broken_python(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"python": script(tmp_path / "python", "echo broken here >&2; exit 3")}


def python_2(board: Board, tmp_path: Path) -> dict[str, Any]:
    found = next(iter(sorted(Path.home().glob(".pyenv/versions/2.7.*/bin/python2.7"))), None)
    if found is None:
        pytest.skip("there is no Python 2.7 on this machine")
    return {"python": str(found)}


def foreign_folder(board: Board, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "precious").write_text("not ours")
    return {"workdir": str(tmp_path)}


def linked_folder(board: Board, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    return {"workdir": str(tmp_path / "link")}


def read_only_folder(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"workdir": "/proc/edgeval"}


REFUSED = [
    (no_such_host, UnreachableError, "no host of that name"),
    (closed_port, UnreachableError, "nothing listens for ssh"),
    (wrong_user, UnreachableError, r"does not let this user in .*ssh-copy-id nobody-of-that-name@board"),
    (unknown_key, UnreachableError, "not known yet .*edgeval devices add board"),
    (changed_key, UnreachableError, "has changed: not connected .*another machine answers .*ssh-keygen -R"),
    (no_python, RuntimeMissing, "there is no /no/such/python3 on board .*apt install"),
    (broken_python, BenchError, "exit status 3: broken here"),
    (python_2, RuntimeMissing, r"too old \(seen: Python 2.7"),
    (foreign_folder, CardError, "not one of edgeval's: it is left alone"),
    (linked_folder, CardError, "not one of edgeval's"),
    (read_only_folder, BenchError, r"cannot be used: .*/proc/edgeval.*set workdir"),
]


@pytest.mark.parametrize(("make", "kind", "words"), REFUSED, ids=[row[0].__name__ for row in REFUSED])
def test_each_cause_has_its_own_message_and_what_mends_it(
    board: Board, tmp_path: Path, make: Any, kind: type[EdgevalError], words: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    target = board.target(**make(board, tmp_path))
    with pytest.raises(kind, match=words) as caught, SshHost(target):
        pass
    assert "\n" not in str(caught.value)
    assert set(before) <= set(tmp_path.rglob("*"))
    assert board.known_hosts.read_text().count("\n") <= 1


def test_a_server_that_says_nothing_is_given_up(board: Board) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        target = board.target(port=mute.getsockname()[1], connect_timeout_s=1)
        with pytest.raises(UnreachableError, match="does not answer"), SshHost(target):
            pass


HOSTILE_CARDS = [
    {"host": "-oProxyCommand=touch hacked"},
    {"host": "board; touch hacked"},
    {"host": "$(touch hacked)"},
    {"host": "a b"},
    {"host": ""},
    {"host": "%h@board`touch hacked`"},
    {"workdir": "~/\x1b[2J"},
    {"user": "-oProxyCommand=touch hacked"},
    {"user": "pi$(touch hacked)"},
    {"user": "pi\n"},
    {"python": "-c"},
    {"python": "python3\ntouch hacked"},
    {"workdir": "relative"},
    {"workdir": "-rf"},
    {"identity": "-oProxyCommand=touch hacked"},
    {"identity": "/no/such/key"},
]


@pytest.mark.parametrize("words", HOSTILE_CARDS, ids=repr)
def test_words_that_could_be_options_or_commands_are_refused(board: Board, words: dict[str, Any]) -> None:
    with pytest.raises(CardError):
        SshHost(board.target(**words))


@pytest.mark.parametrize("python", ["$(touch hacked)", "`touch hacked`", "a'; touch hacked; '", '"; touch hacked; "'])
def test_a_hostile_python_is_one_word_to_the_remote_shell(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeMissing, match="there is no"), SshHost(board.target(python=python)):
        pass
    assert not [place for folder in (tmp_path, board.home, Path.home()) for place in folder.glob("hacked*")]


def test_a_folder_may_be_called_anything(board: Board, tmp_path: Path) -> None:
    folder = tmp_path / "a 'b' \"c\" $(touch hacked) -é \\"
    with SshHost(board.target(workdir=str(folder))) as host:
        assert host.get(host.put(b"data", "a.bin")) == b"data"
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


# --- what lies on the device ---


def test_everything_lies_in_one_closed_folder_and_nothing_is_sent_twice(board: Board, tmp_path: Path) -> None:
    data = np.random.default_rng(1).bytes(300_000)
    with SshHost(board.target()) as host:
        first = Path(host.put(data, "a.bin"))
        assert (host.sent, first.parent) == (300_000, board.home / ".cache" / "edgeval-device")
    with SshHost(board.target()) as host:
        assert Path(host.put(data, "a.bin")) == first
        assert host.sent == 0
        first.write_bytes(b"damaged")
    with SshHost(board.target()) as host:
        assert host.get(host.put(data, "a.bin")) == data
    assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert [path.name for path in board.home.iterdir()] == [".cache"]


def test_an_upload_that_was_cut_goes_on_where_it_was(board: Board) -> None:
    data, listener = np.random.default_rng(1).bytes(400_000), Listener()
    with Proxy(board.port) as proxy:
        board.write_config(proxy.port)
        with SshHost(board.target(), listener) as host:
            proxy.passed, proxy.cut_at = 0, [200_000]
            assert host.get(host.put(data, "a.bin")) == data
            assert not proxy.cut_at
            assert host.sent < 500_000
    assert any("trying again" in line for line in listener.said)


def test_a_wrong_beginning_is_thrown_away(board: Board) -> None:
    data = np.random.default_rng(1).bytes(100_000)
    with SshHost(board.target()) as host:
        place = Path(host.put(data, "a.bin"))
        place.unlink()
        place.with_name(f"part-{place.name}").write_bytes(b"x" * 50_000)
        host._there.clear()
        assert host.get(host.put(data, "a.bin")) == data
        assert not list(place.parent.glob("part-*"))


def test_a_slow_link_is_measured_shown_and_packed_for(board: Board) -> None:
    data, listener = b"the same again and again " * 40_000, Listener()
    with Proxy(board.port, rate=400_000) as proxy:
        board.write_config(proxy.port)
        with SshHost(board.target(), listener) as host:
            assert host.get(host.put(data, "a.bin")) == data
            assert host.sent < len(data) / 2
    steps = listener.bars["send a.bin to board kB"]
    assert len(steps) > 10
    assert steps[-1] == (1000, 1000)
    assert steps == sorted(steps)


def test_two_runs_may_send_the_same_file_at_once(board: Board) -> None:
    data, listener = np.random.default_rng(1).bytes(600_000), Listener()
    with Proxy(board.port, rate=600_000) as proxy:
        board.write_config(proxy.port)
        with SshHost(board.target(), listener) as one, SshHost(board.target(), listener) as two:
            with ThreadPoolExecutor() as pool:
                places = list(pool.map(lambda host: host.put(data, "a.bin"), (one, two)))
            assert places[0] == places[1]
            assert one.get(places[0]) == data
    assert any("another run is sending the same file" in line for line in listener.said)


def test_too_little_space_is_said_before_anything_is_sent(board: Board) -> None:
    with SshHost(board.target()) as host, pytest.raises(BenchError, match=r"too little space on board .*devices clean"):
        host.link.ask({"do": "have", "name": "a", "sha256": "0" * 64, "size": 1 << 60})


def test_a_disk_that_fills_up_on_the_way_is_said(board: Board, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        with SshHost(board.target(workdir=f"{disk}/edgeval")) as host:
            host.link.ask({"do": "have", "name": "a", "sha256": "0" * 64, "size": 1_000_000})
            (disk / "others").write_bytes(b"x" * 2_900_000)
            with pytest.raises(BenchError, match="disk of board is full"):
                host._send(_parcel(b"x" * 1_000_000))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _parcel(data: bytes) -> Any:
    from edgeval.run.ssh.host import Parcel

    return Parcel(data, "a.bin", "0" * 64, len(data))


# --- the user's configuration, and odd ends ---


def test_the_users_configuration_counts_and_cannot_do_harm(board: Board) -> None:
    with (board.folder / "config").open("a") as file:
        file.write(
            f"Host odd\n  HostName 127.0.0.1\n  Port {board.port}\n  RemoteCommand cat\n  RequestTTY force\n"
            f"  ControlMaster auto\n  ControlPath {board.folder}/c\n  LogLevel QUIET\n  LocalForward 1 h:1\n"
            f"Host behind\n  HostName 127.0.0.1\n  Port {board.port}\n  ProxyJump board\n"
        )
    for name in ("odd", "behind"):
        with SshHost(board.target(host=name)) as host, host.run([host.python, "-c", SLEEP, "0"]) as process:
            assert process.stdout.read() == b"on\n"
    assert not (board.folder / "c").exists()


NOISE = "ForceCommand printf '\\033[2JWelcome to edgeval-porter {\\n$ '; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\""


def test_what_a_login_shell_prints_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chatty = start_board(tmp_path, NOISE)
    monkeypatch.setenv("EDGEVAL_SSH_CONFIG", str(tmp_path / "config"))
    try:
        with SshHost(chatty.target()) as host:
            assert host.get(host.put(b"data", "a.bin")) == b"data"
            assert probe(host)["numpy"] == np.__version__
    finally:
        chatty.server.terminate()
        chatty.server.wait()


def test_a_python_may_stand_in_the_home(board: Board) -> None:
    (board.home / "my env").mkdir()
    script(board.home / "my env" / "python", f'exec {sys.executable} "$@"')
    with SshHost(board.target(python="~/my env/python")) as host, host.run([host.python, "-c", SLEEP, "0"]) as process:
        assert process.stdout.read() == b"on\n"


@pytest.mark.parametrize("version", [VERSIONS[2], *VERSIONS[-2:]])
def test_the_oldest_and_the_newest_python_serve(board: Board, version: str) -> None:
    data = np.random.default_rng(1).bytes(100_000)
    with SshHost(board.target(python=any_python(version))) as host:
        assert host.get(host.put(data, "a.bin")) == data
        with host.run([host.python, "-c", SLEEP, "0"], alone=True) as process:
            assert (process.stdout.read(), process.wait()) == (b"on\n", 0)
        assert host.clean(dry=False)["files"] == 1


@pytest.mark.parametrize("packing", [deflated, pixels])
def test_blocks_are_packed_and_unpacked_alike(packing: Packing) -> None:
    from edgeval.run.agent import porter

    for block in (b"", b"abc" * 5000, np.random.default_rng(1).bytes(1 << 14)):
        assert porter._unpacked(*packing(block)) == block
    bomb = packing(b"x" * (porter.BLOCK_MAX * 3))
    assert len(porter._unpacked(*bomb)) == porter.BLOCK_MAX


# --- runs ---


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
    words, root = [sys.executable, "-c", program], Path(__file__).parents[2]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root) as child:
        assert child.stdout is not None
        assert b"on" in child.stdout.readline()
        child.send_signal(number)
        said = child.communicate(timeout=20)[1]
    assert (b"KeyboardInterrupt" in said) == (number == signal.SIGINT)
    assert gone(LONG)
    assert gone(str(board.folder / "config"))  # which every ssh of ours has in its command line
