"""Needles beside the pedicle, for thoracic levels whose pedicles are too narrow."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from guidegen.mesh.rays import RayTarget
from guidegen.model.arrays import Floats
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Path, Skipped
from guidegen.model.volume import CTVolume
from guidegen.planning.beside import Beside, BesideLimits, way_beside
from guidegen.planning.half_maximum import Axis, mean_hu
from guidegen.planning.pedicle import pedicle_field
from guidegen.procedures.kyphoplasty.needle import BodySize, tip_place
from guidegen.procedures.kyphoplasty.settings import NeedleSettings
from guidegen.procedures.levels import Site

ROUTE = "extrapedicular"
_BONE_HU = 300.0
_RING = 6
_BEHIND_MM = 4.0
_SKIN_GAP_MM = 5.0
WIDE_VIEW_MM = 80.0
"""CT kept round a vertebra for these needles: they come in from far beside it."""
_UNSEEN_HU = -1024
"""Out of view: as if it were lung, because it can't be told that it is not."""


def plan_beside(site: Site, side: tuple[str, float], needle: NeedleSettings) -> Path | Skipped:
    """Plan one needle beside the pedicle; only thoracic levels have a rib to pass along."""
    bone, marks = site.bone, site.landmarks
    name = f"{bone.name}_{side[0]}"
    if not bone.name.startswith("T"):
        text = "beside the pedicle a needle goes only in at thoracic levels, along the rib"
        return Skipped(name, bone.name, side[0], "not_thoracic", None, text)
    if f"pedicle_{side[0]}" not in marks:
        text = "no pedicle was found, so the canal's side wall is not known"
        return Skipped(name, bone.name, side[0], "no_pedicle", None, text)
    limits = limits_beside(marks, side, needle)
    vertices = marks.patient_from_bone.inverse.points(bone.vertices_mm)
    field = pedicle_field(vertices, bone, marks)
    plates = (marks[f"{n}_endplate_centre"].position_mm for n in ("superior", "inferior"))
    height = float(np.linalg.norm(np.subtract(*plates)))
    found = way_beside(field, limits, height, side[1], Tissue(site, limits, needle.lung_hu))
    if found is None:
        text = (
            f"no way beside the pedicle keeps {limits.canal_margin_mm:.0f} mm from the canal, "
            "stays at the pedicle's height, passes the lung and the transverse process and ends in "
            "the body's front third"
        )
        return Skipped(name, bone.name, side[0], "no_way_beside", None, text)
    return path_beside(site, side, found, limits)


def limits_beside(
    marks: Landmarks, side: tuple[str, float], needle: NeedleSettings
) -> BesideLimits:
    """What a needle beside this pedicle may do."""
    size = BodySize.of(marks)
    to_bone = marks.patient_from_bone.inverse
    pedicle = marks[f"pedicle_{side[0]}"]
    centre = to_bone.points(pedicle.position_mm)
    half = side[1] * float(centre[0]) - float(np.ravel(pedicle.values["width_mm"])[0]) / 2
    tall = float(np.ravel(pedicle.values["height_mm"])[0])
    foot = float(centre[2]) - tall / 2
    canal = marks["canal_centre"]
    radius = float(np.ravel(canal.values["radius_mm"])[0])
    back = float(to_bone.points(canal.position_mm)[1]) + radius
    tip_y, _ = tip_place(size, "extrapedicular", needle)
    return BesideLimits(
        axial_deg=needle.extrapedicular_axial_deg,
        sagittal_deg=needle.sagittal_deg,
        tip_y_mm=tip_y,
        tip_lateral_mm=(needle.side_margin_mm, size.width_mm / 4),
        entry_y_mm=size.depth_mm * (0.5 - needle.entry_share),
        front_margin_mm=needle.front_margin_mm,
        canal_half_mm=max(half, radius),
        canal_y_mm=(size.depth_mm / 2, back + _BEHIND_MM),
        canal_margin_mm=needle.canal_margin_mm,
        beside_z_mm=(foot + needle.pedicle_share * tall, foot + tall),
        radius_mm=needle.min_diameter_mm / 2,
        free_mm=needle.free_mm,
    )


