"""The agent's commands: `facts` and `survey` print what the device is, `run JOB.json` runs a model on images.

`arena JOB.json` says what memory a model needs, `tool ORDER.json` runs a compiler on it.
"""

from __future__ import annotations

import json
import sys
from typing import List

JOBS = "run JOB.json | count JOB.json | arena JOB.json | tool ORDER.json"
USAGE = "usage: agent.pyz facts | survey FOLDER [PATH...] | " + JOBS


def main() -> int:
    """Run one command; returns the exit status. Modules are imported where they are needed: starts are frequent."""
    words: List[str] = sys.argv[1:]
    if words == ["facts"]:
        from .facts import facts

        print(json.dumps(facts()))
        return 0
    if len(words) >= 2 and words[0] == "survey":
        from .survey import survey

        print(json.dumps(survey(words[1], words[2:])))
        return 0
    if len(words) == 2 and words[0] == "run":
        from .crew import run

        return run(words[1])
    if len(words) == 2 and words[0] == "count":
        from .count import count

        with open(words[1], encoding="utf-8") as file:
            return count(json.load(file))
    if len(words) == 4 and words[0] == "work":
        from .worker import work

        with open(words[1], encoding="utf-8") as file:
            return work(json.load(file), int(words[2]), int(words[3]))
    if len(words) == 2 and words[0] == "tool":
        from .tool import run as run_tool

        return run_tool(words[1])
    if words[:1] == ["arena"] and len(words) == 2:
        from .arena import measure

        return measure(words[1])
    if words[:1] == ["attempt"] and len(words) == 3:
        from .arena import attempt

        return attempt(words[1], int(words[2]))
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
