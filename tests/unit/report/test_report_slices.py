"""Oblique slices: where things lie in them, by pixel and by drawing."""

import re

import numpy as np
import pytest

from guidegen.model.frames import PATIENT, Pose
from guidegen.report.contour import contours
from guidegen.report.drawing import UNITS_PER_MM
from guidegen.report.frames import isthmus_depth_mm
from guidegen.report.plane import (
    Plane,
    axial_plane,
    cross_plane,
    letter,
    sagittal_plane,
    sample,
)
from guidegen.report.slices import CROSS_FIELD_MM, slice_figure, slices_section

FIELD_MM, PIXELS = 80.0, 160


def brightest(grey):
    """Middle (row, column) of the pixels that are white."""
    return np.argwhere(grey > 250).mean(axis=0)


def frame_of(case):
    return case.landmarks[0].patient_from_bone


def points_of(d):
    """Points of a path's d, in drawing units."""
    return [
        np.array([[float(x) for x in pair.split()] for pair in part.rstrip("Z").split("L")])
        for part in d.split("M")[1:]
    ]


@pytest.mark.parametrize("flipped", [False, True])
def test_left_front_of_the_patient_is_right_up_in_an_axial_slice(case, places, parts, flipped):
    volume = parts["volume"](flipped)
    plane = axial_plane(case.plan.paths[0], frame_of(case)).moved(places["middle"])
    plane = Plane(places["middle"], plane.right, plane.up)
    row, column = brightest(sample(volume, plane, FIELD_MM, PIXELS))
    assert column > PIXELS / 2 + 20
    assert row < PIXELS / 2 - 20
    right, up = plane.flat(places["blob"])
    assert column == pytest.approx((right / FIELD_MM + 0.5) * PIXELS - 0.5, abs=1.5)
    assert row == pytest.approx((0.5 - up / FIELD_MM) * PIXELS - 0.5, abs=1.5)


def test_front_head_of_the_patient_is_left_up_in_a_sagittal_slice(case, places):
    straight = Plane(places["middle"], (0, 1, 0), (0, 0, 1))
    planned = sagittal_plane(case.plan.paths[0], frame_of(case))
    assert planned.right @ straight.right > 0.9
    assert planned.up @ straight.up > 0.99
    row, column = brightest(sample(case.volume, straight, FIELD_MM, PIXELS))
    assert column < PIXELS / 2 - 10
    assert row < PIXELS / 2 - 20


@pytest.mark.parametrize("side", [0, 1])
def test_marks_follow_the_radiologist(case, side):
    path, frame = case.plan.paths[side], frame_of(case)
    axial = axial_plane(path, frame).marks(frame)
    assert axial == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    sagittal = sagittal_plane(path, frame).marks(frame)
    assert sagittal == {"left": "A", "right": "P", "top": "H", "bottom": "F"}
    across = cross_plane(path, frame, 10.0).marks(frame)
    assert across == {"left": "R", "right": "L", "top": "H", "bottom": "F"}


def test_marks_follow_a_turned_vertebra(case):
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    frame = Pose.from_axes(turn, np.zeros(3), PATIENT, "T7")
    assert letter(np.array([0.0, 1, 0]), frame) == "L"
    assert letter(np.array([0.0, 0.7, 0.7]), frame) in ("LH", "HL")


@pytest.mark.parametrize("make", [axial_plane, sagittal_plane])
def test_a_long_plane_holds_the_axis(case, make):
    path = case.plan.paths[0]
    plane = make(path, frame_of(case)).moved(np.array([5.0, 5.0, 5.0]))
    for end in (path.entry_mm, path.tip_mm):
        assert abs((end - plane.origin_mm) @ plane.normal) < 1e-9


def test_a_path_along_a_bones_axis_still_has_planes(parts, places):
    frame = Pose.from_axes(np.eye(3), places["middle"], PATIENT, "T7")
    for direction in np.eye(3):
        tip = places["middle"] + 20 * direction
        path = parts["path"](entry_mm=places["middle"], tip_mm=tip)
        for plane in (axial_plane(path, frame), sagittal_plane(path, frame)):
            assert abs(path.direction @ plane.normal) < 1e-9
        assert abs(abs(path.direction @ cross_plane(path, frame, 5.0).normal) - 1) < 1e-9


def test_outside_the_scan_is_black(case):
    far = Plane(np.array([500.0, 0, 0]), (1, 0, 0), (0, -1, 0))
    assert sample(case.volume, far, FIELD_MM, 20).max() == 0


