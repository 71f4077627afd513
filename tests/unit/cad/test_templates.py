"""Whole puncture templates, measured on their meshes."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.cad.bone_template import build_bone_template
from guidegen.cad.skin_template import TemplateMarks, build_skin_template
from guidegen.cad.template_settings import TemplateSettings
from guidegen.checks.every import BONE_TEMPLATE_CHECKS, SKIN_TEMPLATE_CHECKS, run_checks
from guidegen.checks.part import Limits, Part
from guidegen.errors import GeometryError
from guidegen.mesh.io import as_float32
from guidegen.mesh.sdf import signed_distance
from guidegen.mesh.solid import Solid
from guidegen.model.bone import SKIN
from tests.unit.cad.backs import make_back, skin_mesh

OBLIQUE = (20.0, -15.0, 40.0)
SETTINGS = TemplateSettings()
WORDS = ("demo", "L3", "4f9a", "NOT PRONE")
CASES = {
    "straight": {},
    "oblique": {"turn": OBLIQUE},
    "one_side_mirrored": {"sides": ("right",), "turn": (-12.0, 10.0, -25.0), "mirror": -1.0},
    "two_levels": {"levels": ("L2", "L3")},
}


def skin_template(case, **changes):
    marks = TemplateMarks(case.spinous_mm, case.back, case.head)
    paths = changes.pop("paths", case.needles)
    skin = changes.pop("skin", case.skin)
    return build_skin_template(paths, skin, marks, WORDS, TemplateSettings(**changes))


def bone_template(case, paths=None):
    paths = (*case.needles, *case.pins) if paths is None else paths
    anatomy = case.bones[1], case.skin
    return build_bone_template(paths, anatomy, case.patient_from_bone, WORDS, SETTINGS)


@pytest.fixture(params=CASES, scope="module")
def laid(request, mesh):
    case = make_back(mesh, **CASES[request.param])
    return case, skin_template(case)


@pytest.fixture(params=["straight", "one_side_mirrored"], scope="module")
def standing(request, mesh):
    case = make_back(mesh, **CASES[request.param])
    return case, bone_template(case)


def findings(case, guide, paths, checks):
    vertices, faces = as_float32(guide.vertices_mm, guide.faces)
    read = replace(guide, vertices_mm=vertices, faces=faces)
    limits = Limits(
        min_wall_mm=SETTINGS.min_wall_mm,
        bore_clearance_mm=SETTINGS.bore_clearance_mm,
        gap_mm=SETTINGS.fit_gap_mm / 2,
    )
    found = run_checks(Part(read, (*case.bones, case.skin), paths, limits), checks)
    return [(f.code, f.subject, f.value) for f in found if not f.passed]


def test_every_check_passes_on_the_skin(laid):
    case, guide = laid
    assert findings(case, guide, case.needles, SKIN_TEMPLATE_CHECKS) == []


def test_every_check_passes_on_wires(standing):
    case, guide = standing
    paths = (*case.needles, *case.pins)
    assert findings(case, guide, paths, BONE_TEMPLATE_CHECKS) == []


def test_the_plate_lies_on_the_back_with_its_gap(laid):
    case, guide = laid
    assert (guide.name, guide.role, guide.bones) == ("template_skin", "guide", (SKIN,))
    assert guide.insertion_direction == pytest.approx(-case.back)
    under = guide.vertices_mm
    distance = signed_distance(under, case.skin.vertices_mm, case.skin.faces)
    assert distance.min() > SETTINGS.fit_gap_mm - 0.03
    assert (distance < SETTINGS.fit_gap_mm + 0.03).mean() > 0.15
    contacts = [f for f in guide.features if f.kind == "contact"]
    assert len(contacts) >= 6
    across = np.array([f.point_mm for f in contacts]) - case.spinous_mm.mean(axis=0)
    left = across @ case.patient_from_bone.axes[:, 0]
    assert left.max() > 15 and left.min() < -15


def test_it_comes_off_straight_behind(laid):
    case, guide = laid
    origin = guide.vertices_mm[0]
    skin = Solid.from_mesh(case.skin.vertices_mm - origin, case.skin.faces)
    for lift in (0.0, 0.3, 2.0, 15.0):
        moved = guide.vertices_mm - origin + lift * case.back
        assert Solid.from_mesh(moved, guide.faces).overlap_mm3(skin) == 0.0


def test_bores_say_where_the_depth_stop_goes(laid):
    case, guide = laid
    bores = {f.item: f for f in guide.features if f.kind == "bore"}
    assert set(bores) == {p.name for p in case.needles}
    for path in case.needles:
        bore, values = bores[path.name], bores[path.name].values
        assert bore.direction == pytest.approx(path.direction)
        depth = np.linalg.norm(bore.point_mm - path.tip_mm)
        assert values["drill_depth_mm"] == pytest.approx(depth, abs=1e-6)
        assert values["length_mm"] == pytest.approx(25.0)
        foot = bore.point_mm + values["length_mm"] * path.direction
        above = float((path.entry_mm - foot) @ path.direction)
        assert values["foot_above_entry_mm"] == pytest.approx(above, abs=1e-6)
        above = float((path.skin_mm - foot) @ path.direction)
        assert values["foot_above_skin_mm"] == pytest.approx(above, abs=1e-6)
        assert 0.5 < values["tip_play_mm"] < 2.0


def is_free(guide, point, way):
    """Does a line along ``way`` through a point pass the part by?"""
    line = point + np.linspace(-40, 40, 161)[:, None] * way
    return bool(signed_distance(line, guide.vertices_mm, guide.faces).min() > 0.3)


def test_notches_sights_and_windows_show_the_skin(laid):
    case, guide = laid
    way = guide.insertion_direction
    kinds = {k: [f for f in guide.features if f.kind == k] for k in ("notch", "sight", "window")}
    assert [f.item for f in kinds["notch"]] == ["head", "foot"] and kinds["sight"]
    assert len(kinds["window"]) == 2 * len({p.bone for p in case.needles})
    for notch in kinds["notch"]:
        assert (notch.direction @ case.head > 0.9) == (notch.item == "head")
        assert is_free(guide, notch.point_mm + 3 * notch.direction, way)
        assert not is_free(guide, notch.point_mm - 1.5 * notch.direction, way)
    for opening in (*kinds["sight"], *kinds["window"]):
        assert is_free(guide, opening.point_mm, way)
    for sight in kinds["sight"]:
        assert np.linalg.norm(case.spinous_mm - sight.point_mm, axis=1).min() < 0.5


def test_left_stays_left(laid):
    case, guide = laid
    back = case.patient_from_bone.inverse
    marks = {f.item: back.points(f.point_mm)[0] for f in guide.features if f.kind == "label"}
    assert marks["L"] > 8 and marks["R"] < -8
    for bore in (f for f in guide.features if f.kind == "bore"):
        sign = 1 if bore.item.endswith("left") else -1
        assert sign * back.points(bore.point_mm)[0] > 15
    windows = {f.item: back.points(f.point_mm)[0] for f in guide.features if f.kind == "window"}
    assert all((x > 0) == name.endswith("left") for name, x in windows.items())


def test_the_label_says_not_prone(laid):
    label = next(f for f in laid[1].features if f.kind == "label" and len(f.item) > 1)
    assert label.item == laid[1].label == "demo L3 4f9a NOT PRONE"
    assert label.direction @ laid[1].insertion_direction < -0.9


def test_a_bar_stands_clear_of_the_skin_on_its_wires(standing):
    case, guide = standing
    assert (guide.name, guide.bones, guide.neighbours) == ("template_bone", ("L3",), (SKIN,))
    assert guide.insertion_direction == pytest.approx(case.pins[0].direction)
    distance = signed_distance(guide.vertices_mm, case.skin.vertices_mm, case.skin.faces)
    assert distance.min() == pytest.approx(SETTINGS.bar_clearance_mm, abs=0.1)
    bores = {f.item: f for f in guide.features if f.kind == "bore"}
    assert set(bores) == {p.name for p in (*case.needles, *case.pins)}
    for pin in case.pins:
        stands = np.linalg.norm(bores[pin.name].point_mm - pin.entry_mm)
        assert bores[pin.name].values["stand_off_mm"] == pytest.approx(stands, abs=1e-6)
        assert bores[pin.name].values["diameter_mm"] == pytest.approx(2.05)
    assert all("stand_off_mm" not in bores[p.name].values for p in case.needles)
    marks = {f.item: f.point_mm for f in guide.features if f.kind == "label"}
    back = case.patient_from_bone.inverse
    assert back.points(marks["L"])[0] > 5 > -5 > back.points(marks["R"])[0]


def test_a_wire_without_a_point_on_the_skin_finds_its_own(mesh):
    case = make_back(mesh)
    bare = tuple(replace(p, skin_mm=None) for p in case.pins)
    bores = [f for f in bone_template(case, (*case.needles, *bare)).features if f.kind == "bore"]
    wanted = [f for f in bone_template(case).features if f.kind == "bore"]
    for one, other in zip(bores, wanted, strict=True):
        assert one.point_mm == pytest.approx(other.point_mm, abs=1e-3)


def test_same_input_same_template(mesh):
    case = make_back(mesh)
    one, other = skin_template(case), skin_template(case)
    assert np.array_equal(one.vertices_mm, other.vertices_mm)


def moved(path, by):
    return replace(
        path,
        name=path.name + "_2",
        entry_mm=path.entry_mm + by,
        tip_mm=path.tip_mm + by,
        skin_mm=path.skin_mm + by,
    )


def test_refusals_of_a_plate(mesh):
    case = make_back(mesh)
    with pytest.raises(GeometryError, match="found none in the plan"):
        skin_template(case, paths=(replace(case.needles[0], skin_mm=None),))
    off = replace(case.needles[0], skin_mm=case.needles[0].skin_mm + 2 * case.head)
    with pytest.raises(GeometryError, match="must lie on the path's axis"):
        skin_template(case, paths=(off,))
    with pytest.raises(GeometryError, match="needs a needle"):
        skin_template(case, paths=())
    near = (*case.needles, moved(case.needles[0], 5.0 * case.head))
    with pytest.raises(GeometryError, match="between their bores"):
        skin_template(case, paths=near)


@pytest.mark.parametrize(
    ("half", "middle", "end"),
    [
        ((30.0, 85.0), (0.0, 0.0), "side"),
        ((105.0, 85.0), (90.0, 0.0), "right side"),
        ((105.0, 85.0), (-90.0, 0.0), "left side"),
        ((105.0, 60.0), (0.0, 60.0), "foot side"),
        ((105.0, 60.0), (0.0, -60.0), "head side"),
    ],
)
def test_a_plate_lies_over_skin_only(mesh, half, middle, end):
    case = make_back(mesh)
    points, faces = skin_mesh(half, middle=middle)
    less = replace(case.skin, vertices_mm=case.patient_from_bone.points(points), faces=faces)
    with pytest.raises(GeometryError, match=f"at its .*{end}"):
        skin_template(case, skin=less)


def test_refusals_of_a_bar(mesh):
    case = make_back(mesh)
    with pytest.raises(GeometryError, match="found 2 and 0 of 2 paths"):
        bone_template(case, case.needles)
    with pytest.raises(GeometryError, match="found 0 and 2 of 2 paths"):
        bone_template(case, case.pins)
    tilted = replace(case.pins[1], tip_mm=case.pins[1].tip_mm + case.head)
    with pytest.raises(GeometryError, match="must be parallel"):
        bone_template(case, (*case.needles, case.pins[0], tilted))
    near = (*case.needles, case.pins[0], moved(case.pins[0], 3.0 * case.head))
    with pytest.raises(GeometryError, match="between their bores"):
        bone_template(case, near)


def test_the_label_lies_where_there_is_skin_for_it(mesh):
    """The scan ends close to the needles at the end where it would lie."""
    case = make_back(mesh)
    wanted = skin_template(case)
    top = case.patient_from_bone.inverse.points(wanted.vertices_mm)[:, 2].max()
    points, faces = skin_mesh((105.0, 70.0), middle=(0.0, top - 71.0))
    less = replace(case.skin, vertices_mm=case.patient_from_bone.points(points), faces=faces)
    other = skin_template(case, skin=less)
    ends = []
    for guide in (wanted, other):
        label = next(f for f in guide.features if f.kind == "label" and len(f.item) > 1)
        bore = next(f for f in guide.features if f.kind == "bore")
        ends.append(float((label.point_mm - bore.point_mm) @ case.head))
    assert ends[0] > 10 and ends[1] < -10
