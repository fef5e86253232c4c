"""The steps that a CUDA graph records, run one by one on the CPU: they end where the plain loop ends."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn

from edgeval.errors import DeviceMemoryError, GraphError
from edgeval.records.ladder import Recipe
from edgeval.train import capture, graphed, loop
from edgeval.train.augment import DRAWS
from edgeval.train.branch import DrawnDropout
from tests.train.test_fused import PREPROCESS, net_of, nothing, samples, step


def jobs(name: str = "scalecnn", width: float = 4, epochs: int = 2, **changes: object) -> list[loop.Job]:
    recipe = Recipe(epochs=epochs, batch=8, lr=1e-3).model_copy(update=changes)
    return [loop.Job(net_of(name, width, seed), samples(), PREPROCESS, recipe, seed) for seed in (0, 1, 2)]


def furthest(one: loop.State, two: loop.State) -> float:
    assert one.tensors.keys() == two.tensors.keys()
    assert one.epochs == two.epochs
    return max(float((value - two.tensors[name]).abs().max()) for name, value in one.tensors.items())


@pytest.mark.parametrize(("name", "width", "lr"), [("scalecnn", 4, 0.01), ("mobilenetv2", 0.1, 1e-4)])
def test_twenty_steps_are_those_of_torchs_own_layers_and_optimiser(name: str, width: float, lr: float) -> None:
    """In float64: MobileNetV2 at batch 8 magnifies rounding many times a step."""
    recipe = Recipe(epochs=1, batch=8, lr=lr)
    made = loop.Job(net_of(name, width, 0).double(), samples(160), PREPROCESS, recipe, 0)
    plain = copy.deepcopy(made.net).train()
    group, optimizer, order = graphed.Group([made]), loop.sgd(plain, recipe), loop.Order(0, 0, 160)
    (branch,) = group.branches
    group.run({0: 0}, group.draw({0: 0}))
    start, weights = copy.deepcopy(plain.state_dict()), dict(plain.named_parameters())
    for k in range(20):
        index = order.batch(k, 8)
        images = branch.data.batch(index, order.generator).double()
        step(optimizer, nn.functional.cross_entropy(plain(images), branch.labels[index]))
    found = branch.state(0).tensors
    differ = max(float((value - found[f"net.{key}"]).abs().max()) for key, value in plain.state_dict().items())
    moved = max(float((value - start[key]).abs().max()) for key, value in plain.state_dict().items() if key in weights)
    assert differ < 1e-7 < 1e-3 < moved


def test_the_loop_gives_the_plain_loops_weights() -> None:
    plain = [loop.train(job, save=nothing, progress=nothing) for job in jobs(epochs=3, lr=1e-4)]
    ended = graphed.train(jobs(epochs=3, lr=1e-4), save=nothing, progress=nothing)
    for one, two, job in zip(plain, ended.states, jobs(), strict=True):
        assert two is not None
        assert (
            apart(one, two)
            < 1e-4
            < apart(one, replace(two, tensors={f"net.{k}": v for k, v in job.net.state_dict().items()}))
        )
        assert one.loss == pytest.approx(two.loss, abs=1e-3)
        assert one.tensors.keys() == two.tensors.keys()
        assert all(value.is_contiguous() for value in two.tensors.values())


def apart(one: loop.State, two: loop.State) -> float:
    """The largest difference of any weight."""
    names = [name for name in one.tensors if name.startswith("net.") and name.endswith(("weight", "bias"))]
    return max(float((one.tensors[name] - two.tensors[name]).abs().max()) for name in names)


def test_a_branch_ends_as_it_would_alone() -> None:
    together = graphed.train(jobs(), save=nothing, progress=nothing).states
    for k, state in enumerate(together):
        (alone,) = graphed.train([jobs()[k]], save=nothing, progress=nothing).states
        assert state is not None
        assert alone is not None
        assert furthest(state, alone) == 0


def test_branches_of_several_rungs_share_a_launch() -> None:
    mixed = [jobs(width=8)[0], jobs(width=4)[1]]
    ended = graphed.train(mixed, save=nothing, progress=nothing)
    (alone,) = graphed.train([jobs(width=4)[1]], save=nothing, progress=nothing).states
    assert ended.states[1] is not None
    assert alone is not None
    assert furthest(ended.states[1], alone) == 0


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_branches_that_were_cut_at_different_epochs_go_on_to_the_same_weights(precision: str) -> None:
    saved: dict[tuple[int, int], loop.State] = {}
    asked = jobs(epochs=3, precision=precision)
    whole = graphed.train(
        asked, save=lambda k, state: saved.update({(k, state.epochs): copy.deepcopy(state)}), progress=nothing
    ).states
    starts = {0: saved[0, 1], 1: saved[1, 2], 2: None}
    again = [replace(job, start=starts[k]) for k, job in enumerate(jobs(epochs=3, precision=precision))]
    for one, two in zip(whole, graphed.train(again, save=nothing, progress=nothing).states, strict=True):
        assert one is not None
        assert two is not None
        assert furthest(one, two) == 0
        assert one.tensors["net.features.1.num_batches_tracked"] == 24


def test_a_state_of_either_loop_is_gone_on_with_by_the_other() -> None:
    first: list[loop.State] = []
    loop.train(jobs(lr=1e-4)[0], save=first.append, progress=nothing)
    (done,) = graphed.train([replace(jobs(lr=1e-4)[0], start=first[0])], save=nothing, progress=nothing).states
    assert done is not None
    assert apart(done, first[1]) < 1e-4


def test_bf16_agrees_with_autocast() -> None:
    plain = loop.train(jobs(precision="bf16")[0], save=nothing, progress=nothing)
    (mine,) = graphed.train([jobs(precision="bf16")[0]], save=nothing, progress=nothing).states
    assert mine is not None
    assert mine.tensors["net.features.0.weight"].dtype == torch.float32
    assert mine.loss == pytest.approx(plain.loss, rel=0.02)


def test_a_branch_that_diverges_is_named_and_leaves_the_others_alone() -> None:
    asked, kept = jobs(), list[int]()
    with torch.no_grad():
        asked[1].net.get_parameter("features.0.weight").fill_(float("nan"))
    ended = graphed.train(asked, save=lambda k, state: kept.append(k), progress=nothing)
    assert [state is None for state in ended.states] == [False, True, False]
    assert kept == [0, 2, 0, 2]
    assert "seed 1" in str(ended.error)


def test_dropout_is_drawn_for_each_seed_and_step() -> None:
    asked = jobs("mobilenetv2", 0.1)[:2]
    for job in asked:
        job.net.get_submodule("classifier.0").p = 0.2  # type: ignore[assignment]
    group = graphed.Group(asked)
    layers = [
        module for branch in group.branches for module in branch.net.modules() if isinstance(module, DrawnDropout)
    ]
    group.run({0: 0, 1: 0}, group.draw({0: 0, 1: 0}))
    keeps = [branch.keeps[0] for branch in group.branches]
    assert len(layers) == 2
    assert not torch.equal(*keeps)
    assert not torch.equal(keeps[0][0], keeps[0][1])
    assert set(keeps[0].unique().tolist()) == {0.0, 1.25}
    assert float(keeps[0].mean()) == pytest.approx(1.0, abs=0.02)


def test_progress_reaches_its_total() -> None:
    told: list[tuple[int, int]] = []
    graphed.train(jobs(), save=nothing, progress=lambda done, total: told.append((done, total)))
    assert told == [(192, 384), (384, 384)]


@pytest.mark.parametrize("batch", range(1, 18))
def test_the_warm_up_meets_every_alignment_that_is_recorded(batch: int) -> None:
    """Triton compiles anew for addresses that 16 does not divide; while a graph is recorded it must not."""
    index = torch.zeros(graphed.CHUNK, batch, dtype=torch.long)
    draws = torch.zeros(graphed.CHUNK, DRAWS, batch)
    kinds = [(index[k].data_ptr() % 16 == 0, draws[k].data_ptr() % 16 == 0) for k in range(graphed.CHUNK)]
    assert set(kinds[: capture.WARM_UP]) == set(kinds)


def failing(error: Exception) -> Callable[..., Callable[[], None]]:
    def build(*_: object) -> Callable[[], None]:
        raise error

    return build


@pytest.mark.parametrize(
    ("error", "kind"),
    [(torch.cuda.OutOfMemoryError("CUDA out of memory"), DeviceMemoryError), (RuntimeError("no capture"), GraphError)],
)
def test_a_graph_that_cannot_be_built_is_told_as_such(error: Exception, kind: type[GraphError]) -> None:
    with pytest.raises(GraphError) as told:
        graphed.train(jobs(), save=nothing, progress=nothing, build=failing(error))
    assert type(told.value) is kind


def test_layers_of_ours_are_only_put_where_they_are_known() -> None:
    job = replace(jobs()[0], net=nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 900, 5)))
    (state,) = graphed.train([job], save=nothing, progress=nothing).states
    assert state is not None
    assert set(state.tensors) >= {"net.0.weight", "momentum.3.bias"}
