"""Bones of a leg: separated and named, however the leg lies and however thin the joint is."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.bones.leg import find_legs
from guidegen.bones.leg_surface import extract_leg_bones
from guidegen.errors import AnatomyError, InputError
from guidegen.model.leg import Legs
from guidegen.model.volume import CTVolume, Grid, LabelMap
from tests.unit.bones.leg_volume import LegPhantom, turned

NAMES = ("femur_a", "tibia_a", "fibula_a", "patella_a")


def _shares(phantom: LegPhantom, legs: Legs) -> dict[str, float]:
    """How much of each bone's inside carries its own label."""
    grid = legs.labels.grid
    points = grid.patient(np.moveaxis(np.indices(grid.shape_kji), 0, -1))
    values = {name: value for value, name in legs.labels.names.items()}
    out = {}
    for name in phantom.names:
        inside = phantom.distance(name, points) < -1.0
        out[name] = float((legs.labels.labels[inside] == values.get(f"{name}_a", -1)).mean())
    return out


def _inside(phantom: LegPhantom, volume: CTVolume, name: str, depth_mm: float) -> np.ndarray:
    points = volume.grid.patient(np.moveaxis(np.indices(volume.hu.shape), 0, -1))
    return phantom.distance(name, points) < -depth_mm


LYING = {
    "bone on bone": LegPhantom(gap_mm=-1.0),
    "dark marrow": LegPhantom(marrow_hu=-20.0),
    "turned and leaning": LegPhantom(turn=turned((0, 0, 1), 20) @ turned((1, 0.6, 0), 15)),
    "bent": LegPhantom(bend=turned((1, 0, 0), 18)),
}


@pytest.fixture(scope="module")
def straight() -> tuple[LegPhantom, CTVolume, Legs]:
    phantom = LegPhantom()
    volume = phantom.volume()
    return phantom, volume, find_legs(volume)


@pytest.mark.parametrize("name", LYING)
def test_bones_are_separated_however_the_leg_lies(name: str) -> None:
    phantom = LYING[name]
    legs = find_legs(phantom.volume())
    assert legs.names == NAMES
    shares = _shares(phantom, legs)
    assert min(shares.values()) > 0.99, shares
    assert legs.bone("femur_a").cut_at == ("above",)
    assert legs.bone("tibia_a").cut_at == ("below",)
    assert legs.bone("patella_a").complete
    assert np.linalg.norm(legs.knees_mm["a"]) < 20


def test_surfaces_are_solid_and_lie_on_the_bone(straight) -> None:
    phantom, volume, legs = straight
    bones = extract_leg_bones(volume, legs)
    assert tuple(bone.name for bone in bones) == NAMES
    for bone in bones:
        edge = np.abs(bone.vertices_mm[:, 2]) < 97
        away = np.abs(phantom.distance(bone.name.split("_")[0], bone.vertices_mm[edge]))
        assert away.mean() < 0.15, bone.name
        assert np.percentile(away, 95) < 0.5, bone.name
        assert bone.complete == (bone.name == "patella_a")
    a, b, c = (bones[0].vertices_mm[bones[0].faces[:, n]] for n in range(3))
    solid = float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)
    truth = _inside(phantom, volume, "femur", 0).sum() * 1.5**3
    assert solid == pytest.approx(truth, rel=0.03)


def test_only_the_bones_asked_for(straight) -> None:
    _, volume, legs = straight
    assert [b.name for b in extract_leg_bones(volume, legs, ("tibia_a",))] == ["tibia_a"]
    with pytest.raises(AnatomyError, match="talus_a is not in the scan"):
        extract_leg_bones(volume, legs, ("talus_a",))


@pytest.mark.parametrize(("order", "flipped"), [((0, 1, 2), (0, 2)), ((1, 2, 0), (0,))])
def test_any_order_of_slices(straight, order: tuple[int, ...], flipped: tuple[int, ...]) -> None:
    phantom, scan, _ = straight
    hu, matrix = scan.hu, np.array(scan.grid.patient_from_kji)
    for axis in flipped:
        hu = np.flip(hu, axis)
        matrix[:3, 3] += (hu.shape[axis] - 1) * matrix[:3, axis]
        matrix[:3, axis] *= -1
    hu = np.ascontiguousarray(hu.transpose(order))
    matrix[:3, :3] = matrix[:3, list(order)]
    volume = CTVolume(hu, Grid(matrix, hu.shape))
    legs = find_legs(volume)
    assert legs.names == NAMES
    start = np.rint(volume.grid.kji(legs.labels.grid.patient((0, 0, 0)))).astype(int)
    part = volume.grid.crop(start, start + np.array(legs.labels.grid.shape_kji))
    assert part.same_as(legs.labels.grid)
    assert min(_shares(phantom, legs).values()) > 0.99


def test_blocks_with_nothing_between_them(straight) -> None:
    volume = straight[1]
    hu = volume.hu.copy()
    hu[101:106] = -1024
    legs = find_legs(CTVolume(hu, volume.grid))
    assert legs.names == ("femur_a", "femur_a_proximal", *NAMES[1:])
    assert legs.bone("femur_a").cut_at == ("above",)
    assert legs.bone("femur_a_proximal").cut_at == ("below", "above")


def test_absent_bones_are_absent() -> None:
    legs = find_legs(LegPhantom(names=("femur", "tibia")).volume())
    assert legs.names == ("femur_a", "tibia_a")


