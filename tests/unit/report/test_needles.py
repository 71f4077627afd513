from dataclasses import replace

import numpy as np
import pytest

from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.plan import Path
from guidegen.model.volume import CTVolume, Grid
from guidegen.report.fluoroscopy import (
    FIELD_MM,
    fluoroscopy_section,
    pedicle_ring,
    radiograph,
)
from guidegen.report.plane import Plane
from guidegen.report.puncture import puncture_section

SIDES = {"left": 1.0, "right": -1.0}


def needle(side, bone="T8", skin=True):
    sign = SIDES[side]
    entry, tip = np.array([sign * 20.0, 20.0, 2.0]), np.array([sign * 10.0, -12.0, 2.0])
    out = (entry - tip) / np.linalg.norm(entry - tip)
    return Path(
        name=f"{bone}_{side}",
        bone=bone,
        kind="needle",
        side=side,
        entry_mm=entry,
        tip_mm=tip,
        diameter_mm=4.0,
        skin_mm=entry + 40.0 * out if skin else None,
        axial_angle_deg=17.4,
        sagittal_angle_deg=0.0,
        extra={"skin_to_tip_mm": 73.5, "skin_to_midline_mm": 32.1, "medial_inclination_deg": 17.4},
    )


def block(side):
    """A CT with one bright block on one side of the body and one above it."""
    hu = np.full((60, 60, 60), -1000, dtype=np.int16)
    matrix = np.diag([2.0, 2.0, 2.0, 1.0])[[2, 1, 0, 3]]
    matrix[:3, 3] = -60.0
    grid = Grid(matrix, hu.shape)
    x = 25.0 * SIDES[side]
    for point in ((x, 10.0, 0.0), (x, 10.0, 30.0)):
        k, j, i = np.round(grid.kji(np.array(point))).astype(int)
        hu[k - 3 : k + 4, j - 3 : j + 4, i - 3 : i + 4] = 1000
    return CTVolume(hu, grid)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_radiograph_keeps_left_and_head(side):
    behind = Plane(np.zeros(3), np.array([-1.0, 0, 0]), np.array([0.0, 0, 1.0]))
    seen = radiograph(block(side), behind, (-40.0, 40.0)).astype(float)
    rows, columns = np.nonzero(seen > 100)
    middle = seen.shape[0] / 2
    per_mm = seen.shape[0] / FIELD_MM
    wanted = middle - SIDES[side] * 25.0 * per_mm  # from behind the patient's left is on the left
    assert columns.mean() == pytest.approx(wanted, abs=3.0)
    assert rows.min() < middle - 25 * per_mm < rows.max()
    assert (rows < middle - 20 * per_mm).sum() > 0.3 * len(rows)


def test_only_what_lies_within_the_depth_is_summed_up():
    behind = Plane(np.zeros(3), np.array([-1.0, 0, 0]), np.array([0.0, 0, 1.0]))
    assert not radiograph(block("left"), behind, (-60.0, -30.0)).any()


def marks(side):
    values = {"width_mm": 8.0, "height_mm": 14.0, "along": (0.0, -1.0, 0.0)}
    point = Landmark(f"pedicle_{side}", np.array([SIDES[side] * 14.0, 18.0, 3.0]), 0.3, "t", values)
    pose = Pose.from_axes(np.eye(3), np.zeros(3), PATIENT, "T8")
    return Landmarks("T8", pose, (point,))


def test_the_ring_is_the_pedicles_section():
    ring = pedicle_ring(marks("left"), "left")
    assert np.ptp(ring, axis=0) == pytest.approx([8.0, 0.0, 14.0], abs=0.1)
    assert ring.mean(axis=0) == pytest.approx([14.0, 18.0, 3.0], abs=1e-6)
    assert pedicle_ring(marks("left"), "right") is None
    assert pedicle_ring(None, "left") is None


@pytest.fixture
def punctured(case):
    paths = (needle("left"), needle("right", skin=False))
    plan = replace(case.plan, paths=paths, skipped=())
    return replace(case, plan=plan, volume=block("left"))


def test_views_show_every_needle_of_a_level(punctured):
    (item,) = fluoroscopy_section(punctured).content["items"]
    front, side = item.figures
    assert (front.marks["left"], front.marks["right"]) == ("L", "R")
    assert (side.marks["left"], side.marks["right"]) == ("A", "P")
    for figure in (front, side):
        assert sum(s.style == "path" for s in figure.strokes) == 2
    assert "left: 17.4° towards the midline" in item.facts


def test_the_puncture_table(punctured, case):
    left, right = puncture_section(punctured).content["rows"]
    assert (left["midline"], left["to_tip"], left["medial"]) == ("32.1", "73.5", "17.4")
    assert right["skin"] == "skin out of view"
    assert puncture_section(case) is None and fluoroscopy_section(case) is None
