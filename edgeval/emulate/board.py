"""One emulated board by its name: created, started, reached over ssh, stopped and removed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from edgeval.emulate.image import Image, build_image, cache, check_own, find_image
from edgeval.emulate.keys import CONFIG, board_initrd, make_keys, write_settings
from edgeval.emulate.machine import Hardware, boot
from edgeval.emulate.process import Running, recall
from edgeval.emulate.programs import BOOT, require, tail
from edgeval.errors import BenchError, CardError, UnreachableError
from edgeval.records.reporter import Progress

Say = Callable[[str], None]
BOOT_LIMIT_S, COUNTING_LIMIT_S = 180.0, 600.0


@dataclass(frozen=True)
class Login:
    """How ssh reaches a running board: by its name, with settings of its own instead of the user's."""

    name: str
    config: Path

    def ssh(self, *words: str, options: tuple[str, ...] = ()) -> list[str]:
        """An ssh command line that uses this board's keys only and refuses any other board."""
        return ["ssh", "-F", str(self.config), *options, self.name, *words]


class Board:
    """The board called `name`; with `counting` the same board on a virtual clock, beside the first one."""

    def __init__(self, name: str, hardware: Hardware, *, wheels: bool = True) -> None:
        if not re.fullmatch(r"\w[\w.-]*", name):  # it names a folder, which `remove` deletes, and a host of ssh
            raise CardError("an emulated board needs a plain name", seen=name, hint="mend host in the card")
        self.name, self.hardware, self.wheels = name, hardware, wheels
        self.home = cache() / "boards" / name
        self.folder = self.home / "counting" if hardware.counting else self.home

    @property
    def image(self) -> Image | None:
        """Its disk image, None while the board is not created, or was created with other pins."""
        return find_image(wheels=self.wheels) if self.is_created else None

    @property
    def running(self) -> Running | None:
        check_own(cache())  # it says which process may be ended
        return recall(self.folder / "running.json")

    @property
    def login(self) -> Login | None:
        """How to reach it, None while it is stopped."""
        if self.running is None:
            return None
        return Login(self.name, self.folder / CONFIG)

    @property
    def is_created(self) -> bool:
        """Whether it was created, be it with other pins than today's."""
        return (self.home / "board.json").is_file()

    def create(self, progress: Progress, say: Say, *, rebuild: bool = False) -> Image:
        """Build its image if there is none, and its keys. Raises RuntimeMissing or BenchError."""
        require(BOOT)
        check_own(cache())
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.home.chmod(0o700)
        if rebuild:
            self.stop()
        image = build_image(progress, say, wheels=self.wheels, rebuild=rebuild)
        with self._locked("start.lock"):
            make_keys(self.home, self.name)
        text = json.dumps({"image": image.folder.name, **asdict(self.hardware)})
        (self.home / "board.json").write_text(text + "\n", encoding="utf-8")
        return image

    @contextmanager
    def used(self, say: Say) -> Iterator[Login]:
        """Running for as long as the block. One that was started for it is stopped after its last user has gone."""
        self._check_created()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        mark = self.folder / "on-demand"
        with (self.folder / "users.lock").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            if self.running is None:
                mark.touch()
                say(f"{self.name} is started, and stopped again at the end of this command")
            try:
                yield self.start(say)
            finally:
                with contextlib.suppress(BlockingIOError):  # somebody else still uses it
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if mark.exists():
                        self.stop()

    def keep(self, say: Say) -> Login:
        """Start it, to run until it is stopped."""
        login = self.start(say)
        (self.folder / "on-demand").unlink(missing_ok=True)
        return login

    def start(self, say: Say) -> Login:
        """Boot it unless it runs, and wait until ssh answers. Raises UnreachableError with the serial log's end."""
        image = self._check_created()
        require(BOOT)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with self._locked("start.lock"):
            login = self.login
            if login is None:
                make_keys(self.home, self.name)
                running = boot(image, board_initrd(image, self.home, self.name), self.hardware, self.folder)
                write_settings(self.home, self.folder, self.name, running.port)
                login = self.login
            if login is None:
                raise self._failed("qemu ended at once", say)
            self._wait(login, say)
        return login

    def stop(self) -> bool:
        """End it; what was written on it is gone. Whether it ran."""
        running = self.running
        if running:
            running.end()
        for name in ("running.json", "on-demand"):
            (self.folder / name).unlink(missing_ok=True)
        return running is not None

    def remove(self) -> None:
        """Stop it and delete its keys and settings; images that no board needs any more go too."""
        self.stop()
        running = recall(self.home / "counting" / "running.json")
        if running:
            running.end()
        shutil.rmtree(self.home, ignore_errors=True)
        needed = {json.loads(card.read_text(encoding="utf-8"))["image"] for card in _cards()}
        for image in (cache() / "images").glob("*/manifest.json"):
            if image.parent.name not in needed:
                shutil.rmtree(image.parent, ignore_errors=True)

    def _check_created(self) -> Image:
        """Its image. Raises UnreachableError with the command that creates it."""
        if self.image is None:
            what = "was created by another version of edgeval" if self.is_created else "is not created"
            hint = f"run: edgeval devices create {self.name}"
            raise UnreachableError(f"this emulated board {what}", seen=self.name, hint=hint)
        return self.image

    def _wait(self, login: Login, say: Say) -> None:
        """Return when a command runs on the board."""
        limit = COUNTING_LIMIT_S if self.hardware.counting else BOOT_LIMIT_S
        until, complaint = time.monotonic() + limit, ""
        while time.monotonic() < until:
            if self.running is None:
                raise self._failed("the board ended while it started", say)
            words = login.ssh("true", options=("-oBatchMode=yes", "-oConnectTimeout=5"))
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            complaint = done.stderr.strip()
            time.sleep(0.3)
        self.stop()
        raise self._failed(f"the board does not answer within {limit:.0f} s ({complaint})", say)

    def _failed(self, what: str, say: Say) -> BenchError:
        """The error for a board that did not come up; the end of its serial log is told first."""
        log = self.folder / "serial.log"
        say(f"the end of {log}:\n{tail(log, 20)}\n{tail(self.folder / 'qemu.log', 5)}")
        hint = f"its serial log is {log}; try: edgeval devices create {self.name} --rebuild"
        return UnreachableError(f"{self.name}: {what}", seen=tail(log, 1), hint=hint)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """One start at a time: a second one waits and then finds the board running."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with (self.folder / name).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def created() -> list[str]:
    """Names of the boards that were created."""
    return sorted(path.parent.name for path in _cards())


def _cards() -> list[Path]:
    """What is written down of each board that was created."""
    return list((cache() / "boards").glob("*/board.json"))
