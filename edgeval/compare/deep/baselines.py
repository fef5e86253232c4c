"""Baselines beside every network: the mean predictor and kernel ridge on the same training images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeval.compare.deep.sizes import Size, positive_mean, squares
from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import BaselineRow
from edgeval.records.regressors import BASELINE, Regressors

MEAN, RIDGE = "mean predictor", "kernel ridge"


def baselines(found: Regressors, made: Mapping[Size, Sequence[int]]) -> list[BaselineRow]:
    """One row an output and number of training images: each net at its best width as trained."""
    there = {
        (m.net, m.images): squares(found, [k]).mse[0] for k, m in enumerate(found.models) if m.source.format == BASELINE
    }
    return [
        BaselineRow(
            output=name,
            images=images,
            mean=float(there[MEAN, images][j]),
            ridge=float(there[RIDGE, images][j]) if (RIDGE, images) in there else None,
            nets=_best(found, made, images, j),
        )
        for j, name in enumerate(found.output_names)
        for images in sorted(images for net, images in there if net == MEAN)
    ]


def _best(found: Regressors, made: Mapping[Size, Sequence[int]], images: int, output: int) -> dict[str, float]:
    """The lowest MSE of each net over its widths."""
    best: dict[str, float] = {}
    for size, at in made.items():
        if (size.format, size.images) == (TORCH, images):
            error = positive_mean(squares(found, at).mse[:, output])
            best[size.net] = min(best.get(size.net, error), error)
    return best
