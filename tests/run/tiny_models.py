"""Tiny models made on the spot, the samples and the target that fit them, and a sink that remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval.records.target import Target
from edgeval.run.infer import RunResult
from edgeval.tasks.samples import Samples

SIDE, CLASSES = 4, 3
TYPES = {"float32": 0, "uint8": 3, "int8": 9}


@dataclass
class Memory:
    """A sink in memory."""

    chunks: dict[tuple[int, int], NDArray[Any]] = field(default_factory=dict)

    def have(self) -> list[tuple[int, int]]:
        return list(self.chunks)

    def save(self, start: int, stop: int, outputs: NDArray[Any]) -> None:
        self.chunks[start, stop] = outputs

    def all(self) -> NDArray[Any]:
        return np.concatenate([self.chunks[place] for place in sorted(self.chunks)])


@dataclass
class Answer:
    """What one inference left."""

    result: RunResult
    sink: Memory
    steps: list[tuple[int, int]]

    @property
    def outputs(self) -> NDArray[Any]:
        return self.sink.all()


def make_samples(n: int = 20, channels: int = 3, side: int = SIDE) -> Samples:
    images = np.random.default_rng(7).integers(0, 256, (n, side, side, channels), dtype=np.uint8)
    return Samples(images, np.arange(n) % CLASSES, tuple(map(str, range(n))), ("a", "b", "c"))


def make_target(**runtime: Any) -> Target:
    return Target(schema="edgeval/device/1", name="here", runtime=runtime)


def weights(size: int = SIDE * SIDE * 3, answers: int = CLASSES) -> NDArray[np.float32]:
    """(answers, pixels) float32."""
    return np.random.default_rng(8).normal(0, 0.1, (answers, size)).astype(np.float32)


def write_tflite(
    path: Path,
    shape: tuple[int, ...],
    *,
    dtype: str = "float32",
    outputs: int = 1,
    nan: bool = False,
    answers: int = CLASSES,
) -> Path:
    """One dense layer; int8 and uint8 models take pixels (scale 1) and give steps of 2, zero point 3."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as fb

    matrix = weights(int(np.prod(shape)), answers)
    buffers = [fb.BufferT(data=[])]
    low = 128 if dtype == "int8" else 0

    def tensor(name: str, sizes: tuple[int, ...], kind: str, data: Any = None, scale: Any = None, zero: int = 0) -> Any:
        if data is not None:
            buffers.append(fb.BufferT(data=list(data.tobytes())))
        quantised = scale and fb.QuantizationParametersT(scale=[scale], zeroPoint=[zero])
        place = 0 if data is None else len(buffers) - 1
        return fb.TensorT(shape=list(sizes), type=TYPES[kind], buffer=place, name=name, quantization=quantised)

    if dtype == "float32":
        stored = np.full_like(matrix, np.nan) if nan else matrix
        scales = (None, None, None)
    else:
        centre = 0 if dtype == "int8" else 128
        stored = (np.clip(np.rint(matrix / 0.01), -127, 127) + centre).astype(dtype)
        scales = (1.0, 0.01, 2.0)
    tensors = [
        tensor("image", shape, dtype, None, scales[0], -low),
        tensor("weights", matrix.shape, dtype, stored, scales[1], 128 if dtype == "uint8" else 0),
    ]
    tensors += [tensor(f"answer{k}", (1, answers), dtype, None, scales[2], 3) for k in range(outputs)]
    dense = [
        fb.OperatorT(
            opcodeIndex=0,
            inputs=[0, 1, -1],
            outputs=[2 + k],
            builtinOptionsType=fb.BuiltinOptions.FullyConnectedOptions,
            builtinOptions=fb.FullyConnectedOptionsT(),
        )
        for k in range(outputs)
    ]
    graph = fb.SubGraphT(tensors=tensors, inputs=[0], outputs=[2 + k for k in range(outputs)], operators=dense)
    code = fb.OperatorCodeT(deprecatedBuiltinCode=9, builtinCode=9, version=4 if dtype == "int8" else 1)
    builder = flatbuffers.Builder()
    builder.Finish(
        fb.ModelT(version=3, operatorCodes=[code], subgraphs=[graph], buffers=buffers).Pack(builder), b"TFL3"
    )
    path.write_bytes(bytes(builder.Output()))
    return path


def write_onnx(
    path: Path, shape: tuple[Any, ...], *, dtype: str = "FLOAT", flatten: bool = True, answers: int = CLASSES
) -> Path:
    """One dense layer on the flattened image; named sizes are free. Without `flatten`, the image itself comes out."""
    from onnx import TensorProto, helper, numpy_helper

    kind = getattr(TensorProto, dtype)
    free = [size if isinstance(size, int) else SIDE for size in shape[1:]]
    matrix = weights(int(np.prod(free)), answers).T.astype(helper.tensor_dtype_to_np_dtype(kind))
    nodes = [helper.make_node("Identity", ["image"], ["answer"])]
    if flatten:
        nodes = [
            helper.make_node("Flatten", ["image"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["answer"]),
        ]
    answer = helper.make_tensor_value_info("answer", kind, [shape[0], answers] if flatten else list(shape))
    image = helper.make_tensor_value_info("image", kind, list(shape))
    held = [numpy_helper.from_array(matrix, "weights")] if flatten else []
    graph = helper.make_graph(nodes, "tiny", [image], [answer], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path
