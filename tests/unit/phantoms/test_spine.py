from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from guidegen.errors import InputError
from guidegen.mesh.grid import Lattice
from guidegen.phantoms.catalog import load_definition, phantom_names
from guidegen.phantoms.spine import Scene, Solid, build_scene
from guidegen.phantoms.surface import sample

STEP_MM = 1.0
LONG = [
    pytest.param(name, marks=pytest.mark.slow)
    for name in ("lumbar", "thoracic", "scoliosis", "round")
]
WANTED = {"demo", "lumbar", "thoracic", "scoliosis", "narrow", "fused", "round"}


def inside(solid: Solid, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    axes = [np.arange(a, b, STEP_MM) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"))
    flat = np.ascontiguousarray(grid.reshape(3, -1), dtype=np.float32)
    return solid.measure(flat)[0].reshape(grid.shape[1:])


def common_box(a: Solid, b: Solid) -> tuple[np.ndarray, np.ndarray]:
    first, second = a.patient_bounds(), b.patient_bounds()
    return np.maximum(first[0], second[0]), np.minimum(first[1], second[1])


def smallest_gap(scene: Scene, a: str, b: str) -> float:
    """Twice the distance from both bones at the narrowest place between them."""
    low, high = common_box(scene.solid(a), scene.solid(b))
    if (high - low <= 2).any():
        return np.inf
    both = np.maximum(inside(scene.solid(a), low, high), inside(scene.solid(b), low, high))
    return 2 * float(both.min())


def test_the_wanted_phantoms_are_there() -> None:
    assert set(phantom_names()) >= WANTED


def test_an_unknown_phantom_is_refused_with_the_known_names() -> None:
    with pytest.raises(InputError, match="lumbar"):
        load_definition("cervical")


@pytest.mark.parametrize("name", ["demo", "narrow", *LONG])
def test_bones_are_kept_apart_by_the_joint_space(name: str) -> None:
    scene = build_scene(name)
    levels = scene.definition.levels
    for upper, lower in pairwise(levels):
        assert smallest_gap(scene, upper, lower) > 1.0, f"{upper} and {lower}"


def test_ribs_are_clear_of_the_vertebrae() -> None:
    scene = build_scene("thoracic")
    for level, above in (("T6", "T5"), ("T12", "T11")):
        for side in ("left", "right"):
            for name in (level, above):
                assert smallest_gap(scene, f"rib_{level}_{side}", name) > 0.8


@pytest.mark.parametrize(
    "name", ["demo", "narrow", *LONG, pytest.param("fused", marks=pytest.mark.slow)]
)
def test_every_bone_is_one_piece(name: str) -> None:
    for solid in build_scene(name).solids:
        box = Lattice.around(solid.bounds_mm[0], solid.bounds_mm[1], STEP_MM)
        _, count = ndimage.label(sample(solid.shape, box) < 0, np.ones((3, 3, 3)))
        assert count == 1, solid.name


def test_in_the_fused_phantom_bone_goes_through_discs_and_facets() -> None:
    scene = build_scene("fused")
    column = scene.rendered[0]
    for level in scene.definition.expect.levels[:-1]:
        vertebra, pose = scene.vertebrae[level], scene.poses[level]
        disc = pose.points([[0.0, 0.0, -vertebra.half_height - vertebra.sizes.disc / 2]])
        joints = pose.points([joint.centre for joint in vertebra.below.values()])
        assert (column.measure(np.vstack([disc, joints]).T)[0] < -1.0).all(), level


def test_in_the_fused_phantom_the_foramina_and_the_canal_are_open() -> None:
    scene = build_scene("fused")
    column = scene.rendered[0]
    for level in scene.definition.expect.levels:
        vertebra, pose = scene.vertebrae[level], scene.poses[level]
        x, y, _ = vertebra.isthmus("left")
        low = -vertebra.half_height + 1.0
        holes = pose.points([[x, y + 1, low], [-x, y + 1, low], vertebra.canal_centre])
        assert (column.measure(holes.T)[0] > 1.0).all(), level


def test_left_is_the_patients_left() -> None:
    scene = build_scene("lumbar")
    for level in ("L1", "L3"):
        vertebra, pose = scene.vertebrae[level], scene.poses[level]
        assert vertebra.pedicles["left"].width > vertebra.pedicles["right"].width
        assert pose.points(vertebra.isthmus("left"))[0] > pose.points(vertebra.isthmus("right"))[0]


def test_kyphosis_leans_the_upper_levels_to_the_front() -> None:
    poses = build_scene("thoracic").poses
    assert poses["T4"].axes[1, 2] < -0.2 < 0.1 < poses["T12"].axes[1, 2]
