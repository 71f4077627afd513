"""Measures against closed forms and published thresholds; no phantom, no bone.

Each formula stands beside its test. Sources: Gertzbein and Robbins, Spine 1990;15(1):11-14, for
the grades; the rest is plain geometry.
"""

import numpy as np
import pytest
from manifold3d import Manifold
from scipy import integrate, interpolate, optimize, special

from guidegen.checks.cylinder import fit_bore
from guidegen.mesh.io import read_stl, stl_bytes
from guidegen.mesh.rays import RayTarget
from guidegen.mesh.surface import Surface
from guidegen.mesh.wall import thinnest_wall
from guidegen.model.volume import CTVolume, Grid, ScanInfo
from guidegen.planning.grade import gertzbein_robbins
from guidegen.planning.half_maximum import Axis, measure_profile
from guidegen.planning.line import Line
from guidegen.planning.wall import Wall

CORTEX, MARROW, SOFT = 1150.0, 200.0, 50.0
SPACING_MM = 0.5
N_SIDES = 720


def arrays(solid):
    """(V, 3) corners and (F, 3) faces of a manifold."""
    mesh = solid.to_mesh64()
    return np.array(mesh.vert_properties[:, :3]), np.array(mesh.tri_verts, dtype=np.int64)


def rod(radius_mm, length_mm):
    """A round rod along y, its middle at the origin."""
    made = Manifold.cylinder(length_mm, radius_mm, circular_segments=N_SIDES, center=True)
    return made.rotate((90.0, 0.0, 0.0))


def blurred(radius_mm, sigma_mm, at_mm):
    """A disc of height 1 blurred by a Gaussian in its plane, at a distance from its middle.

    The integral over angles is a Bessel function (the Rice distribution):
    f(r) = int_0^R s/sigma^2 exp(-(r^2 + s^2) / 2 sigma^2) I0(r s / sigma^2) ds.
    """

    def ring(s):
        inner = at_mm * s / sigma_mm**2
        return s / sigma_mm**2 * special.i0e(inner) * np.exp(-((at_mm - s) ** 2) / 2 / sigma_mm**2)

    low = max(0.0, at_mm - 9 * sigma_mm)
    if low >= radius_mm:
        return 0.0
    return integrate.quad(ring, low, radius_mm, points=[min(at_mm, radius_mm)], limit=200)[0]


def tube_hu(radius_mm, cortex_mm, sigma_mm):
    """Grey value of a blurred tube of cortex round marrow, as a function of the radius."""

    def hu(r):
        whole = blurred(radius_mm, sigma_mm, r)
        core = blurred(radius_mm - cortex_mm, sigma_mm, r)
        return SOFT + (CORTEX - SOFT) * whole - (CORTEX - MARROW) * core

    return hu


def tube_volume(hu_of_radius, half_mm=12.0):
    """Scan a tube along y with a grey value for each radius: 0.5 mm voxels."""
    r = np.arange(0.0, half_mm * 1.5, 0.05)
    values = interpolate.CubicSpline(r, [hu_of_radius(v) for v in r])
    x = np.arange(-half_mm, half_mm + 0.01, SPACING_MM)
    y = np.arange(-20.0, 20.01, SPACING_MM)
    gx, gz = np.meshgrid(x, x, indexing="ij")
    section = values(np.hypot(gx, gz))
    hu = np.repeat(section.T[:, None, :], len(y), axis=1)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]) * SPACING_MM
    matrix[:3, 3] = [x[0], y[0], x[0]]
    grid = Grid(matrix, hu.shape)
    return CTVolume(np.rint(hu).astype(np.int16), grid, ScanInfo("closed form"))


def axis(offset_mm=0.0, length_mm=20.0):
    """Along the tube to the front, moved to the patient's right."""
    start = np.array([-offset_mm, 13.0, 0.0])
    return Axis(start, np.array([0.0, -1.0, 0.0]), length_mm, np.array([-1.0, 0.0, 0.0]))


@pytest.fixture(scope="module")
def solid_rod():
    """A rod of cortex all through, radius 4 mm, blurred by 0.5 mm; and its surface."""
    volume = tube_volume(tube_hu(4.0, 3.9, 0.5))
    return volume, RayTarget(*arrays(rod(4.0, 36.0)))


