"""The Triton kernels in Triton's interpreter, without a GPU, against the formulas that say what they compute."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

CODE = """
import math, torch
from edgeval.records.artifact import Preprocess
from edgeval.train import augment_kernel, norm_launch, norms
from edgeval.train.augment import augmenter
from tests.train.test_norms import ACTIVATIONS, SHAPES, case

def close(one, two, tolerance):
    assert one.dtype == two.dtype and one.shape == two.shape
    assert (one.double() - two.double()).abs().max() <= tolerance * (1 + two.double().abs().max()), (one, two)

for small in (4096, 8):
    norm_launch.SMALL, norm_launch.TILE = small, 256
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.bfloat16, 1e-2)):
        for shape in SHAPES:
            for _, limits in ACTIVATIONS:
                x, grad, *rest = (each.float() for each in case(shape))
                x, grad = x.to(dtype), grad.to(dtype)
                settings = norms.Settings(1e-5, 0.1, *limits)
                mine, theirs = [each.clone() for each in rest], [each.clone() for each in rest]
                one, two = norm_launch.forward(x, *mine, settings), norms.forward(x, *theirs, settings)
                for a, b in zip([*one, *mine], [*two, *theirs], strict=True):
                    close(a, b, tolerance)
                args = (grad, x, *rest[:2], *two[1:], settings)
                for a, b in zip(norm_launch.backward(*args), norms.backward(*args), strict=True):
                    close(a, b, tolerance)
x, _, *rest = (each.float() for each in case(SHAPES[0]))
x[0, 0, 0, 0] = math.nan
assert norm_launch.forward(x, *rest, norms.Settings(1e-5, 0.1, 0.0, math.inf))[0].isnan().any()

photos = torch.randint(0, 256, (9, 16, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
for steps in (("crop", "flip", "cutout"), ("flip",), ("crop",), ("cutout",), ()):
    data = augmenter(photos, Preprocess(scale=1 / 255, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)), steps)
    index, draws = torch.tensor([3, 0, 8, 5]), torch.rand(5, 4, generator=torch.Generator().manual_seed(2))
    found = augment_kernel.images(data, index, draws, torch.float32)
    assert found.is_contiguous(memory_format=torch.channels_last)
    close(found, data.images(index, draws), 1e-6)
print("done")
"""


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed")
def test_kernels_compute_what_the_formulas_say() -> None:
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "done\n", done.stderr[-3000:]
