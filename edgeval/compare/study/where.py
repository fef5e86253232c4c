"""Where deployment flips answers: in which classes, and among how sure answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.study.sizes import spread
from edgeval.records.answers import Answers
from edgeval.records.study import FlipsRow

TOP, DRAWS = 10, 1_000


def flips_row(answers: Answers, pairs: Sequence[tuple[int, int]]) -> FlipsRow:
    """One rung on one target. pairs: positions of (torch, deployed) of each seed.

    `changed` counts every answer that is another class, right or wrong. The share of the TOP most hit classes is set
    beside what the same images would give if their classes were drawn at random, the mean of 1,000 seeded draws: an
    image that flips for several seeds counts as often on both sides.
    """
    deployed = answers.models[pairs[0][1]]
    changed = np.stack([answers.classes[a] != answers.classes[b] for a, b in pairs])
    sure = np.stack([answers.confidences[a].astype(np.float64) for a, _ in pairs])
    by_image, known = changed.sum(axis=0), bool(sure.any())
    hits = np.bincount(answers.labels, weights=by_image, minlength=len(answers.class_names))
    order = np.argsort(-hits, kind="stable")[:TOP]
    total = int(changed.sum())
    return FlipsRow(
        ladder=deployed.ladder,
        rung=deployed.rung,
        params=deployed.params,
        format=deployed.place[0],
        target=deployed.place[1],
        changed=spread(changed.sum(axis=1).tolist()),
        unsure=float((changed & _least_sure(sure)).sum() / total) if total and known else None,
        confidence_changed=float(sure[changed].mean()) if total and known else None,
        confidence_same=float(sure[~changed].mean()) if total < changed.size and known else None,
        top_classes=tuple(answers.class_names[k] for k in order if hits[k]),
        top_share=float(hits[order].sum() / total) if total else None,
        top_share_chance=_chance(answers.labels, len(answers.class_names), by_image) if total else None,
    )


def _least_sure(sure: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(S, N) the half of the samples with the lowest confidence of each network; of equal ones the earlier."""
    order = np.argsort(sure, axis=1, kind="stable")
    found = np.zeros(sure.shape, dtype=np.bool_)
    np.put_along_axis(found, order[:, : sure.shape[1] // 2], True, axis=1)
    return found


def _chance(labels: NDArray[np.int64], classes: int, by_image: NDArray[np.int64]) -> float:
    """Share of the TOP most hit classes where the images that flip, each as often as it does, have random classes."""
    rng, hit = np.random.default_rng(0), by_image[by_image > 0]
    drawn = [
        np.bincount(rng.choice(labels, len(hit), replace=False), weights=hit, minlength=classes) for _ in range(DRAWS)
    ]
    highest = -np.partition(-np.array(drawn), min(TOP, classes) - 1, axis=1)[:, :TOP]
    return float(highest.sum(axis=1).mean() / hit.sum())
