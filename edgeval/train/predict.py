"""What a network answers in torch: the logits that every later stage is measured against."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from edgeval.records.artifact import Preprocess
from edgeval.tasks.samples import Samples
from edgeval.train.augment import normalise

BATCH = 500


@torch.no_grad()
def logits(net: nn.Module, samples: Samples, preprocess: Preprocess, device: str = "cpu") -> NDArray[np.float32]:
    """(N, classes) float32 logits of a network in evaluation mode, in the order of the samples."""
    net = net.eval().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    parts = []
    for start in range(0, len(samples), BATCH):
        images = torch.from_numpy(np.ascontiguousarray(samples.images[start : start + BATCH])).to(device)
        parts.append(net(normalise(images, preprocess)).float().cpu().numpy())
    return np.concatenate(parts)


def best_device() -> str:
    """`cuda` when there is one, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"
