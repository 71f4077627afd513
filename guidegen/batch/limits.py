"""What an error is, and how large each may be: the requirements' figures with their reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Told = Mapping[str, Any]
"""JSON as it was read."""


@dataclass(frozen=True)
class Error:
    """One quantity of a plan against the truth.

    Args:
        quantity: One of ``LIMITS``.
        subject: ``L3``, ``L3_left``, ``femur_left``, ``HKA_left``, ...
        value: Found less true, or how far off without a sign; not a number where it is missing.
        limit: What its size may be.
        unit: ``mm``, ``deg``, ``levels``, ``1``.
    """

    quantity: str
    subject: str
    value: float
    limit: float
    unit: str

    @property
    def within(self) -> bool:
        """True if the error is no larger than it may be; what is missing is not."""
        return math.isfinite(self.value) and abs(self.value) <= self.limit

    @property
    def share(self) -> float:
        """Its size as a share of the limit; infinite where it is missing or none is allowed."""
        if self.value == 0:
            return 0.0
        off = math.isfinite(self.value) and self.limit > 0
        return abs(self.value) / self.limit if off else math.inf


LIMITS: dict[str, tuple[float, str, str]] = {
    "level_missing": (0.0, "levels", "every pedicle asked for is answered (issue 2)"),
    "bone_missing": (0.0, "1", "a bone asked for is planned or said not to be (issue 4)"),
    "level_name": (0.0, "levels", "levels in the right order and named (issue 2)"),
    "body_centre": (2.0, "mm", "tells neighbours, 20 mm apart, from each other; a gross check"),
    "corridor_loss": (0.5, "mm", "within 0.5 mm of the best the settings allow (issue 2)"),
    "corridor_width": (0.5, "mm", "what the plan says of its own line, held to the same 0.5 mm"),
    "entry_depth": (0.5, "mm", "the entry lies on the bone; 0.5 mm as its position (issue 2)"),
    "breach": (0.05, "mm", "below 0.05 mm counts as none (case contract)"),
    "left_out": (
        0.5,
        "mm",
        "left out only if too narrow, within 0.5 mm (issue 2)",
    ),
    "round_axis": (2.0, "deg", "direction within 2 deg on a round pedicle (issue 2)"),
    "cobb": (2.0, "deg", "as for the kyphosis, also between two endplates (issue 3)"),
    "height": (0.5, "mm", "heights within 0.5 mm (issue 3)"),
    "compression": (0.03, "1", "two heights of 20 to 27 mm, 0.5 mm each, as a share (issue 3)"),
    "local_kyphosis": (2.0, "deg", "kyphosis within 2 deg (issue 3)"),
    "skin_entry": (1.0, "mm", "skin entry within 1 mm (issue 3)"),
    "needle_depth": (1.0, "mm", "depths within 1 mm (issue 3)"),
    "needle_midline": (1.0, "mm", "a length on the skin, as the skin entry (issue 3)"),
    "needle_entry": (1.0, "mm", "where it meets the bone, as the depths (issue 3)"),
    "needle_angle": (1.0, "deg", "angles within 1 deg (issue 3)"),
    "tip_to_front": (0.0, "mm", "the tip is 5 mm or more behind the front cortex (issue 3)"),
    "tip_in_front_third": (0.0, "1", "the tip is in the front third (issue 3)"),
    "tip_across": (0.0, "mm", "its own half; one-sided, the middle third (issue 3)"),
    "canal": (0.0, "mm", "the canal is never breached (issue 3)"),
    "HKA": (0.5, "deg", "HKA and FTA within 0.5 deg (issue 4)"),
    "FTA": (0.5, "deg", "HKA and FTA within 0.5 deg (issue 4)"),
    "cut_angle": (
        0.5,
        "deg",
        "mechanical axis within 0.5 deg: cuts follow it (issue 4)",
    ),
    "stated_angle": (0.1, "deg", "angles to the bone's axes within 0.1 deg of settings (issue 4)"),
    "rotation_to_PCA": (1.5, "deg", "PCA within 1.5 deg (issue 4)"),
    "rotation_to_TEA": (2.5, "deg", "TEA within 2.5 deg (issue 4)"),
    "resection": (0.5, "mm", "0.2 mm on the found surface (issue 4) and its own 0.3 mm (issue 2)"),
    "head_centre": (0.5, "mm", "a sphere's fit; 0.5 mm is 0.07 deg of a femur's axis"),
    "ankle_centre": (1.0, "mm", "0.16 deg of a tibia's axis"),
    "landmark": (3.0, "mm", "raters spread by 3 to 6 mm (issue 4)"),
    "flat_landmark": (4.5, "mm", "lowest point of a flat condyle: 0.15 mm high is 2.3 mm wide"),
}
"""Quantity to limit, unit and reason."""


def made(quantity: str, subject: str, value: float) -> Error:
    """Make an error with its usual limit."""
    limit, unit, _ = LIMITS[quantity]
    return Error(quantity, subject, float(value), limit, unit)


def number(value: Any) -> float:
    """A number, or what is none of a missing one."""
    return float("nan") if value is None else float(value)


def between(a: Any, b: Any) -> float:
    """Distance of two points, mm; not a number where one is missing."""
    if a is None or b is None:
        return float("nan")
    return float(np.linalg.norm(np.subtract(a, b)))


def over(value: float, most: Any) -> float:
    """How far a value is over what is said of it; not a number where nothing is said."""
    excess = value - number(most)
    return excess if math.isnan(excess) else max(excess, 0.0)