@pytest.mark.slow
def test_two_legs_are_told_apart() -> None:
    one, other = LegPhantom().volume(), LegPhantom(turn=turned((0, 0, 1), 10)).volume(2)
    hu = np.concatenate([one.hu, other.hu], axis=2)
    legs = find_legs(CTVolume(hu, Grid(one.grid.patient_from_kji, hu.shape)))
    assert legs.names == (*NAMES, *(name.replace("_a", "_b") for name in NAMES))
    assert legs.knees_mm["a"][0] < legs.knees_mm["b"][0] - 100


@pytest.mark.parametrize("brightest", [60, 1000])
def test_no_leg_in_view(brightest: int) -> None:
    volume = LegPhantom(names=()).volume()
    hu = volume.hu.copy()
    hu[80:90, 40:50, 40:50] = brightest
    with pytest.raises(AnatomyError, match="leg"):
        find_legs(CTVolume(hu, volume.grid))


def test_metal_is_named_with_the_bone_beside_it(straight) -> None:
    _, volume, whole = straight
    hu = volume.hu.copy()
    hu[120:128, 44:48, 44:48] = 3071
    notices = find_legs(CTVolume(hu, volume.grid)).notices
    metal = [n for n in notices if n.code == "metal"]
    assert [n.subject for n in metal] == ["femur_a"]
    assert metal[0].red
    assert not [n for n in whole.notices if n.code == "metal"]


def test_a_bone_cut_off_at_its_side_is_a_red_notice(straight) -> None:
    volume = straight[1]
    part = CTVolume(volume.hu[:, :, 34:], volume.grid.crop((0, 0, 34), volume.hu.shape))
    legs = find_legs(part)
    assert "side" in legs.bone("femur_a").cut_at
    cut = {n.subject: n.red for n in legs.notices if n.code == "cut_off_bone"}
    assert cut["femur_a"] is True
    assert cut["fibula_a"] is False


def test_a_bone_cut_off_by_a_round_field_of_view_is_told(straight) -> None:
    volume = straight[1]
    hu = volume.hu.copy()
    _, j, i = np.indices(hu.shape)
    hu[np.hypot(j - 46, i - 58) > 30] = -1024
    legs = find_legs(CTVolume(hu, volume.grid))
    assert "side" in legs.bone("femur_a").cut_at


def test_renaming_follows_everywhere(straight) -> None:
    legs = straight[2].renamed({"a": "left"})
    assert legs.names == tuple(name.replace("_a", "_left") for name in NAMES)
    assert set(legs.names) < set(legs.labels.names.values())
    assert set(legs.knees_mm) == {"left"}
    assert {n.subject for n in legs.notices} <= set(legs.names)


def _label_map(phantom: LegPhantom, names: dict[str, str]) -> tuple[CTVolume, LabelMap]:
    volume = phantom.volume()
    labels = np.zeros(volume.hu.shape, dtype=np.uint16)
    for value, name in enumerate(names, 1):
        labels[_inside(phantom, volume, name, 0)] = value
    return volume, LabelMap(labels, volume.grid, dict(enumerate(names.values(), 1)))


def test_a_label_map_is_taken_as_it_is() -> None:
    names = {"femur": "femur_left", "tibia": "tibia_left", "patella": "vastus"}
    volume, labels = _label_map(LegPhantom(), names)
    legs = find_legs(volume, labels)
    assert legs.names == ("femur_left", "tibia_left")
    assert legs.bone("femur_left").cut_at == ("above",)
    assert np.linalg.norm(legs.knees_mm["left"]) < 15
    assert not (legs.labels.labels == 3).any()


def test_a_label_map_s_bone_is_cut_off_where_a_block_of_slices_ends() -> None:
    """The tibia begins above where the scan goes on after a gap: its plateaus are not in view."""
    volume, labels = _label_map(LegPhantom(), {"femur": "femur_left", "tibia": "tibia_left"})
    rows = np.flatnonzero((labels.labels == 2).any(axis=(1, 2)))
    assert volume.grid.axes_kji[2, 0] > 0
    gap = slice(int(rows[-1]) - 8, int(rows[-1]) + 2)
    hu, kept = np.array(volume.hu), np.array(labels.labels)
    hu[gap], kept[gap] = -3000, 0
    kept[gap.stop :][kept[gap.stop :] == 2] = 0
    broken = replace(volume, hu=hu)
    legs = find_legs(broken, LabelMap(kept, labels.grid, labels.names))
    assert "above" in legs.bone("tibia_left").cut_at
    assert "above" not in find_legs(volume, labels).bone("tibia_left").cut_at


def test_a_label_map_of_another_scan_is_refused() -> None:
    volume, labels = _label_map(LegPhantom(), {"femur": "femur_left"})
    moved = LabelMap(np.roll(labels.labels, 25, axis=1), labels.grid, labels.names)
    with pytest.raises(InputError, match="femur_left"):
        find_legs(volume, moved)
    other = LabelMap(labels.labels, labels.grid, {1: "liver"})
    with pytest.raises(AnatomyError, match="liver"):
        find_legs(volume, other)


def test_two_legs_of_one_name_are_refused(straight) -> None:
    legs = straight[2]
    both = Legs(legs.labels, legs.bones, {"a": legs.knees_mm["a"], "b": (90.0, 0.0, 0.0)})
    with pytest.raises(AnatomyError, match="different names"):
        both.renamed({"a": "left", "b": "left"})
