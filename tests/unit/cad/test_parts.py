"""Shapes, opening, frame, label layout, contacts: the short functions one by one."""

import numpy as np
import pytest

from guidegen.cad.body import main_body, opened
from guidegen.cad.bridge import arch
from guidegen.cad.contact import docking, spread_points
from guidegen.cad.frame import cone, guide_frame
from guidegen.cad.label import engraving, fit_layout, line_outlines, parted, text_width
from guidegen.cad.parts import ball, carve, cylinder, empty, join, round_max, slab, strand
from guidegen.cad.settings import GuideSettings
from guidegen.cad.sleeve import Sleeve, stand
from guidegen.cad.window import window_direction, window_span
from guidegen.errors import GeometryError
from guidegen.mesh.grid import Lattice, isosurface
from guidegen.mesh.solid import Solid

SETTINGS = GuideSettings()


def volume(parts, blend=0.0):
    lattice = Lattice.around((-9, -9, -9), (9, 9, 9), 0.3)
    return Solid.from_mesh(
        *isosurface(lattice, join(lattice, empty(lattice), parts, blend))
    ).volume_mm3


@pytest.mark.parametrize(
    ("part", "want"),
    [
        (ball(np.zeros(3), 5.0), 4 / 3 * np.pi * 125),
        (cylinder(np.array([0, 0, -6.0]), np.array([0, 0, 6.0]), 4.0), np.pi * 16 * 12),
        (slab(np.zeros(3), np.eye(3), np.array([5.0, 4, 3]), 0.0), 480),
        (strand(np.array([[-4.0, 0, 0], [4, 0, 0]]), 3.0), np.pi * 9 * 8 + 36 * np.pi),
    ],
)
def test_volume_of_shapes(part, want):
    assert volume([part]) == pytest.approx(want, rel=0.01)


def test_blend_only_adds():
    pair = [ball(np.array([-3.0, 0, 0]), 3.5), ball(np.array([3.0, 0, 0]), 3.5)]
    assert volume(pair, 2.0) > volume(pair, 0.0) + 5


def test_opening_removes_thin_and_keeps_thick():
    lattice = Lattice.around((-9, -9, -9), (9, 9, 9), 0.4)
    plate = slab(np.zeros(3), np.eye(3), np.array([8.0, 8, 0.8]), 0.0)
    block = slab(np.array([0, 0, 0.0]), np.eye(3), np.array([4.0, 4, 4]), 0.0)
    field = opened(lattice, join(lattice, empty(lattice), [plate, block], 0.0), 1.1)
    points, _ = main_body(lattice, field, "test").arrays()
    assert np.abs(points[:, :2]).max() < 5.0
    assert Solid.from_mesh(*isosurface(lattice, field)).volume_mm3 > 0.93 * 512


def test_pieces_are_refused():
    lattice = Lattice.around((-9, -9, -9), (9, 9, 9), 0.4)
    pair = [ball(np.array([-5.0, 0, 0]), 3.0), ball(np.array([5.0, 0, 0]), 3.0)]
    with pytest.raises(GeometryError, match="2 pieces"):
        main_body(lattice, join(lattice, empty(lattice), pair, 0.0), "L3")


def test_guide_frame_reads_from_behind():
    """Prone or seen from the back: x to the patient's right, y to the head, z to the viewer."""
    frame = guide_frame(np.array([0, -1.0, 0]), np.array([0, 0, 1.0]), np.zeros(3))
    assert frame.axes == pytest.approx(np.array([[-1, 0, 0], [0, 0, 1], [0, 1, 0]]))


def test_cone_stays_in_its_angle():
    axis, head = np.array([0, -1.0, 0]), np.array([0, 0, 1.0])
    angles = [np.degrees(np.arccos(np.clip(d @ axis, -1, 1))) for d in cone(axis, head, 20.0)]
    assert angles[0] == 0 and max(angles) == pytest.approx(20) and len(angles) == 33


def test_letters_are_not_mirrored():
    """An L has its foot at the right below, an F nothing there, a P its bowl at the right above."""

    def filled(letter, x, y):
        tool = engraving(line_outlines(letter, 10.0, (0, 0)), np.eye(3), np.zeros(3), 1.0)
        probe = Solid.cylinder(np.array([x, y, -0.9]), np.array([0, 0, 1.0]), 0.5, 0.4)
        return tool.overlap_mm3(probe) > 0.01

    assert filled("L", 1.5, -4) and not filled("L", 1.5, 4)
    assert filled("F", 1.0, 4) and not filled("F", 1.5, -4)
    assert filled("P", 1.5, 4) and not filled("P", 2.5, -4)


def test_hole_of_a_letter_stays():
    tool = engraving(line_outlines("O", 10.0, (0, 0)), np.eye(3), np.zeros(3), 1.0)
    probe = Solid.cylinder(np.array([0, 0, -0.9]), np.array([0, 0, 1.0]), 0.5, 1.0)
    assert tool.overlap_mm3(probe) == 0.0


def test_layout_fits_and_keeps_every_letter():
    for width in (12.0, 16.0, 22.0, 40.0):
        layout = fit_layout(("lidc_0314", "T10", "4f9a"), width, SETTINGS)
        assert "".join(layout.lines).replace(" ", "") == "lidc_0314T104f9a"
        assert layout.height_mm >= SETTINGS.text_min_height_mm
        assert 2 * layout.half_mm[0] <= max(width, 12.0) + 0.01


