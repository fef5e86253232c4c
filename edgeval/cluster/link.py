"""Join a Ray cluster, or start one on this machine for as long as it is needed."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edgeval.cluster.address import LOCAL, check_address, unreachable
from edgeval.cluster.scratch import scratch
from edgeval.errors import BenchError, RuntimeMissing

LONGEST = 40  # of the folder's name: Ray puts sockets into it, whose paths may have 107 characters
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
}


@contextlib.contextmanager
def linked(address: str, cores: int) -> Iterator[None]:
    """Ray, connected for the time of the context. Raises RuntimeMissing, InputError, UnreachableError."""
    if find_spec("ray") is None:
        raise RuntimeMissing("ray is not installed", hint="pip install 'edgeval-toolkit[cluster]'")
    check_address(address)
    if address != LOCAL:
        with _environment(QUIET):
            _start(address, address=address)
            yield from _until_done()
        return
    # Ray listens on all interfaces and runs what anybody sends: with a token, only what this command sends.
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    with _environment(QUIET | token), scratch("ev-", _parent()) as folder:
        _start(address, address=LOCAL, num_cpus=cores, include_dashboard=False, _temp_dir=str(folder))
        yield from _until_done()


def _start(shown: str, **how: Any) -> None:
    """ray.init, in silence. Raises UnreachableError, or BenchError where Ray does not start here."""
    import ray

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **how)
    except (OSError, ValueError, RuntimeError, SystemExit, ray.exceptions.RayError) as error:
        # SystemExit: how Ray ends a driver that it cannot connect
        seen = next(iter(str(error).splitlines()), "") or type(error).__name__
        if shown == LOCAL:
            raise BenchError("Ray does not start on this machine", seen=seen, hint="leave --cluster away") from error
        raise unreachable(shown, seen) from error


def _until_done() -> Iterator[None]:
    """Disconnect at the end, however it comes; what still runs for this command is ended by that."""
    import ray

    try:
        yield
    finally:
        ray.shutdown()


def _parent() -> Path:
    """Where a folder's name stays short."""
    usual = Path(tempfile.gettempdir())
    return usual if len(str(usual)) <= LONGEST or not os.path.isdir("/tmp") else Path("/tmp")  # noqa: S108


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """These variables set, and as they were afterwards."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
