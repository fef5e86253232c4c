"""Where deployment flips answers: in which classes, and among how sure answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.study.sizes import spread
from edgeval.records.answers import Answers
from edgeval.records.study import FlipsRow

TOP, DRAWS = 10, 2_000


def flips_row(answers: Answers, pairs: Sequence[tuple[int, int]]) -> FlipsRow:
    """One rung on one target. pairs: positions of (torch, deployed) of each seed.

    `changed` counts every answer that is another class, right or wrong. The share of the TOP most hit classes is set
    beside what as many flips at random samples would give, the mean of 2,000 seeded draws.
    """
    deployed = answers.models[pairs[0][1]]
    changed = np.stack([answers.classes[a] != answers.classes[b] for a, b in pairs])
    sure = np.stack([answers.confidences[a].astype(np.float64) for a, _ in pairs])
    hits = np.bincount(np.tile(answers.labels, len(pairs)), weights=changed.ravel(), minlength=len(answers.class_names))
    order = np.argsort(-hits, kind="stable")[:TOP]
    total = int(changed.sum())
    return FlipsRow(
        ladder=deployed.ladder,
        rung=deployed.rung,
        params=deployed.params,
        format=deployed.place[0],
        target=deployed.place[1],
        changed=spread(changed.sum(axis=1).tolist()),
        unsure=float((changed & (sure < np.median(sure, axis=1, keepdims=True))).sum() / total) if total else None,
        confidence_changed=float(sure[changed].mean()) if total else None,
        confidence_same=float(sure[~changed].mean()) if total < changed.size else None,
        top_classes=tuple(answers.class_names[k] for k in order if hits[k]),
        top_share=float(hits[order].sum() / total) if total else None,
        top_share_chance=_chance(answers.labels, len(answers.class_names), len(pairs), total) if total else None,
    )


def _chance(labels: NDArray[np.int64], classes: int, seeds: int, total: int) -> float:
    """Share of the TOP most hit classes where `total` flips fall on samples at random."""
    counts = np.bincount(labels, minlength=classes) * seeds
    drawn = np.random.default_rng(0).multivariate_hypergeometric(counts, total, size=DRAWS, method="marginals")
    highest = -np.partition(-drawn, min(TOP, classes) - 1, axis=1)[:, :TOP]
    return float(highest.sum(axis=1).mean() / total)