@pytest.mark.parametrize("offset_mm", [0.0, 1.0])
@pytest.mark.parametrize(
    "breach_mm, grade",
    [
        (-0.3, "A"),
        (0.3, "B"),
        (1.8, "B"),
        (2.2, "C"),
        (3.8, "C"),
        (4.2, "D"),
        (5.8, "D"),
        (6.2, "E"),
    ],
)
def test_gertzbein_robbins_of_a_cylinder_in_a_rod(solid_rod, offset_mm, breach_mm, grade):
    """breach = screw's radius + offset of its axis - rod's radius."""
    profile = measure_profile(*solid_rod, axis(offset_mm), 3.0)
    diameter = 2 * (4.0 + breach_mm - offset_mm)
    breach, wall = profile.breach(diameter, 3.0)
    assert gertzbein_robbins(breach) == grade
    assert breach == pytest.approx(max(breach_mm, 0.0), abs=0.1)
    if offset_mm and breach_mm > 0:
        assert wall == "medial"


@pytest.mark.parametrize("cortex_mm", [0.7, 1.0, 2.0])
@pytest.mark.parametrize("sigma_mm", [0.4, 0.5, 0.7])
def test_half_maximum_of_a_blurred_thin_cortex(cortex_mm, sigma_mm):
    """The wall found is where the blurred profile falls through half between peak and soft tissue.

    The reference is solved on the exact profile; nothing of it is sampled.
    """
    radius = 5.0
    hu = tube_hu(radius, cortex_mm, sigma_mm)
    peak = optimize.minimize_scalar(
        lambda r: -hu(r), bounds=(radius - 1.5, radius + 0.5), method="bounded"
    )
    half = (hu(peak.x) + SOFT) / 2
    wanted = optimize.brentq(lambda r: hu(r) - half, peak.x, radius + 1.5)
    target = RayTarget(*arrays(rod(radius, 36.0)))
    profile = measure_profile(tube_volume(hu), target, axis(), 3.0)
    assert np.median(profile.radii_mm) == pytest.approx(wanted, abs=0.03)
    assert profile.corridor_mm(3.0) == pytest.approx(2 * wanted, abs=0.08)


def test_bias_of_the_half_maximum_on_a_flat_wall():
    """0.19 mm too far out for a 1.0 mm cortex at sigma 0.5 mm, 0.03 mm for 2 mm.

    The profile is a step, (1 + erf) / 2, at each face of the cortex.
    """

    def bias(cortex_mm, sigma_mm=0.5):
        def hu(x):
            outer, inner = (special.ndtr(-(x + d) / sigma_mm) for d in (0.0, cortex_mm))
            return SOFT + (CORTEX - SOFT) * outer - (CORTEX - MARROW) * inner

        peak = optimize.minimize_scalar(lambda x: -hu(x), bounds=(-3, 0.5), method="bounded")
        half = (hu(peak.x) + SOFT) / 2
        return optimize.brentq(lambda x: hu(x) - half, peak.x, 2.0)

    assert bias(1.0) == pytest.approx(0.19, abs=0.02)
    assert bias(2.0) == pytest.approx(0.03, abs=0.01)


def along(way, solid):
    """Turn a solid from the z axis to a direction (3,)."""
    x = np.cross([1.0, 0.0, 0.0], way)
    x /= np.linalg.norm(x)
    return solid.transform(np.column_stack([x, np.cross(way, x), way, np.zeros(3)]))


