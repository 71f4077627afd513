"""Errors of needles and of the fractures that they are for, on a phantom in closed form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guidegen.batch.limits import Error, Told, made, over
from guidegen.batch.needle_paths import needle_row
from guidegen.export.settings import make_settings
from guidegen.phantoms.corridor import AxisLimits, best_corridor
from guidegen.phantoms.reach import midline_reach
from guidegen.phantoms.recipe import Recipe
from guidegen.phantoms.spine import Scene
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings, NeedleSettings

FRONT_MARGIN_MM, FRONT_THIRD = 5.0, 1 / 3
ONE_SIDED = "one-sided"


def needle_errors(
    plan: Told, named: Mapping[str, str], scene: Scene, recipe: Recipe
) -> Iterator[Error]:
    """Compare needles with the phantom, and see that fractures were measured.

    Args:
        plan: plan.json.
        named: Level of the plan to level of the truth.
        scene: The phantom's bones.
        recipe: The case's definition, for what was asked.
    """
    settings = make_settings(KyphoplastySettings, recipe.run.settings, recipe.name)
    told = {item["name"] for item in plan["measurements"]}
    for bone in sorted({item["bone"] for key in ("paths", "skipped") for item in plan[key]}):
        if f"height_middle_{bone}" not in told and not scene.definition.fused:
            yield made("height", f"height_middle_{bone}", float("nan"))
    one_sided = is_one_sided(recipe)
    for path in plan["paths"]:
        level = named.get(path["bone"], path["bone"])
        if level not in scene.vertebrae:
            yield made("level_name", path["bone"], float("nan"))
        elif path["kind"] == "needle":
            yield from _needle({**path, "bone": level}, one_sided, scene)
    for item in plan["skipped"]:
        level = named.get(item["bone"], item["bone"])
        if level in scene.definition.expect.levels:
            yield from _left_out({**item, "bone": level}, scene, settings.needle)


def is_one_sided(recipe: Recipe) -> bool:
    """True if one needle a level was asked for, in the run or in its settings."""
    settings = make_settings(KyphoplastySettings, recipe.run.settings, recipe.name)
    return (recipe.run.approach or settings.needle.approach) == ONE_SIDED


def _needle(path: Told, one_sided: bool, scene: Scene) -> Iterator[Error]:
    if path.get("skin_mm") is None:
        yield made("skin_entry", path["name"], float("nan"))
        return
    row = needle_row(scene, path)
    name = row.name
    yield made("skin_entry", name, row.skin_off_mm)
    yield made("needle_depth", f"{name} to bone", row.to_bone_off_mm)
    yield made("needle_depth", f"{name} to tip", row.to_tip_off_mm)
    yield made("needle_midline", name, row.midline_off_mm)
    yield made("needle_entry", name, row.entry_off_mm)
    for which in ("axial", "sagittal", "medial", "cranial"):
        yield made("needle_angle", f"{name} {which}", getattr(row, f"{which}_off_deg"))
    yield made("tip_to_front", name, max(FRONT_MARGIN_MM - row.front_mm, 0.0))
    yield made("tip_in_front_third", name, max(row.front_share - FRONT_THIRD, 0.0))
    third = _half_third_mm(scene, path["bone"])
    beside = abs(row.aside_mm) - third if one_sided else -row.aside_mm
    yield made("tip_across", name, max(beside, 0.0))
    yield made("canal", name, max(-row.canal_mm, 0.0))
    if path["route"] == "transpedicular":
        yield made("breach", name, over(max(-row.wall_mm, 0.0), path["breach_mm"]))


def _half_third_mm(scene: Scene, level: str) -> float:
    """Half of the body's middle third at its waist."""
    vertebra = scene.vertebrae[level]
    return (vertebra.sizes.width - 2 * vertebra.waist) / 6


def _left_out(item: Told, scene: Scene, needle: NeedleSettings) -> Iterator[Error]:
    """Whether a needle that was left out would after all have fitted."""
    level, side = item["bone"], item["side"]
    if item["code"] == "narrow_pedicle":
        any_way = AxisLimits((-10.0, 45.0), needle.sagittal_deg, depth_share=1 - FRONT_THIRD)
        best = best_corridor(scene, level, side, any_way).diameter_mm
        yield made("left_out", item["name"], max(best - needle.min_corridor_mm, 0.0))
    elif item["code"] == "one_sided_infeasible":
        reach = midline_reach(scene, level, side, needle.min_diameter_mm)
        yield made("left_out", item["name"], max(_half_third_mm(scene, level) - reach, 0.0))
