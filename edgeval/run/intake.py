"""What a device may say: headers are checked before they count, and texts made harmless before they are seen."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from edgeval.errors import BenchError, IntegrityError
from edgeval.records.arena import Arena
from edgeval.records.artifact import Preprocess
from edgeval.records.predictions import Latency
from edgeval.run.agent import frames

NUMBERS = r"[<>|=]?(f2|f4|f8|[iu][1248])"  # never objects, texts or records
TEXT_MAX, ITEMS_MAX, DEPTH_MAX = 4000, 5000, 8
OUTPUTS_MAX = 1 << 20
REPORT_MAX = 8000  # characters of a compiler's report, as the agent cuts it
# What an account may hold, of which kind; what is not there, or null, is not told.
ACCOUNT: dict[str, type] = {
    **dict.fromkeys(("engine", "version", "kernels", "compiled", "compiled_sha256"), str),
    **dict.fromkeys(("delegate", "requested_delegate", "delegate_version", "delegate_name"), str),
    **dict.fromkeys(("unproven", "devices"), list),
    "delegated": int,
}
HINT = "is the agent on the device really ours? edgeval devices clean removes it, the next run sends it again"

Range = tuple[int, int]


def harmless(value: Any, depth: int = DEPTH_MAX) -> Any:
    """A JSON value without control characters, endless text or numbers that are none."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in value[:TEXT_MAX])
    if isinstance(value, dict) and depth:
        items = list(value.items())[:ITEMS_MAX]
        return {harmless(str(key)): harmless(inner, depth - 1) for key, inner in items}
    if isinstance(value, list) and depth:
        return [harmless(inner, depth - 1) for inner in value[:ITEMS_MAX]]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float) else None


def read_facts(line: bytes) -> dict[str, Any]:
    """What a device says of itself. Raises BenchError for what the agent would not say."""
    try:
        facts = harmless(json.loads(line))
    except (ValueError, RecursionError) as error:
        raise BenchError("the device's answer cannot be read", seen=error, hint=HINT) from error
    runtimes = facts.get("runtimes") if isinstance(facts, dict) else None
    if not isinstance(runtimes, dict) or not all(isinstance(v, str) for v in runtimes.values()):
        raise BenchError("the device does not say which runtimes it has", seen=runtimes, hint=HINT)
    if not isinstance(facts.get("numpy"), str | None) or not isinstance(facts.get("pointer_bits"), int):
        raise BenchError("the device's answer is not the agent's", seen=facts.get("numpy"), hint=HINT)
    return dict(facts)


def read_hello(header: frames.Header) -> dict[str, Any]:
    """How the model runs there. Raises IntegrityError for what the agent would not say."""
    hello = harmless({key: value for key, value in header.items() if key not in ("type", "size", "sha256")})
    tensors = [hello.get("input"), hello.get("output")]
    if not all(isinstance(tensor, dict) and _grid(tensor) for tensor in tensors):
        raise IntegrityError("the agent's account of the model cannot be used", seen=str(tensors)[:200], hint=HINT)
    wrong = _wrong(hello, ACCOUNT) or _wrong(hello["input"], {"preprocess": dict})
    try:
        Preprocess.model_validate(hello["input"].get("preprocess") or {})
    except ValidationError as error:
        wrong = wrong or f"preprocess: {error.errors()[0]['msg']}"
    if wrong:
        raise IntegrityError("the agent's account of the run cannot be used", seen=wrong, hint=HINT)
    return dict(hello)


def read_delegate(header: frames.Header) -> dict[str, Any]:
    """What a delegate's library said of itself. Raises BenchError for what the agent would not say."""
    known = harmless({key: value for key, value in header.items() if key not in ("type", "size", "sha256")})
    wrong = _wrong(known, ACCOUNT)
    if wrong:
        raise BenchError("the agent's account of the delegate cannot be used", seen=wrong, hint=HINT)
    return dict(known)


def read_recorded(header: frames.Header) -> dict[str, Any]:
    """What a recording says beside its answers: `health` and `instructions`. Raises IntegrityError."""
    found = harmless({key: header.get(key) for key in ("health", "instructions")})
    wrong = _wrong(found, {"health": dict, "instructions": int}) or _wrong(found["health"] or {}, {"failed": list})
    if wrong:
        raise IntegrityError("what the recording says of the run cannot be used", seen=wrong)
    return dict(found)


