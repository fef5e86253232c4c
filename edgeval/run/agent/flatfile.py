"""What a TFLite file is made of, read from its bytes alone: operators, tensors, and where its constants lie."""

from __future__ import annotations

import struct
from typing import List, NamedTuple, Optional, Tuple

IDENTIFIER = b"TFL3"
# Numbers of the schema's TensorType.
NUMBERED = (
    "float32 float16 int32 uint8 int64 string bool int16 complex64 int8 float64 complex128 uint64 resource variant "
    "uint32 uint16 int4 bfloat16"
)
TYPES = NUMBERED.split()


class Tensor(NamedTuple):
    """A tensor of the main subgraph; `constant`: its values stand in the file."""

    name: str
    shape: Tuple[int, ...]
    dtype: str
    constant: bool


class Operator(NamedTuple):
    """An operator: the number of its kind, the name of a custom one (else empty), and the places of its tensors."""

    number: int
    custom: str
    inputs: Tuple[int, ...]
    outputs: Tuple[int, ...]


class FlatFile(NamedTuple):
    """The main subgraph; `outside`: bytes of constants that lie behind the flatbuffer instead of inside."""

    tensors: List[Tensor]
    operators: List[Operator]
    inputs: Tuple[int, ...]
    outputs: Tuple[int, ...]
    outside: int


def read(data: bytes) -> FlatFile:
    """The parts of a TFLite file. Raises ValueError for what is none, or is damaged."""
    if data[4:8] != IDENTIFIER:
        raise ValueError("this is not a TFLite file: identifier {!r}".format(data[4:8]))
    try:
        return _read(data)
    except (struct.error, IndexError, UnicodeDecodeError, OverflowError) as error:
        raise ValueError("the TFLite file is damaged: {}".format(error)) from error


def _read(data: bytes) -> FlatFile:
    model = _Table(data, _u32(data, 0))
    codes = [_kind(code) for code in model.tables(1)]
    graph = model.tables(2)[0]
    buffers = model.tables(4)
    stored = [buffer.length(0) > 0 or buffer.u64(1) > 1 for buffer in buffers]
    tensors = [_tensor(tensor, stored) for tensor in graph.tables(0)]
    operators = [Operator(*codes[op.u32(0)], op.numbers(1), op.numbers(2)) for op in graph.tables(3)]
    for op in operators:
        for place in op.inputs + op.outputs:
            tensors[max(place, 0)]  # a damaged file fails here
    outside = sum(buffer.u64(2) for buffer in buffers if buffer.u64(1) > 1)
    return FlatFile(tensors, operators, graph.numbers(1), graph.numbers(2), outside)


def _kind(code: "_Table") -> Tuple[int, str]:
    """The number of an operator; files before 2020 keep it in a byte."""
    return max(code.i8(0), code.u32(3)), code.text(1)


def _tensor(tensor: "_Table", stored: List[bool]) -> Tensor:
    number = tensor.i8(1)
    dtype = TYPES[number] if 0 <= number < len(TYPES) else "type{}".format(number)
    return Tensor(tensor.text(3), tensor.numbers(0), dtype, stored[tensor.u32(2)])


class _Table:
    """A flatbuffer table; fields go by their place in the schema, and a missing one reads as 0 or empty."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at
        self.vtable = at - _i32(data, at)
        if at < 8 or self.vtable < 0:
            raise IndexError("a table at {}".format(at))
        self.size = struct.unpack_from("<H", data, self.vtable)[0]

    def _place(self, field: int) -> Optional[int]:
        slot = 4 + 2 * field
        offset = struct.unpack_from("<H", self.data, self.vtable + slot)[0] if slot < self.size else 0
        return self.at + offset if offset else None

    def _number(self, field: int, form: str) -> int:
        place = self._place(field)
        return 0 if place is None else int(struct.unpack_from(form, self.data, place)[0])

    def i8(self, field: int) -> int:
        return self._number(field, "<b")

    def u32(self, field: int) -> int:
        return self._number(field, "<I")

    def u64(self, field: int) -> int:
        return self._number(field, "<Q")

    def _vector(self, field: int) -> Tuple[int, int]:
        """Where a vector's items begin, and how many there are."""
        place = self._place(field)
        if place is None:
            return 0, 0
        start = place + _u32(self.data, place)
        count = _u32(self.data, start)
        if start + 4 + count > len(self.data):
            raise IndexError("{} items at {}".format(count, start))
        return start + 4, count

    def length(self, field: int) -> int:
        return self._vector(field)[1]

    def numbers(self, field: int) -> Tuple[int, ...]:
        """A vector of int32."""
        start, count = self._vector(field)
        return struct.unpack_from("<{}i".format(count), self.data, start)

    def tables(self, field: int) -> List["_Table"]:
        start, count = self._vector(field)
        places = range(start, start + 4 * count, 4)
        return [_Table(self.data, place + _u32(self.data, place)) for place in places]

    def text(self, field: int) -> str:
        start, count = self._vector(field)
        return self.data[start : start + count].decode("utf-8", "replace")


def _u32(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def _i32(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<i", data, at)[0])
