"""Many steps of many branches as one launch: recorded in a CUDA graph, or run one after another on a CPU."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from edgeval.errors import DeviceMemoryError, GraphError
from edgeval.train.branch import Branch

Launch = Callable[[], None]
WARM_UP = 3  # the steps 0, 1, 2: their batches begin at every alignment that Triton compiles a kernel for


def recorded(branches: Sequence[Branch], chunk: int) -> Launch:
    """A function that runs `chunk` steps of each branch. Raises torch.cuda.OutOfMemoryError."""
    if not branches[0].labels.is_cuda:
        return lambda: in_turn(branches, chunk)
    streams: list[torch.cuda.Stream] = [torch.cuda.Stream() for _ in branches]  # type: ignore[no-untyped-call]
    _warm_up(branches, streams)
    main: torch.cuda.Stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    graph = torch.cuda.CUDAGraph()
    gc.collect()
    gc.disable()  # a collection while recording might free what must not be freed then
    try:
        with torch.cuda.graph(graph, stream=main):
            for stream in streams:  # fork all before any works, else each would wait for the one before
                stream.wait_stream(main)
            for branch, stream in zip(branches, streams, strict=True):
                with torch.cuda.stream(stream):
                    for k in range(chunk):
                        branch.step(k)
            for stream in streams:
                main.wait_stream(stream)
    finally:
        gc.enable()
    torch.cuda.synchronize()
    return graph.replay


def in_turn(branches: Sequence[Branch], chunk: int) -> None:
    """The same steps without a graph."""
    for branch in branches:
        for k in range(chunk):
            branch.step(k)


def _warm_up(branches: Sequence[Branch], streams: Sequence[torch.cuda.Stream]) -> None:
    """Let libraries choose and compile on the streams that are recorded, then put every changed tensor back.

    Raises torch.cuda.OutOfMemoryError when the branches' peaks together exceed what is free: one by one they fit, and
    running short while recording would leave the process unusable.
    """
    needed = 0
    for branch, stream in zip(branches, streams, strict=True):
        kept = [tensor.clone() for tensor in branch.tensors()]
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        with torch.cuda.stream(stream):
            for k in range(WARM_UP):
                branch.step(k % len(branch.index))
        torch.cuda.synchronize()
        needed += torch.cuda.max_memory_allocated() - before
        with torch.no_grad():
            for tensor, value in zip(branch.tensors(), kept, strict=True):
                tensor.copy_(value)
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    if needed > free:
        raise torch.cuda.OutOfMemoryError(f"{needed >> 20} MiB needed, {free >> 20} MiB free")


@contextmanager
def told(count: int) -> Iterator[None]:
    """Turn torch's errors of building a graph into ours. Raises DeviceMemoryError or GraphError."""
    try:
        yield
    except RuntimeError as error:
        seen = str(error).partition("\n")[0]
        if _short_of_memory(error):
            raise DeviceMemoryError(f"the GPU has too little memory for {count} branches", seen=seen) from error
        raise GraphError("the training steps could not be recorded as a CUDA graph", seen=seen) from error


def _short_of_memory(error: BaseException | None) -> bool:
    """Whether memory is behind it: the end of a broken recording hides the first error."""
    while error is not None:
        if isinstance(error, torch.cuda.OutOfMemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False
