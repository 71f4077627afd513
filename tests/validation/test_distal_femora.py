"""Real femora cut off above the knee: side, axes and points without the head."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.anatomy.femur import find_femur, find_femur_without_head, side_of
from guidegen.errors import AnatomyError
from guidegen.mesh.io import read_stl
from guidegen.model.bone import Bone

from .cut_bones import kept

FEMORA = {
    "vsd_femora/z001_femur_left.stl": "left",
    "vsd_femora/z009_femur_right.stl": "right",
    "vsd_z027/Femur_L.stl": "left",
    "vsd_z027/Femur_R.stl": "right",
    "comodo/femur.stl": "right",
}


def _whole(shared, name):
    return Bone("femur", *read_stl(shared / "mesh" / name))


def _cut_off(bone: Bone, height_mm: float) -> Bone:
    """What lies up to a height over the lowest point, seen along the mechanical axis."""
    frame = find_femur(bone).patient_from_bone
    low = float(frame.inverse.points(bone.vertices_mm)[:, 2].min())
    return kept(bone, frame, low - 100.0, low + height_mm)


@pytest.mark.parametrize("name", FEMORA)
@pytest.mark.parametrize("height_mm", [110.0, 160.0])
def test_the_side_is_told_by_condyles_and_trochlea(shared_data, name, height_mm):
    bone = _cut_off(_whole(shared_data, name), height_mm)
    marks = find_femur_without_head(bone)
    assert side_of(marks) == FEMORA[name]
    assert marks["shaft"].values["side_clear"] == 1.0
    flipped = Bone("f", bone.vertices_mm * (-1, 1, 1), bone.faces[:, ::-1])
    assert side_of(find_femur_without_head(flipped)) != FEMORA[name]


@pytest.mark.parametrize("name", FEMORA)
def test_points_are_near_those_of_the_whole_femur(shared_data, name):
    whole = _whole(shared_data, name)
    marks, true = find_femur_without_head(_cut_off(whole, 160.0)), find_femur(whole)
    lean = true.patient_from_bone.axes[:, 2] @ marks.patient_from_bone.axes[:, 2]
    assert 2.0 < np.degrees(np.arccos(lean)) < 10.0
    for point in ("lateral_epicondyle", "posterior_condyle_medial", "posterior_condyle_lateral"):
        off = np.linalg.norm(marks[point].position_mm - true[point].position_mm)
        assert off < 7.0, (point, off)
    assert "femoral_head_centre" not in marks


def test_condyles_alone_are_refused(shared_data):
    bone = _cut_off(_whole(shared_data, "vsd_z027/Femur_L.stl"), 60.0)
    with pytest.raises(AnatomyError, match="40 mm of its shaft was wanted"):
        find_femur_without_head(bone)
