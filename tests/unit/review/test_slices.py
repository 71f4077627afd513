"""Slices lie where they say, the right way round."""

import json
import struct

import numpy as np
import pytest

from guidegen.errors import InputError
from guidegen.model.volume import CTVolume, Grid
from guidegen.review.binary import coarser, mesh_bytes, slice_bytes
from guidegen.review.slices import Frame, marks, sampled
from tests.fake_procedure import CENTRE_MM, RADIUS_MM, ball_volume

ASKED = {"right": "1,0,0", "down": "0,1,0", "w": "80", "h": "60", "step": "0.5"}


def frame(**told):
    centre = ",".join(str(n) for n in CENTRE_MM)
    return Frame.read({"centre": centre, **ASKED, **told})


def unpacked(data):
    (n,) = struct.unpack_from("<I", data)
    assert n % 4 == 0
    return json.loads(data[4 : 4 + n]), np.frombuffer(data[4 + n :], dtype="<i2")


@pytest.mark.parametrize(
    ("right", "down", "edges"),
    [
        ("1,0,0", "0,1,0", ("R", "L", "A", "P")),
        ("-1,0,0", "0,1,0", ("L", "R", "A", "P")),
        ("1,0,0", "0,0,-1", ("R", "L", "S", "I")),
        ("0,1,0", "0,0,-1", ("A", "P", "S", "I")),
        ("1,1,0", "0,0,-1", ("RA", "LP", "S", "I")),
    ],
)
def test_the_edges_are_the_patients_sides(right, down, edges):
    found = marks(frame(right=right, down=down).plane)
    left, right_edge, top, bottom = edges
    assert sorted(found["left"]) == sorted(left)
    assert sorted(found["right"]) == sorted(right_edge)
    assert (found["top"], found["bottom"]) == (top, bottom)


def test_pixels_lie_where_they_say():
    """A cube of other grey, off centre in all three directions, is found at its place."""
    volume = ball_volume()
    hu = volume.hu.copy()
    at = CENTRE_MM + np.array([6.0, -4.0, 3.0])
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in hu.shape), indexing="ij"), axis=-1)
    near = np.abs(volume.grid.patient(grid) - at).max(axis=-1) < 2.0
    hu[near] = 3000
    whole = CTVolume(hu, volume.grid, volume.info)
    plane = frame(centre=",".join(str(n) for n in CENTRE_MM + np.array([0, 0, 3.0])))
    rows, columns = np.nonzero(sampled(whole, plane) > 2000)
    assert (columns.mean() + 0.5 - 40) * 0.5 == pytest.approx(6.0, abs=0.6)
    assert (rows.mean() + 0.5 - 30) * 0.5 == pytest.approx(-4.0, abs=0.6)


@pytest.mark.parametrize("flip", [1.0, -1.0])
@pytest.mark.parametrize("tilt_deg", [0.0, 25.0, 155.0])
def test_an_oblique_scan_is_shown_along_the_patient(tilt_deg, flip):
    """However the voxels lie, the left is right and what is in front of the patient is above."""
    a = np.radians(tilt_deg)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1.0]])
    tip = np.array(
        [[1.0, 0, 0], [0, np.cos(a / 3), -np.sin(a / 3)], [0, np.sin(a / 3), np.cos(a / 3)]]
    )
    matrix, shape = np.eye(4), (60, 60, 60)
    matrix[:3, :3] = (turn @ tip)[:, ::-1] * [1.0, 1.0, flip]
    matrix[:3, 3] = -matrix[:3, :3] @ (np.array(shape) / 2)
    grid = Grid(matrix, shape)
    at = np.array([9.0, -6.0, 5.0])
    kji = np.stack(np.indices(shape), axis=-1)
    hu = np.full(shape, -1000, dtype=np.int16)
    hu[np.linalg.norm(grid.patient(kji) - at, axis=-1) < 2.5] = 3000
    volume = CTVolume(hu, grid)
    for down, place in (("0,1,0", (9.0, -6.0)), ("0,0,-1", (9.0, -5.0))):
        seen = frame(centre="0,0,5" if down == "0,1,0" else "0,-6,0", down=down)
        rows, columns = np.nonzero(sampled(volume, seen) > 1000)
        assert ((columns.mean() + 0.5 - 40) * 0.5, (rows.mean() + 0.5 - 30) * 0.5) == pytest.approx(
            place, abs=0.4
        )
        assert marks(seen.plane)["right"] == "L" and marks(seen.plane)["left"] == "R"


def test_the_outline_lies_on_the_ball(tab):
    centre = ",".join(str(n) for n in CENTRE_MM)
    answer = tab.get("/api/slice", params={"centre": centre, **ASKED})
    header, pixels = unpacked(answer.content)
    assert pixels.shape == (80 * 60,)
    (bone,) = header["contours"]
    assert bone["name"] == "L3" and bone["planned"]
    points = np.array(bone["lines"][0]).reshape(-1, 2)
    radii = np.linalg.norm(points - [40, 30], axis=1) * 0.5
    assert radii == pytest.approx(np.full(len(radii), RADIUS_MM), abs=0.4)


@pytest.mark.parametrize(
    "told",
    [
        *({"w": "0"}, {"h": "-3"}, {"w": "5000", "h": "5000"}, {"step": "0"}, {"step": "nan"}),
        *({"right": "0,0,0"}, {"right": "0,1,0"}, {"down": "1,2"}, {"centre": "inf,0,0"}),
        {"centre": "a,b,c"},
    ],
)
def test_a_slice_that_is_none(told, tab):
    with pytest.raises(InputError):
        frame(**told)
    asked = {"centre": "0,0,0", **ASKED, **told}
    assert tab.get("/api/slice", params=asked).status_code == 422


def test_outside_is_air(tab):
    _, pixels = unpacked(tab.get("/api/slice", params={"centre": "900,0,0", **ASKED}).content)
    assert set(pixels.tolist()) == {-1024}


def test_a_picture(tab):
    told = {"forward": "0,-1,0", "up": "0,0,1", "w": "120", "h": "90"}
    answer = tab.get("/api/picture", params=told)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content[:2] == b"\xff\xd8"
    for wrong in (
        {"w": "9999"},
        {"up": "0,-1,0"},
        {"forward": "x"},
        {"up": "1,0"},
        {"up": "nan,0,1"},
    ):
        assert tab.get("/api/picture", params={**told, **wrong}).status_code == 422


def test_packed_surfaces():
    points = np.array([[0, 0, 0], [1.5, 0, 0], [0, 2.5, 0], [0, 0, 3.5]], dtype=float)
    faces = np.array([[0, 2, 1], [0, 1, 3]])
    data = mesh_bytes(points, faces)
    assert struct.unpack_from("<II", data) == (4, 2)
    assert np.frombuffer(data[8:56], "<f4").reshape(4, 3) == pytest.approx(points)
    assert np.frombuffer(data[56:], "<u4").reshape(2, 3).tolist() == faces.tolist()
    header, pixels = unpacked(slice_bytes({"a": "ä"}, np.array([[-1024.4, 40000.0]])))
    assert header == {"a": "ä"} and pixels.tolist() == [-1024, 32767]


def test_fewer_triangles_of_the_same_shape(tab):
    bone = tab.session.loaded().case.bones[0]
    points, faces = coarser(bone.vertices_mm, bone.faces, 2.0)
    assert len(faces) < len(bone.faces) / 2
    radii = np.linalg.norm(points - bone.vertices_mm.mean(axis=0), axis=1)
    assert radii == pytest.approx(np.full(len(radii), RADIUS_MM), abs=1.0)
