"""A target: the device that runs an artifact, as its card describes it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from edgeval.records.artifact import Format, Profile
from edgeval.records.cards import Card, Record, find, read

Kernels = Literal["auto", "builtin", "reference"]
Engine = Literal["litert", "tflite-runtime", "tensorflow", "onnxruntime", "tflm"]
Origin = Literal["desktop", "emulated", "device", "replayed", "imported"]


class Recorded(Record):
    """The recording behind a replayed number: of which device, what its own numbers were, when (UTC), and its hash."""

    target: str
    origin: Origin
    when: str
    sha256: str


# What each way to a device takes; anything else in its card would do nothing.
TAKES = {
    "local": ("python",),
    "ssh": ("host", "user", "port", "identity", "workdir", "python", "connect_timeout_s"),
    "emulated": ("workdir", "python", "connect_timeout_s"),
    "replay": ("recording", "sha256"),
}


class Transport(Record):
    """How the device is reached; `host` may be an alias of ~/.ssh/config.

    python: on the device; of a local card edgeval's own unless the card names one.
    recording: the file that a replay target answers from, relative to the card; sha256: the hash that it must have.
    """

    type: Literal["local", "ssh", "emulated", "replay"] = "local"
    host: str | None = None
    user: str | None = None
    port: int | None = Field(default=None, ge=1, le=65_535)
    identity: str | None = None
    workdir: str | None = None
    python: str = "python3"
    connect_timeout_s: float = Field(default=10, gt=0)
    recording: str | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")

    _config: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _all_of_use(self) -> Self:
        taken = TAKES[self.type]
        idle = sorted(self.model_fields_set - {"type", *taken})
        if idle:
            raise ValueError(f'{idle[0]} does nothing with type = "{self.type}", which takes {", ".join(taken)}')
        return self

    @property
    def local_python(self) -> str | None:
        """The Python that a local card names, None for edgeval's own."""
        return str(Path(self.python).expanduser()) if "python" in self.model_fields_set else None

    @property
    def config(self) -> Path | None:
        """ssh's settings in place of the user's. Never from a card: they may name programs to run."""
        return self._config

    def as_ssh(self, host: str, config: Path) -> Transport:
        """The same over ssh, to a host that these settings describe."""
        plain = {"type": "ssh", "host": host, "user": None, "port": None, "identity": None}
        copy = self.model_copy(update=plain)
        copy._config = config
        return copy


class Delegate(Record):
    """An external TFLite delegate, the Edge TPU's among them.

    known_crash: load it even with a runtime that it is known to crash with.
    """

    library: str
    options: dict[str, str] = Field(default_factory=dict)
    known_crash: bool = False


class Runtime(Record):
    """Which runtime runs the artifact, with which kernels and threads."""

    engine: Engine = "litert"
    accept: tuple[Engine, ...] = ("litert", "tflite-runtime", "tensorflow")
    kernels: Kernels = "auto"
    threads: int = Field(default=1, ge=1, le=256)
    on_missing: Literal["error", "cpu"] = "error"
    delegate: Delegate | None = None


class ModelNeeds(Record):
    """What the artifact must look like for this device.

    dtype: the type of its input, any if not given; batch: images an answer, of which devices get one.
    """

    format: Format = "tflite-int8"
    dtype: Literal["int8", "uint8", "float32"] | None = None
    batch: Literal[1] = 1
    per_channel_dense: bool = True
    op_versions_max: dict[str, int] = Field(default_factory=dict)


class Compile(Record):
    """A compiler that must run on the artifact first; `where` is local, ssh:NAME or prebuilt."""

    tool: str
    version: str | None = None
    args: tuple[str, ...] = ()
    where: str = Field(default="local", pattern=r"^(local|prebuilt|ssh:\w[\w.-]*)$")
    timeout_s: float = Field(default=600, gt=0)


class Accept(Record):
    """What a compiled artifact must reach; mapped_ops_min is a share, 0..1."""

    mapped_ops_min: float | None = Field(default=None, ge=0, le=1)
    cached_bytes_max: int | None = Field(default=None, ge=0)
    arena_kb: float | None = None


