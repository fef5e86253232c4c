"""From a Keras file or SavedModel to TFLite by TensorFlow's own converter: fp32, and full int8 with int8 in and out."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ModelError
from edgeval.export import edgetpu, parity
from edgeval.export.inspect import inspect
from edgeval.records.artifact import ArtifactCard, Calibration, Format, Preprocess, Profile, file_name
from edgeval.records.kerasfile import KerasForm, model_sha256
from edgeval.records.predictions import looks_like_probabilities
from edgeval.tasks.samples import Samples

Floats = NDArray[np.float32]

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
KERAS_FORMATS: tuple[Format, ...] = ("tflite-fp32", "tflite-int8")
PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "numpy")
FAILURES = (ValueError, TypeError, RuntimeError, OSError, KeyError, AttributeError, ImportError, NotImplementedError)


@dataclass(frozen=True, eq=False)
class KerasRequest:
    """A Keras model to export, and the images that calibrate and check it.

    The file was checked (records/kerasfile.py) before; it is loaded in safe mode and nothing is unpickled.
    """

    path: Path
    form: KerasForm
    preprocess: Preprocess
    class_names: tuple[str, ...]
    calibration: Samples
    check: Samples
    profile: Profile = "litert"

    def inputs(self, samples: Samples) -> Floats:
        """(N, H, W, C) float32, (pixel x scale - mean) / std."""
        mean, std = (np.array(value, np.float32) for value in (self.preprocess.mean, self.preprocess.std))
        scaled: Floats = samples.images.astype(np.float32) * np.float32(self.preprocess.scale)
        return (scaled - mean) / std

    @cached_property
    def traced(self) -> tuple[Any, Any]:
        """The model as a concrete function of one image, and what keeps its variables alive. Raises ModelError."""
        os.environ.update(QUIET)
        import tensorflow as tf

        shape = (1, *self.check.images.shape[1:])
        try:
            run, kept = _load(self.path, self.form)
            function = tf.function(run, input_signature=[tf.TensorSpec(shape, tf.float32, name="image")])
            return function.get_concrete_function(), (kept, function)
        except FAILURES as error:
            seen = " ".join(str(error).split())
            hint = "give images of its size (--size), and a model that loads without Python code of its own"
            raise ModelError(
                f"TensorFlow cannot load {self.path.name} for these images", seen=seen, hint=hint
            ) from error

    @cached_property
    def reference(self) -> Floats:
        """(N, classes) answers of Keras on the check batch, image by image as the artifacts see them."""
        import tensorflow as tf

        function, _ = self.traced
        rows = [np.asarray(_only(function(tf.constant(image[None])))) for image in self.inputs(self.check)]
        if rows[0].shape != (1, len(self.class_names)):
            seen = f"{rows[0].shape}, {len(self.class_names)} classes"
            hint = "name all classes of the model in its order (classes.txt, or class_names in the .npz)"
            raise ModelError(f"{self.path.name} must answer with one number a class", seen=seen, hint=hint)
        answers: Floats = np.concatenate(rows).astype(np.float32)
        return answers

    @cached_property
    def params(self) -> int:
        """Numbers in the model's variables."""
        return sum(int(np.prod(value.shape)) for value in self.traced[0].variables)


def export_keras(request: KerasRequest, fmt: Format) -> tuple[bytes, ArtifactCard]:
    """The model as TFLite in this format, and its card.

    Raises IntegrityError when the file does not answer as Keras does, ModelError when it cannot be converted or the
    profile's device cannot run it.
    """
    reference = request.reference
    try:
        data = _convert(request, fmt)
    except FAILURES as error:
        hint = "the converter's whole message is in the log; replace the operator that it names"
        seen = " ".join(str(error).split())
        raise ModelError(f"{request.path.name} cannot be converted to {fmt}", seen=seen, hint=hint) from error
    if request.profile == "coral" and fmt == "tflite-int8":
        edgetpu.check(data, request.path.name)
    answers = parity.answers(data, "tflite", request.inputs(request.check))
    verdict = parity.judge(request.path.name, fmt, answers=answers, reference=reference, origin="Keras")
    anatomy = inspect(data, "tflite")
    return data, ArtifactCard(
        name=request.path.name,
        format=fmt,
        profile=request.profile,
        file=file_name(fmt, request.profile),
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        params=request.params,
        opset_or_schema=anatomy.version,
        operators=anatomy.operators,
        tensor_types=anatomy.tensor_types,
        input=anatomy.input,
        output=anatomy.output,
        preprocess=request.preprocess,
        class_names=request.class_names,
        outputs="probs" if looks_like_probabilities(reference) else "logits",
        calibration=Calibration.of(request.calibration) if fmt == "tflite-int8" else None,
        parity=verdict,
        versions={name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        checkpoint_sha256=model_sha256(request.path),
    )


def _convert(request: KerasRequest, fmt: Format) -> bytes:
    """TensorFlow's converter; Dense weights get one scale a tensor for Coral and old runtimes, which misread more."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    # Frozen here: from a concrete function with variables, TensorFlow 2.21 writes a file that reads them uninitialised.
    frozen = convert_variables_to_constants_v2(request.traced[0])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    if fmt == "tflite-int8":
        images = request.inputs(request.calibration)

        def representative() -> Iterator[list[Floats]]:
            for image in images:
                yield [image[None]]

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        converter._experimental_disable_per_channel_quantization_for_dense_layers = request.profile != "litert"
    data: bytes = converter.convert()
    return data


def _load(path: Path, form: KerasForm) -> tuple[Callable[[Any], Any], Any]:
    """The model as a function of a batch, and the object that holds its variables."""
    import tensorflow as tf

    if form == "savedmodel":
        loaded = tf.saved_model.load(str(path))
        if "serving_default" not in loaded.signatures:
            raise ValueError("the SavedModel has no signature serving_default")
        signature = loaded.signatures["serving_default"]
        names = list(signature.structured_input_signature[1])
        if len(names) != 1:
            raise ValueError(f"the model has {len(names)} inputs, it must have one")
        return lambda image: _only(signature(**{names[0]: image})), loaded
    import keras

    model = keras.models.load_model(path, compile=False, safe_mode=True)
    return lambda image: _only(model(image, training=False)), model


def _only(made: Any) -> Any:
    """The one output. Raises ValueError for several."""
    values = list(made.values()) if isinstance(made, dict) else made if isinstance(made, (list, tuple)) else [made]
    if len(values) != 1:
        raise ValueError(f"the model has {len(values)} outputs, it must have one")
    return values[0]
