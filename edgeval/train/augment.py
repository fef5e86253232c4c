"""Crop, flip and Cutout of whole batches on the device that trains, from images kept as uint8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from edgeval.records.artifact import Preprocess

PAD = 4
HOLE = 8
DRAWS = 5  # random numbers an image: crop down and across, flip, hole down and across


@dataclass(frozen=True)
class Augmenter:
    """The training set, ready to draw augmented batches from.

    padded: (N, H + 8, W + 8, C) with a border of zeros, uint8 or float32; steps: which of crop, flip, cutout to do;
    mean and inverse std are per channel, in the units of pixel x scale.
    """

    padded: Tensor
    steps: frozenset[str]
    scale: float
    mean: Tensor
    inverse_std: Tensor

    def batch(self, index: Tensor, generator: torch.Generator) -> Tensor:
        """Images at `index` with augmentations drawn from `generator`, as `images` gives them."""
        device = self.padded.device
        return self.images(index.to(device), torch.rand(DRAWS, len(index), generator=generator).to(device))

    def images(self, index: Tensor, draws: Tensor) -> Tensor:
        """Images at `index` as (B, C, H, W) float32 in channels-last memory; draws: (5, B) uniform in [0, 1).

        Order as PAPERS 1.2: random crop with zero padding 4, horizontal flip with p = 0.5, normalise, then Cutout:
        one 8x8 square around a uniform centre, clipped at the border, set to 0 (the data set's mean).
        """
        count, device = len(index), self.padded.device
        height, width = self.size
        rows = torch.arange(height, device=device).expand(count, -1)
        columns = torch.arange(width, device=device).expand(count, -1)
        if "flip" in self.steps:
            columns = torch.where((draws[2] < 0.5)[:, None], columns.flip(1), columns)
        shift = (
            (draws[:2] * (2 * PAD + 1)).long() if "crop" in self.steps else torch.full((2, count), PAD, device=device)
        )
        rows, columns = rows + shift[0][:, None], columns + shift[1][:, None]
        pixels = self.padded[index[:, None, None], rows[:, :, None], columns[:, None, :]]
        images = (pixels.float() * self.scale - self.mean) * self.inverse_std
        if "cutout" in self.steps:
            images = images * _outside_hole(draws[3:], height, width)
        return images.permute(0, 3, 1, 2)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of an image, without the border."""
        return self.padded.shape[1] - 2 * PAD, self.padded.shape[2] - 2 * PAD


def augmenter(images: Tensor, preprocess: Preprocess, steps: Sequence[str]) -> Augmenter:
    """Pad (N, H, W, C) images once and keep them on their device."""
    padded = torch.nn.functional.pad(images, (0, 0, PAD, PAD, PAD, PAD))
    mean = torch.tensor(preprocess.mean, device=images.device)
    inverse_std = 1 / torch.tensor(preprocess.std, device=images.device)
    return Augmenter(padded, frozenset(steps), preprocess.scale, mean, inverse_std)


def normalise(images: Tensor, preprocess: Preprocess) -> Tensor:
    """(N, H, W, C) pixels as (N, C, H, W) network input, without augmentation."""
    mean = torch.tensor(preprocess.mean, device=images.device)
    std = torch.tensor(preprocess.std, device=images.device)
    return ((images.float() * preprocess.scale - mean) / std).permute(0, 3, 1, 2)


def _outside_hole(draws: Tensor, height: int, width: int) -> Tensor:
    """(B, H, W, 1) mask: 0 inside the square around each drawn centre, 1 elsewhere."""
    rows = (draws[0] * height).long()[:, None]
    columns = (draws[1] * width).long()[:, None]
    y, x = torch.arange(height, device=draws.device), torch.arange(width, device=draws.device)
    in_rows = (y >= rows - HOLE // 2) & (y < rows + HOLE // 2)
    in_columns = (x >= columns - HOLE // 2) & (x < columns + HOLE // 2)
    return (~(in_rows[:, :, None] & in_columns[:, None, :]))[..., None].float()
