"""Phantoms of legs: scanned, planned, and held against the truth of their definitions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from guidegen.export.order import Order
from guidegen.flow import plan_case
from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.leg_definition import LegsDefinition, LegShape
from guidegen.phantoms.leg_truth import legs_truth
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.write import write_phantom

COARSE = ScanOptions(spacing_mm=1.5, slice_mm=2.0)
USUAL = ScanOptions(spacing_mm=1.0, slice_mm=1.0)
PLANNED = ("FFC", "LFC", "FTC", "LTC", "tibial_rotation")
LIMITS_DEG = {"HKA": 0.5, "FTA": 0.5, **dict.fromkeys(PLANNED, 0.2)}
POSED = LegShape(varus_deg=3.0)
POSES = {
    "as it lay": {},
    "about x": {"turned_deg": (20.0, 0.0, 0.0)},
    "about y": {"turned_deg": (0.0, 20.0, 0.0)},
    "about z": {"turned_deg": (0.0, 0.0, 20.0)},
    "bent": {"flexion_deg": POSED.flexion_deg + 20.0},
    "mirrored": {},
}
"""The same leg in other positions: turned by 20 deg, bent by 20 deg, mirrored."""
PAGE = ("straight", "varus", "valgus", "touching", "turned", "blocks")
WITHIN_MM = {"femoral_head_centre": 0.5, "ankle_centre": 1.0, "malleolus_lateral": 1.5}
WITHIN_MM |= {f"distal_condyle_{side}": 4.5 for side in ("medial", "lateral")}
"""A condyle of radius 18 mm, flat over 4 mm: 0.15 mm of height are 2.3 mm beside the flat."""
KNEE_MM = 3.0
"""Limit of other landmarks: raters spread by 3 to 6 mm."""


@dataclass(frozen=True, eq=False)
class LegWish:
    """What to scan and plan.

    Args:
        definition: The phantom.
        options: The scanner's settings.
        axis: ``anatomical`` or None.
    """

    definition: LegsDefinition
    options: ScanOptions = USUAL
    axis: str | None = None

    @property
    def name(self) -> str:
        """A name for its folders."""
        grid = f"{self.options.spacing_mm:g}x{self.options.slice_mm:g}"
        return "_".join([self.definition.name, grid, *([self.axis] if self.axis else [])])


@dataclass(frozen=True, eq=False)
class LegCase:
    """A planned case, and what is known of its phantom."""

    root: Path
    wish: LegWish

    @cached_property
    def plan(self) -> dict[str, Any]:
        """plan.json."""
        return self._json("plan.json")

    @cached_property
    def landmarks(self) -> dict[str, dict[str, Any]]:
        """Bone to landmarks, of landmarks.json."""
        return dict(self._json("landmarks.json")["bones"])

    @cached_property
    def truth(self) -> dict[str, Any]:
        """truth.json."""
        return legs_truth(self.wish.definition)

    @property
    def measured(self) -> dict[str, float]:
        """Measurements of the plan by name."""
        return {m["name"]: float(m["value"]) for m in self.plan["measurements"]}

    @property
    def codes(self) -> set[str]:
        """Codes of the plan's warnings."""
        return {w["code"] for w in self.plan["warnings"]}

    def _json(self, name: str) -> dict[str, Any]:
        return dict(json.loads((self.root / name).read_text(encoding="utf-8")))


def known(name: str) -> LegsDefinition:
    """A phantom of the catalogue."""
    found = load_definition(f"leg_{name}")
    assert isinstance(found, LegsDefinition)
    return found


def posed(pose: str) -> LegsDefinition:
    """The same right leg in one of ``POSES``."""
    words = "_".join(["posed", *pose.split()])
    leg = POSED.model_copy(update=POSES[pose])
    made = LegsDefinition(name=words, description=pose, seed=60, right=leg)
    return made.mirrored() if pose == "mirrored" else made


def planned_leg(wish: LegWish, place: Path) -> LegCase:
    """Scan and plan a phantom of legs; folders that are there already are taken as they are."""
    scan = place / f"{wish.definition.name}_{wish.options.spacing_mm:g}_dicom"
    if not (scan / "truth.json").is_file():
        write_phantom(wish.definition, scan, wish.options)
    root = place / wish.name
    if not (root / "plan.json").is_file():
        plan_case(Order("knee", scan, root, axis=wish.axis))
    return LegCase(root, wish)


def landmark_errors(case: LegCase) -> dict[str, float]:
    """``femur_left knee_centre`` to the distance of the found landmark from the true one, mm."""
    return {
        f"{bone} {name}": float(
            np.linalg.norm(np.subtract(case.landmarks[bone][name]["position_mm"], at))
        )
        for bone, marks in case.truth["landmarks"]["bones"].items()
        for name, mark in marks.items()
        if name != "shaft"
        and name in case.landmarks.get(bone, {})
        and (at := mark["position_mm"]) is not None
    }


def angle_errors(case: LegCase) -> dict[str, float]:
    """Measurement to found less true, for those in ``LIMITS_DEG``."""
    return {
        name: case.measured[name] - value
        for name, value in case.truth["measurements"].items()
        if name in case.measured and name.rsplit("_", 1)[0] in LIMITS_DEG
    }


def off_by(case: LegCase, name: str) -> float:
    """Found less true of one measurement."""
    return case.measured.get(name, float("nan")) - float(case.truth["measurements"][name])


def within_mm(landmark: str) -> float:
    """Limit of a landmark."""
    return WITHIN_MM.get(landmark, KNEE_MM)


def limit_deg(name: str) -> float:
    """Limit of a measurement with its side."""
    return LIMITS_DEG[name.rsplit("_", 1)[0]]
