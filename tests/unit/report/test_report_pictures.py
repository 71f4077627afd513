"""Three-dimensional pictures of the report: sides by pixel."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from guidegen.model.bone import Bone, closed_surface
from guidegen.report.guides import guides_section
from guidegen.report.overview import overview_figures
from guidegen.report.solids import cylinder


def pixels(figure):
    data = base64.b64decode(figure.image.split(",")[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def orange(picture):
    """Middle (row, column) and number of the pixels in the path's colour."""
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    where = np.argwhere((red - blue > 90) & (red > green + 25))
    return where.mean(axis=0), len(where)


@pytest.fixture(scope="module")
def left_only(case):
    """Only the left path, on the upper of two bones."""
    return replace(case, plan=replace(case.plan, paths=case.plan.paths[:1]))


def test_from_behind_the_patients_left_is_on_the_left(left_only):
    behind, _ = overview_figures(left_only)
    assert behind.marks == {"left": "L", "right": "R", "top": "H", "bottom": "F"}
    (row, column), count = orange(pixels(behind))
    assert count > 50
    assert column < behind.width / 2 - 10
    assert row < behind.height / 2 - 20


def test_from_the_left_the_front_is_on_the_left(left_only):
    _, lateral = overview_figures(left_only)
    assert lateral.marks == {"left": "A", "right": "P", "top": "H", "bottom": "F"}
    (row, _), count = orange(pixels(lateral))
    assert count > 50
    assert row < lateral.height / 2 - 20


def test_names_stand_beside_their_bones(case):
    behind, _ = overview_figures(case)
    heights = {note.text: note.y for note in behind.notes}
    assert heights["T7"] < behind.height / 2 < heights["T8"]


def test_scale_bar_is_to_scale(case):
    """The ball of 44 mm is as many pixels wide as the bar says."""
    behind, _ = overview_figures(case)
    drawn = (pixels(behind) < 190).any(axis=2)
    row = drawn[int({n.text: n.y for n in behind.notes}["T8"])]
    columns = np.flatnonzero(row[70:]) + 70  # the name is text, not pixels
    wide = columns.max() - columns.min() + 1
    per_mm = behind.bar / float(behind.bar_text.split()[0])
    assert wide / per_mm == pytest.approx(44.0, abs=0.7)


def test_guide_pictures(case):
    (item,) = guides_section(case).content["items"]
    behind, oblique, above, label = item.figures
    assert behind.marks == {"left": "L", "right": "R", "top": "H", "bottom": "F"}
    assert above.marks == {"left": "L", "right": "R", "top": "A", "bottom": "P"}
    assert "label" in label.caption
    blue = [
        ((p[..., 2] > p[..., 0] + 30).mean()) for p in map(pixels, (behind, oblique, above, label))
    ]
    assert min(blue) > 0.1


def test_models_are_not_drawn_as_guides(case):
    bare = tuple(f for f in case.guides[0].features if f.kind != "bore")
    model = replace(case.guides[0], role="model", features=bare)
    assert guides_section(replace(case, guides=(model,))) is None


def test_models_with_channels_are_drawn(case):
    model = replace(case.guides[0], role="model")
    (item,) = guides_section(replace(case, guides=(model,))).content["items"]
    assert "models/" in item.title


def test_cylinder_is_closed_and_right():
    points, faces = closed_surface(*cylinder(np.zeros(3), np.array([0, 0, 10.0]), 4.0), "pin")
    Bone("pin", points, faces)
    assert np.linalg.norm(points[:, :2], axis=1).max() == pytest.approx(2.0)
    assert np.ptp(points[:, 2]) == pytest.approx(10.0)
