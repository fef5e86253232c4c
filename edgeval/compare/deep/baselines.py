"""Baselines beside every network: the mean predictor and kernel ridge on the same training images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeval.compare.deep.sizes import Size, positive_mean, squares
from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import BaselineRow
from edgeval.records.regressors import BASELINE, MEAN, RIDGE, Regressors


def baselines(found: Regressors, made: Mapping[Size, Sequence[int]]) -> list[BaselineRow]:
    """One row an output and number of training images that a network here has: each net as trained."""
    asked = {size.images for size in made}  # the file keeps the baselines of every study that wrote into it
    there = {
        (m.net, m.images): squares(found, [k]).mse[0] for k, m in enumerate(found.models) if m.source.format == BASELINE
    }
    return [
        BaselineRow(
            output=name,
            images=images,
            mean=float(there[MEAN, images][j]),
            ridge=float(there[RIDGE, images][j]) if (RIDGE, images) in there else None,
            nets=_largest(found, made, images, j),
        )
        for j, name in enumerate(found.output_names)
        for images in sorted(images for net, images in there if net == MEAN and images in asked)
    ]


def _largest(found: Regressors, made: Mapping[Size, Sequence[int]], images: int, output: int) -> dict[str, float]:
    """The MSE of each net at its largest width: the best on the test images would be chosen by what it is judged by."""
    there = [size for size in made if (size.format, size.images) == (TORCH, images)]
    widest = {size.net: size for size in sorted(there, key=lambda size: size.width)}
    return {net: positive_mean(squares(found, made[size]).mse[:, output]) for net, size in widest.items()}
