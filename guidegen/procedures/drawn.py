"""What somebody asks of a path or a cut, checked before anything is measured."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from guidegen.errors import PlanError
from guidegen.model.arrays import Floats, unit
from guidegen.model.frames import Pose
from guidegen.model.plan import Path
from guidegen.planning.line import angles_deg, directions
from guidegen.procedures.bench import Field

IN_SET = "in_set"
"""In a change: the length is to be the nearest one that the item is offered in."""
SIGNS = {"left": 1.0, "right": -1.0}
_POINTS = ("entry_mm", "tip_mm", "origin_mm", "normal")
_FARTHEST_MM = 5000.0
_LEAST_MM = 2.0
_SAME_MM = 1e-4


@dataclass(frozen=True, eq=False)
class Drawn:
    """A path as somebody wants it; nothing is measured yet.

    Args:
        name: Of the path.
        bone: That it stands on.
        side: ``left``, ``right`` or "".
        entry_mm: (3,) patient frame.
        tip_mm: (3,).
        diameter_mm: Of the instrument.
    """

    name: str
    bone: str
    side: str
    entry_mm: Floats
    tip_mm: Floats
    diameter_mm: float

    @classmethod
    def of(cls, path: Path) -> Drawn:
        """A path as it is."""
        ends = path.entry_mm, path.tip_mm
        return cls(path.name, path.bone, path.side, *ends, path.diameter_mm)

    @property
    def length_mm(self) -> float:
        """Entry to tip."""
        return float(np.linalg.norm(self.tip_mm - self.entry_mm))


def asked(
    item: str, change: Mapping[str, Any], fields: Sequence[Field], further: Collection[str]
) -> dict[str, Any]:
    """Check a change: known names, finite numbers within their limits, points of three numbers.

    Args:
        item: Its name, for the sentence.
        change: As it came from outside.
        fields: Numbers that the item has.
        further: Other names that it takes, of ``entry_mm``, ``tip_mm``, ``bone``, ``side``,
            ``on``, ``automatic``, ``in_set``.

    Returns:
        The change; points as arrays (3,), numbers as float.

    Raises:
        PlanError: It is none.
    """
    limits = {field.name: field for field in fields}
    known = [*limits, *further]
    if not change:
        raise PlanError(f"{item}: say what is to change: {', '.join(known)}")
    found: dict[str, Any] = {}
    for name, value in change.items():
        if name not in known:
            raise PlanError(f"{item}: {name} can't be changed; there are: {', '.join(known)}")
        if name in _POINTS:
            found[name] = _point(item, name, value)
        elif name in limits:
            found[name] = _number(item, limits[name], value)
        else:
            found[name] = _word(item, name, value)
    return found


def _point(item: str, name: str, value: Any) -> Floats:
    numbers = list(value) if isinstance(value, (list, tuple, np.ndarray)) else []
    sound = len(numbers) == 3 and all(_is_number(v) and abs(v) < _FARTHEST_MM for v in numbers)
    if not sound:
        raise PlanError(f"{item}: {name} wants three numbers in mm (LPS), found {value!r:.60}")
    return np.array(numbers, dtype=np.float64)


def _number(item: str, field: Field, value: Any) -> float:
    if not _is_number(value) or not field.min - 1e-6 <= value <= field.max + 1e-6:
        raise PlanError(
            f"{item}: {field.name} must be {field.min:g} to {field.max:g} {field.unit}, found "
            f"{value!r:.40}"
        )
    return float(value)


def _word(item: str, name: str, value: Any) -> Any:
    if name in ("on", "automatic", IN_SET):
        if not isinstance(value, bool):
            raise PlanError(f"{item}: {name} wants true or false, found {value!r:.40}")
    elif not isinstance(value, str):
        raise PlanError(f"{item}: {name} wants a name, found {value!r:.40}")
    return value


def _is_number(value: Any) -> bool:
    if not isinstance(value, (int, float, np.number)) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def redrawn(before: Drawn, change: Mapping[str, Any], frame: Pose | None) -> Drawn:
    """Draw a path anew: ends first, then the angles about the entry, then the length.

    Args:
        before: As it is.
        change: As ``asked`` gives it.
        frame: ``patient_from_bone``, in which angles are meant; None where it has none.

    Raises:
        PlanError: Entry and tip are one.
    """
    entry, tip = change.get("entry_mm", before.entry_mm), change.get("tip_mm", before.tip_mm)
    length = float(np.linalg.norm(tip - entry))
    if length < _LEAST_MM:
        raise PlanError(
            f"{before.name}: entry and tip are {length:.1f} mm apart, a path needs more than "
            f"{_LEAST_MM:.0f} mm: put the tip deeper"
        )
    way = unit(tip - entry, "path")
    if frame is not None and {"axial_angle_deg", "sagittal_angle_deg"} & set(change):
        sign = SIGNS[before.side]
        axial, sagittal = angles_deg(frame.inverse.vectors(way), sign)
        axial = change.get("axial_angle_deg", axial)
        sagittal = change.get("sagittal_angle_deg", sagittal)
        way = frame.vectors(directions(axial, sagittal, sign))
        tip = entry + length * way
    if "length_mm" in change:
        tip = entry + change["length_mm"] * way
    return replace(
        before,
        entry_mm=entry,
        tip_mm=tip,
        diameter_mm=change.get("diameter_mm", before.diameter_mm),
    )


def at_length(
    drawn: Drawn, entry_mm: Floats, change: Mapping[str, Any], fields: Sequence[Field]
) -> Drawn:
    """Give a path its length once it is known where it goes into the bone.

    A length that was asked for is that in the bone. Where neither end was moved, the length is
    kept; where one was, both stay as drawn, or the tip goes to the nearest length of the set.

    Args:
        drawn: The path as drawn.
        entry_mm: (3,) where its line goes into the bone.
        change: As ``asked`` gives it.
        fields: Of the item; its ``length_mm`` tells the set.
    """
    way = unit(drawn.tip_mm - drawn.entry_mm, "path")
    length = wanted = float((drawn.tip_mm - entry_mm) @ way)
    if "length_mm" in change or not {"entry_mm", "tip_mm"} & set(change):
        wanted = drawn.length_mm
    elif change.get(IN_SET):
        field = next(field for field in fields if field.name == "length_mm")
        wanted = min(max(round(length / field.step) * field.step, field.min), field.max)
    if abs(wanted - length) < _SAME_MM:
        return drawn
    return replace(drawn, entry_mm=entry_mm, tip_mm=entry_mm + wanted * way)
