"""Left stays left, from every way of scanning and storing to plan, surfaces, part and report.

The phantom's left pedicle of L3 is 12 mm wide, its right one 8 mm. A program that mixes up sides
by name finds the wide one on the right; one that mirrors the anatomy finds a wide "left" pedicle
at the wrong place; one that swaps front and back or head and feet finds no vertebra.
"""

import html
import re

import nibabel
import nrrd
import numpy as np
import pytest

from guidegen.phantoms import truth
from guidegen.phantoms.landmarks import isthmus
from guidegen.phantoms.render import make_volume
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.surface import distances
from tests.validation.cases import Case, Wish, lopsided, planned, scan
from tests.validation.measures import bore_row

COARSE = {"spacing_mm": 1.0, "slice_mm": 1.25}
STRAIGHT = ScanOptions(**COARSE)
SIDES = {"left": 1.0, "right": -1.0}


def wish(options: ScanOptions = STRAIGHT) -> Wish:
    """L3 of the lopsided phantom, coarse."""
    name = "lopsided_oblique" if options.oblique_deg else "lopsided"
    return Wish(name, "L3", options, lowest_level="L4")


def dicom(options):
    """A DICOM folder."""
    return lambda folder: scan(wish(options), folder)


def nifti_mirrored(folder):
    """NIfTI whose voxel axes are left-handed: columns run from the patient's left to the right."""
    volume = make_volume(lopsided(), STRAIGHT)
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.grid.patient_from_kji[:, [2, 1, 0, 3]]
    voxels = volume.hu.transpose(2, 1, 0)
    voxels, matrix = voxels[:, ::-1], matrix.copy()
    matrix[:3, 3] += (voxels.shape[1] - 1) * matrix[:3, 1]
    matrix[:3, 1] *= -1
    assert np.linalg.det(matrix[:3, :3]) < 0
    image = nibabel.Nifti1Image(np.ascontiguousarray(voxels), matrix)
    image.set_sform(matrix, 1)
    image.set_qform(matrix, 1)
    folder.mkdir()
    nibabel.save(image, folder / "scan.nii.gz")
    return folder / "scan.nii.gz"


def nrrd_ras(folder):
    """NRRD in right-anterior-superior space, as 3D Slicer's are in LPS."""
    volume = make_volume(lopsided(), STRAIGHT)
    turn = np.diag([-1.0, -1.0, 1.0])
    matrix = volume.grid.patient_from_kji
    header = {
        "space": "right-anterior-superior",
        "space directions": (turn @ matrix[:3, [2, 1, 0]]).T,
        "space origin": turn @ matrix[:3, 3],
        "kinds": ["domain"] * 3,
        "encoding": "gzip",
    }
    folder.mkdir()
    nrrd.write(str(folder / "scan.nrrd"), volume.hu.transpose(2, 1, 0), header)
    return folder / "scan.nrrd"


STORED = {
    "HFS": dicom(STRAIGHT),
    "slices_from_the_head": dicom(ScanOptions(**COARSE, flip="slices")),
    "FFS": dicom(ScanOptions(**COARSE, flip="feet_first")),
    "HFP": dicom(ScanOptions(**COARSE, flip="prone")),
    "oblique": dicom(ScanOptions(**COARSE, oblique_deg=18.0)),
    "NIfTI_left_handed": nifti_mirrored,
    "NRRD_RAS": nrrd_ras,
}


ALWAYS = ("FFS", "HFP", "oblique", "NIfTI_left_handed", "NRRD_RAS")


@pytest.fixture(
    scope="module",
    params=[pytest.param(n, marks=[] if n in ALWAYS else pytest.mark.slow) for n in STORED],
)
def case(request, tmp_path_factory) -> Case:
    """The phantom's L3, planned from one way of storing it."""
    place = tmp_path_factory.mktemp(request.param)
    return planned(wish(), place, STORED[request.param](place / "scan"))


def true_isthmus(case, side):
    """(3,): where the pedicle of a side really is, patient LPS."""
    scene = case.scene
    return scene.poses["L3"].points(isthmus(scene.solid("L3"), scene.vertebrae["L3"], side)[0])


def beside(path, point):
    """Distance of a planned axis from a point."""
    entry, tip = np.array(path["entry_mm"]), np.array(path["tip_mm"])
    way = (tip - entry) / np.linalg.norm(tip - entry)
    return float(np.linalg.norm(np.cross(point - entry, way)))


