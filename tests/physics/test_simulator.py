"""Parts of the simulator: grids, symmetric waves, batches, pictures, patches."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from edgeval.errors import InputError
from edgeval.physics.basis import Basis, fourier, symmetric
from edgeval.physics.coupling import AA, interlayer
from edgeval.physics.energy import problem
from edgeval.physics.harmonics import harmonics
from edgeval.physics.magnet import Magnet, grid_for
from edgeval.physics.picture import Window, draw
from edgeval.physics.plan import Plan
from edgeval.physics.relax import relax
from edgeval.physics.simulate import How, simulate
from edgeval.physics.starts import starts
from edgeval.physics.state import patches, phase, pinned, settle


def test_coupling_at_the_known_stackings() -> None:
    places = np.array([[0, 0], [1 / 3, 1 / 3], [AA, AA]]) - AA
    relaxed, rigid = (interlayer(*places.T, kind) for kind in ("relaxed", "rigid"))
    assert relaxed[0] == pytest.approx(relaxed[1])
    assert relaxed[[0, 2]] == pytest.approx([1.11, 0.17], abs=0.01)
    assert rigid[[0, 2]] == pytest.approx([1.29, 0.41], abs=0.06)


@pytest.mark.parametrize(
    ("kind", "mean", "low", "high", "share"),
    [("relaxed", 0.147, -0.418, 1.113, 0.30), ("rigid", 0.004, -1.416, 1.345, 0.41)],
)
def test_coupling_over_the_cell(kind: str, mean: float, low: float, high: float, share: float) -> None:
    found = interlayer(*np.meshgrid(*[np.arange(300) / 300] * 2), kind)
    assert [found.mean(), found.min(), found.max()] == pytest.approx([mean, low, high], abs=1e-3)
    assert (found < 0).mean() == pytest.approx(share, abs=0.006)


def test_lengths_and_energies_of_the_example() -> None:
    magnet = Magnet(1.0, 2.0, 0.1)
    assert magnet.stiffness == pytest.approx(1.299, abs=1e-3)
    assert magnet.anisotropy == pytest.approx(0.01114, abs=1e-5)
    assert magnet.wall == pytest.approx(10.80, abs=0.005)
    assert magnet.period == pytest.approx(391.3, abs=0.1)


@pytest.mark.parametrize(
    ("theta", "j", "d", "grid"), [(1.0, 1, 0.2, 64), (0.6, 1, 0.2, 128), (0.8, 2, 0.1, 48), (2, 2, 0.1, 32)]
)
def test_grids_resolve_the_walls(theta: float, j: float, d: float, grid: int) -> None:
    assert grid_for(Magnet(theta, j, d)) == grid


def test_coarse_grids_are_refused_with_the_needed_one() -> None:
    magnet = Magnet(1.0, 1, 0.2)
    with pytest.raises(InputError, match=f"--grid {magnet.needed}"):
        grid_for(magnet, 48)
    with pytest.raises(InputError, match=f"grid of {Magnet(0.2, 1, 0.2).needed}"):
        grid_for(Magnet(0.2, 1, 0.2))
    assert grid_for(magnet, magnet.needed) == magnet.needed


@pytest.mark.parametrize("size", [9, 16, 32])
def test_symmetric_waves_are_a_whole_orthonormal_set(size: int) -> None:
    found = harmonics(size)
    assert (found.waves * found.weights) @ found.waves.T == pytest.approx(np.eye(len(found.weights)), abs=1e-12)
    at = np.arange(size) / size
    assert interlayer(found.p, found.q)[found.orbit] == pytest.approx(interlayer(at[:, None], at[None, :]), abs=1e-12)


@pytest.mark.parametrize("basis", [symmetric(16), fourier(16), fourier(15)])
def test_modes_give_fields_back_and_keep_mean_squares(basis: Basis) -> None:
    fields = torch.randn(3, 2, len(basis.weights), generator=torch.manual_seed(0), dtype=torch.float64)
    modes = basis.to_modes(fields)
    assert torch.allclose(basis.from_modes(modes), fields)
    assert torch.allclose((modes**2).sum(-1), (fields**2) @ basis.weights)


def test_all_waves_and_symmetric_waves_agree() -> None:
    found = []
    for basis in (symmetric(32), fourier(32)):
        bilayer = problem([Magnet(1.7, 2.0, 0.1)], basis)
        relaxed = relax(bilayer, starts(bilayer.coupling)[:, 2], tolerance=1e-8)
        found.append((float(relaxed.energy), basis.expand(relaxed.fields)))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-10)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-5)


def test_gradient_is_the_derivative_of_the_energy() -> None:
    basis = symmetric(16)
    bilayer = problem([Magnet(2.0, 2.0, 0.1)] * 2, basis)
    fields = torch.randn(2, 2, len(basis.weights), generator=torch.manual_seed(0), dtype=torch.float64)
    modes = basis.to_modes(fields).requires_grad_()
    energy = bilayer.energy(modes, bilayer.waves(basis.from_modes(modes)))
    (slope,) = torch.autograd.grad(energy.sum(), modes)
    assert torch.allclose(bilayer.gradient(modes, bilayer.waves(fields)), slope)


def test_what_becomes_of_a_magnet_does_not_depend_on_its_neighbours() -> None:
    plan = Plan()
    magnets = [plan.magnet(k) for k in range(12)]
    together, pictures = simulate(magnets, How())
    for k in (0, 5, 11):
        (alone,), (picture,) = simulate([magnets[k]], How())
        assert alone.energy == pytest.approx(together[k].energy, rel=1e-12)
        assert np.abs(picture - pictures[k]).max() < 1e-6


def test_float32_gives_the_same_states() -> None:
    magnets = [Plan(seed=1).magnet(k) for k in range(12)]
    (exact, pictures), (rough, others) = (simulate(magnets, How(precision=name)) for name in ("float64", "float32"))
    assert [s.phase for s in exact] == [s.phase for s in rough]
    assert [s.energy for s in rough] == pytest.approx([s.energy for s in exact], rel=2e-6)
    assert np.abs(pictures - others).max() < 0.01


def test_too_few_iterations_are_not_called_converged() -> None:
    bilayer = problem([Magnet(1.2, 2.0, 0.1)], symmetric(32))
    found = relax(bilayer, starts(bilayer.coupling)[:, 2], limit=5)
    assert found.iterations.tolist() == [5]
    assert not found.converged.any()


def test_coarse_grids_pin_walls_and_raise_the_alarm() -> None:
    bilayer = problem([Magnet(0.2, 1.0, 0.3)], symmetric(32))
    found = relax(bilayer, starts(bilayer.coupling)[:, 2])
    s, t = symmetric(32).expand(found.fields)[0].numpy()
    n_z = np.cos(np.stack([s + t, s - t]) / 2)
    assert pinned(phase(t, n_z), n_z)


def test_pictures_keep_lengths_directions_and_the_centre() -> None:
    size, period, window = 96, 300.0, Window(600.0, 120)
    at = torch.arange(size, dtype=torch.float64) / size
    p, q = at[:, None], at[None, :]
    cells = torch.stack([torch.cos(2 * math.pi * p) + 0 * q, torch.sin(2 * math.pi * q) + 0 * p])[None]
    picture = draw(cells, torch.tensor([period]), window)[0].numpy()
    along = (np.arange(120) + 0.5 - 60) * 5.0
    y, x = np.meshgrid(-along, along, indexing="ij")
    v = y / (period * math.sqrt(3) / 2)
    assert picture[0] == pytest.approx(np.cos(2 * math.pi * (x / period - v / 2)), abs=2e-3)
    assert picture[1] == pytest.approx(np.sin(2 * math.pi * v), abs=2e-3)


def test_windows_that_cannot_show_the_cell_are_refused() -> None:
    Window(5000.0, 256).check(200.0)  # many cells: the crystal goes on
    with pytest.raises(InputError, match="--image-size 100 or more, or --window 2400"):
        Window(5000.0, 48).check(200.0)
    for wrong in ((math.nan, 48), (0.0, 48), (400.0, 2)):
        with pytest.raises(InputError):
            Window(*wrong)


def test_patches_meet_over_the_edges() -> None:
    aligned = np.ones((12, 12))
    aligned[0, 0] = aligned[-1, -1] = aligned[0, -1] = aligned[5, 5] = aligned[4, 6] = -1
    aligned[8, 8] = aligned[9, 9] = -1  # not neighbours: these axes are 60 degrees apart
    assert patches(aligned) == 4
    assert patches(-np.ones((4, 4))) == 1
    assert patches(np.ones((4, 4))) == 0


def test_layers_stand_in_one_order() -> None:
    n_z = np.full((1, 2, 4, 4), -0.9)
    n_z[0, 0] = 0.2
    assert settle(n_z)[0].mean(axis=(1, 2)) == pytest.approx([0.9, -0.2])


def test_samples_are_drawn_by_seed_and_number() -> None:
    plan = Plan(seed=3)
    assert plan.magnet(7) == Plan(seed=3, shard_size=10).magnet(7) != plan.magnet(8)
    drawn = np.array([(m.theta, m.j, m.d) for m in map(plan.magnet, range(2000))])
    assert drawn.min(axis=0) == pytest.approx([0.8, 1, 0.02], abs=0.01)
    assert drawn.max(axis=0) == pytest.approx([2.0, 3, 0.2], abs=0.01)
    assert np.corrcoef(drawn.T) == pytest.approx(np.eye(3), abs=0.08)


def test_ranges_are_checked_at_their_corners() -> None:
    assert Plan().uninformative() == ""
    assert "2.12" in Plan(ranges=((0.8, 2.5), (1, 3), (0.02, 0.2))).uninformative()
    with pytest.raises(InputError, match="grid of"):
        Plan(ranges=((0.3, 2.0), (1, 3), (0.02, 0.2)))
    with pytest.raises(InputError, match="--j-range"):
        Plan(ranges=((0.8, 2.0), (3, 1), (0.02, 0.2)))
