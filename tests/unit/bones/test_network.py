"""Potentials on voxels: linear along a bar, steep where conduction is worst."""

import numpy as np

from guidegen.bones.network import Network, conductance


def _bar(n: int = 21) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    bone = np.ones((1, 1, n), dtype=bool)
    held = np.full(bone.shape, np.nan, np.float32)
    held[0, 0, 0], held[0, 0, -1] = 0.0, 1.0
    return bone, np.ones(bone.shape, np.float32), held


def test_potential_is_linear_along_an_even_bar() -> None:
    bone, conduct, held = _bar()
    found = Network(bone, conduct).solve(held, np.zeros(bone.shape), 1e-9)
    assert np.allclose(found.ravel(), np.linspace(0, 1, 21), atol=1e-5)


def test_steepening_moves_the_drop_into_the_weakest_link() -> None:
    bone, conduct, held = _bar(61)
    conduct[0, 0, 8] = 0.1
    network = Network(bone, conduct)
    potential = network.solve(held, np.zeros(bone.shape), 1e-9)
    assert potential[0, 0, 7] > 0.08
    for _ in range(8):
        potential = network.steepened(potential).solve(held, potential, 1e-9)
    assert potential[0, 0, 9] - potential[0, 0, 7] > 0.8


def test_pieces_without_a_held_voxel_stay_undefined_and_those_held_once_are_even() -> None:
    bone, conduct, held = _bar(9)
    bone[0, 0, 4] = False
    bone[0, 0, 6] = False
    found = Network(bone, conduct).solve(held, np.zeros(bone.shape)).ravel()
    assert (found[:4] == 0).all() and (found[7:] == 1).all()
    assert np.isnan(found[[4, 5, 6]]).all()


def test_nothing_held_or_nothing_free_is_answered_too() -> None:
    bone, conduct, held = _bar(5)
    network = Network(bone, conduct)
    nothing = np.full(bone.shape, np.nan, np.float32)
    assert np.isnan(network.solve(nothing, np.zeros(bone.shape))).all()
    everything = np.arange(5.0, dtype=np.float32).reshape(bone.shape)
    assert (network.solve(everything, np.zeros(bone.shape)) == everything).all()
    none = np.zeros_like(bone)
    assert np.isnan(Network(none, conduct).solve(held, np.zeros(bone.shape))).all()


def test_a_guess_does_not_change_the_answer() -> None:
    bone, conduct, held = _bar()
    network = Network(bone, conduct)
    one, other = (network.solve(held, np.full(bone.shape, guess), 1e-9) for guess in (0.0, 1.0))
    assert np.allclose(one, other, atol=1e-5)


def test_a_dip_in_soft_tissue_conducts() -> None:
    hu = np.full((9, 9, 9), 30.0)
    hu[:, :, 4] = 27.0
    assert conductance(hu).min() > 0.85  # 0.04 if walls so faint counted


def test_a_dark_joint_conducts_badly_on_dense_and_on_faint_bone() -> None:
    for bright in (1000.0, 350.0):
        hu = np.full((9, 9, 9), bright)
        hu[:, :, 4] = 0.6 * bright
        conduct = conductance(hu)
        assert conduct[4, 4, 4] < 0.05 and conduct[4, 4, 1] > 0.95