def test_contour_of_a_ball_is_a_circle(places, parts):
    points, faces = parts["ball"](places["middle"], 20.0, n=60)
    plane = Plane(places["middle"] + (0, 0, 12.0), (1, 0, 0), (0, -1, 0))
    (curve,) = contours(points, faces, plane, 40.0)
    assert np.allclose(curve[0], curve[-1])
    assert np.linalg.norm(curve, axis=1) == pytest.approx(16.0, abs=0.1)


def test_contours_of_two_bodies_and_of_none(parts):
    a, faces = parts["ball"](np.zeros(3), 5.0)
    both = np.concatenate([a, a + np.array((20.0, 0, 0))])
    two = np.concatenate([faces, faces + len(a)])
    plane = Plane(np.zeros(3), (1, 0, 0), (0, 0, 1))
    assert len(contours(both, two, plane, 50.0)) == 2
    assert len(contours(both, two, plane, 10.0)) == 1
    assert contours(both, two, Plane(np.array([0, 9.0, 0]), (1, 0, 0), (0, 0, 1)), 50.0) == []


def test_overlay_lies_on_the_bone_edge_of_the_ct(case, places):
    """Contour against the half-maximum edge of the grey picture below it: within 0.5 mm."""
    path = case.plan.paths[0]
    plane = axial_plane(path, frame_of(case)).moved(places["middle"])
    figure = slice_figure(case, path, plane, (FIELD_MM, ""))
    (d,) = [s.d for s in figure.strokes if s.style == "bone"]
    (curve,) = points_of(d)
    pixels = 800
    grey = sample(case.volume, plane, FIELD_MM, pixels).astype(float)
    middle = (plane.flat(places["middle"]) * (1, -1) + FIELD_MM / 2) * UNITS_PER_MM
    out = (curve - middle) / np.linalg.norm(curve - middle, axis=1, keepdims=True)
    reach = np.arange(-2.0, 2.0, 0.05)
    along = (curve[:, None] + out[:, None] * reach[:, None] * UNITS_PER_MM) / UNITS_PER_MM
    index = np.clip((along * pixels / FIELD_MM).astype(int), 0, pixels - 1)
    profile = grey[index[..., 1], index[..., 0]]
    half = (400 + 500) / 1800 * 255
    edge = reach[np.abs(profile - half).argmin(axis=1)]
    assert np.abs(edge).max() < 0.5
    assert abs(edge.mean()) < 0.2


def test_outline_is_to_scale(case, places):
    path = case.plan.paths[0]
    plane = axial_plane(path, frame_of(case)).moved(places["middle"])
    figure = slice_figure(case, path, plane, (FIELD_MM, ""))
    (box,) = [points_of(s.d)[0] for s in figure.strokes if s.style == "path"]
    sides = np.linalg.norm(np.diff(box, axis=0), axis=1) / UNITS_PER_MM
    assert sides == pytest.approx([path.length_mm, path.diameter_mm, path.length_mm], abs=0.1)
    wanted = (plane.flat(path.tip_mm) * (1, -1) + FIELD_MM / 2) * UNITS_PER_MM
    assert box[1:3].mean(axis=0) == pytest.approx(wanted, abs=1.0)
    (sleeve,) = [points_of(s.d)[0] for s in figure.strokes if s.style == "sleeve"]
    sides = np.linalg.norm(np.diff(sleeve, axis=0), axis=1) / UNITS_PER_MM
    assert sides == pytest.approx([20.0, 8.0, 20.0], abs=0.1)


def test_cross_section_is_a_circle_in_the_middle(case):
    section = slices_section(case)
    figure = section.content["items"][0].figures[2]
    circle = figure.circles[0]
    middle = CROSS_FIELD_MM * UNITS_PER_MM / 2
    assert (circle.x, circle.y) == pytest.approx((middle, middle), abs=0.1)
    assert circle.radius == pytest.approx(2.5 * UNITS_PER_MM)
    assert "9.0 mm deep" in figure.caption


def test_titles_and_one_scale(case):
    items = slices_section(case).content["items"]
    assert items[0].title == "T7 left – 5.0 × 30.6 mm – grade A"
    assert items[1].title == "T7 right – 5.0 × 30.6 mm – grade C"
    assert len({figure.width for item in items for figure in item.figures[:2]}) == 1
    assert all(re.fullmatch(r"\d+ mm", f.bar_text) for item in items for f in item.figures)


def test_isthmus_without_landmark_is_where_the_bone_is_nearest(build, parts):
    case = build(landmarks=())
    depth = isthmus_depth_mm(case, case.plan.paths[0])
    assert depth == pytest.approx(3.0)
    assert isthmus_depth_mm(build(landmarks=(), bones=()), parts["path"]()) == pytest.approx(
        10.2, abs=0.1
    )