class Tissue:
    """Reads the CT along a way outside the bone."""

    def __init__(self, site: Site, limits: BesideLimits, lung_hu: float) -> None:
        self._pose = site.landmarks.patient_from_bone
        self._volume = site.volume
        self._radius, self._lung_hu = limits.radius_mm, lung_hu
        tip = "spinous_tip" if "spinous_tip" in site.landmarks else "canal_centre"
        behind = self._pose.inverse.points(site.landmarks[tip].position_mm)
        self._end_y = float(behind[1]) - _SKIN_GAP_MM

    def __call__(self, points: Floats, way: Floats) -> tuple[bool, float]:
        """Tell whether lung is in the way, and how many mm (points are 1 mm apart) are bone."""
        seen = points[points[:, 1] < self._end_y]
        if not len(seen):
            return False, 0.0
        hu = _along(self._volume, self._pose.points(seen), self._pose.vectors(way), self._radius)
        return bool((hu < self._lung_hu).any()), float((hu[:, 0] > _BONE_HU).sum())


def _along(volume: CTVolume, points: Floats, way: Floats, radius_mm: float) -> Floats:
    """Read (N, 7) HU on an axis and on a ring 1 mm outside of the needle, at points (N, 3)."""
    one = np.cross(way, [0.0, 0.0, 1.0])
    one = one / np.linalg.norm(one)
    two = np.cross(way, one)
    turn = 2 * np.pi * np.arange(_RING) / _RING
    ring = (radius_mm + 1.0) * (np.cos(turn)[:, None] * one + np.sin(turn)[:, None] * two)
    spots = points[:, None] + np.concatenate([np.zeros((1, 3)), ring])[None]
    kji = np.moveaxis(volume.grid.kji(spots), -1, 0)
    hu = ndimage.map_coordinates(
        volume.hu, kji, np.float32, order=1, mode="constant", cval=_UNSEEN_HU
    )
    return np.asarray(hu, dtype=np.float64)


def past_the_lung(volume: CTVolume, path: Path, lung_hu: float) -> Path | Skipped:
    """Refuse a needle beside the pedicle that meets lung anywhere between skin and bone.

    The search looks as far back as the spinous process; the skin lies farther, and from a strongly
    leaning way the chest wall is crossed in between.

    Args:
        volume: The CT, with the skin in view where the needle has a skin entry.
        path: Any needle; only those beside the pedicle are looked at.
        lung_hu: Darker than this is lung.
    """
    if path.route != ROUTE or path.skin_mm is None:
        return path
    length = float(np.linalg.norm(path.skin_mm - path.entry_mm))
    back = np.arange(1.0, length - _SKIN_GAP_MM, 1.0)
    points = path.entry_mm - back[:, None] * path.direction
    if not (_along(volume, points, path.direction, path.diameter_mm / 2) < lung_hu).any():
        return path
    text = "the best way beside the pedicle meets lung between the skin and the bone"
    return Skipped(path.name, path.bone, path.side, "lung_in_the_way", None, text)


def path_beside(site: Site, side: tuple[str, float], found: Beside, limits: BesideLimits) -> Path:
    """The needle along a way beside the pedicle; its entry is where it leaves the bone."""
    bone, pose = site.bone, site.landmarks.patient_from_bone
    tip, way = pose.points(found.line.point), pose.vectors(found.line.direction)
    surface = RayTarget(bone.vertices_mm, bone.faces)
    hit, _ = surface.first_hit(tip[None], -way)
    ahead, _ = surface.first_hit(tip[None], way)
    length = float(hit[0]) if np.isfinite(hit[0]) else found.length_mm
    entry = tip - length * way
    inner = pose.inverse.points(entry)
    axis = Axis(entry, way, length, pose.vectors(np.array([-side[1], 0.0, 0.0])))
    diameter = 2 * limits.radius_mm
    extra = {
        "mean_hu": mean_hu(site.volume, axis, diameter),
        "entry_to_midline_mm": abs(float(inner[0])),
        "tip_to_midline_mm": found.line.lateral(0.0),
        "canal_clearance_mm": found.canal_mm - limits.radius_mm,
        "through_rib_mm": found.rib_mm,
        "front_mm": float(ahead[0]),
    }
    return Path(
        name=f"{bone.name}_{side[0]}",
        bone=bone.name,
        kind="needle",
        side=side[0],
        entry_mm=entry,
        tip_mm=tip,
        diameter_mm=diameter,
        pilot_diameter_mm=diameter,
        route=ROUTE,
        axial_angle_deg=found.line.axial_deg,
        sagittal_angle_deg=found.line.sagittal_deg,
        warnings=("through_rib",) if found.rib_mm > 3.0 else (),
        extra={key: round(float(value), 3) for key, value in extra.items()},
    )
