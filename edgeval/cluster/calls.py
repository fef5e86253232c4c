"""Calls of a generator on the nodes of a cluster: what they yield comes in as it is made, and deaths are told."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

GRACE_S = 3.0


@dataclass(frozen=True)
class Died:
    """A call that ended without having said its last word: its worker, its node, or what it yielded was lost."""

    how: str


@dataclass(frozen=True)
class Failed:
    """A call that could not even start on its node."""

    how: str


class Calls:
    """Calls that run at once; each holds one core, and `gpus` of a GPU."""

    def __init__(self, function: Callable[..., Iterator[Any]], gpus: float) -> None:
        import ray

        kept = {"num_cpus": 1, "num_gpus": gpus, "num_returns": "streaming", "max_retries": 0}
        self._remote = ray.remote(**kept)(function)
        self._running: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self._running)

    def start(self, label: int, *arguments: Any) -> None:
        """One more call, wherever there is room; `label` comes with all that it yields."""
        self._running[self._remote.remote(*arguments)] = label

    def wait(self, patience_s: float) -> list[tuple[int, Any]]:
        """What came next, with its label; nothing where nothing came in time."""
        import ray

        ready, _ = ray.wait(list(self._running), num_returns=1, timeout=patience_s, fetch_local=False)
        return [(self._running[call], self._read(call)) for call in ready]

    def _read(self, call: Any) -> Any:
        """The next message of a call."""
        import ray

        try:
            return ray.get(next(call))
        except StopIteration:
            return Died("it ended early")
        except ray.exceptions.RayTaskError as error:
            return Failed(str(error).strip().splitlines()[-1])
        except ray.exceptions.RayError as error:
            return Died(type(error).__name__)

    def end(self, label: int) -> None:
        """A call whose last word was heard, or that died, is forgotten."""
        self._running = {call: at for call, at in self._running.items() if at != label}

    def cancel(self) -> None:
        """End all calls: gently, so that they clean up, and for as long as that takes at most."""
        import ray

        for call in self._running:
            with contextlib.suppress(ray.exceptions.RayError, ValueError):
                ray.cancel(call, force=False)
        ended = time.monotonic() + GRACE_S
        while self._running and time.monotonic() < ended:
            for label, message in self.wait(0.2):
                if isinstance(message, Died | Failed):
                    self.end(label)


def keep(value: Any) -> Any:
    """Put a value where all nodes can get it, once; the reference stands for it among a call's arguments."""
    import ray

    return ray.put(value)
