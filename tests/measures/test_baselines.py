"""Mean predictor and kernel ridge: scikit-learn's numbers, hyper-parameters by validation alone."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.measures.baselines import kernel_ridge, mean_predictor, shrunk

RNG = np.random.default_rng(0)
X = RNG.random((90, 3))
Y = np.stack([np.sin(4 * X[:, 0]) + X[:, 1], X[:, 2] ** 2], axis=1)


def test_the_answers_are_those_of_scikit_learn() -> None:
    from sklearn.kernel_ridge import KernelRidge

    found = kernel_ridge((X[:60], Y[:60]), (X[60:75], Y[60:75]), X[75:])
    mean = Y[:60].mean(axis=0)
    for k in range(2):
        gamma = 1 / (2 * found.widths[k] ** 2)
        theirs = KernelRidge(alpha=found.ridges[k], kernel="rbf", gamma=gamma).fit(X[:60], Y[:60, k] - mean[k])
        assert found.answers[:, k] == pytest.approx(theirs.predict(X[75:]) + mean[k], abs=1e-5)
    errors = ((found.answers - Y[75:]) ** 2).mean(axis=0)
    assert (errors < 0.01 * ((mean_predictor(Y[:60], 15) - Y[75:]) ** 2).mean(axis=0)).all()


def test_width_and_ridge_are_the_best_of_all_on_validation() -> None:
    picked = kernel_ridge((X[:60], Y[:60]), (X[60:75], Y[60:75]), X[60:75])
    best = ((picked.answers - Y[60:75]) ** 2).mean(axis=0)
    for width in (0.25, 1.0, 4.0):
        for ridge in (1e-7, 1e-1):
            one = kernel_ridge((X[:60], Y[:60]), (X[60:75], Y[60:75]), X[60:75], widths=(width,), ridges=(ridge,))
            assert (best <= ((one.answers - Y[60:75]) ** 2).mean(axis=0) + 1e-12).all()


def test_images_shrink_to_means_of_blocks() -> None:
    images = RNG.random((2, 8, 8, 2)).astype(np.float32)
    found = shrunk(images, 4).reshape(2, 4, 4, 2)
    assert found[1, 2, 3, 0] == pytest.approx(images[1, 4:6, 6:8, 0].mean())
    assert shrunk(images, 12).shape == (2, 128)


def test_one_training_image_predicts_itself_and_has_no_distances() -> None:
    found = kernel_ridge((X[:1], Y[:1]), (X[60:75], Y[60:75]), X[75:])
    assert found.answers == pytest.approx(mean_predictor(Y[:1], 15))
    assert found.widths == (0.25, 0.25)
