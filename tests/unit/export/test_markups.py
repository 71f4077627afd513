"""Markups as 3D Slicer saves them: coordinates, units, which point is which, what is none."""

import copy
import json

import numpy as np
import pytest

from guidegen.errors import InputError
from guidegen.export.atomic import plain
from guidegen.export.markups import markups_of, on_items, read_markups
from guidegen.export.slicer import line_markup, plane_markup
from guidegen.model.plan import Cut, Path

ENTRY, TIP = np.array([11.0, 22.0, 33.0]), np.array([4.0, -18.0, 36.0])
NORMAL = np.array([0.1, -0.2, -0.9]) / np.linalg.norm([0.1, -0.2, -0.9])


def line():
    return plain(line_markup(Path("L3_left", "L3", "screw", "left", ENTRY, TIP, 6.0)))


def plane():
    return plain(plane_markup(Cut("distal_femur_left", "femur_left", ENTRY, NORMAL, 1.3)))


def in_ras(content):
    """The same markup as 3D Slicer would save it in RAS."""
    content = copy.deepcopy(content)
    (item,) = content["markups"]
    item["coordinateSystem"] = "RAS"
    for point in item["controlPoints"]:
        point["position"] = list(np.array(point["position"]) * [-1, -1, 1])
    for name in ("center", "normal"):
        if name in item:
            item[name] = list(np.array(item[name]) * [-1, -1, 1])
    if "orientation" in item:
        axes = np.array(item["orientation"]).reshape(3, 3) * np.array([[-1], [-1], [1]])
        item["orientation"] = list(axes.ravel())
    return content


def only(content, file="some.mrk.json"):
    (found,) = markups_of(content, file)
    return found


def changed(content, **values):
    content = copy.deepcopy(content)
    content["markups"][0].update(values)
    return content


@pytest.mark.parametrize("turned", [lambda c: c, in_ras])
def test_a_line_comes_back_in_lps(turned):
    found = only(turned(line()))
    assert np.allclose(found.change["entry_mm"], ENTRY, atol=1e-5)
    assert np.allclose(found.change["tip_mm"], TIP, atol=1e-5)
    assert found.names == ("L3_left", "some")


@pytest.mark.parametrize("turned", [lambda c: c, in_ras])
@pytest.mark.parametrize("without", [(), ("normal",), ("center",), ("center", "normal")])
def test_a_plane_comes_back_in_lps(turned, without):
    content = turned(plane())
    for name in without:
        del content["markups"][0][name]
    found = only(content)
    assert np.allclose(found.change["origin_mm"], ENTRY, atol=1e-5)
    assert np.allclose(found.change["normal"], NORMAL, atol=1e-5)
    assert found.names == ("distal_femur_left", "some")


def test_a_planes_written_axes_are_a_right_handed_frame_on_its_normal():
    item = plane()["markups"][0]
    axes = np.array(item["orientation"]).reshape(3, 3)
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-5) and np.linalg.det(axes) > 0
    assert np.allclose(axes[:, 2], NORMAL, atol=1e-5)
    base = np.array(item["baseToNode"]).reshape(4, 4)
    assert np.allclose(base[:3, :3], axes) and np.allclose(base[:3, 3], ENTRY)
    assert not item["locked"] and not line()["markups"][0]["locked"]


def test_a_plane_of_three_points():
    across = np.cross(NORMAL, [1.0, 0.0, 0.0])
    corners = [ENTRY, ENTRY + 20 * across, ENTRY + 20 * np.cross(NORMAL, across)]
    points = [{"position": list(corner)} for corner in corners]
    for turned in (lambda c: c, in_ras):
        content = changed(plane(), planeType="3Points", controlPoints=points)
        found = only(turned(content))
        assert abs(found.change["normal"] @ NORMAL) == pytest.approx(1.0)
        assert (found.change["origin_mm"] - ENTRY) @ NORMAL == pytest.approx(0.0, abs=1e-6)


def test_micrometres_and_coded_units():
    content = line()
    for point in content["markups"][0]["controlPoints"]:
        point["position"] = [1000 * value for value in point["position"]]
    assert np.allclose(only(changed(content, coordinateUnits="um")).change["entry_mm"], ENTRY)
    coded = changed(line(), coordinateUnits=["mm", "UCUM", "millimeter"])
    assert np.allclose(only(coded).change["entry_mm"], ENTRY)


def labelled(*labels):
    content = line()
    for point, label in zip(content["markups"][0]["controlPoints"], labels, strict=True):
        point["label"] = label
    return content


def test_labels_tell_entry_and_tip_else_the_order():
    assert np.allclose(only(labelled("L3_left tip", "L3_left entry")).change["entry_mm"], TIP)
    assert np.allclose(only(labelled("F-1", "F-2")).change["entry_mm"], ENTRY)
    assert np.allclose(only(labelled("Entry", "F-2")).change["entry_mm"], ENTRY)
    for labels in (("tip", "F-2"), ("F-1", "entry"), ("tip", "tip"), ("a entry", "b entry")):
        with pytest.raises(InputError, match="label"):
            only(labelled(*labels))


