"""A model compiled for an accelerator: what its compiler reported, what the file says of itself, where it came from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeval.records.cards import Record

MAPPED = "Mapped to Edge TPU"


class OperatorRow(Record):
    """One row of the compiler's table: how many of these operators, and what became of them."""

    operator: str
    count: int
    status: str


class CompilerReport(Record):
    """What the compiler printed; None where it did not say. Bytes are rounded as it rounds them."""

    version: str | None = None
    milliseconds: int | None = None
    operators: int | None = None
    subgraphs: int | None = None
    cached_bytes: int | None = None
    streamed_bytes: int | None = None
    rows: tuple[OperatorRow, ...] = ()

    @property
    def mapped(self) -> int:
        """Operators that run on the accelerator."""
        return sum(row.count for row in self.rows if row.status == MAPPED)

    @property
    def left(self) -> tuple[OperatorRow, ...]:
        """Rows that stay on the CPU, with the compiler's reason."""
        return tuple(row for row in self.rows if row.status != MAPPED)


class CompiledFile(Record):
    """What a compiled file says of itself, read without the compiler.

    parts: Edge TPU operators in it; left: operators that stay on the CPU; min_runtime: the oldest runtime version
    that may load it; cached_bytes and streamed_bytes: parameters kept on the chip, and sent again for each image.
    """

    parts: int
    left: dict[str, int] = Field(default_factory=dict)
    min_runtime: int | None = None
    compiler: str | None = None
    chip: str | None = None
    cached_bytes: int = 0
    streamed_bytes: int = 0


class CompiledCard(Record):
    """What stands beside a compiled file.

    where: local, ssh:NAME, or prebuilt; operators: how many the source has, None where the source is not known;
    mapped_share: which share of them runs on the accelerator, 0..1.
    """

    schema_: Literal["edgeval/compiled/1"] = Field(default="edgeval/compiled/1", alias="schema")
    file: str
    sha256: str
    source_sha256: str | None = None
    where: str
    args: tuple[str, ...] = ()
    operators: int | None = None
    mapped_share: float | None = None
    said: CompiledFile
    report: CompilerReport | None = None

    def in_words(self) -> str:
        """One line for people: operators, memory, runtime version."""
        said = self.said
        left = ", ".join(f"{count} {name}" for name, count in sorted(said.left.items()))
        if self.operators is not None and self.mapped_share is not None:
            mapped = f"{round(self.mapped_share * self.operators)} of {self.operators} operators mapped"
        else:
            mapped = "all operators mapped" if not left else "some operators are not mapped"
        rest = f" (on the CPU: {left})" if left else ""
        memory = f"{said.cached_bytes:,} bytes cached, {said.streamed_bytes:,} streamed for each image"
        return f"compiled for the Edge TPU: {mapped}{rest}; {memory}; runtime {said.min_runtime or '?'} or later"
