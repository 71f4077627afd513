"""Topology, crossings and wall thickness on shapes whose answer is known."""

import numpy as np
import pytest
import trimesh
from manifold3d import Manifold
from solids import arrays, joined, tube

from guidegen.mesh.crossing import count_crossings
from guidegen.mesh.io import read_stl, stl_bytes
from guidegen.mesh.quality import is_sound, topology
from guidegen.mesh.wall import Patch, thinnest_wall

TURN = (13, 29, 41)


def fine(solid, edge=1.0):
    return arrays(solid.rotate(TURN).refine_to_length(edge))


def test_a_block_is_sound():
    found = topology(*arrays(Manifold.cube((10, 20, 30))))
    assert found.closed and found.n_bodies == 1
    assert found.volume_mm3 == pytest.approx(6000)
    assert found.extent_mm.tolist() == [10, 20, 30]


def test_topology_counts_each_fault():
    vertices, faces = arrays(Manifold.cube((10, 20, 30)))
    assert topology(vertices, faces[1:]).n_open_edges == 3
    assert topology(vertices, faces[:, ::-1]).volume_mm3 == pytest.approx(-6000)
    flipped = faces.copy()
    flipped[0] = flipped[0][::-1]
    assert topology(vertices, flipped).n_flipped_edges == 3
    two = joined((vertices, faces), (vertices + 50, faces))
    assert topology(*two).n_bodies == 2 and topology(*two).closed
    assert topology(vertices, np.concatenate([faces, faces])).n_crowded_edges == 18
    assert not is_sound(*two)


def test_two_blocks_on_one_edge_are_crowded():
    a, b = Manifold.cube((10, 10, 10)), Manifold.cube((10, 10, 10)).translate((10, 10, 0))
    vertices, faces = joined(arrays(a), arrays(b))
    unique, place = np.unique(vertices, axis=0, return_inverse=True)
    assert topology(unique, place.ravel()[faces]).n_crowded_edges == 1


def test_real_bone_does_not_cross_itself(shared_data):
    vertices, faces = read_stl(shared_data / "mesh" / "comodo" / "vertebra.stl")
    assert is_sound(vertices, faces)


def test_interpenetrating_lobes_are_found():
    lobe = Manifold.sphere(10, 60)
    a, b = arrays(lobe), arrays(lobe.rotate((10, 20, 30)).translate((17, 3, 1)))
    assert count_crossings(*joined(a, b)) > 10
    assert count_crossings(*joined(a, (b[0] + (6, 0, 0), b[1]))) == 0


def test_a_lobe_of_one_surface_pushed_through_another():
    solid = Manifold.cylinder(40, 3, circular_segments=48).refine_to_length(0.8)
    vertices, faces = arrays(solid)
    bent = vertices.copy()
    angle = vertices[:, 2] / 40 * np.radians(400)
    radius = 10 + vertices[:, 0]
    bent[:, 0], bent[:, 2] = radius * np.cos(angle), radius * np.sin(angle)
    assert topology(bent, faces).n_bodies == 1
    assert count_crossings(bent, faces) > 10
    angle *= 300 / 400
    bent[:, 0], bent[:, 2] = radius * np.cos(angle), radius * np.sin(angle)
    assert count_crossings(bent, faces) == 0


def test_boxes_with_flush_faces_cross_and_touching_ones_do_not():
    cube = arrays(Manifold.cube((10, 10, 10)))
    assert count_crossings(*joined(cube, arrays(Manifold.cube((10, 6, 10)).translate((5, 2, 0)))))
    for at in ((10, 0, 0), (10, 3, 0), (10, 10, 0)):
        beside = arrays(Manifold.cube((10, 10, 10)).translate(at))
        assert count_crossings(*joined(cube, beside)) == 0


def test_one_face_pushed_through_the_opposite_wall():
    mesh = trimesh.creation.box((20, 20, 2)).subdivide().subdivide()
    vertices, faces = np.array(mesh.vertices), np.array(mesh.faces)
    top = np.flatnonzero((vertices[:, 2] > 0) & (np.abs(vertices[:, :2]) < 1).all(axis=1))
    assert count_crossings(vertices, faces) == 0
    vertices[top, 2] -= 3
    assert count_crossings(vertices, faces) > 0


def test_boolean_result_in_float32_does_not_cross(tmp_path):
    solid = Manifold.sphere(20, 100)
    for angle in range(0, 180, 30):
        rod = Manifold.cylinder(60, 1.45, circular_segments=64, center=True)
        solid -= rod.rotate((90, 3, angle)).translate((0, 0, angle / 10 - 8))
    file = tmp_path / "a.stl"
    file.write_bytes(stl_bytes(*arrays(solid.translate((311.7, -287.3, 901.1)))))
    assert count_crossings(*read_stl(file)) == 0


