"""Ask a host how many instructions one answer of a model takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgeval.run.ask import ask
from edgeval.run.host import Host
from edgeval.run.infer import check
from edgeval.run.intake import read_count
from edgeval.run.job import Job
from edgeval.run.order import order
from edgeval.run.probe import pick_engine

# Hashes of strings are random in each process otherwise, and with them the way through every dictionary.
SAME_EVERY_TIME = ("/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "PYTHONHASHSEED=0")


def count_instructions(host: Host, job: Job, facts: dict[str, Any]) -> int:
    """Instructions for the first of the job's images, batch 1, one thread: the median of many calls after a warm-up.

    Raises BenchError where the host has no such counter.
    """
    check(job)
    one = replace(job, samples=job.samples.take(np.arange(1)))
    words = order(host, one, pick_engine(facts, job.target, job.model))
    header, _ = ask(host, ("count", words), "instructions", job.model.name, under=SAME_EVERY_TIME)
    return read_count(header)
