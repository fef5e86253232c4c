"""TFLite: float conversion."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeval.export.flatbuffer import settle

if TYPE_CHECKING:
    from torch import nn


def convert(module: nn.Module, example: NDArray[np.float32]) -> bytes:
    """The module as float TFLite, batch 1, input NHWC without a transpose; example: (1, H, W, C)."""
    import torch

    with warnings.catch_warnings():
        known_noise()
        import litert_torch

        wrapped = litert_torch.to_channel_last_io(module, args=[0]).eval()
        data: bytes = litert_torch.convert(wrapped, (torch.from_numpy(example),)).model_content()
    return settle(bytes(data))


def known_noise() -> None:
    """Ignore what litert-torch and its dependencies are known to warn of, inside a `catch_warnings` block."""
    warnings.filterwarnings("ignore", category=FutureWarning, message=r"`isinstance\(treespec, LeafSpec\)`")
    warnings.filterwarnings("ignore", category=UserWarning, message=r"Warning: Enabling `experimental_preserve_all")
