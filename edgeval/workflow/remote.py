"""Run jobs on a cluster as if they ran here: files arrive as they are made, and what dies goes on elsewhere."""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Any

from edgeval.cluster.address import LOCAL as HERE
from edgeval.cluster.calls import Calls, Died, Failed, keep
from edgeval.cluster.link import linked
from edgeval.cluster.nodes import check_versions, nodes
from edgeval.errors import BenchError, InputError
from edgeval.records.reporter import Reporter
from edgeval.store import Store
from edgeval.workflow import jobs
from edgeval.workflow.measured import fetch
from edgeval.workflow.parcel import movables, pack, receive, serve

TRIES = 4  # of a job that makes no headway
PATIENCE_S = 60.0
PACKAGES = {
    "train": ("torch", "torchvision", "numpy", "safetensors"),
    "export": ("torch", "torchvision", "numpy", "litert-torch", "ai-edge-quantizer", "ai-edge-litert", "onnxruntime"),
    "simulate": ("torch", "numpy", "scipy"),
    "run": ("numpy", "ai-edge-litert", "onnxruntime"),
}


@contextlib.contextmanager
def pool_of(
    address: str | None, verb: str, reporter: Reporter, *, device: str = "cpu", gpus: float | None = None
) -> Iterator[jobs.Pool]:
    """Where the jobs of a verb run: this machine, or the cluster at an address, whose versions must be those here.

    gpus: the part of a GPU that each job gets, where the device is one.
    """
    if address is None:
        yield jobs.LOCAL
        return
    with linked(address, jobs.cores()):
        if address != HERE:
            check_versions(PACKAGES[verb])
        pool = Remote(reporter, gpus if device != "cpu" else None, device)
        what = f"{len(nodes())} node{'s' * (len(nodes()) != 1)}"
        reporter.say(f"cluster: {what}, {pool.size()} jobs at once{' on GPUs' * (pool.device == 'cuda')}")
        yield pool


class Remote:
    """A pool on the cluster that this process has joined."""

    def __init__(self, reporter: Reporter, gpus: float | None, device: str) -> None:
        self.reporter = reporter
        self.device = self._device(device)
        self.gpus = (gpus or 1.0) if self.device == "cuda" else 0.0
        self._data: dict[tuple[str, ...], Any] = {}
        self._begun = self.size()
        if not self._begun:
            hint = "start Ray on a machine with more of them" + "; or lower --gpus-per-job" * bool(self.gpus)
            raise BenchError("no node of the cluster has room for a job", seen=self._wanted(), hint=hint)

    def size(self) -> int:
        """Jobs that can run at once."""
        return sum(int(min(node.cpus, node.gpus / self.gpus + 1e-9 if self.gpus else node.cpus)) for node in nodes())

    def run(self, tasks: Sequence[jobs.Task], workers: int) -> Iterator[jobs.Outcome]:
        """Run tasks in order, up to `workers` at once; on more where nodes have joined. Yields outcomes as they come.

        A job whose worker or node dies is started again from what it had sent, on any node.
        """
        queue, deaths, places = deque(range(len(tasks))), Counter[int](), dict[int, str]()
        calls = Calls(serve, self.gpus)
        try:
            while queue or len(calls):
                while queue and len(calls) < self._limit(workers):
                    index = queue.popleft()
                    calls.start(index, *self._packed(tasks[index]))
                heard = calls.wait(PATIENCE_S)
                if not heard and not nodes():
                    self.reporter.say("no node of the cluster is left; waiting for one")
                for index, message in heard:
                    outcome = self._heard(index, tasks[index], message, (deaths, places))
                    if outcome is None:
                        continue
                    calls.end(index)
                    if outcome.died and deaths[index] < TRIES:
                        queue.appendleft(index)
                    else:
                        yield outcome
        finally:
            calls.cancel()

    def _limit(self, workers: int) -> int:
        """As many as were asked for; where that was all, as many as the cluster has room for now."""
        return workers if workers < self._begun else max(workers, self.size())

    def _packed(self, task: jobs.Task) -> list[Any]:
        """The task and its data; each data set is sent to the cluster once."""
        parcel, ladder = pack(task), movables(task.job)[0].ladder
        found = []
        for need in parcel.needs:
            assert ladder is not None
            name = (str(ladder.path.parent), ladder.task.model_dump_json(), str(need))
            if name not in self._data:
                self._data[name] = keep(fetch(ladder, need, self.reporter.bar(f"{need[0]} data", "")))
            found.append(self._data[name])
        return [parcel, *found]

    def _heard(
        self, index: int, task: jobs.Task, message: Any, seen: tuple[Counter[int], dict[int, str]]
    ) -> jobs.Outcome | None:
        """Act on one message; an Outcome when this try has ended."""
        deaths, places = seen
        if isinstance(message, Died):
            error = BenchError("a worker died", seen=message.how)
            return self._lost(jobs.Outcome(index, error=error, died=True), task, seen)
        if isinstance(message, Failed):
            hint = "see Ray's logs on that node"
            return jobs.Outcome(index, error=BenchError("a job could not start", seen=message.how, hint=hint))
        if isinstance(message, jobs.Outcome):
            ended = jobs.Outcome(index, message.result, message.error, message.died)
            return self._lost(ended, task, seen) if ended.died else ended
        kind, *values = message
        if kind == "where":
            places[index] = values[0]
        elif kind == "progress":
            task.progress(*values)
        elif kind == "files":
            first = movables(task.job)[0]
            receive(Store(first.root), *values)
            deaths[index] *= not first.resumes
        return None

    def _lost(self, outcome: jobs.Outcome, task: jobs.Task, seen: tuple[Counter[int], dict[int, str]]) -> jobs.Outcome:
        """Count a death and say it."""
        deaths, places = seen
        deaths[outcome.index] += 1
        error, count = outcome.error, deaths[outcome.index]
        why = error.seen if error else ""
        where = places.get(outcome.index, "a node")
        if count < TRIES:
            said = f"its worker on {where} died ({why}); it goes on from what was saved (try {count + 1} of {TRIES})"
            self.reporter.say(f"{task.name}: {said}")
            return outcome
        hint = f"it died {TRIES} times without headway; its output: {task.log}"
        died = BenchError(f"{task.name}: its workers died, the last on {where}", seen=why, hint=hint)
        return jobs.Outcome(outcome.index, error=died, died=True)

    def _device(self, asked: str) -> str:
        """The torch device. Raises InputError for a GPU that no node has."""
        found = any(node.gpus for node in nodes())
        if asked == "cuda" and not found:
            raise InputError("no node of the cluster has a GPU", seen="--device cuda", hint="use --device cpu")
        return "cuda" if found and asked != "cpu" else "cpu"

    def _wanted(self) -> str:
        return f"a core and {self.gpus:g} of a GPU" if self.gpus else "a core"