def test_layout_shortens_only_the_case():
    layout = fit_layout(("a_very_long_name_of_a_case_indeed", "L3", "4f9a"), 12.0, SETTINGS)
    assert layout.lines[-2:] == ("L3", "4f9a") and layout.lines[-3].endswith(".")


def test_layout_parts_a_long_word_that_would_leave_the_plate():
    words = ("lidc2", "T11", "4f9a", "unattended")
    layout = fit_layout(words, 12.0, SETTINGS)
    assert "".join(layout.lines) == "".join(words)
    assert 2 * layout.half_mm[0] <= 12.01


def test_parted_words():
    assert parted("lidc_0314", 2) == ("lidc_", "0314")
    assert parted("abcdefgh", 2) == ("abcd", "efgh")
    assert parted("L3", 2) == ("L3",)


def test_unknown_letters_do_not_fail():
    assert text_width("病") == text_width("?")


def sphere_points(n=400):
    k = np.arange(n) + 0.5
    z, turn = 1 - 2 * k / n, k * np.pi * (1 + 5**0.5)
    r = np.sqrt(1 - z * z)
    return np.column_stack([r * np.cos(turn), r * np.sin(turn), z])


def test_docking_of_plane_and_sphere_is_nothing():
    flat = np.column_stack([sphere_points()[:, :2] * 10, np.zeros(400)])
    assert docking(flat, np.tile([0, 0, 1.0], (400, 1))) < 1e-6
    assert docking(sphere_points() * 10, sphere_points()) < 1e-6


def test_docking_of_a_cube_is_high():
    face = np.stack(np.meshgrid(*[np.linspace(-9, 9, 12)] * 2), -1).reshape(-1, 2)
    points, normals = [], []
    for n in range(3):
        for sign in (-1, 1):
            points.append(np.insert(face, n, sign * 10, axis=1))
            normals.append(np.tile(sign * np.eye(3)[n], (len(face), 1)))
    assert docking(np.concatenate(points), np.concatenate(normals)) > 0.5


def test_spread_points_are_even():
    vertices = np.array([[0, 0, 0], [10, 0, 0], [0, 10, 0.0]])
    points, normals = spread_points(vertices, np.array([[0, 1, 2]]), 0.5)
    assert len(points) == 200 and (normals == [0, 0, 1]).all()
    assert points.mean(axis=0) == pytest.approx((10 / 3, 10 / 3, 0), abs=0.2)


def sleeve(x=15.0, side="right"):
    out = np.array([np.sin(0.2) * np.sign(x), 0, np.cos(0.2)])
    return Sleeve(f"L3_{side}", side, np.array([x, 0, 0.0]), out, 2.9, 8.4)


def test_sleeve_stands_over_what_is_in_the_way():
    lattice = Lattice.around((-30, -20, -10), (30, 20, 50), 1.0)
    z = np.broadcast_to(lattice.axis(2), lattice.shape).astype(np.float32)
    up = stand(sleeve(), lattice, z - 3.0, 20.0)
    assert 4.0 < up.foot_mm < 6.5 and up.top_mm - up.foot_mm == pytest.approx(20)
    with pytest.raises(GeometryError, match="move the entry"):
        stand(sleeve(), lattice, z - 30.0, 20.0)


def test_window_looks_away_from_the_midline():
    assert window_direction(sleeve(15, "right"))[0] > 0.9
    assert window_direction(sleeve(-15, "left"))[0] < -0.9
    up = sleeve()
    low, high = window_span(up, 4.0)
    assert low - up.foot_mm >= 4 and up.top_mm - high >= 4
    assert window_span(up, 9.0) is None


def test_arch_clears_a_process_and_leaves_the_sleeves_level():
    lattice = Lattice.around((-30, -20, -10), (30, 20, 60), 1.0)
    top = np.full(lattice.shape[:2], 0.0)
    ridge = np.abs(lattice.axis(0)) < 4
    top[ridge] = 35.0
    line = arch((sleeve(), sleeve(-15, "left")), lattice, top, SETTINGS)
    over = np.abs(line[:, 0]) < 4
    assert line[over, 2].min() >= 35 + SETTINGS.body_thickness_mm / 2
    assert line[0, 2] == pytest.approx(line[1, 2], abs=0.3)


def test_carve_takes_away():
    lattice = Lattice.around((-9, -9, -9), (9, 9, 9), 0.4)
    field = join(lattice, empty(lattice), [ball(np.zeros(3), 6.0)], 0.0)
    bored = carve(lattice, field, [cylinder(np.array([0, 0, -9.0]), np.array([0, 0, 9.0]), 2.0)])
    assert lattice.sample(bored, np.zeros((1, 3)))[0] == pytest.approx(2.0, abs=0.1)


def test_settings_say_why_and_refuse_unknown_keys():
    for field in GuideSettings.model_fields.values():
        assert field.description and "unit" in field.json_schema_extra
    with pytest.raises(ValueError, match="extra"):
        GuideSettings(fit_gab_mm=0.3)


def test_an_intersection_with_a_round_edge():
    a = np.array([-5.0, -1.0, -0.4393398, 0.0, -5.0], dtype=np.float32)
    b = np.array([-5.0, -5.0, -0.4393398, 0.0, 2.0], dtype=np.float32)
    found = round_max(a, b, 1.5)
    assert found == pytest.approx([-5, -1, 0, 1.5 * (2**0.5 - 1), 2], abs=1e-5)
