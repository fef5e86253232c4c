"""A regressor's loop: it learns, repeats by seed and across an interruption, keeps its best check, lowers its rate."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from edgeval import nets
from edgeval.errors import IntegrityError
from edgeval.records.artifact import Preprocess
from edgeval.records.fit import Fit
from edgeval.tasks.quantities import Quantities
from edgeval.tasks.samples import Samples
from edgeval.train import regress

RECIPE = Fit(updates=60, batch=16, checks=6)
PLAIN = Preprocess(scale=1)


def data(n: int, seed: int) -> Quantities:
    """Blobs whose place and brightness are to be read."""
    rng = np.random.default_rng(seed)
    targets = rng.random((n, 3))
    grid = np.arange(16)
    spots = np.exp(-((grid[:, None] - 16 * targets[:, 0, None, None]) ** 2) / 8)
    stripes = np.exp(-((grid[None, :] - 16 * targets[:, 1, None, None]) ** 2) / 8)
    images = np.stack([spots * stripes, np.broadcast_to(targets[:, 2, None, None], (n, 16, 16))], axis=-1)
    samples = Samples(images.astype(np.float32), np.zeros(n, np.int64), tuple(map(str, range(n))), ("-",))
    return Quantities(samples, targets, ("across", "down", "bright"))


def job(recipe: Fit = RECIPE, *, name: str = "fcn", start: regress.State | None = None, seed: int = 0) -> regress.Job:
    torch.manual_seed(seed)
    net = nets.build(name, 16, 3, 2, size=(16, 16))
    return regress.Job(net, data(70, 1), data(40, 2), PLAIN, recipe, 3e-3, recipe.updates, seed, "cpu", start)


def run(asked: regress.Job) -> tuple[regress.State, list[regress.State]]:
    saved: list[regress.State] = []
    return regress.fit(asked, save=saved.append, progress=lambda done, total: None), saved


def same(one: regress.State, two: regress.State) -> bool:
    return all(torch.equal(value, two.tensors[name]) for name, value in one.tensors.items())


@pytest.mark.parametrize(("schedule", "name"), [("plateau", "fcn"), ("cosine", "fcn"), ("cosine", "resnet")])
def test_training_repeats_by_seed_and_across_an_interruption(schedule: str, name: str) -> None:
    recipe = Fit(updates=60, batch=16, checks=6, schedule=schedule)
    whole, saved = run(job(recipe, name=name))
    assert [state.update for state in saved] == [10, 20, 30, 40, 50, 60]
    assert same(whole, run(job(recipe, name=name))[0])
    again = run(job(recipe, name=name, start=saved[2]))[0]
    assert same(whole, again)
    assert (whole.rate, whole.best, whole.since) == (again.rate, again.best, again.since)
    assert not same(whole, run(job(recipe, name=name, seed=1))[0])


def test_frozen_batch_norms_keep_their_statistics_and_still_learn_scale_and_shift() -> None:
    recipe = RECIPE.model_copy(update={"freeze_norms": 0.5})
    whole, saved = run(job(recipe, name="resnet"))
    free, _ = run(job(name="resnet"))
    means, scales = "net.features.1.running_mean", "net.features.1.weight"
    moved = [not torch.equal(a.tensors[means], b.tensors[means]) for a, b in pairwise(saved)]
    assert moved == [True, True, False, False, False]
    assert not torch.equal(saved[2].tensors[scales], whole.tensors[scales])
    assert same(whole, run(job(recipe, name="resnet", start=saved[3]))[0])
    assert not same(whole, free)


@pytest.mark.parametrize("name", ["fcn", "vit", "resnet"])
def test_every_net_learns_and_its_best_weights_give_its_best_error(name: str) -> None:
    asked = job(name=name)
    first = regress.validation_mse(asked.net, asked).mean()
    state, saved = run(asked)
    assert state.best < first / 3
    assert state.best == min(one.best for one in saved)
    asked.net.load_state_dict(regress.best_weights(state))
    assert regress.validation_mse(asked.net, asked).mean() == pytest.approx(state.best, rel=1e-6)


def test_one_update_is_torchs_adamw_on_the_mean_squared_error() -> None:
    asked, twin = job(Fit(updates=1, batch=70)), job().net
    state, _ = run(asked)
    optimizer = torch.optim.AdamW(twin.parameters(), lr=3e-3, weight_decay=0.01)
    x, y = torch.from_numpy(asked.train.samples.images).permute(0, 3, 1, 2), torch.from_numpy(asked.train.targets)
    ((twin(x) - y.float()) ** 2).mean().backward()
    optimizer.step()
    for name, value in twin.state_dict().items():
        assert torch.allclose(state.tensors[f"net.{name}"], value, atol=1e-5), name


def test_the_plateau_halves_the_rate_and_the_cosine_ends_at_nothing() -> None:
    stuck = regress.State(10, 0.1, 1.0, 0.5, 10, 0.5, 2, {"best.x": torch.ones(1)})
    now = {"net.x": torch.zeros(1)}
    after = regress._checked(job(), stuck, (20, 1.0, 0.6), now)
    assert (after.rate, after.since, after.best, after.best_update, after.tensors["best.x"]) == (0.05, 0, 0.5, 10, 1)
    better = regress._checked(job(), stuck, (20, 1.0, 0.4), now)
    assert (better.rate, better.since, better.best_update, better.tensors["best.x"]) == (0.1, 0, 20, 0)
    asked = job(Fit(updates=100, schedule="cosine"))
    assert regress.rate_at(asked, 1.0, 0) == pytest.approx(3e-3)
    assert regress.rate_at(asked, 1.0, 99) < 1e-6


def test_a_rate_that_diverges_is_named() -> None:
    asked = job()
    with torch.no_grad():
        next(asked.net.parameters()).fill_(float("nan"))
    with pytest.raises(IntegrityError, match=r"leave 0\.003 out of rates"):
        run(asked)
