"""How long `edgeval demo` takes and how much memory all its processes hold:  python tests/benchmarks/demo.py

Prints seconds and the highest sum of proportional set sizes (PSS, Linux) of the command and its children.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def family(root: int) -> list[int]:
    """A process and all its descendants."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def pss_mib(pid: int) -> float:
    """Proportional set size in MiB; 0 for a process that is gone."""
    try:
        match = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    except OSError:
        return 0.0
    return int(match[1]) / 1024 if match else 0.0


def main() -> None:
    """Run the demo in an empty folder and watch it."""
    with tempfile.TemporaryDirectory() as folder:
        begun, highest = time.monotonic(), 0.0
        process = subprocess.Popen([sys.executable, "-m", "edgeval", "demo", "-q"], cwd=folder)
        while process.poll() is None:
            highest = max(highest, sum(pss_mib(pid) for pid in family(process.pid)))
            time.sleep(0.5)
        print(f"exit {process.returncode}, {time.monotonic() - begun:.0f} s, at most {highest:.0f} MiB")


if __name__ == "__main__":
    main()
