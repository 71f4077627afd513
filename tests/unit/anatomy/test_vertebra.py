import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.anatomy.vertebra import find_landmarks
from guidegen.errors import AnatomyError
from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.level import Level
from guidegen.phantoms.spine import build_scene
from guidegen.phantoms.truth import surface

from ..planning.vertebra_shape import Shape

SHAPE = Shape(radius=4.0, axial=12.0)


def posed(turn_deg, shift_mm):
    turn = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    return Pose.from_axes(turn, shift_mm, PATIENT, "L3")


def moved_level(level, turn_deg, shift_mm):
    turn = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    at = level.patient_from_level
    pose = Pose.from_axes(at.axes @ turn, at.origin_mm + np.array(shift_mm), PATIENT, "level")
    return Level(level.name, pose, level.limits_mm)


@pytest.mark.parametrize(
    ("pose", "turn", "shift"),
    [
        (posed((0, 0, 0), (0, 0, 0)), (0, 0, 0), (0, 0, 0)),
        (posed((10, -20, 25), (50, -30, 200)), (8, -6, 8), (2, -2, 2)),
        (posed((-30, 5, -15), (-10, 80, -400)), (-7, 5, -8), (-2, 2, -2)),
    ],
)
def test_landmarks_and_frame_of_a_turned_vertebra(pose, turn, shift):
    level = moved_level(SHAPE.level(pose=pose), turn, shift)
    marks = find_landmarks(SHAPE.bone(pose=pose), level)
    back = pose.inverse @ marks.patient_from_bone
    assert np.linalg.norm(back.origin_mm) < 0.5
    assert np.degrees(np.arccos(np.clip((np.trace(back.axes) - 1) / 2, -1, 1))) < 2.0
    for side, sign in (("left", 1.0), ("right", -1.0)):
        at = pose.inverse.points(marks[f"pedicle_{side}"].position_mm)
        off = at - np.array(SHAPE.isthmus) * (sign, 1, 1)
        assert np.linalg.norm(off[[0, 2]]) < 1.5
        assert marks[f"pedicle_{side}"].values["width_mm"] == pytest.approx(8.0, abs=1.0)
    canal = pose.inverse.points(marks["canal_centre"].position_mm)
    assert np.hypot(canal[0], canal[1] - 22.0) < 2.0
    top = pose.inverse.vectors(np.array(marks["superior_endplate_centre"].values["normal"]))
    assert top[2] > 0.99
    assert pose.inverse.points(marks["spinous_tip"].position_mm)[1] > 58.0


def cut(bone, keep):
    """Cut a bone with a plane and close it (through its distance to the plane)."""
    from skimage.measure import marching_cubes

    step = 1.0
    axes = [np.arange(a, b, step) for a, b in ((-42, 42), (-19, 64), (-17, 17))]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = np.maximum(SHAPE.measure(grid), keep(grid)) + 1e-5
    vertices, faces, _, _ = marching_cubes(values, 0.0)
    points = vertices * step + np.array([a[0] for a in axes])
    a, b, c = (points[faces[:, n]] for n in range(3))
    faces = faces[:, ::-1] if np.einsum("ij,ij->", a, np.cross(b, c)) < 0 else faces
    return Bone("L3", points, faces, complete=False)


def test_a_pedicle_that_is_cut_off_is_left_out():
    marks = find_landmarks(cut(None, lambda p: -(p[..., 0] + 12.0)), SHAPE.level(complete=False))
    assert "pedicle_left" in marks
    assert "pedicle_right" not in marks


def test_no_body_is_an_error_that_names_the_level():
    with pytest.raises(AnatomyError, match="L3"):
        find_landmarks(cut(None, lambda p: 20.0 - p[..., 1]), SHAPE.level())


@pytest.mark.parametrize("name", ["T8", "T9"])
def test_pedicles_close_to_the_midline_do_not_move_the_bodys_centre(name):
    """In a narrow thoracic canal chords beside the vein's opening leave through the pedicles."""
    scene = build_scene("fracture_thoracic")
    vertebra, pose = scene.vertebrae[name], scene.poses[name]
    canal = Pose.from_axes(pose.axes, pose.points(vertebra.canal_centre), PATIENT, name)
    bone = surface("fracture_thoracic", name, 1.0)
    marks = find_landmarks(bone, Level(name, canal, (-12.0, 12.0)))
    off = pose.inverse.points(marks["body_centre"].position_mm)
    assert np.abs(off).max() < 0.8, off
