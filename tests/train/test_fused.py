"""Seeds trained side by side end where the plain loop brings each of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from edgeval.errors import ModelError
from edgeval.nets import build
from edgeval.records.artifact import Preprocess
from edgeval.records.ladder import Recipe
from edgeval.tasks.samples import Samples
from edgeval.train import fuse, fused, loop

PREPROCESS = Preprocess(scale=1 / 255, mean=(0.5,), std=(0.25,))


def samples(n: int = 64, classes: int = 5) -> Samples:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
    names = tuple(f"class {k}" for k in range(classes))
    return Samples(images, rng.integers(0, classes, n), tuple(map(str, range(n))), names)


def net_of(name: str, width: float, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    net = build(name, width, 5)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0  # dropout draws for all networks at once: the same law, other draws
    return net


def jobs(name: str, width: float, epochs: int, batch: int = 16) -> list[loop.Job]:
    recipe = Recipe(epochs=epochs, batch=batch, lr=0.02)
    data = samples()
    return [loop.Job(net_of(name, width, seed), data, PREPROCESS, recipe, seed) for seed in (0, 1, 2)]


def nothing(*_: object) -> None:
    """Neither save nor tell."""


def twenty_steps(name: str, width: float, lr: float, dtype: torch.dtype) -> tuple[float, float]:
    """The largest difference of any weight between plain loops and a fused loop, and how far weights moved at most."""
    nets = [net_of(name, width, seed).to(dtype).train() for seed in range(2)]
    together = fuse.fuse(nets).to(dtype).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    before = [copy.deepcopy(net.state_dict()) for net in nets]
    recipe, generator = Recipe(lr=lr), torch.Generator().manual_seed(1)
    optimizers, wide = [loop.sgd(net, recipe) for net in nets], loop.sgd(together, recipe)
    for _ in range(20):
        images = torch.randn(8, 2 * 3, 32, 32, generator=generator).to(dtype)
        targets = torch.randint(0, 5, (8, 2), generator=generator)
        for k, net in enumerate(nets):
            loss = nn.functional.cross_entropy(net(images[:, 3 * k : 3 * k + 3]), targets[:, k])
            step(optimizers[k], loss)
        step(wide, fused.side_by_side_loss(together(images), targets).sum())
    apart, moved = 0.0, 0.0
    for key, value in together.named_parameters():
        for net, start, mine in zip(nets, before, fuse.split(together, key, value.detach(), 2), strict=True):
            now = net.get_parameter(key).detach()
            apart, moved = (
                max(apart, float((now - mine).abs().max())),
                max(moved, float((now - start[key]).abs().max())),
            )
    return apart, moved


def step(optimizer: torch.optim.SGD, loss: torch.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


@pytest.mark.parametrize(("name", "width", "lr"), [("scalecnn", 4, 0.01), ("mobilenetv2", 0.1, 1e-4)])
def test_twenty_steps_give_the_plain_loops_weights(name: str, width: float, lr: float) -> None:
    """In float64: MobileNetV2 at batch 8 magnifies rounding many times a step."""
    apart, moved = twenty_steps(name, width, lr, torch.float64)
    assert apart < 1e-9 < 1e-3 < moved


def test_twenty_steps_in_float32() -> None:
    apart, moved = twenty_steps("scalecnn", 4, 1e-4, torch.float32)
    assert apart < 1e-4 < moved


def test_every_seed_sees_the_batches_of_the_plain_loop() -> None:
    plain = [loop.train(job, save=nothing, progress=nothing) for job in jobs("scalecnn", 4, epochs=1)]
    together = fused.train(jobs("scalecnn", 4, epochs=1), save=nothing, progress=nothing).states
    for one, two in zip(plain, together, strict=True):
        assert two is not None
        assert one.tensors.keys() == two.tensors.keys()
        assert all(torch.allclose(one.tensors[key], two.tensors[key], atol=1e-4) for key in one.tensors)
        assert one.loss == pytest.approx(two.loss, abs=1e-4)


def test_a_run_that_was_cut_goes_on_to_the_same_weights() -> None:
    saved: dict[int, loop.State] = {}

    def save(k: int, state: loop.State) -> None:
        if state.epochs == 2:
            saved[k] = state

    whole = fused.train(jobs("scalecnn", 4, epochs=3), save=save, progress=nothing).states
    again = [replace(job, start=saved[k]) for k, job in enumerate(jobs("scalecnn", 4, epochs=3))]
    for one, two in zip(whole, fused.train(again, save=nothing, progress=nothing).states, strict=True):
        assert one is not None
        assert two is not None
        assert all(torch.equal(one.tensors[key], two.tensors[key]) for key in one.tensors)


def test_a_seed_that_diverges_leaves_the_others_alone() -> None:
    asked, kept = jobs("scalecnn", 4, epochs=2), []
    with torch.no_grad():
        asked[1].net.get_parameter("classifier.bias").fill_(float("nan"))
    ended = fused.train(asked, save=lambda k, state: kept.append(k), progress=nothing)
    assert [state is None for state in ended.states] == [False, True, False]
    assert kept == [0, 2, 0, 2]
    assert "seed 1" in str(ended.error)
    plain = loop.train(jobs("scalecnn", 4, epochs=2)[2], save=nothing, progress=nothing)
    assert ended.states[2] is not None
    assert ended.states[2].loss == pytest.approx(plain.loss, abs=1e-4)


def test_the_fused_network_answers_as_its_parts() -> None:
    nets = [net_of("scalecnn", 8, seed).eval() for seed in range(4)]
    images = torch.randn(3, 4 * 3, 32, 32)
    answers = fuse.fuse(nets).eval()(images).reshape(3, 4, 5)
    for k, net in enumerate(nets):
        assert torch.allclose(answers[:, k], net(images[:, 3 * k : 3 * k + 3]), atol=1e-5)


def test_the_loss_is_each_networks_own() -> None:
    logits, targets = torch.randn(6, 2 * 5), torch.randint(0, 5, (6, 2))
    losses = fused.side_by_side_loss(logits, targets)
    plain = [nn.functional.cross_entropy(logits[:, 5 * k : 5 * k + 5], targets[:, k]) for k in range(2)]
    assert losses.tolist() == pytest.approx([float(value) for value in plain])


def test_layers_that_mix_networks_are_refused() -> None:
    norm: Callable[[], nn.Module] = lambda: nn.Sequential(nn.Conv2d(3, 8, 1), nn.LayerNorm(8))  # noqa: E731
    with pytest.raises(ModelError, match="LayerNorm"):
        fuse.fuse([norm(), norm()])