def report_rows(case):
    """Side to the cells of its row in the report's plan table."""
    page = (case.root / "report.html").read_text(encoding="utf-8")
    table = page[page.index('<table class="plan">') :]
    rows = {}
    for row in re.findall(r"<tr.*?</tr>", table[: table.index("</table>")], re.DOTALL):
        cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
        texts = [html.unescape(re.sub("<[^>]*>", "", c)).replace("\u2212", "-") for c in cells]
        if texts[0] == "L3":
            rows[texts[1]] = texts
    return rows


def test_each_path_runs_through_the_pedicle_of_its_name(case):
    for side, sign in SIDES.items():
        path = case.path(f"L3_{side}")
        assert path["side"] == side
        assert beside(path, true_isthmus(case, side)) < 2.5
        assert path["entry_mm"][0] * sign > 10.0
        assert path["tip_mm"][1] < path["entry_mm"][1] - 25.0
        assert path["axial_angle_deg"] > 0.0
    wide, narrow = (case.path(f"L3_{s}")["corridor_diameter_mm"] for s in SIDES)
    assert wide - narrow > 3.0


def test_surface_and_landmarks_are_not_mirrored(case):
    solid, bone = case.scene.solid("L3"), case.bone("L3")
    local = solid.patient_from_bone.inverse.points(bone.vertices_mm)
    as_it_is = np.abs(distances(solid.shape, local))
    mirrored = np.abs(distances(solid.shape, local * (-1.0, 1.0, 1.0)))
    assert as_it_is.mean() < 0.2 < 0.25 < mirrored.mean()
    marks = case.json("landmarks.json")["bones"]["L3"]
    widths = [marks[f"pedicle_{side}"]["width_mm"] for side in SIDES]
    assert widths[0] - widths[1] > 3.0
    for side in SIDES:
        found = np.array(marks[f"pedicle_{side}"]["position_mm"])
        assert np.linalg.norm(found - true_isthmus(case, side)) < 5.0


def test_label_map_lies_on_the_bone_as_other_programs_read_it(case):
    """Read by nibabel alone: RAS millimetres, so the patient's left has a negative x."""
    image = nibabel.load(case.root / "bones" / "segmentation.nii.gz")
    names = case.json("bones/segmentation.json")["labels"]
    value = next(int(v) for v, name in names.items() if name == "L3")
    ijk = np.argwhere(np.asarray(image.dataobj) == value)
    lps = (ijk @ image.affine[:3, :3].T + image.affine[:3, 3]) * (-1.0, -1.0, 1.0)
    inside = truth.inside_distance(case.scene.definition, "L3", lps[::7])
    assert (inside > -1.2).mean() > 0.97


def test_report_says_left_for_left(case):
    rows = report_rows(case)
    for side, sign in SIDES.items():
        path, row = case.path(f"L3_{side}"), rows[side]
        assert f"{path['corridor_diameter_mm']:.1f}" in row
        assert float(row[-1].split(",")[0]) * sign > 10.0
    assert float(rows["left"][5]) - float(rows["right"][5]) > 3.0


@pytest.fixture(
    scope="module",
    params=[pytest.param(n, marks=[pytest.mark.ci] if n == "HFP" else []) for n in ALWAYS],
)
def guide(request, tmp_path_factory) -> Case:
    """The same, built."""
    from tests.validation.cases import built

    place = tmp_path_factory.mktemp(f"{request.param}_built")
    return built(planned(wish(), place, STORED[request.param](place / "scan")))


@pytest.mark.slow
def test_the_part_is_not_mirrored(guide):
    """Bores on the planned axes in the file; L on the patient's left, R on the right, readable."""
    record = next(f for f in guide.json("manifest.json")["files"] if f["file"] == "guides/L3.stl")
    for side, sign in SIDES.items():
        row = bore_row(guide, f"L3_{side}")
        assert row.offset_mm <= 0.05 and row.angle_deg <= 0.1
        mark = next(e for e in record["engravings"] if e["text"] == side[0].upper())
        assert mark["centre_mm"][0] * sign > 5.0
        assert mark["normal"][1] > 0.5
    checks = guide.json("checks.json")["checks"]
    read = [c for c in checks if c["code"].startswith("side_mark")]
    assert len(read) == 4 and all(c["passed"] for c in read)