class Expect(Record):
    """What the device should say of itself."""

    machine: str | None = None
    model_match: str | None = None
    cpu_features: tuple[str, ...] = ()
    python: str | None = None
    glibc: str | None = None
    usb_ids: tuple[str, ...] = ()
    device_nodes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class Limits(Record):
    """What the device has, and how long things may take."""

    memory_mb: int | None = Field(default=None, gt=0)
    flash_kb: int | None = Field(default=None, gt=0)
    ram_kb: int | None = Field(default=None, gt=0)
    sample_timeout_s: float = Field(default=60, gt=0)
    run_timeout_s: float | None = Field(default=None, gt=0)


SLOWDOWNS = "throttled|under-voltage|frequency-capped|soft-temperature-limit"
Condition = Annotated[str, Field(pattern=rf"^({SLOWDOWNS}|temperature>\d{{1,3}}(\.\d{{1,3}})?)$")]


class Monitor(Record):
    """What is watched while the device runs; what of it makes its latencies worth nothing."""

    temperature: bool = False
    throttled: bool = False
    frequency: bool = False
    interval_s: float = Field(default=5, gt=0)
    fail_on: tuple[Condition, ...] = ()


class Faithful(Record):
    """How faithful something that is emulated is to the device."""

    fidelity: Literal["bit-exact", "approximate"] = "approximate"
    note: str = ""

    @property
    def faithful(self) -> str:
        """In words: `approximate: another CPU`, or the fidelity alone."""
        return f"{self.fidelity}: {self.note}" if self.note else self.fidelity


class Machine(Faithful):
    """What an emulated board is: a processor by qemu's name, and how faithful its answers are.

    wheels: whether its disk has the runtimes and numpy, or bare Debian with Python alone.
    """

    cpu: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    cores: int = Field(default=4, ge=1, le=8)
    memory_mb: int = Field(default=1024, ge=256, le=16_384)
    wheels: bool = True


class Emulate(Faithful):
    """The card that stands in for the device on this computer, and how faithful that is.

    board: the card of an emulated board that stands in before `card` does, once it is created.
    """

    card: str
    board: str | None = None
    fidelity: Literal["bit-exact", "approximate"]


class CompareOptions(Record):
    """Kernel families of the desktop between which the floor is measured; all of them if none is named."""

    kernel_floor: tuple[Kernels, ...] = ()

    @field_validator("kernel_floor")
    @classmethod
    def _no_single_one(cls, families: tuple[Kernels, ...]) -> tuple[Kernels, ...]:
        if len(set(families)) == 1:
            raise ValueError("a floor lies between two kernel families or more")
        return families


class Target(Card):
    """A whole device card."""

    schema_: Literal["edgeval/device/1"] = Field(alias="schema")
    name: str = Field(pattern=r"^\w[\w.-]*$")
    summary: str = ""
    tags: tuple[Annotated[str, Field(pattern=r"^\w[\w.-]*$")], ...] = ()
    kind: Literal["cpu", "edgetpu", "mcu", "npu", "gpu"] = "cpu"
    transport: Transport = Transport()
    runtime: Runtime = Runtime()
    model: ModelNeeds = ModelNeeds()
    compile: Compile | None = None
    accept: Accept = Accept()
    expect: Expect = Expect()
    limits: Limits = Limits()
    monitor: Monitor = Monitor()
    machine: Machine | None = None
    emulate: Emulate | None = None
    compare: CompareOptions = CompareOptions()

    @property
    def typed(self) -> str:
        """How the user names this device on a command line."""
        return shlex.quote(str(self.path)) if self.explicit else self.name

    def profile(self, fmt: Format) -> Profile:
        """For which runtime family a ladder's file of this format must be exported (edgeval export --for)."""
        if fmt not in ("tflite-int8", "tflite-16x8") or self.model.per_channel_dense:
            return "litert"
        return "coral" if self.kind == "edgetpu" else "tflite-runtime"

    def table(self) -> dict[str, Any]:
        """The card as it is understood: with its defaults, as far as its way of transport takes them."""
        found, way = self.model_dump(mode="json", by_alias=True), self.transport
        keys = ["type", *TAKES[way.type]]
        if way.type == "local" and way.local_python is None:
            keys.remove("python")
        return {**found, "transport": {key: found["transport"][key] for key in keys}}

    def changed(self, **values: Any) -> Target:
        """A copy with other values at the top level."""
        copy = self.model_copy(update=values)
        copy._path, copy._explicit = self._path, self._explicit
        return copy


def load_target(name: str) -> Target:
    """The device called `name`, or at that path. Raises CardError with the nearest names."""
    path, explicit = find("devices", name)
    return read(Target, path, explicit=explicit)
