"""One question to the agent that has one answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from edgeval.errors import BenchError
from edgeval.run.agent import frames
from edgeval.run.agentfile import agent_bytes
from edgeval.run.faults import as_error
from edgeval.run.host import Host
from edgeval.run.intake import HINT
from edgeval.run.probe import last_line

FRAMES_MAX = 100  # one answer is asked for


def ask(
    host: Host, order: tuple[str, dict[str, Any]], kind: str, about: str, *, under: Sequence[str] = ()
) -> tuple[frames.Header, bytes]:
    """The agent's frame of this kind for an order (its command and what that reads), with its payload.

    under: words before the command line, such as those of env.
    Raises what the agent reports, in the name of `about`; BenchError if it stops without an answer or sends damage.
    """
    agent = host.put(agent_bytes(), "agent.pyz")
    words = host.put(json.dumps(order[1]).encode(), "job.json")
    answer: tuple[frames.Header, bytes] | None = None
    fault: frames.Header | None = None
    with host.run([*under, host.python, agent, order[0], words]) as process:
        frame, left = frames.read(process.stdout), FRAMES_MAX
        while frame is not None:
            if left == 0:
                raise BenchError(f"{about}: the agent answers without end", seen=f"{FRAMES_MAX} frames", hint=HINT)
            fault = fault or (frame[0] if frame[0]["type"] == "error" else None)
            answer = frame if frame[0]["type"] == kind else answer
            frame, left = frames.read(process.stdout), left - 1
        complaint = last_line(process.stderr_tail())
    if fault is not None:
        raise as_error(fault, about, complaint)
    if answer is None or not frames.intact(*answer):
        raise BenchError(f"{about}: the agent stopped without an answer", seen=complaint, hint="run it again")
    return answer
