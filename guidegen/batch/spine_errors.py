"""Errors of a spine's plan: levels, screws, needles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from guidegen.batch.limits import Error, Told, between, made, over
from guidegen.batch.needle_errors import is_one_sided, needle_errors
from guidegen.batch.screw_paths import path_row, settings_limits
from guidegen.export.settings import make_settings
from guidegen.phantoms.corridor import best_corridor
from guidegen.phantoms.definition import Definition
from guidegen.phantoms.recipe import Recipe
from guidegen.phantoms.sizes import LEVELS
from guidegen.phantoms.spine import Scene, build_scene
from guidegen.procedures.pedicle_screws.settings import PedicleSettings

SCREWS = "pedicle-screws"
SAME_MM = 8.0
"""Nearer than this to a level's true centre it is this level: half of the smallest distance."""


def spine_errors(
    plan: Told, landmarks: Told, truth: Told, recipe: Recipe | None
) -> Iterator[Error]:
    """Compare levels by their place, and paths with the phantom's functions.

    Args:
        plan: plan.json.
        landmarks: landmarks.json.
        truth: truth.json.
        recipe: The case's definition; None leaves paths out.
    """
    marks = {n: own.get("body_centre") for n, own in landmarks.get("bones", {}).items()}
    true = {n: own["body_centre"] for n, own in truth["landmarks"]["bones"].items()}
    there = {name: mark["position_mm"] for name, mark in marks.items() if mark}
    named = {name: _truly(name, at, true) for name, at in there.items()}
    yield from _levels(named, there, true)
    yield from _answered(plan, named, true, recipe)
    if recipe is None or not isinstance(recipe.definition, Definition):
        return
    scene = build_scene(recipe.definition)
    if plan["procedure"] == SCREWS:
        yield from screw_errors(plan, named, scene, recipe)
    else:
        yield from needle_errors(plan, named, scene, recipe)


def _truly(name: str, at: Any, true: Told) -> str:
    """The true name of a level: that of the one that is there, else its own."""
    far = {other: between(at, mark["position_mm"]) for other, mark in true.items()}
    nearest = min(far, key=lambda other: far[other], default=name)
    return nearest if far.get(nearest, SAME_MM) < SAME_MM else name


def _levels(named: Mapping[str, str], there: Told, true: Told) -> Iterator[Error]:
    """How far off each level's name and its body's centre are.

    Nothing is known of a level that is not whole in view.
    """
    for name, truly in named.items():
        if name in LEVELS:
            yield made("level_name", name, LEVELS.index(name) - LEVELS.index(truly))
        if truly in true:
            yield made("body_centre", name, between(there[name], true[truly]["position_mm"]))


def _answered(
    plan: Told, named: Mapping[str, str], true: Told, recipe: Recipe | None
) -> Iterator[Error]:
    """Whether each side of each level that was asked for has an answer, a path or a reason."""
    asked, sides = list(true), _asked_sides(plan["procedure"], recipe)
    if recipe is not None and recipe.run.levels:
        asked = asked_levels(recipe.run.levels)
    items = [item for key in ("paths", "skipped") for item in plan[key]]
    answered = {(named.get(item["bone"], item["bone"]), item["side"]) for item in items}
    levels = {level for level, _ in answered}
    for level in asked:
        for side in sides if level in levels else ():
            found = (level, side) in answered
            yield made("level_missing", f"{level}_{side}", 0.0 if found else 1.0)
        if not sides or level not in levels:
            yield made("level_missing", level, 0.0 if level in levels else 1.0)


def _asked_sides(procedure: str, recipe: Recipe | None) -> Sequence[str]:
    """Sides of which each has an answer of its own; none where one of them is enough."""
    if recipe is None or (procedure != SCREWS and is_one_sided(recipe)):
        return ()
    both = procedure == SCREWS or recipe.run.side == "both"
    return ("left", "right") if both else (recipe.run.side,)


def asked_levels(spec: str) -> list[str]:
    """List the levels of ``T10-L2`` or ``L1,L3``; those without an anatomical name are left out."""
    found: list[str] = []
    for part in spec.split(","):
        first, _, last = (word.strip() for word in part.partition("-"))
        ends = [LEVELS.index(name) for name in (first, last or first) if name in LEVELS]
        if len(ends) == 2:
            found += LEVELS[min(ends) : max(ends) + 1]
    return found


def screw_errors(
    plan: Told, named: Mapping[str, str], scene: Scene, recipe: Recipe
) -> Iterator[Error]:
    """Compare screws with the analytic bones.

    Args:
        plan: plan.json.
        named: Level of the plan to level of the truth.
        scene: The phantom's bones.
        recipe: The case's definition, for its settings.
    """
    settings = make_settings(PedicleSettings, recipe.run.settings, recipe.name)
    for path in plan["paths"]:
        level = named.get(path["bone"], path["bone"])
        if level in scene.vertebrae:
            yield from _screw({**path, "bone": level}, path["bone"] == level, scene, settings)
        else:
            yield made("level_name", path["bone"], float("nan"))
    for item in plan["skipped"]:
        level = named.get(item["bone"], item["bone"])
        if level in scene.definition.expect.levels:
            limits = settings_limits(scene, level, item["side"], settings)
            best = best_corridor(scene, level, item["side"], limits).diameter_mm
            yield made("left_out", item["name"], max(best - settings.screw.min_corridor_mm, 0.0))


def _screw(path: Told, is_named: bool, scene: Scene, settings: PedicleSettings) -> Iterator[Error]:
    row = path_row(scene, path, settings)
    if is_named:  # one without a name has other limits
        yield made("corridor_loss", row.name, max(row.loss_mm, 0.0))
    yield made("corridor_width", row.name, row.planned_mm - row.true_mm)
    yield made("entry_depth", row.name, row.entry_off_mm)
    truly = max((path["diameter_mm"] - row.true_mm) / 2, 0.0)
    yield made("breach", row.name, over(truly, path["breach_mm"]))
    change = scene.definition.change.get(path["bone"])
    if change is not None and getattr(change, path["side"]).tube:
        yield made("round_axis", row.name, row.turn_deg)