def test_names_by_markup_label_or_file():
    content = labelled("T5_right entry", "T5_right tip")
    del content["markups"][0]["name"]
    assert only(content, "T6_left.mrk.json").names == ("T5_right", "T6_left")
    two = {**content, "markups": [content["markups"][0]] * 2}
    assert markups_of(two, "T6_left.mrk.json")[0].names == ("T5_right",)


def broken(**values):
    return changed(line(), **values)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "no markups of 3D Slicer"),
        ({}, "no markups of 3D Slicer"),
        ({"markups": [{}]}, "no markups of 3D Slicer"),
        ({**line(), "markups": []}, "no markups of 3D Slicer"),
        ({**line(), "markups": [3]}, "was wanted, found None"),
        (broken(type="Fiducial"), "found Fiducial"),
        (broken(coordinateSystem="IJK"), "found 'IJK'"),
        (broken(coordinateSystem=3), "LPS or RAS"),
        (broken(coordinateUnits="inch"), "found 'inch'"),
        (broken(coordinateUnits=[]), "in mm were wanted"),
        (broken(controlPoints=[]), "found 0"),
        (broken(controlPoints="none"), "found 0"),
        (broken(controlPoints=[{"position": [1, 2, 3]}] * 3), "found 3"),
        (broken(controlPoints=[{"position": [1, 2]}] * 2), "three numbers"),
        (broken(controlPoints=[{"position": [1, 2, "x"]}] * 2), "three numbers"),
        (broken(controlPoints=[{"position": [1, 2, float("nan")]}] * 2), "three numbers"),
        (broken(controlPoints=[{"position": [1, 2, 10**400]}] * 2), "three numbers"),
        (broken(controlPoints=[{"position": [1, 2, 9e9]}] * 2), "check the units"),
        (broken(coordinateUnits="m"), "found 'm'"),
        (broken(controlPoints=[{"position": [1, 2, 3], "positionStatus": "undefined"}] * 2), "0"),
        (changed(plane(), normal=[0, 0, 0]), "without a direction"),
        (changed(plane(), normal="up"), "three numbers"),
        (changed(plane(), normal=None, orientation=[1, 2]), "found no normal"),
        (changed(plane(), center=None, controlPoints=[]), "found no centre"),
    ],
)
def test_what_is_no_line_or_plane_is_one_sentence(content, words):
    with pytest.raises(InputError, match=words) as caught:
        markups_of(content, "some.mrk.json")
    assert "some.mrk.json" in str(caught.value) and "\n" not in str(caught.value)


def test_files_that_are_none(tmp_path):
    path = tmp_path / "L3_left.mrk.json"
    path.write_text(json.dumps(line()))
    assert read_markups(path)[0].names == ("L3_left",)
    for data in (b"", b"\xff\xfe", b"[" * 100_000, b"{" * 3_000_000):
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"mrk\.json"):
            read_markups(path)
    for other in (tmp_path, tmp_path / "absent.mrk.json"):
        with pytest.raises(InputError, match="can't be read"):
            read_markups(other)


@pytest.mark.parametrize(
    ("title", "label", "file", "meant"),
    [
        ("L4_left", "L3_left", "some", "L4_left"),  # given another name: the labels lag behind
        ("Line", "L3_left", "some", "L3_left"),
        ("Line", "F", "L4_left", "L4_left"),
        ("L4_left", "L3_left", "L4_left", "L4_left"),
        ("L3_left", "L3_left", "L4_left", None),  # which one is meant nobody knows
        ("Line", "L3_left", "L4_left", None),
        ("L4_left", "L4_left", "L3_left", None),
    ],
)
def test_names_that_contradict_each_other_are_refused(title, label, file, meant):
    content = labelled(f"{label} entry", f"{label} tip")
    markups = markups_of(changed(content, name=title), f"{file}.mrk.json")
    items = ("L3_left", "L3_right", "L4_left")
    if meant is None:
        with pytest.raises(InputError, match=r"it may be of L[34]_left or of L[34]_left: give"):
            list(on_items(markups, items))
    else:
        assert [name for name, _ in on_items(markups, items)] == [meant]


def test_each_markup_goes_to_its_item():
    one, other = only(line(), "a.mrk.json"), only(plane(), "b.mrk.json")
    items = ("L3_right", "L3_left", "distal_femur_left")
    found = dict(on_items((one, other), items))
    assert found == {"L3_left": one, "distal_femur_left": other}
    with pytest.raises(InputError, match="called L3_left, a, and the plan has L3_right"):
        list(on_items((one,), items[:1]))
    with pytest.raises(InputError, match=r"a\.mrk\.json and a\.mrk\.json are both of L3_left"):
        list(on_items((one, one), items))
