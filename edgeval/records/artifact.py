"""An artifact: one exported model file, and the card that says what it is and where it came from."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from edgeval.records.cards import Record
from edgeval.tasks.samples import Samples

Format = Literal["onnx-fp32", "onnx-int8", "tflite-fp32", "tflite-int8", "tflite-w8", "tflite-16x8"]
FORMATS: tuple[Format, ...] = get_args(Format)
USUAL: tuple[Format, ...] = FORMATS[:4]  # what is exported unless something else is asked for
CALIBRATED: tuple[Format, ...] = ("onnx-int8", "tflite-int8", "tflite-16x8")  # formats with ranges of activations
Profile = Literal["litert", "tflite-runtime", "coral"]
TORCH = "torch"


def file_name(fmt: Format, profile: Profile = "litert") -> str:
    """The file that holds this format: `tflite-int8.tflite`, `tflite-int8.coral.tflite` ..."""
    return f"{fmt}{'' if profile == 'litert' else '.' + profile}.{fmt.partition('-')[0]}"


def float_twin(fmt: Format) -> Format:
    """The float format of the same family: `tflite-int8` -> `tflite-fp32`."""
    return "onnx-fp32" if fmt.startswith("onnx") else "tflite-fp32"


class Preprocess(Record):
    """input = (pixel x scale - mean) / std, per channel; pixel is 0..255 for uint8 data."""

    scale: float = Field(default=1 / 255, gt=0)
    mean: tuple[float, ...] = (0.0,)
    std: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)


class Tensor(Record):
    """An input or output of a model file; scale and zero point where it is quantised."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


class Calibration(Record):
    """Which training images set the ranges of the quantised activations."""

    n: int
    ids: tuple[str, ...]
    data_sha256: str
    content_hashes: tuple[str, ...]
    method: str = "min/max"

    @classmethod
    def of(cls, samples: Samples) -> Calibration:
        """The account of these images."""
        hashes = tuple(samples.content_hashes())
        return cls(n=len(samples), ids=samples.ids, data_sha256=samples.sha256, content_hashes=hashes)


class Parity(Record):
    """The artifact against torch, or against Keras, on a fixed batch, right after export."""

    n: int
    max_abs_error: float
    mean_abs_error: float
    argmax_agreement: float
    tolerance: str
    passed: bool


class ArtifactCard(Record):
    """What stands beside each exported file."""

    schema_: Literal["edgeval/artifact/1"] = Field(default="edgeval/artifact/1", alias="schema")
    name: str
    format: Format
    profile: Profile = "litert"
    file: str
    sha256: str
    size_bytes: int
    params: int
    opset_or_schema: int
    operators: dict[str, int]
    tensor_types: dict[str, int]
    input: Tensor
    output: Tensor
    preprocess: Preprocess
    class_names: tuple[str, ...]
    outputs: Literal["logits", "probs", "values"] = "logits"
    calibration: Calibration | None = None
    parity: Parity
    versions: dict[str, str]
    checkpoint_sha256: str | None = None