@pytest.mark.parametrize("wall", [1.0, 1.9, 2.0, 2.1, 3.3])
def test_plate_wall(wall):
    plate = Manifold.cube((30, 20, wall))
    assert thinnest_wall(*arrays(plate)).thickness_mm == pytest.approx(wall, abs=1e-6)
    assert thinnest_wall(*fine(plate)).thickness_mm == pytest.approx(wall, abs=1e-6)


@pytest.mark.parametrize("wall", [1.8, 1.95, 2.05, 2.75])
def test_tube_wall(wall):
    for mesh in (arrays(tube(wall)), fine(tube(wall))):
        assert thinnest_wall(*mesh).thickness_mm == pytest.approx(wall, abs=0.02)


def test_bore_off_centre_leaves_its_thinnest_side():
    block = Manifold.cube((12, 12, 20)) - Manifold.cylinder(
        22, 1.45, circular_segments=96
    ).translate((3.35, 6, -1))
    assert thinnest_wall(*arrays(block)).thickness_mm == pytest.approx(1.9, abs=0.01)


def test_a_thin_spot_of_a_millimetre_is_found():
    pit = Manifold.cylinder(3, 1.2, 1.8, 48).translate((15, 10, 1.7))
    plate = Manifold.cube((30, 20, 4)) - pit
    assert thinnest_wall(*arrays(plate)).thickness_mm == pytest.approx(1.7, abs=0.03)


def test_thick_block_and_its_edges_are_no_wall():
    block = Manifold.cube((20, 20, 20))
    assert thinnest_wall(*arrays(block)).thickness_mm == 6.0
    rounded = Manifold.sphere(0.5, 24).minkowski_sum(Manifold.cube((20, 20, 10)))
    assert thinnest_wall(*arrays(rounded)).thickness_mm == 6.0


def test_wedge_of_60_degrees_is_measured_from_a_millimetre_on():
    wedge = Manifold.extrude(_triangle(60, 20), 30)
    expected = 2 * np.tan(np.radians(30))
    assert thinnest_wall(*arrays(wedge)).thickness_mm == pytest.approx(expected, abs=0.06)


def test_knife_edge_is_a_thin_wall():
    assert thinnest_wall(*arrays(Manifold.extrude(_triangle(20, 20), 30))).thickness_mm < 0.5


def test_thin_square_rod_does_not_hide_behind_its_edges():
    rod = Manifold.cube((1.8, 1.8, 30)) + Manifold.cube((20, 20, 8), True)
    assert thinnest_wall(*arrays(rod)).thickness_mm == pytest.approx(1.8, abs=1e-3)


def test_isosurface_noise_does_not_thin_the_wall():
    from skimage.measure import marching_cubes

    step = 0.4
    axes = [np.arange(-7, 7, step), np.arange(-7, 7, step), np.arange(-11, 11, step)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    tilt = np.array([0.1, 0.2, 1.0]) / np.linalg.norm([0.1, 0.2, 1.0])
    along = points @ tilt
    across = np.linalg.norm(points - along[..., None] * tilt, axis=-1)
    field = np.maximum(np.abs(across - 3.0) - 1.2, np.abs(along) - 8)
    vertices, faces, _, _ = marching_cubes(field, 0.0, spacing=(step,) * 3)
    faces = faces.astype(np.int64)
    if topology(vertices, faces).volume_mm3 < 0:
        faces = faces[:, ::-1].copy()
    wall = thinnest_wall(vertices.astype(np.float64), faces)
    assert wall.thickness_mm == pytest.approx(2.4, abs=0.08)


def test_label_patch_is_left_out_on_both_sides():
    plate = Manifold.cube((30, 20, 2.3))
    plate -= Manifold.cube((8, 3, 1)).translate((10, 8, 1.8))
    mesh = arrays(plate)
    assert thinnest_wall(*mesh).thickness_mm == pytest.approx(1.8, abs=1e-3)
    normal, along = np.array([0.0, 0, 1]), np.array([1.0, 0, 0])
    patch = Patch(np.array([14.0, 9.5, 2.3]), normal, along, 9, 4, 1.0)
    assert thinnest_wall(*mesh, (patch,)).thickness_mm == pytest.approx(2.3, abs=1e-3)
    round_patch = Patch(np.array([14.0, 9.5, 2.3]), normal, None, 10, 0, 1.0)
    assert thinnest_wall(*mesh, (round_patch,)).thickness_mm == pytest.approx(2.3, abs=1e-3)


def test_the_same_mesh_gives_the_same_wall():
    mesh = fine(tube(2.1))
    assert thinnest_wall(*mesh).thickness_mm == thinnest_wall(*mesh).thickness_mm


def _triangle(angle_deg, length):
    from manifold3d import CrossSection

    half = length * np.tan(np.radians(angle_deg / 2))
    return CrossSection([np.array([(0, 0), (length, -half), (length, half)])])
