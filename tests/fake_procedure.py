"""A procedure on a ball of bone: the smallest thing that runs through the whole flow."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from skimage.measure import marching_cubes

from guidegen.errors import AnatomyError, PlanError
from guidegen.model.bone import Bone
from guidegen.model.findings import Finding
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.guide import Feature, Guide
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.level import Level, Spine
from guidegen.model.notice import Notice
from guidegen.model.plan import Path, Skipped
from guidegen.model.volume import CTVolume, Grid, LabelMap, ScanInfo
from guidegen.procedures import bench as benches
from guidegen.procedures.bench import Bench, Item
from guidegen.procedures.contract import Anatomy, Draft, Procedure

CENTRE_MM = np.array([3.0, -4.0, 5.0])
RADIUS_MM = 12.0


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    fit_gap_mm: float = Field(0.2, description="engineering choice")


class BallSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    diameter_mm: float = Field(6.0, description="engineering choice")
    failing: tuple[str, ...] = ()
    unmade: str = ""
    red: bool = False
    guide: Inner = Inner()


def ball_volume(size_mm: float = 90.0, spacing_mm: float = 1.5) -> CTVolume:
    """A ball of 700 HU in soft tissue, on a slightly oblique grid."""
    n = int(size_mm / spacing_mm)
    turn = np.deg2rad(5.0)
    axes = np.array(  # columns k, j, i
        [
            [0.0, -np.sin(turn), np.cos(turn)],
            [0.0, np.cos(turn), np.sin(turn)],
            [1.0, 0.0, 0.0],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = axes * spacing_mm
    matrix[:3, 3] = CENTRE_MM - axes @ np.full(3, size_mm / 2)
    grid = Grid(matrix, (n, n, n), "sha256:f0")
    kji = np.stack(np.meshgrid(*(np.arange(n),) * 3, indexing="ij"), axis=-1)
    depth = RADIUS_MM - np.linalg.norm(grid.patient(kji) - CENTRE_MM, axis=-1)
    hu = np.clip(350 + depth * 400, 40, 700).astype(np.int16)
    hu[:, :, :2] = -1000  # air at the edge: it is a CT
    info = ScanInfo("phantom", notices=(Notice("thick_slices", "slices of 1.5 mm", "series"),))
    return CTVolume(hu, grid, info)


def box(low, high):
    """(8, 3) and (12, 3): a closed box."""
    corners = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    return np.asarray(low) + corners * (np.asarray(high) - np.asarray(low)), faces


class BallBench(Bench):
    """Sets a diameter, or where a screw begins and ends; ``slow`` leaves the rest to settle."""

    slow = False

    def items(self, plan):
        waiting = bool(plan.extra.get("waits"))
        return tuple(
            Item(
                path.name,
                "path",
                path.bone,
                (benches.Field("diameter_mm", "diameter", "mm", path.diameter_mm, 1.0, 9.0, 0.5),),
                edited=bool(path.extra.get("edited")),
                waiting=waiting,
            )
            for path in plan.paths
        )

    def changed(self, plan, item, change):
        path = next((path for path in plan.paths if path.name == item), None)
        if path is None:
            raise PlanError(f"there is no {item}: choose another")
        given = {k: v for k, v in change.items() if k in ("diameter_mm", "entry_mm", "tip_mm")}
        if given.get("diameter_mm", 1.0) > 9.0:
            raise PlanError("a screw of the set is 1 to 9 mm thick: choose another")
        wide = given.get("diameter_mm", path.diameter_mm) > 8.0
        extra = {**path.extra, "edited": True}
        extra.setdefault("automatic", {"diameter_mm": path.diameter_mm})
        edited = replace(path, **given, grade="C" if wide else "A", extra=extra)
        red = (Notice("breach", "it leaves the bone", item, red=True),) if wide else ()
        if change.get("into_canal"):
            red = (Notice("canal_breach", "it reaches into the canal", item, red=True),)
        kept = tuple(n for n in plan.warnings if n.code not in ("breach", "canal_breach"))
        more = {"waits": True} if self.slow else {}
        return replace(plan, paths=(edited,), warnings=(*red, *kept), extra={**plan.extra, **more})

    def settle(self, plan):
        return replace(plan, extra={k: v for k, v in plan.extra.items() if k != "waits"})


@dataclass
class BallProcedure(Procedure[BallSettings]):
    """Plans one screw through the ball; ``built`` counts the builds."""

    name = "ball"
    title = "A screw through a ball"
    settings_type = BallSettings
    built: int = 0

    def find_anatomy(self, volume, options, settings, progress):
        progress("looking", 0.5)
        imported = options.labels
        mask = volume.hu > 350 if imported is None else imported.labels > 0
        if not mask.any():
            raise AnatomyError("a ball was wanted, nothing brighter than 350 HU was found")
        field = np.where(mask, np.maximum(volume.hu, 351), np.minimum(volume.hu, 349))
        points, faces, _, _ = marching_cubes(field.astype(float) + 0.5, 350.0)
        points = volume.grid.patient(points)
        a, b, c = (points[faces[:, n]] for n in range(3))
        if np.einsum("ij,ij->", a, np.cross(b, c)) < 0:
            faces = faces[:, ::-1]
        labels = LabelMap(mask.astype(np.uint16) * 7, volume.grid, {7: "L3"})
        centre = points.mean(axis=0)
        pose = Pose.from_axes(np.eye(3), centre, PATIENT, "L3")
        level = Level("L3", pose, (-10.0, 10.0))
        spine = Spine(labels, (level,), centre + np.outer([-10, 10], [0, 0, 1]))
        mark = Landmark("body_centre", centre, 0.5, "mean", {"width_mm": 24.0})
        return Anatomy(
            spine, (Bone("L3", points, faces),), (Landmarks("L3", pose, (mark,)),), ("L3",)
        )

    def plan(self, volume, anatomy, settings, progress):
        progress("aiming", 0.5)
        centre = anatomy.landmarks[0]["body_centre"].position_mm
        back = np.array([0.0, 1.0, 0.0])
        path = Path(
            "L3_left",
            "L3",
            "screw",
            "left",
            centre + back * 11.9,
            centre - back * 8.1,
            settings.diameter_mm,
            pilot_diameter_mm=2.7,
            corridor_diameter_mm=20.0,
            clearance_mm=7.0,
            grade="A",
            breach_mm=0.0,
            axial_angle_deg=0.0,
            sagittal_angle_deg=0.0,
            extra={"mean_hu": 700.0, "entry_to_midline_mm": 0.0},
        )
        red = (Notice("unanchored_levels", "the count is not anchored", "spine", red=True),)
        skipped = Skipped("L3_right", "L3", "right", "narrow_pedicle", 4.4)
        return Draft((path,), (skipped,), (), red if settings.red else ())

    def bench(self, case, settings):
        assert case.volume is not None
        return BallBench()

    def build(self, case, settings, progress):
        plan, bones = case.plan, case.bones
        self.built += 1
        progress("cutting", 0.5)
        path = plan.paths[0]
        vertices, faces = box(
            path.entry_mm - np.array([9, 1, 9]), path.entry_mm + np.array([9, 19, 9])
        )
        top = path.entry_mm - path.direction * 20.0
        bore = Feature(
            "bore",
            path.name,
            top,
            path.direction,
            {"diameter_mm": 2.9, "length_mm": 20.0, "outer_mm": 8.0, "drill_depth_mm": 40.0},
        )
        label = f"{plan.case_id} L3 {plan.extra['plan_sha256'][:4]}"
        label += " unattended" if plan.extra.get("unattended") else ""
        pose = Pose.from_axes(np.diag([1.0, -1.0, -1.0]), path.entry_mm, PATIENT, "guide")
        guide = Guide(
            "L3",
            "guide",
            vertices,
            faces,
            ("L3",),
            features=(bore,),
            patient_from_guide=pose,
            insertion_direction=path.direction,
            fit_gap_mm=0.2,
            contact_area_mm2=100.0,
            label=label,
        )
        model = Guide("L3", "model", bones[0].vertices_mm, bones[0].faces, ("L3",))
        if settings.unmade:
            missing = Finding(
                "made", guide.file, 0.0, 1.0, "equal", "count", "fake", settings.unmade
            )
            return (missing, model)
        return (guide, model)

    def check(self, guide, case, settings):
        value = 0.0 if guide.file in settings.failing else 1.0
        return (Finding("ball", guide.file, value, 1.0, "at_least", "count", "fake"),)
