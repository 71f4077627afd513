"""Needles that somebody drew: through the pedicle, or beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from guidegen.mesh.field import DistanceField
from guidegen.model.arrays import unit
from guidegen.model.notice import Notice
from guidegen.model.plan import Path
from guidegen.model.volume import CTVolume
from guidegen.planning.beside import MIN_IN_BODY_MM, Beside, BesideLimits, Seen, look_along
from guidegen.planning.given import Given
from guidegen.planning.line import Line, angles_deg
from guidegen.planning.pedicle import pedicle_field
from guidegen.procedures.by_hand import as_given
from guidegen.procedures.drawn import SIGNS, Drawn
from guidegen.procedures.kyphoplasty.extrapedicular import (
    Tissue,
    limits_beside,
    past_the_lung,
    path_beside,
)
from guidegen.procedures.kyphoplasty.needle import BEYOND_MM, path_of
from guidegen.procedures.kyphoplasty.settings import NeedleSettings
from guidegen.procedures.levels import Site

_ALONG_MM, _LEAST_BONE_MM = 150.0, 0.5


def needle_along(
    volume: CTVolume, given: Given, diameter_mm: float, needle: NeedleSettings
) -> Path:
    """The path of a needle through the pedicle as it was drawn."""
    return as_given(path_of(volume, given.pedicle, diameter_mm, needle), given)


def tip_notices(path: Path, given: Given) -> Iterator[Notice]:
    """Say where a tip is not in the place that its approach wants."""
    corridor, limits = given.pedicle.corridor, given.pedicle.task.limits
    lateral, (low, high) = corridor.line.lateral(corridor.tip), limits.tip_lateral_mm
    behind = float(corridor.at(corridor.tip)[1]) - limits.tip_y_mm
    wrong = []
    if not low - BEYOND_MM <= lateral <= high + BEYOND_MM:
        wrong.append(f"{lateral:.1f} mm from the midline, {low:.1f} to {high:.1f} mm are planned")
    if behind > BEYOND_MM:
        wrong.append(f"{behind:.1f} mm behind the front third")
    if wrong:
        text = f"{path.name.replace('_', ' ')}: the tip lies {' and '.join(wrong)}"
        yield Notice("tip_out_of_place", text, path.name)


@dataclass(frozen=True, eq=False)
class BesideReady:
    """A side of a vertebra made ready for needles beside the pedicle.

    Args:
        site: The vertebra, with the CT far round it.
        field: Its distance field.
        side: One of ``SIDES``.
        limits: What a needle may do.
    """

    site: Site
    field: DistanceField
    side: tuple[str, float]
    limits: BesideLimits

    @classmethod
    def of(cls, site: Site, side: tuple[str, float], needle: NeedleSettings) -> BesideReady:
        """Prepare it; a quarter of a second."""
        marks = site.landmarks
        vertices = marks.patient_from_bone.inverse.points(site.bone.vertices_mm)
        field = pedicle_field(vertices, site.bone, marks)
        return cls(site, field, side, limits_beside(marks, side, needle))


def needle_beside(
    ready: BesideReady, drawn: Drawn, needle: NeedleSettings
) -> tuple[Path, Seen, bool]:
    """Measure a needle beside the pedicle.

    Returns:
        The path, without a grade; what it meets; and whether lung is in its way as far as the
        spinous process reaches.
    """
    to_bone, sign = ready.site.landmarks.patient_from_bone.inverse, SIGNS[drawn.side]
    way = to_bone.vectors(unit(drawn.tip_mm - drawn.entry_mm, "path"))
    tip = to_bone.points(drawn.tip_mm)
    limits = replace(ready.limits, radius_mm=drawn.diameter_mm / 2)
    seen = look_along(ready.field, limits, tip[None], way[None])
    back = np.arange(float(seen.length[0]) + 1.0, _ALONG_MM, 1.0)
    lung, rib = Tissue(ready.site, limits, needle.lung_hu)(tip - back[:, None] * way, way)
    line = Line(tip, *angles_deg(way, sign), sign)
    found = Beside(line, float(seen.length[0]), float(seen.canal[0]), rib)
    path = path_beside(ready.site, ready.side, found, limits)
    kept = np.abs(path.entry_mm - drawn.entry_mm).max() < 1e-3
    return replace(path, entry_mm=drawn.entry_mm if kept else path.entry_mm), seen, lung


def beside_notices(
    path: Path, seen: Seen, lung: bool, limits: BesideLimits, needle: NeedleSettings
) -> Iterator[Notice]:
    """Warn of what the planner would not have planned beside a pedicle; all red."""
    radius = path.diameter_mm / 2
    canal, room = float(seen.canal[0]) - radius, float(seen.room[0]) - radius
    front, free = float(seen.front[0]), float(seen.free[0])
    leaves = not seen.in_bone[0] or room < _LEAST_BONE_MM
    rows = (
        (
            "canal_breach",
            canal < limits.canal_margin_mm,
            f"drawn by hand it passes the canal at {canal:.1f} mm, "
            f"{limits.canal_margin_mm:g} mm must stay: move it away",
        ),
        (
            "nerve_root",
            bool(seen.off[0]),
            "it passes the canal above or under the pedicle, where the nerve leaves: bring it to "
            "the pedicle's height",
        ),
        (
            "outside_pedicle",
            leaves or float(seen.length[0]) < MIN_IN_BODY_MM,
            f"it does not run {MIN_IN_BODY_MM:.0f} mm or more in the bone as far as its tip: move "
            "entry or tip",
        ),
        (
            "front_margin",
            front < limits.front_margin_mm,
            f"the tip is {front:.1f} mm from the front cortex, {limits.front_margin_mm:g} mm must "
            "stay: shorten it",
        ),
        ("approach_blocked", free < 0, f"own bone stands {-free:.1f} mm in its way: turn it"),
        ("lung_in_the_way", lung, "lung, or what is out of view, is in its way: turn it"),
    )
    for code, holds, text in rows:
        if holds:
            yield Notice(code, f"{path.name.replace('_', ' ')}: {text}", path.name, red=True)


def meets_lung(volume: CTVolume, path: Path, needle: NeedleSettings) -> bool:
    """Whether a needle beside the pedicle meets lung between skin and bone."""
    return not isinstance(past_the_lung(volume, path, needle.lung_hu), Path)