@pytest.mark.parametrize("axial_deg, sagittal_deg", [(0.0, 0.0), (12.0, -10.0), (20.0, 14.0)])
@pytest.mark.parametrize("turn_deg", [0.0, 2.0, 5.0])
@pytest.mark.parametrize("offset_mm", [0.0, 0.7])
def test_corridor_of_a_leaning_tube(axial_deg, sagittal_deg, turn_deg, offset_mm):
    """A line through the middle of a tube, turned by a, keeps R / cos a - t tan a to its wall.

    t is the place, seen from the middle, of the deep end (the face of the entry lets nothing count
    that far to the other side). A line beside the axis by d, not turned, keeps R - d. The wall is
    sampled every 0.6 mm, so that a place is found up to 0.6 mm short.
    """
    radius, half = 4.5, 15.0
    tube = Manifold.cylinder(2 * half, radius, circular_segments=N_SIDES, center=True)
    axis_line = Line(np.zeros(3), axial_deg, sagittal_deg, 1.0)
    vertices, faces = arrays(along(axis_line.direction, tube).refine_to_length(1.0))
    up = np.cross(axis_line.direction, [1.0, 0.0, 0.0])
    point = offset_mm * up / np.linalg.norm(up)
    line = Line(point, axial_deg + turn_deg, sagittal_deg, 1.0)
    a = np.arccos(min(1.0, line.direction @ axis_line.direction))
    wall = Wall.around(vertices, faces, line, 0.0)
    found = wall.corridor_radius(line, -half, 13.0, 3.0)
    if offset_mm and turn_deg:
        assert found < radius - offset_mm
    else:
        wanted = radius / np.cos(a) - 13.0 * np.tan(a) - offset_mm
        assert wanted - 0.005 <= found <= wanted + 0.6 * np.tan(a) + 0.01


@pytest.mark.parametrize("angle_deg, offset_mm", [(0.0, 0.0), (0.1, 0.05), (0.5, 0.3), (2.0, 0.0)])
def test_a_bore_is_read_back_where_it_was_drilled(tmp_path, angle_deg, offset_mm):
    """Drilled off the plan by a known angle and a known distance, through the STL file."""
    way = np.array([0.2, -0.97, 0.1]) / np.linalg.norm([0.2, -0.97, 0.1])
    side = np.cross(way, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side)
    real = np.cos(np.radians(angle_deg)) * way + np.sin(np.radians(angle_deg)) * side
    top = np.array([40.0, 30.0, -20.0])
    sleeve = Manifold.cylinder(24.0, 4.2, circular_segments=128).translate((0, 0, -2.0))
    bore = Manifold.cylinder(60.0, 1.45, circular_segments=96, center=True)
    beside = np.cross(way, side) * offset_mm
    part = along(way, sleeve).translate(tuple(top))
    part = part - along(real, bore).translate(tuple(top + beside))
    path = tmp_path / "part.stl"
    path.write_bytes(stl_bytes(*arrays(part), "bore"))
    found = fit_bore(Surface(*read_stl(path)), top, way, 20.0, 2.9)
    assert found is not None
    assert found.angle_deg(way) == pytest.approx(angle_deg, abs=0.01)
    assert found.distance_mm(top) == pytest.approx(offset_mm, abs=0.005)
    assert found.diameter_mm == pytest.approx(2.9, abs=0.01)


def tube_wall():
    """A sleeve: outer 8.0, bore 2.9."""
    outer, inner = (Manifold.cylinder(20.0, d / 2, circular_segments=192) for d in (8.0, 2.9))
    return outer - inner.translate((0, 0, -1)).scale((1, 1, 1.2))


def shell():
    """A hollow ball: radii 6.0 and 4.4."""
    return Manifold.sphere(6.0, 96) - Manifold.sphere(4.4, 96)


def grooved():
    """A plate of 4.0 with a groove that leaves 1.5."""
    plate = Manifold.cube((20.0, 20.0, 4.0))
    return plate - Manifold.cube((6.0, 30.0, 5.0)).translate((7.0, -5.0, 1.5))


@pytest.mark.parametrize(
    "shape, wanted_mm",
    [
        (Manifold.cube((20.0, 20.0, 1.9)), 1.9),
        (Manifold.cube((20.0, 20.0, 2.1)).rotate((33.0, 21.0, 10.0)), 2.1),
        (tube_wall(), (8.0 - 2.9) / 2),
        (shell(), 1.6),
        (grooved(), 1.5),
    ],
    ids=["plate", "turned plate", "sleeve", "shell", "groove"],
)
def test_smallest_wall_of_known_shapes(shape, wanted_mm):
    """The largest sphere that fits inside at each surface point, smallest over the part."""
    found = thinnest_wall(*arrays(shape))
    assert found.thickness_mm == pytest.approx(wanted_mm, abs=0.03)
