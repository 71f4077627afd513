"""A guide pin that somebody drew, measured as the planner places its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guidegen.errors import PlanError
from guidegen.geometry.entering import entry_place, surface_crossings
from guidegen.geometry.knee import CutAxes, beside_tendon
from guidegen.mesh.probe import Probe
from guidegen.model.arrays import Floats, unit
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Cut, Path
from guidegen.planning.pins import (
    SLEEVE_MM,
    HasPins,
    apart,
    bone_points,
    sleeve_is_free,
    sleeve_points,
    way_in,
)

_SAME_MM = 1e-4
_LEAST_MM = 10.0
_FORWARD = 0.3
"""Cosine of the largest angle to the way in."""
_PARALLEL_DEG = 0.05
_OBLIQUE_DEG = 5.0
"""A third pin leans at least so much against the parallel ones; guides are checked for it."""


@dataclass(frozen=True, eq=False)
class GivenPin:
    """A drawn pin.

    Args:
        entry_mm: (3,) on the bone.
        bone_mm: Bone round it; negative where it leaves the bone.
        cut_mm: Between its side and the cut; negative where it crosses.
        tendon_mm: Between its sleeve and the patellar tendon's edge; None at a femur.
        free: Its sleeve finds room outside the bone.
    """

    entry_mm: Floats
    bone_mm: float
    cut_mm: float
    tendon_mm: float | None
    free: bool


@dataclass(frozen=True, eq=False)
class PinBone:
    """A bone made ready to measure many pins.

    Args:
        bone: The bone.
        marks: Its landmarks.
        probe: Its distances.
        triangles: (F, 3, 3).
    """

    bone: Bone
    marks: Landmarks
    probe: Probe
    triangles: Floats

    @classmethod
    def of(cls, bone: Bone, marks: Landmarks) -> PinBone:
        """Prepare a bone; a quarter of a second."""
        probe = Probe(bone.vertices_mm, bone.faces)
        return cls(bone, marks, probe, bone.vertices_mm[bone.faces])


def measure_pin(
    ready: PinBone, cut: Cut, ends_mm: tuple[Floats, Floats], settings: HasPins
) -> GivenPin:
    """Measure a drawn pin; its entry is put on the bone along its line.

    Args:
        ready: The bone.
        cut: Of the bone.
        ends_mm: Entry and tip (3,) as drawn, patient frame.
        settings: Sizes.

    Raises:
        PlanError: The line does not meet the bone before its tip.
    """
    drawn, tip = ends_mm
    bone, marks = ready.bone, ready.marks
    way, length = unit(tip - drawn, "pin"), float(np.linalg.norm(tip - drawn))
    axes = CutAxes.of(marks, cut, way_in(marks, settings.tibia_turn_deg))
    if way @ axes.into < _FORWARD:
        raise PlanError(
            f"{bone.name}: a pin goes in from the front, the drawn one comes from elsewhere: put "
            "its tip behind its entry"
        )
    crossings = surface_crossings(ready.triangles, drawn, way)
    place = entry_place(crossings, 0.0, length, _LEAST_MM)
    if place is None:
        raise PlanError(
            f"{bone.name}: the pin's line does not meet the bone {_LEAST_MM:.0f} mm or more before "
            "its tip: draw entry and tip so that it goes in from the front"
        )
    entry = drawn if abs(place) < _SAME_MM else drawn + place * way
    radius = settings.pin_diameter_mm / 2
    depth = float(np.linalg.norm(tip - entry))
    tendon = beside_tendon(marks, settings.tendon_mm)
    high = np.array([entry, entry - SLEEVE_MM / 2 * way])
    inside, beside = bone_points(entry[None], way, depth)[0], sleeve_points(entry[None], way)[0]
    points = np.concatenate([inside, beside])
    distance, _ = ready.probe.measure(points)
    bone_mm, sleeve_mm = distance[: len(inside)], distance[len(inside) :]
    return GivenPin(
        entry_mm=entry,
        bone_mm=-float(bone_mm.max()) - radius,
        cut_mm=float(axes.local(np.array([entry, tip]))[:, 2].min()) - radius,
        tendon_mm=None
        if tendon is None
        else float(tendon.room_mm(high).min()) - settings.sleeve_outer_mm / 2,
        free=bool(sleeve_is_free(sleeve_mm[None], settings.sleeve_outer_mm / 2)[0]),
    )


def stand_apart(pin: Path, others: Sequence[Path], settings: HasPins) -> bool:
    """Tell whether a pin and its sleeve keep clear of the others of the same bone."""
    taken = [(other.entry_mm, other.direction) for other in others]
    return apart(pin.entry_mm, pin.direction, taken, 0.0, settings)


def block_misfit_mm(pins: Sequence[Path], cut: Cut, settings: HasPins) -> float:
    """How far the parallel pins are off the holes of a standard block; 0 where a slot is made.

    Args:
        pins: Of one bone, three that hold a guide.
        cut: Of the bone.
        settings: Sizes.
    """
    if settings.slot:
        return 0.0
    off = []
    for one, other in _parallel(pins, cut):
        between = np.linalg.norm(np.cross(other.entry_mm - one.entry_mm, one.direction))
        heights = [float((pin.entry_mm - cut.origin_mm) @ -cut.normal) for pin in (one, other)]
        wrong = [abs(height - settings.pin_offset_mm) for height in heights]
        off.append(max(*wrong, abs(float(between) - settings.pin_spacing_mm)))
    return min(off, default=0.0)


def hold_a_guide(pins: Sequence[Path], cut: Cut) -> bool:
    """Tell whether there are three pins, two parallel to each other and the cut, one oblique."""
    return bool(_parallel(pins, cut))


def _parallel(pins: Sequence[Path], cut: Cut) -> list[tuple[Path, Path]]:
    """Pairs parallel to each other and the cut beside which another pin is oblique."""
    if len(pins) < 3:
        return []
    found = []
    ways = np.array([pin.direction for pin in pins])
    between = np.degrees(np.arccos(np.clip(np.abs(ways @ ways.T), -1.0, 1.0)))
    to_cut = np.degrees(np.arcsin(np.clip(np.abs(ways @ cut.normal), 0.0, 1.0)))
    for one in range(len(pins)):
        for other in range(one):
            flat = max(between[one, other], to_cut[one], to_cut[other]) <= _PARALLEL_DEG
            if flat and between[one].max() >= _OBLIQUE_DEG:
                found.append((pins[other], pins[one]))
    return found
