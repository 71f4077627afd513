"""A small made-up case: a block of bone in water, marked so that no two sides look alike."""

import numpy as np
import pytest

from guidegen.model.bone import Bone
from guidegen.model.case import Approval, Case, SettingRow
from guidegen.model.findings import CheckReport, Finding
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.guide import Feature, Guide
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.notice import Notice
from guidegen.model.plan import BoneRecord, Measurement, Path, Plan, Skipped
from guidegen.model.volume import CTVolume, Grid, ScanInfo

CENTRE = np.array([12.0, -30.0, 100.0])
BONE_RADIUS_MM = 22.0
BLOB = CENTRE + np.array((14.0, -14.0, 0.0))  # the patient's left, in front
BLOB_HIGH = CENTRE + np.array((0.0, -9.0, 14.0))  # in front, towards the head


def ball(centre, radius, n=24):
    """A closed ball: vertices and faces."""
    turn, rise = np.arange(2 * n) * np.pi / n, np.arange(1, n) * np.pi / n
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    body = np.concatenate([np.c_[ring * np.sin(r), np.full(len(ring), np.cos(r))] for r in rise])
    points = np.concatenate([body, [[0, 0, 1], [0, 0, -1]]])
    a, m = np.arange(2 * n), 2 * n
    b = (a + 1) % m
    top, last = len(body), (n - 2) * m
    faces = [np.stack([a, b, np.full(m, top)], axis=1)]
    for k in range(n - 2):
        up, low = k * m, (k + 1) * m
        faces += [
            np.stack([up + a, low + a, low + b], axis=1),
            np.stack([up + a, low + b, up + b], axis=1),
        ]
    faces.append(np.stack([last + b, last + a, np.full(m, top + 1)], axis=1))
    return points * radius + centre, np.concatenate(faces)


def make_volume(flipped=False):
    """Water with a ball of bone and two metal-bright blobs; 1 mm voxels."""
    size, origin = np.array([90, 96, 100]), CENTRE - (50, 48, 45)
    matrix = np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1.0]])
    matrix[:3, 3] = origin
    if flipped:
        matrix[:3, 3] += (size[2] - 1) * matrix[:3, 2]
        matrix[:3, 2] *= -1
    grid = Grid(matrix, tuple(size.tolist()), "sha256:feed")
    places = grid.patient(np.stack(np.indices(size), axis=-1))
    distance = np.linalg.norm(places - CENTRE, axis=-1)
    hu = np.clip(100 + 600 * (BONE_RADIUS_MM - distance + 0.5), 100, 700)
    for blob in (BLOB, BLOB_HIGH):
        hu[np.linalg.norm(places - blob, axis=-1) < 3.0] = 1300
    info = ScanInfo("phantom", "sha256:abcd", "HFS", 1.0)
    return CTVolume(hu.astype(np.int16), grid, info)


def make_path(side="left", **changes):
    """A path that runs to the front and a little to the midline."""
    sign = 1 if side == "left" else -1
    values = {
        "entry_mm": CENTRE + np.array((sign * 9.0, 19.0, 2.0)),
        "tip_mm": CENTRE + np.array((sign * 3.0, -11.0, 2.0)),
        "diameter_mm": 5.0,
        "pilot_diameter_mm": 2.7,
        "corridor_diameter_mm": 8.25,
        "clearance_mm": 1.625,
        "grade": "A",
        "breach_mm": 0.0,
        "axial_angle_deg": 11.3,
        "sagittal_angle_deg": 0.0,
        "extra": {
            "mean_hu": 181.0,
            "entry_to_midline_mm": 9.0,
            "half_maximum_corridor_mm": 8.1,
            "corridor_spread_mm": 0.35,
        },
    }
    return Path(f"T7_{side}", "T7", "screw", side, **{**values, **changes})


def make_guide(paths):
    """Not a guide that anybody would print: a ball behind the bone, with bores on paper."""
    bores = tuple(
        Feature(
            "bore",
            p.name,
            p.entry_mm - 23.0 * p.direction,
            p.direction,
            {
                "diameter_mm": 2.9,
                "length_mm": 20.0,
                "outer_mm": 8.0,
                "drill_depth_mm": 23.0 + p.length_mm,
            },
        )
        for p in paths
    )
    label = Feature("label", "demo T7 4f9a", CENTRE + np.array((0, 44, 0)), (0, 1, 0))
    points, faces = ball(CENTRE + np.array((0, 32, 0)), 12.0)
    return Guide(
        "T7", "guide", points, faces, ("T7",), ("T8",), (*bores, label), None, (0, -1, 0), 0.2, 410
    )


def make_case(**changes):
    """The whole case, built and checked; ``changes`` replace its fields."""
    paths = (make_path("left"), make_path("right", grade="C", breach_mm=2.4, breach_wall="medial"))
    frame = Pose.from_axes(np.eye(3), CENTRE, PATIENT, "T7")
    plan = Plan(
        case_id="demo",
        procedure="pedicle-screws",
        frame_of_reference="sha256:feed",
        input_sha256="1" * 64,
        settings_sha256="2" * 64,
        bones=(BoneRecord("T7", "bones/T7.stl", "3" * 64),),
        paths=paths,
        skipped=(Skipped("T8_left", "T8", "left", "narrow_pedicle", 4.4),),
        measurements=(Measurement("kyphosis_T7_T8", 7.5, "deg", "supine CT"),),
        warnings=(
            Notice("thick_slices", "The slices are thick.", "series"),
            Notice("unanchored_levels", "No rib-free level is in view.", "series", red=True),
        ),
        extra={"plan_sha256": "4f9a" + "0" * 60},
    )
    findings = (
        Finding("min_wall", "guides/T7.stl", 2.13, 2.0, "at_least", "mm", "largest sphere inside"),
        Finding("bore_angle", "guides/T7.stl#T7_left", 0.31, 0.1, "at_most", "deg", "fitted axis"),
    )
    marks = (
        Landmark("pedicle_left", paths[0].entry_mm + 9 * paths[0].direction, 0.4, "narrowest"),
        Landmark(
            "spinous_tip", CENTRE + np.array((0, 30, -5)), 1.1, "farthest back", {"width_mm": 5.0}
        ),
    )
    values = {
        "plan": plan,
        "volume": make_volume(),
        "bones": (
            Bone("T7", *ball(CENTRE, BONE_RADIUS_MM)),
            Bone("T8", *ball(CENTRE - (0, 0, 46), BONE_RADIUS_MM)),
        ),
        "landmarks": (Landmarks("T7", frame, marks),),
        "guides": (make_guide(paths),),
        "checks": CheckReport(findings),
        "approval": Approval("Dr. Roe", "2026-01-02T03:04:05+00:00", "4f9a" + "0" * 60),
        "settings": (SettingRow("min_corridor_mm", "5.0", "mm", "breach 1.9 % (2024)"),),
        "versions": {"guidegen": "0.1.0", "numpy": "2.0"},
    }
    return Case(**{**values, **changes})


@pytest.fixture(scope="session")
def case():
    return make_case()


@pytest.fixture(scope="session")
def build():
    """Make a case with some fields replaced."""
    return make_case


@pytest.fixture(scope="session")
def places():
    """Where the bright blobs and the bone's middle lie."""
    return {"middle": CENTRE, "radius": BONE_RADIUS_MM, "blob": BLOB, "high": BLOB_HIGH}


@pytest.fixture(scope="session")
def parts():
    """Makers of volume, path and ball."""
    return {"volume": make_volume, "path": make_path, "ball": ball}
