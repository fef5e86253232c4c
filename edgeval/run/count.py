"""Ask a host how many instructions one answer of a model takes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from edgeval.errors import BenchError
from edgeval.run.agent import frames
from edgeval.run.bundle import agent_bytes
from edgeval.run.faults import as_error
from edgeval.run.host import Host
from edgeval.run.infer import check
from edgeval.run.job import Job
from edgeval.run.order import order
from edgeval.run.probe import last_line, pick_engine

# Hashes of strings are random in each process otherwise, and with them the way through every dictionary.
SAME_EVERY_TIME = ("/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "PYTHONHASHSEED=0")


def count_instructions(host: Host, job: Job, facts: dict[str, Any]) -> int:
    """Instructions for the first of the job's images, batch 1, one thread: the median of many calls after a warm-up.

    Raises BenchError where the host has no such counter.
    """
    check(job)
    one = replace(job, samples=job.samples.take(np.arange(1)))
    words = order(host, one, pick_engine(facts, job.target, job.model))
    agent = host.put(agent_bytes(), "agent.pyz")
    where = host.put(json.dumps(words).encode(), "job.json")
    with host.run([*SAME_EVERY_TIME, host.python, agent, "count", where]) as process:
        frame = frames.read(process.stdout)
        complaint = process.stderr_tail()
    if frame is None:
        seen = last_line(complaint)
        raise BenchError("the agent stopped while it counted instructions", seen=seen, hint="run it again")
    header = frame[0]
    if header["type"] != "instructions":
        raise as_error(header, job.model.name, last_line(complaint))
    return int(header["median"])
