"""The loop: the paper's optimiser, the same weights by seed, also across an interruption; NaN stops it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edgeval import nets
from edgeval.errors import IntegrityError
from edgeval.records.artifact import Preprocess
from edgeval.records.ladder import Recipe
from edgeval.tasks.samples import Samples
from edgeval.train import loop
from edgeval.train.predict import logits

RECIPE = Recipe(epochs=3, batch=16)


def samples(n: int = 80) -> Samples:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 4
    images = rng.integers(0, 60, (n, 32, 32, 3), dtype=np.uint8)
    for i, label in enumerate(labels):
        images[i, :, label * 8 : label * 8 + 8] += 120
    return Samples(images, labels.astype(np.int64), tuple(str(i) for i in range(n)), tuple("abcd"))


def run(recipe: Recipe = RECIPE, start: loop.State | None = None, seed: int = 0) -> tuple[loop.State, list[loop.State]]:
    torch.manual_seed(seed)
    saved: list[loop.State] = []
    job = loop.Job(nets.build("mobilenetv2", 0.1, 4), samples(), Preprocess(), recipe, seed, "cpu", start)
    return loop.train(job, save=saved.append, progress=lambda done, total: None), saved


def same(one: loop.State, two: loop.State) -> bool:
    return all(torch.equal(value, two.tensors[name]) for name, value in one.tensors.items())


def test_training_is_the_same_by_seed_and_across_an_interruption() -> None:
    whole, saved = run()
    assert [state.epochs for state in saved] == [1, 2, 3]
    assert same(whole, run()[0])
    assert same(whole, run(start=saved[0])[0])
    assert not same(whole, run(seed=1)[0])


def test_one_step_is_sgd_with_momentum_and_weight_decay_on_all_parameters() -> None:
    recipe = Recipe(epochs=1, batch=80, augment=())
    torch.manual_seed(0)
    net = nets.build("scalecnn", 4, 4)
    before = {name: value.clone() for name, value in net.named_parameters()}
    job = loop.Job(net, samples(), Preprocess(), recipe, 0)
    state = loop.train(job, save=lambda state: None, progress=lambda done, total: None)
    for name, value in before.items():
        step = (value - state.tensors[f"net.{name}"]) / recipe.lr
        assert torch.allclose(step, state.tensors[f"momentum.{name}"], atol=1e-5), name
    assert state.tensors["momentum.classifier.bias"].abs().sum() > 0


@pytest.mark.parametrize(("epoch", "rate"), [(0, 0.1), (100, 0.050005), (199, 1.6e-5)])
def test_the_schedule_is_a_cosine_per_epoch(epoch: int, rate: float) -> None:
    assert loop.cosine(Recipe(), epoch) == pytest.approx(rate, rel=0.02)


def test_it_learns_what_can_be_learnt() -> None:
    recipe = Recipe(epochs=8, batch=16, augment=())
    torch.manual_seed(0)
    net = nets.build("scalecnn", 4, 4)
    state = loop.train(
        loop.Job(net, samples(), Preprocess(), recipe, 0), save=lambda s: None, progress=lambda d, t: None
    )
    assert state.loss < 0.5
    assert (logits(net, samples(), Preprocess()).argmax(1) == samples().labels).mean() > 0.9


def test_a_loss_that_is_not_finite_stops_with_a_hint() -> None:
    with pytest.raises(IntegrityError, match=r"epoch 1.*lower lr"):
        run(Recipe(epochs=2, batch=16, lr=1e30))


def test_bf16_rounds_what_the_network_computes_and_keeps_float32_weights() -> None:
    slow = Recipe(epochs=1, batch=40, lr=1e-4)
    exact, rounded = run(slow)[0], run(slow.model_copy(update={"precision": "bf16"}))[0]
    assert not same(exact, rounded)
    assert {value.dtype for value in rounded.tensors.values()} == {torch.float32, torch.int64}
    assert rounded.loss == pytest.approx(exact.loss, rel=0.1)


def test_progress_reaches_its_total() -> None:
    told: list[tuple[int, int]] = []
    job = loop.Job(nets.build("scalecnn", 4, 4), samples(), Preprocess(), RECIPE, 0)
    loop.train(job, save=lambda state: None, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (240, 240)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
