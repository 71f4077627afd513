"""Errors of a knee's plan: landmarks, angles, and its cuts on the phantom itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from guidegen.batch.limits import Error, Told, between, made, number
from guidegen.model.arrays import Floats, unit
from guidegen.model.saw_cuts import ANATOMICAL_AXIS
from guidegen.phantoms.leg import PosedLeg, moved
from guidegen.phantoms.leg_definition import LegsDefinition
from guidegen.phantoms.leg_truth import posed_legs
from guidegen.phantoms.recipe import Recipe
from guidegen.planning.alignment import FrontalPlane, cut_angles_deg

_KINDS = {
    "femoral_head_centre": "head_centre",
    "ankle_centre": "ankle_centre",
    "distal_condyle_medial": "flat_landmark",
    "distal_condyle_lateral": "flat_landmark",
}
_STATED = ("FFC", "LFC", "FTC", "LTC", "tibial_rotation")
_ROTATIONS = {
    "femoral_rotation_to_PCA": "rotation_to_PCA",
    "femoral_rotation_to_TEA": "rotation_to_TEA",
}
_SAID = {
    **{"HKA": "HKA", "FTA": "FTA", "tibial_rotation": "stated_angle"},
    **{f"resection_distal_{part}": "resection" for part in ("medial", "lateral")},
    **_ROTATIONS,
}
"""Measurements that each planned leg has, but for its cuts' angles, which ``_cut`` misses."""
_NOT_PLANNED = "bone_not_planned"
_ABSENT = {"malleolus_lateral": "lateral_malleolus"}
_FRONT = ("plateau_centre", "tubercle_medial_third")
_CUTS = {"femur": ("distal_femur", "FFC", "LFC"), "tibia": ("proximal_tibia", "FTC", "LTC")}


def knee_errors(plan: Told, landmarks: Told, truth: Told, recipe: Recipe | None) -> Iterator[Error]:
    """Compare what is planned of each leg with the phantom.

    Args:
        plan: plan.json.
        landmarks: landmarks.json.
        truth: truth.json.
        recipe: The case's definition; None leaves cuts out.
    """
    bones = {cut["bone"] for cut in plan["cuts"]}
    yield from _landmarks(plan, landmarks.get("bones", {}), truth["landmarks"]["bones"])
    if recipe is None or not isinstance(recipe.definition, LegsDefinition):
        return
    legs = posed_legs(recipe.definition)
    asked = [side for side in legs if recipe.run.side in (side, "both")]
    yield from _answered(plan, asked)
    if not recipe.run.settings:
        yield from _stated(plan, truth["measurements"])
    shafted = _warned(plan, ANATOMICAL_AXIS)
    yield from _unsaid(plan, truth["measurements"], bones - shafted)
    for bone in sorted(bones - shafted):
        kind, _, side = bone.partition("_")
        if side in legs:
            yield from _cut(plan, landmarks["bones"].get(bone, {}), kind, legs[side])
        else:
            yield made("level_name", bone, float("nan"))


def _warned(plan: Told, code: str) -> set[str]:
    """What a plan's warnings of a code are of."""
    return {item["subject"] for item in plan["warnings"] if item["code"] == code}


def _answered(plan: Told, sides: Sequence[str]) -> Iterator[Error]:
    """Whether each bone that was asked for is planned, or said not to be."""
    answered = {cut["bone"] for cut in plan["cuts"]} | _warned(plan, _NOT_PLANNED)
    for bone in (f"{kind}_{side}" for side in sides for kind in _CUTS):
        yield made("bone_missing", bone, 0.0 if bone in answered else 1.0)


def _unsaid(plan: Told, true: Told, bones: set[str]) -> Iterator[Error]:
    """What the plan does not say of a leg both bones of which are planned about their axes."""
    told = {item["name"] for item in plan["measurements"]}
    for name in sorted(set(true) - told):
        what, _, side = name.rpartition("_")
        if what in _SAID and {f"{kind}_{side}" for kind in _CUTS} <= bones:
            yield made(_SAID[what], name, float("nan"))


