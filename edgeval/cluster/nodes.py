"""What the nodes of a cluster have installed, against this machine: results are the same only where versions are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgeval.errors import RuntimeMissing, UnreachableError

PATIENCE_S = 60.0
Versions = Mapping[str, str | None]


@dataclass(frozen=True)
class Node:
    """A machine of the cluster: its id, name, cores and GPUs."""

    id: str
    name: str
    cpus: float
    gpus: float


def nodes() -> list[Node]:
    """The nodes that are alive and take jobs."""
    import ray

    return [
        Node(found["NodeID"], found["NodeManagerHostname"], *(found["Resources"].get(kind, 0.0) for kind in KINDS))
        for found in ray.nodes()
        if found["Alive"] and found["Resources"].get("CPU", 0) >= 1
    ]


KINDS = ("CPU", "GPU")


def survey() -> Callable[[Sequence[str]], Versions]:
    """A function that tells versions wherever it runs: of no module, so that a node needs nothing of ours for it."""

    def versions(packages: Sequence[str]) -> Versions:
        import hashlib
        import importlib.metadata
        import importlib.util
        import pathlib
        import platform

        found: dict[str, str | None] = {"python": ".".join(platform.python_version_tuple()[:2])}
        for package in packages:
            try:  # a build for GPUs answers as the one for CPUs, within rounding
                found[package] = importlib.metadata.version(package).partition("+")[0]
            except importlib.metadata.PackageNotFoundError:
                found[package] = None
        spec = importlib.util.find_spec("edgeval")
        if spec is None or spec.origin is None:
            return {"edgeval": None, **found}
        digest, folder = hashlib.sha256(), pathlib.Path(spec.origin).parent
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
        said = (folder / "__init__.py").read_text(encoding="utf-8").partition('__version__ = "')[2].partition('"')[0]
        return {"edgeval": f"{said} ({digest.hexdigest()[:8]})", **found}

    return versions


def check_versions(packages: Sequence[str]) -> None:
    """Raise RuntimeMissing where a node has other versions than this machine, in one line that names both."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    tell = survey()
    here, remote = tell(packages), ray.remote(num_cpus=0, max_retries=0)(tell)
    asked = {
        remote.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)).remote(packages): node
        for node in nodes()
    }
    for reference, node in asked.items():
        try:
            there = ray.get(reference, timeout=PATIENCE_S)
        except ray.exceptions.RayError as error:
            hint = "see its logs, or stop Ray there"
            raise UnreachableError(f"node {node.name} does not answer", seen=type(error).__name__, hint=hint) from error
        check_same(here, there, node.name)


def check_same(here: Versions, there: Versions, name: str) -> None:
    """Raise RuntimeMissing at the first version that differs."""
    for package, mine in here.items():
        if there.get(package) != mine:
            seen = f"{package} {there.get(package) or 'missing'} there, {mine or 'missing'} here"
            hint = "install the same versions on both: results would differ"
            raise RuntimeMissing(f"node {name} differs from this machine", seen=seen, hint=hint)
