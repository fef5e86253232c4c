"""Run a model on samples here; real models and images where the machine has them."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.records.artifact import Preprocess
from edgeval.run.host import LocalHost
from edgeval.run.infer import infer
from edgeval.run.job import Job
from edgeval.run.probe import probe
from edgeval.tasks.samples import Samples
from tests.run.tiny_models import Answer, Memory, make_target

SHARED = Path(os.environ.get("EDGEVAL_SHARED", Path(__file__).parents[3] / "shared")) / "data"


@pytest.fixture(scope="session")
def host() -> Iterator[LocalHost]:
    with LocalHost() as place:
        yield place


@pytest.fixture(scope="session")
def facts(host: LocalHost) -> dict[str, Any]:
    return probe(host)


@pytest.fixture
def answer(host: LocalHost, facts: dict[str, Any]) -> Callable[..., Answer]:
    """Run a model on samples here, without latency unless asked."""

    def run(model: Path, samples: Samples, scale: float = 1.0, sink: Memory | None = None, **options: Any) -> Answer:
        runtime = {key: options.pop(key) for key in ("kernels", "engine", "accept", "threads") if key in options}
        target = options.pop("target", None) or make_target(**runtime)
        preprocess = options.pop("preprocess", None) or Preprocess(scale=scale)
        job = Job(model, samples, preprocess, target, **{"latency": False, "workers": 1, **options})
        kept, steps = sink or Memory(), []
        result = infer(host, job, kept, progress=lambda done, n: steps.append((done, n)), facts=facts)
        return Answer(result, kept, steps)

    return run


@pytest.fixture(scope="session")
def resnet8() -> Callable[[str], Path]:
    """MLPerf Tiny's ResNet-8 for CIFAR-10: `int8` or `float`."""

    def path(kind: str) -> Path:
        model = SHARED / "mlperf-tiny" / f"resnet8_{kind}.tflite"
        if not model.is_file():
            pytest.skip(f"{model.name} is not on this machine (EDGEVAL_SHARED)")
        return model

    return path


@pytest.fixture(scope="session")
def cifar10() -> Samples:
    """The 10,000 test images of CIFAR-10, from mosaics of 10 x 10 images."""
    from PIL import Image

    pack = SHARED / "cifar10-test.zip"
    if not pack.is_file():
        pytest.skip("the CIFAR-10 test images are not on this machine (EDGEVAL_SHARED)")
    with zipfile.ZipFile(pack) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".webp"))
        sheets = [np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB")) for name in names]
        labels = np.load(io.BytesIO(archive.read("label.npy"))).astype(np.int64)
    rows = np.concatenate([sheet.reshape(-1, 32, sheet.shape[1] // 32, 32, 3) for sheet in sheets])
    images = np.ascontiguousarray(rows.swapaxes(1, 2)).reshape(-1, 32, 32, 3)
    return Samples(images, labels, tuple(map(str, range(len(labels)))), tuple("0123456789"))