def _landmarks(plan: Told, found: Told, true: Told) -> Iterator[Error]:
    """How far each landmark is from the true one; a bone of the wrong side has no truth.

    A bone that is planned has all of them, but for those that the plan says it has not.
    """
    planned = {cut["bone"] for cut in plan["cuts"]}
    for bone in sorted(set(found) & set(true)):
        marks = found[bone]
        for name, mark in true[bone].items():
            said = bone in _warned(plan, f"no_{_ABSENT.get(name, name)}")
            if name != "shaft" and (name in marks or (bone in planned and not said)):
                at = marks[name]["position_mm"] if name in marks else None
                off = between(at, mark["position_mm"])
                yield made(_KINDS.get(name, "landmark"), f"{bone} {name}", off)


def _stated(plan: Told, true: Mapping[str, float]) -> Iterator[Error]:
    """What the plan says of its cuts, against what the default settings ask for."""
    for item in plan["measurements"]:
        name, _, _ = item["name"].rpartition("_")
        if item["name"] not in true:
            continue
        off = number(item["value"]) - true[item["name"]]
        if name in _STATED:
            yield made("stated_angle", item["name"], off)
        elif name in _ROTATIONS:
            yield made(_ROTATIONS[name], item["name"], off)
        elif name.startswith("resection_"):
            yield made("resection", item["name"], off)


def _cut(plan: Told, marks: Told, kind: str, leg: PosedLeg) -> Iterator[Error]:
    """A bone's main cut as it lies in plan.json, against the phantom's own axes and condyles."""
    name, frontal, sagittal = _CUTS[kind]
    cut = next((c for c in plan["cuts"] if c["name"] == f"{name}_{leg.side}"), None)
    if cut is None or (kind == "tibia" and not {*_FRONT} <= {*marks}):
        yield made("cut_angle", f"{frontal}_{leg.side}", float("nan"))
        return
    normal = np.array(cut["normal"])
    told = {item["name"]: item["value"] for item in plan["measurements"]}
    planes = _planes(kind, leg, marks)
    away = planes.up if kind == "femur" else -planes.up
    found = cut_angles_deg(planes, away, normal)
    turned = -found[1] if kind == "femur" else 90.0 - found[1]
    for angle, value in ((frontal, found[0]), (sagittal, turned)):
        stated = told.get(f"{angle}_{leg.side}")
        yield made("cut_angle", f"{angle}_{leg.side}", value - number(stated))
    stays = np.array(cut["origin_mm"]) - normal * cut["kerf_mm"] / 2
    for part in ("medial", "lateral") if kind == "femur" else ():
        said = number(told.get(f"resection_distal_{part}_{leg.side}"))
        off = said - _lowest_mm(leg, part, stays, normal)
        yield made("resection", f"distal cut {part} {leg.side}", off)


def _planes(kind: str, leg: PosedLeg, marks: Told) -> FrontalPlane:
    """The phantom's own planes; a tibia's are turned to the tubercle's medial third as found.

    How a tibia is turned is judged by its landmarks; here it is the axis that counts.
    """
    place = leg.patient_from_femur if kind == "femur" else leg.patient_from_tibia
    if kind == "femur":
        return FrontalPlane.of(place[:3, 2], place[:3, :3] @ leg.hinge, place[:3, 1])
    ends = [np.array(marks[n]["position_mm"]) for n in _FRONT]
    up = unit(place[:3, 2], "axis")
    back = ends[0] - ends[1]
    across = np.cross(up, back)
    across = across if across @ place[:3, 0] > 0 else -across
    return FrontalPlane.of(up, across, back)


def _lowest_mm(leg: PosedLeg, part: str, point_mm: Floats, normal: Floats) -> float:
    """How far a true condyle stands out of a plane, mm: its balls' support in closed form."""
    return max(
        float((moved(leg.patient_from_femur, centre) - point_mm) @ normal) + radius
        for centre, radius in leg.femur.roller(part)
    )
