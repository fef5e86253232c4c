"""The simulator against known answers: uniform states, walls, scaling, stability, phases, patches, single atoms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from edgeval.errors import InputError
from edgeval.physics.basis import fourier, symmetric
from edgeval.physics.coupling import AA, interlayer
from edgeval.physics.energy import Problem, problem
from edgeval.physics.magnet import LAYERS, Magnet
from edgeval.physics.relax import relax
from edgeval.physics.simulate import How, simulate
from edgeval.physics.stability import critical_angle, softest
from edgeval.physics.starts import starts
from edgeval.physics.state import State
from tests.physics import atomistic
from tests.physics.spheres import Spheres, directions, ground_state, random_start

SAMPLE = Magnet(3.0, 2.0, 0.1)
STRONG = 0.03  # meV/A^2: below K the easy axis alone would hold layers the wrong way round
ANGLES = {  # theta_c in degrees by J, for D = 0.02, 0.05, 0.10, 0.20, 0.30
    1.0: (7.68, 6.81, 5.63, 3.68, 1.92),
    1.5: (6.27, 5.56, 4.60, 3.00, 1.57),
    2.0: (5.43, 4.81, 3.98, 2.60, 1.36),
    2.5: (4.85, 4.30, 3.56, 2.33, 1.22),
    3.0: (4.43, 3.93, 3.25, 2.12, 1.11),
}
PHASES = [  # J, D, theta, phase
    *[(2.0, 0.1, theta, "domains") for theta in (0.6, 1.0, 1.75)],
    *[(2.0, 0.1, theta, "canted") for theta in (2.0, 2.5, 3.75)],
    *[(2.0, 0.1, theta, "fm") for theta in (4.0, 4.08, 5.0)],
    (1.0, 0.1, 2.75, "domains"),
    (2.0, 0.2, 1.75, "domains"),
    (2.0, 0.2, 2.65, "fm"),
]


def one(theta: float, j: float, d: float) -> State:
    """One relaxed magnet."""
    return simulate([Magnet(theta, j, d)], How())[0][0]


@pytest.mark.parametrize("sign", [1, -1])
def test_uniform_coupling_gives_uniform_layers_from_any_unwound_start(sign: int) -> None:
    basis = fourier(24)
    usual = problem([SAMPLE], basis)
    uniform = Problem(basis, usual.stiff, usual.easy, torch.full_like(usual.coupling, sign * STRONG))
    smooth = torch.exp(-basis.k2 / 8) * torch.randn(6, 2, 24**2, generator=torch.manual_seed(1), dtype=torch.float64)
    noise = basis.from_modes(smooth)
    begun = noise / noise.abs().amax(dim=(1, 2), keepdim=True) + torch.tensor([[0.0], [math.pi / 2]])
    begun = torch.cat([begun, starts(usual.coupling)[0, 2:]])  # the others lean symmetrically and may stay on a saddle
    found = relax(uniform.take(torch.zeros(len(begun)).long()), begun, tolerance=1e-9)
    assert found.converged.all()
    assert (found.fields[:, 1].cos() * sign > 1 - 1e-12).all()
    assert found.energy.tolist() == pytest.approx([-(2 * SAMPLE.anisotropy + STRONG)] * len(begun), rel=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_uniform_coupling_on_spheres(sign: int) -> None:
    model = Spheres(SAMPLE, 24, np.full((24, 24), sign * STRONG))
    n, energy, _ = model.relax(random_start(24, np.random.default_rng(0)), 1e-7)
    assert (n[0] * n[1]).sum(axis=0) == pytest.approx(sign)
    assert energy == pytest.approx(-(2 * SAMPLE.anisotropy + STRONG), rel=1e-12)


@pytest.mark.parametrize("size", [64, 96])
def test_two_walls_have_the_energy_and_length_of_the_textbook(size: int) -> None:
    magnet = Magnet(0.9, 2.0, 0.1)
    basis = fourier(size)
    usual = problem([magnet], basis)
    turned = math.pi / 2 * (1 - torch.cos(2 * math.pi * basis.p))
    found = relax(Problem(basis, usual.stiff, usual.easy, 0 * usual.coupling), torch.stack([turned, turned])[None])
    height = math.sqrt(3) / 2 * magnet.period  # the walls run along the second axis, two of them a cell
    walls = (float(found.energy) + 2 * magnet.anisotropy) * height / 2
    layer = found.fields[0].sum(dim=0) / 2
    assert walls == pytest.approx(4 * math.sqrt(magnet.stiffness * magnet.anisotropy), rel=1e-5)
    assert walls == pytest.approx(0.481162, abs=2e-6)
    assert float((layer.sin() ** 2).mean()) * height / 4 == pytest.approx(10.7992, rel=2e-4)


def test_energies_scale_without_changing_the_state() -> None:
    basis = symmetric(32)
    usual = problem([Magnet(1.6, 1.5, 0.08)], basis)
    tripled = Problem(basis, 3 * usual.stiff, 3 * usual.easy, 3 * usual.coupling)
    found = [relax(each.take(torch.zeros(3).long()), starts(each.coupling)[0]) for each in (usual, tripled)]
    assert torch.allclose(found[0].fields, found[1].fields, atol=1e-9)
    assert torch.allclose(3 * found[0].energy, found[1].energy, rtol=1e-12)


def test_only_exchange_over_period_squared_counts_in_the_cell() -> None:
    wide = math.degrees(2 * math.asin(math.sin(math.radians(1.6) / 2) / math.sqrt(2)))
    pair = problem([Magnet(1.6, 1.5, 0.08), Magnet(wide, 3.0, 0.08)], symmetric(32))
    begun = starts(pair.coupling)[:, 2]
    fields = relax(pair, begun, tolerance=1e-9).fields
    assert float((fields[0] - fields[1]).abs().max()) < 1e-8


@pytest.mark.parametrize("j", ANGLES)
def test_critical_angles(j: float) -> None:
    found = [critical_angle(j, d) for d in (0.02, 0.05, 0.10, 0.20, 0.30)]
    assert found == pytest.approx(list(ANGLES[j]), rel=0.005)


def test_critical_angle_scales_and_has_an_end() -> None:
    one, four = critical_angle(0.5, 0.1), critical_angle(2.0, 0.1)
    assert one is not None
    assert four is not None
    assert one / four == pytest.approx(2, rel=0.002)
    assert critical_angle(1.0, 0.43) is None
    assert critical_angle(1.0, 0.40) is not None


def test_softest_mode_in_its_limits() -> None:
    deepest = float(interlayer(*np.meshgrid(*[np.arange(480) / 480] * 2)).min())
    assert softest(Magnet(0.02, 1.0, 0.1), 64) / LAYERS == pytest.approx(0.1 + deepest, abs=2e-3)
    assert softest(Magnet(29.0, 5000.0, 0.1)) / LAYERS == pytest.approx(0.1 + 0.14654, rel=1e-3)
    assert deepest == pytest.approx(-0.418, abs=5e-4)


def test_relaxation_agrees_with_the_stability_of_the_uniform_state() -> None:
    assert one(3.88, 2.0, 0.1).phase == "canted"
    assert one(4.08, 2.0, 0.1).phase == "fm"


@pytest.mark.parametrize(("j", "d", "theta", "phase"), PHASES)
def test_phases_come_in_order(j: float, d: float, theta: float, phase: str) -> None:
    state = one(theta, j, d)
    assert (state.phase, state.converged, state.pinned) == (phase, True, False)


def test_layers_of_the_domain_phase() -> None:
    assert one(1.75, 2.0, 0.1).magnetisation == pytest.approx((0.98, 0.72), abs=0.006)


@pytest.mark.parametrize("theta", [0.6, 1.2])
def test_three_antiferromagnetic_patches(theta: float) -> None:
    magnet, basis = Magnet(theta, 2.0, 0.1), symmetric(64)
    bilayer = problem([magnet], basis)
    found = relax(bilayer, starts(bilayer.coupling)[:, 2])
    aligned = basis.expand(found.fields)[0, 1].cos()

    def at(u: float, v: float) -> float:
        return float(aligned[round((u - AA) * 64) % 64, round((v - AA) * 64) % 64])

    assert [at(0, 0), at(1 / 3, 1 / 3), at(AA, AA)] == pytest.approx([1, 1, 1], abs=5e-3)
    assert [at(0.15, 0.19), at(0.19, 0.67), at(0.67, 0.15)] == pytest.approx([-1, -1, -1], abs=1e-2)
    assert one(theta, 2.0, 0.1).afm_patches == 3


@pytest.mark.parametrize(
    ("cells", "j", "d", "continuum", "atoms"),
    [
        (38, 2.0, 0.1, -0.042608, -0.042660),
        (25, 2.0, 0.1, -0.040327, -0.040364),
        (15, 2.0, 0.1, -0.038618, -0.038632),
        (38, 1.0, 0.2, -0.065344, -0.065504),
    ],
)
def test_the_continuum_agrees_with_single_atoms(cells: int, j: float, d: float, continuum: float, atoms: float) -> None:
    ours = one(atomistic.twist(cells), j, d).energy
    single = atomistic.energy_per_area(cells, j, d)
    assert ours == pytest.approx(single, rel=0.003)
    assert ours == pytest.approx(continuum, rel=3e-4)
    assert single == pytest.approx(atoms, rel=3e-4)


@pytest.mark.parametrize(("theta", "j", "d", "size"), [(1.8, 2.0, 0.1, 48), (2.5, 2.0, 0.1, 32), (1.9, 1.0, 0.05, 48)])
def test_spheres_without_symmetry_find_the_same_state(theta: float, j: float, d: float, size: int) -> None:
    magnet = Magnet(theta, j, d)
    n, energy = ground_state(magnet, size)
    (state,), _ = simulate([magnet], How(grid=size))
    assert state.energy == pytest.approx(energy, rel=1e-6)
    means = n[:, 2].mean(axis=(1, 2))
    assert state.magnetisation == pytest.approx(tuple(sorted(means, reverse=True)), abs=2e-4)


def test_disturbed_states_come_back_on_spheres() -> None:
    magnet, basis = Magnet(1.5, 2.0, 0.1), symmetric(48)
    bilayer = problem([magnet], basis)
    found = relax(bilayer, starts(bilayer.coupling)[:, 2])
    s, t = basis.expand(found.fields)[0].numpy()
    exact = directions(np.stack([(s + t) / 2, (s - t) / 2]))
    moved = exact + 0.05 * np.random.default_rng(3).normal(size=exact.shape)
    n, energy, _ = Spheres(magnet, 48).relax(moved / np.sqrt((moved**2).sum(axis=1, keepdims=True)))
    assert energy == pytest.approx(float(found.energy), rel=1e-6)
    assert np.abs(n[:, 2] - exact[:, 2]).max() < 0.002


def test_random_starts_find_nothing_lower() -> None:
    magnet, rng = Magnet(2.2, 2.0, 0.1), np.random.default_rng(5)
    model = Spheres(magnet, 24)
    found = [model.relax(random_start(24, rng), 1e-4)[1] for _ in range(3)]
    assert one(2.2, 2.0, 0.1).energy <= min(found) * (1 - 3e-5)


def test_theta_and_j_cannot_be_told_apart_in_the_cell_but_in_the_window() -> None:
    wide = math.degrees(2 * math.asin(math.sin(math.radians(1.6) / 2) / math.sqrt(2)))
    pair = [Magnet(1.6, 1.5, 0.08), Magnet(wide, 3.0, 0.08)]
    states, pictures = simulate(pair, How())
    assert states[0].energy == pytest.approx(states[1].energy, rel=1e-6)
    assert np.abs(pictures[0] - pictures[1]).max() > 0.5


def test_impossible_magnets_are_refused() -> None:
    for theta, j, d in ((0, 1, 1), (1, -1, 1), (1, 1, 0), (math.nan, 1, 1), (1, math.inf, 1), (31, 1, 1), (1, 1e9, 1)):
        with pytest.raises(InputError):
            Magnet(theta, j, d)
