"""Check a device: reach it, ask it what it is, and say what is missing in the order in which a person would mend it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from edgeval.errors import BenchError, UnreachableError
from edgeval.records.foreign import check_trusted
from edgeval.records.reporter import Reporter
from edgeval.records.target import Target, load_target
from edgeval.run.check.account import read_survey
from edgeval.run.check.finding import Finding, Survey
from edgeval.run.check.listing import asked_paths, findings
from edgeval.run.check.python import MODULES, best_wheel, wanted, way
from edgeval.run.host import Host
from edgeval.run.probe import ANSWER_MAX, last_line, survey
from edgeval.run.ssh import SshHost
from edgeval.run.ssh.link import FOLDER
from edgeval.workflow.bench import open_host

# Without the working folder, which Python's -c searches first: something of that name may lie there.
IMPORT = "import sys; sys.path = [place for place in sys.path if place]; import {}"


@dataclass(frozen=True)
class Checkup:
    """What was found on a device; complete if nothing is missing."""

    target: Target
    findings: tuple[Finding, ...]

    @property
    def complete(self) -> bool:
        return all(item.state != "missing" for item in self.findings)


def check_device(name: str, reporter: Reporter) -> Checkup:
    """All findings on the device called `name`. Raises CardError for a card that cannot be read."""
    target = load_target(name)
    check_trusted(target, typed=target.explicit)
    way_there = f"{target.transport.type} {target.transport.host or ''}".strip()
    try:
        with open_host(target, reporter) as host:
            reporter.say(f"{target.name} is reached; asking what it is")
            there = host.target if isinstance(host, SshHost) else target  # an emulated board is reached over ssh too
            return Checkup(target, (Finding("reached", "ok", way_there), *_looked(host, there)))
    except UnreachableError as error:
        said = f"{error.what} (seen: {error.seen})" if error.seen else error.what
        return Checkup(target, (Finding("reached", "missing", said, (error.hint,) if error.hint else ()),))
    except BenchError as error:
        said = f"{error.what} (seen: {error.seen})" if error.seen else error.what
        reached = Finding("reached", "ok", way_there)
        name = "folder" if "folder" in error.what else "Python"
        return Checkup(target, (reached, Finding(name, "missing", said, (error.hint,) if error.hint else ())))


def _looked(host: Host, target: Target) -> list[Finding]:
    """Findings on a device that can be reached."""
    found = read_survey(survey(host, target.transport.workdir or FOLDER, asked_paths(target)))
    listed = findings(found, target, time.time())
    broken = _broken(host, target, found)
    return [broken if broken and item.name == "runtime" and item.state != "missing" else item for item in listed]


def _broken(host: Host, target: Target, found: Survey) -> Finding | None:
    """What is wrong with a runtime that is installed: importing it is the only way to see. None if nothing is."""
    engine = next((name for name in wanted(target) if name in found["runtimes"]), None)
    if engine is None or found["numpy"] is None:
        return None
    with host.run([host.python, "-c", IMPORT.format(MODULES[engine])]) as process:
        if len(process.stdout.read(ANSWER_MAX)) == ANSWER_MAX:
            return Finding("runtime", "missing", f"{engine} writes without end while it is imported")
        status, complaint = process.wait(), process.stderr_tail()
    if status == 0:
        return None
    said = f"{engine} {found['runtimes'][engine]} cannot be imported (exit status {status}: {last_line(complaint)})"
    best = best_wheel(found, target)
    return Finding("runtime", "missing", said, way(found, target, (best.spec, best.numpy)) if best else ())
