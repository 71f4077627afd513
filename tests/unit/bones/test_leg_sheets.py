"""Thin cortex over fatty marrow: found, filled, and told where it can't be seen."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.bones.leg_scan import LegScan
from guidegen.bones.leg_sheets import sheets
from guidegen.bones.leg_solid import fill_bones
from guidegen.bones.leg_unsure import LARGEST_MM2, bare_mm2, unsure_notices
from guidegen.model.leg import LegBone
from guidegen.model.volume import CTVolume, Grid, LabelMap

STEP = 1.2
FAT, MARROW, THIN, TRABECULAR, MUSCLE = -90, -40, 75, 260, 55
SHAPE = (48, 56, 60)
MIDDLE = np.array([24, 28, 30])


def ball(radius_mm, off_mm=(0.0, 0.0, 0.0)):
    kji = np.indices(SHAPE).reshape(3, -1).T
    away = np.linalg.norm((kji - MIDDLE) * STEP - np.array(off_mm), axis=1)
    return (away < radius_mm).reshape(SHAPE)


def scene(capsule=False, cortex=True):
    """A ball of bone, 21 mm: trabeculae on one side, fat marrow behind thin cortex on the other."""
    bone, inner = ball(21.0), ball(19.0)
    hu = np.full(SHAPE, FAT, np.int16)
    if capsule:
        hu[ball(27.0) & ~ball(25.0)] = MUSCLE + 20
    hu[bone] = THIN if cortex else MARROW
    hu[inner] = MARROW
    core = inner & ball(21.0, (0.0, 0.0, -9.0))
    hu[core] = TRABECULAR
    hu[bone & ~inner & ball(24.0, (0.0, 0.0, -9.0))] = 500
    return hu, bone, core


def scan_of(hu):
    matrix = np.diag([STEP, STEP, STEP, 1.0])
    matrix[:3, :3] = matrix[:3, :3][:, ::-1]
    grid = Grid(matrix, SHAPE)
    return LegScan(CTVolume(hu, grid), hu, grid, np.ones(SHAPE[0], dtype=int))


def filled(hu, core):
    scan, labels = scan_of(hu), np.where(core, 1, 0).astype(np.uint16)
    fill_bones(scan, labels, [1])
    return scan, labels


def share(found, wanted):
    return (found & wanted).sum() / (found | wanted).sum()


@pytest.mark.parametrize("capsule", [False, True])
def test_marrow_behind_thin_cortex_is_bone_and_fat_under_a_capsule_is_not(capsule):
    hu, bone, core = scene(capsule)
    assert share(core, bone) < 0.75
    _, labels = filled(hu, core)
    assert share(labels == 1, bone) > 0.95
    assert not (labels == 1)[~ball(22.5)].any()


def test_thin_cortex_shows_as_a_sheet_and_muscle_does_not():
    hu, bone, _ = scene()
    seen = sheets(hu)
    shell = bone & ~ball(19.5) & ~ball(26.0, (0.0, 0.0, -9.0))
    assert seen[shell].mean() > 0.8
    thick = np.full(SHAPE, MUSCLE, np.int16)
    thick[20:30] = FAT
    assert not sheets(thick)[:18].any()


def test_a_border_without_a_wall_is_told():
    hu, bone, core = scene(cortex=False)
    scan, labels = filled(hu, core)
    found = LabelMap(labels, scan.grid, {1: "femur_a"})
    assert bare_mm2(scan, LabelMap(np.where(bone, 1, 0).astype(np.uint16), scan.grid, {}), 1) > 400
    wrong = np.where(ball(21.0), 1, 0).astype(np.uint16)
    told = unsure_notices(scan, LabelMap(wrong, scan.grid, {1: "femur_a"}), [LegBone("femur_a")])
    assert [n.code for n in told] == ["unsure_surface"] and told[0].red
    assert not unsure_notices(scan, found, [LegBone("patella_a")])


def test_a_border_with_thin_cortex_all_round_is_sure_on_any_grid():
    hu, _, core = scene()
    scan, labels = filled(hu, core)
    assert bare_mm2(scan, LabelMap(labels, scan.grid, {1: "femur_a"}), 1) < LARGEST_MM2 / 3
    fine = np.repeat(np.repeat(labels, 2, axis=1), 2, axis=2)
    matrix = np.array(scan.grid.patient_from_kji)
    matrix[:3, 1:3] /= 2
    matrix[:3, 3] -= (matrix[:3, 1] + matrix[:3, 2]) / 2
    other = LabelMap(fine, Grid(matrix, fine.shape), {1: "femur_a"})
    assert bare_mm2(scan, other, 1) < LARGEST_MM2 / 3
    shifted = LabelMap(np.roll(labels, 6, axis=2), scan.grid, {1: "femur_a"})
    assert bare_mm2(scan, shifted, 1) > LARGEST_MM2


def test_where_a_block_of_slices_ends_no_wall_is_asked_for():
    hu, bone, _ = scene()
    scan = scan_of(hu)
    cut = replace(scan, seen=np.where(np.arange(SHAPE[0]) < 30, 1, 0))
    half = np.where(bone & (np.arange(SHAPE[0]) < 30)[:, None, None], 1, 0).astype(np.uint16)
    labels = LabelMap(half, scan.grid, {1: "tibia_a"})
    open_mm2 = bare_mm2(scan, labels, 1)
    assert open_mm2 > 100 and bare_mm2(cut, labels, 1) < open_mm2 / 4


def test_a_shaft_is_full_up_to_where_its_block_of_slices_ends():
    """A tube of cortex over fat marrow, cut in the middle of the box: no crater at the cut."""
    kji = np.indices(SHAPE)
    away = np.hypot(*((kji[n] - MIDDLE[n]) * STEP for n in (1, 2)))
    hu = np.full(SHAPE, MUSCLE, np.int16)
    hu[away < 16.0], hu[away < 12.0] = 1100, MARROW
    hu[30:] = -1024
    scan = replace(scan_of(hu), seen=np.where(np.arange(SHAPE[0]) < 30, 1, 0))
    wall = (away < 16.0) & (away >= 12.0) & (kji[0] < 30)
    labels = np.where(wall, 1, 0).astype(np.uint16)
    fill_bones(scan, labels, [1])
    tube = (away < 16.0) & (kji[0] < 30)
    assert (labels[:30] == 1)[tube[:30]].mean() > 0.99
    assert (labels[29] == 1)[away[29] < 11.0].all()
    assert not labels[30:].any()
