"""Every error a user can meet, with the exit code that each one ends the command with.

    EdgevalError
    ├── InputError            2   yours: what was typed, or a file that was given
    │   ├── CardError         2   a ladder or device card, or edgeval.toml
    │   ├── DataError         2   images, labels, a table of predictions
    │   ├── ModelError        2   a model file that cannot be used
    │   └── MissingError      2   an earlier step has not run yet
    ├── BenchError            4   the bench's: the place where models run
    │   ├── UnreachableError  4   the device does not answer
    │   │   └── LinkLost      4   it did, and the connection to it broke off
    │   ├── RuntimeMissing    4   no runtime, or an extra that is not installed
    │   └── GraphError        4   training steps that could not be recorded as a CUDA graph
    │       └── DeviceMemoryError  4   the GPU has too little memory for them
    └── IntegrityError        5   hash, parity, residency or leakage: no verdict

Each carries three parts: what happened, the value seen, and what to do next.
"""


class EdgevalError(Exception):
    """Base of all errors that end a command with one clear line.

    Parameters: `what` happened; the value `seen`; the `hint` that says what to do next.
    """

    exit_code = 2

    def __init__(self, what: str, *, seen: object = None, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.seen = None if seen is None else str(seen)
        self.hint = hint

    def __str__(self) -> str:
        seen = "" if self.seen is None else f" (seen: {_one_line(self.seen)})"
        hint = f"; {self.hint}" if self.hint else ""
        return f"{_one_line(self.what)}{seen}{hint}"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.seen, self.hint)


def _rebuild(kind: type[EdgevalError], what: str, seen: str | None, hint: str) -> EdgevalError:
    """Make an error again on the other side of a process boundary."""
    return kind(what, seen=seen, hint=hint)


def _one_line(text: str, limit: int = 300) -> str:
    """Escape control characters and cut what is too long to read."""
    clean = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return clean if len(clean) <= limit else clean[:limit] + "..."


class InputError(EdgevalError):
    """Wrong use, or an input file that cannot be used."""


class CardError(InputError):
    """A card or edgeval.toml that cannot be found, read or understood."""


class DataError(InputError):
    """Images, labels or a table of predictions that cannot be used."""


class ModelError(InputError):
    """A model file that cannot be used."""


class MissingError(InputError):
    """Something that an earlier command makes is not there yet."""


class BenchError(EdgevalError):
    """The place where models run cannot do its work."""

    exit_code = 4


class UnreachableError(BenchError):
    """The device does not answer."""


class LinkLost(UnreachableError):
    """The connection to a device that did answer broke off: trying again may help."""


class RuntimeMissing(BenchError):
    """A runtime or an install extra is missing."""


class GraphError(BenchError):
    """Training steps that could not be recorded as a CUDA graph."""


class DeviceMemoryError(GraphError):
    """The GPU has too little memory for what was to be trained side by side."""


class IntegrityError(EdgevalError):
    """A hash, parity, residency or leakage check failed: there is no verdict."""

    exit_code = 5
