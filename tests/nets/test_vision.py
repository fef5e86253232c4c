"""torchvision opens in a fresh process, even where its operators do not match torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("torch")
CODE = """
from edgeval.nets.vision import import_torchvision
vision = import_torchvision()
assert import_torchvision() is vision
net = vision.models.mobilenet_v2(weights=None, width_mult=0.25, num_classes=100)
print(sum(weights.numel() for weights in net.parameters()), vision.datasets.CIFAR100.__name__)
"""


def test_models_and_datasets_are_there_in_a_fresh_process() -> None:
    result = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, timeout=120)
    assert result.stdout.split() == ["366212", "CIFAR100"], result.stderr