def read_count(header: frames.Header) -> int:
    """Counted instructions. Raises IntegrityError."""
    median = header.get("median")
    if type(median) is not int or not 0 <= median < 1 << 62:
        raise IntegrityError("the device's count of instructions is none", seen=harmless(str(median)), hint=HINT)
    return median


def read_arena(header: frames.Header) -> Arena:
    """Measured sizes of an arena. Raises IntegrityError."""
    try:
        return Arena.model_validate({key: header.get(key) for key in Arena.model_fields}, strict=True)
    except ValidationError as error:
        seen = error.errors()[0]["msg"]
        raise IntegrityError("the agent's account of the arena is no measurement", seen=seen, hint=HINT) from error


def read_report(header: frames.Header) -> tuple[int, str]:
    """A compiler's exit status and its words. Raises BenchError for what the agent would not say."""
    status, text = header.get("status"), header.get("text")
    if type(status) is not int or not isinstance(text, str):
        seen = harmless(f"status {status}, text {text}")
        raise BenchError("the compiler's host does not say how it went", seen=seen, hint=HINT)
    return status, "\n".join(harmless(line) for line in text[-REPORT_MAX:].splitlines())


def read_fault(header: frames.Header) -> dict[str, str]:
    """The fields of an error frame, all of them text."""
    return {key: str(harmless(str(header.get(key) or "")))[:1000] for key in ("code", "message", "seen", "hint")}


def read_latency(header: frames.Header) -> Latency:
    """Measured latency. Raises IntegrityError."""
    try:
        return Latency.model_validate({key: header.get(key) for key in ("p50", "p95", "n", "threads")})
    except ValidationError as error:
        raise IntegrityError("the device's latency is no measurement", seen=error.errors()[0]["msg"]) from error


def read_memory(header: frames.Header) -> float:
    """Measured memory in MiB. Raises IntegrityError."""
    peak = header.get("peak_mb")
    if isinstance(peak, bool) or not isinstance(peak, int | float) or not 0 <= peak < 1e9:
        raise IntegrityError("the device's memory is no measurement", seen=harmless(str(peak)))
    return float(peak)


def read_look(header: frames.Header) -> dict[str, Any]:
    """One look at temperature (C), clock (MHz) and slow-downs; what is no measurement counts as not told."""
    look: dict[str, Any] = harmless(header)
    for key in ("temperature_c", "frequency_mhz"):
        value = look.get(key)
        look[key] = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    for key in ("throttling", "throttled_before"):
        words = look.get(key)
        look[key] = [str(word) for word in words[:20]] if isinstance(words, list) else []
    return look | {"throttled": look.get("throttled")}


def read_chunk(header: frames.Header, payload: bytes, todo: list[Range]) -> tuple[Range, NDArray[np.generic]] | None:
    """Which images a chunk answers, and the answers (n, C); None for what is damaged, unasked or no numbers."""
    start, stop, shape, dtype = (header.get(key) for key in ("start", "stop", "shape", "dtype"))
    if type(start) is not int or type(stop) is not int or not any(a <= start < stop <= b for a, b in todo):
        return None
    if not isinstance(shape, list) or len(shape) != 2 or any(type(size) is not int for size in shape):
        return None
    if shape[0] != stop - start or not 0 < shape[1] <= OUTPUTS_MAX or not re.fullmatch(NUMBERS, str(dtype)):
        return None
    kind = np.dtype(str(dtype))
    if len(payload) != shape[0] * shape[1] * kind.itemsize or not frames.intact(header, payload):
        return None
    return (start, stop), np.frombuffer(payload, kind).reshape(shape)


def _wrong(told: dict[str, Any], kinds: dict[str, type]) -> str:
    """The first of these that is of another kind, or a list of texts that holds something else; empty if none is."""
    for key, kind in kinds.items():
        value = told.get(key)
        listed = isinstance(value, list) and key != "devices" and not all(isinstance(item, str) for item in value)
        if value is not None and (not isinstance(value, kind) or listed):
            return f"{key}: {str(value)[:80]}"
    return ""


def _grid(tensor: dict[str, Any]) -> bool:
    """Whether scale and zero point can be counted with."""
    scale, zero = tensor.get("scale"), tensor.get("zero_point")
    if scale is None:
        return True
    return isinstance(scale, int | float) and 0 < scale < 1e30 and type(zero) is int and abs(zero) < 1 << 40
