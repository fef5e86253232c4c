"""The disk image of a board: built once without root, kept under the hash of its pins, whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeval.emulate import pins
from edgeval.emulate.programs import BUILD, finish, require, run, start
from edgeval.emulate.rootfs import byte_compile, first_files, lay_out
from edgeval.errors import BenchError, RuntimeMissing
from edgeval.records.reporter import Progress

FILES = ("disk.img", "vmlinuz", "initrd.cpio")
MANIFEST = "manifest.json"
STEPS = 5


@dataclass(frozen=True)
class Image:
    """A finished image: disk, kernel and first file system in one folder."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk.img"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.cpio"

    @property
    def size_mb(self) -> int:
        """What it takes on the disk, in MB; holes do not count."""
        return sum((self.folder / name).stat().st_blocks for name in FILES) * 512 // 1_000_000


def cache() -> Path:
    """Where images and boards of this user are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home).absolute() / "edgeval" / "boards"


def check_own(folder: Path) -> None:
    """Raise BenchError for a folder of another user's, or one that others may write to: what lies there is believed."""
    if not folder.exists():
        return
    about = folder.stat()
    if about.st_uid != os.getuid() or about.st_mode & stat.S_IWOTH:
        hint = "set XDG_CACHE_HOME to a folder of your own"
        raise BenchError("others can write where emulated boards are kept", seen=folder, hint=hint)


def find_image(*, wheels: bool = True) -> Image | None:
    """The image of these pins, if it was built and has its full size."""
    folder = cache() / "images" / pins.image_key(wheels=wheels)
    try:
        sizes = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sizes"]
        whole = all((folder / name).stat().st_size == sizes[name] for name in FILES)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Image(folder) if whole else None


def build_image(progress: Progress, say: Callable[[str], None], *, wheels: bool = True, rebuild: bool = False) -> Image:
    """The image of these pins, built if it is not there. Raises RuntimeMissing or BenchError (exit 4)."""
    images = cache() / "images"
    images.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(images / "lock", say):
        found = find_image(wheels=wheels)
        if found and not rebuild:
            return found
        require(BUILD)
        for left in images.glob("part-*"):  # of builds that were killed
            shutil.rmtree(left, ignore_errors=True)
        place = images / pins.image_key(wheels=wheels)
        log = images / "build.log"
        log.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="part-", dir=images) as folder:
            made = Path(folder) / "image"
            made.mkdir()
            _build(Path(folder), made, log, progress, wheels)
            _seal(made, wheels)
            if place.exists():
                shutil.rmtree(place)
            made.rename(place)
        return Image(place)


def _build(work: Path, made: Path, log: Path, progress: Progress, wheels: bool) -> None:
    """Debian packages and wheels side by side, then byte code, first file system and disk."""
    root, site = work / "root", work / "site"
    site.mkdir()
    progress(0, STEPS)
    pip = _start_pip(site, log) if wheels else None
    debian = start(_mmdebstrap(root), log)
    try:
        finish(debian, log, "downloading the board's Debian packages")
        progress(1, STEPS)
        if pip:
            finish(pip, log, "downloading the board's wheels")
    finally:
        for child in (debian, pip):
            if child and child.poll() is None:
                child.terminate()
                child.wait()
    progress(2, STEPS)
    modules = lay_out(root, site, made / "vmlinuz")
    byte_compile(root, log)
    progress(3, STEPS)
    pack(first_files(root, modules, work / "first"), made / "initrd.cpio", log)
    progress(4, STEPS)
    _make_disk(root, made / "disk.img", log)
    progress(5, STEPS)


def _mmdebstrap(root: Path) -> list[str | Path]:
    """Packages are only unpacked: no program of theirs runs, so nothing is emulated and no root is needed."""
    chosen = [f"--arch={pins.ARCHITECTURE}", "--variant=extract", "--mode=chrootless", "--format=directory"]
    return ["mmdebstrap", *chosen, f"--include={','.join(pins.PACKAGES)}", pins.SUITE, root]


def _start_pip(site: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start pip, which fetches wheels for the board's Python and processor."""
    known = subprocess.run(
        [sys.executable, "-m", "pip", "--version"], capture_output=True, check=False, cwd=site.parent
    )
    if known.returncode:
        hint = f"run: {sys.executable} -m ensurepip"
        raise RuntimeMissing("the board's wheels are fetched by pip, which is missing", seen=sys.executable, hint=hint)
    platforms = [word for name in pins.PLATFORMS for word in ("--platform", name)]
    how = ["--no-compile", "--no-input", "--only-binary=:all:", "--implementation", "cp"]
    which = [*platforms, "--python-version", pins.PYTHON]
    # Python's -m looks into its working folder first: not the user's, where another pip may lie.
    return start(
        [sys.executable, "-m", "pip", "install", "--target", site, *how, *which, *pins.WHEELS], log, cwd=site.parent
    )


def pack(folder: Path, archive: Path, log: Path) -> None:
    """All of a folder as one archive that the kernel unpacks, owned by root."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    listing = "\n".join(names).encode() + b"\n"
    command = ["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"]
    with archive.open("wb") as out, log.open("ab") as said:
        done = subprocess.run(command, cwd=folder, input=listing, stdout=out, stderr=said, check=False)
    if done.returncode:
        raise BenchError("the board's first file system cannot be packed", seen=archive, hint=f"see {log}")


def _make_disk(root: Path, disk: Path, log: Path) -> None:
    """An ext4 disk that holds `root`; under fakeroot all of it belongs to root."""
    used = sum(4096 + (-(-path.lstat().st_size // 4096)) * 4096 for path in root.rglob("*"))
    size_mb = used // 1_000_000 + pins.SPARE_MB
    plain = ["-q", "-F", "-m", "0", "-O", "^has_journal,^metadata_csum", "-E", "lazy_itable_init=1"]
    run(["fakeroot", "mkfs.ext4", *plain, "-d", root, disk, f"{size_mb}M"], log, "making the board's disk")


def _seal(made: Path, wheels: bool) -> None:
    """Write down what was built, last of all, and see to it that everything lies on the disk."""
    sizes = {name: (made / name).stat().st_size for name in FILES}
    text = json.dumps({"pins": pins.pins(wheels=wheels), "sizes": sizes}, indent=1)
    (made / MANIFEST).write_text(text + "\n", encoding="utf-8")
    for name in (*FILES, MANIFEST):
        with (made / name).open("rb") as file:
            os.fsync(file.fileno())


@contextmanager
def _locked(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """One build at a time; the second waits for the first, and then finds its image."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another edgeval builds the image: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
