"""Plan the needles of all chosen levels, from the skin to the tip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

from guidegen.model.notice import Progress, silent, stage
from guidegen.model.plan import Path, Skipped
from guidegen.model.volume import CTVolume
from guidegen.procedures.contract import Anatomy, Draft
from guidegen.procedures.kyphoplasty.extrapedicular import ROUTE, WIDE_VIEW_MM, past_the_lung
from guidegen.procedures.kyphoplasty.heights import find_fractures
from guidegen.procedures.kyphoplasty.level import plan_level
from guidegen.procedures.kyphoplasty.meeting import planned_apart
from guidegen.procedures.kyphoplasty.notices import all_notices
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings, NeedleSettings
from guidegen.procedures.kyphoplasty.skin import Back, from_the_skin, skin_of
from guidegen.procedures.kyphoplasty.template import Decision, decide_template, laid_out
from guidegen.procedures.kyphoplasty.wires import plan_wires, wired_level
from guidegen.procedures.levels import VIEW_MM, plan_levels


def plan_needles(
    volume: CTVolume, anatomy: Anatomy, settings: KyphoplastySettings, progress: Progress = silent
) -> Draft:
    """Plan the needles, or the reason for none, of the chosen levels, and measure the fractures.

    Args:
        volume: The CT, or a crop of it that holds bones and skin.
        anatomy: Levels, bones, skin and landmarks; ``extra["posture"]`` says how the patient lay.
        settings: Of the procedure.
        progress: Told the share done.

    Returns:
        Paths and skipped sides from head to foot, fracture measures and warnings; ``extra`` says
        which template is made.
    """
    needle, asked = settings.needle, anatomy.options
    approach = asked.approach or needle.approach
    answers = _planned(volume, anatomy, needle, stage(progress, "needles", 0.0, 0.7))
    answers = planned_apart(
        answers,
        lambda found: _from_the_skin(found, anatomy, settings),
        partial(_level_with_endplates, volume, anatomy, settings, progress),
        settings,
    )
    progress("skin and fracture", 0.85)
    carried = _from_the_skin(answers, anatomy, settings)
    judged = [past_the_lung(volume, path, needle.lung_hu) for path in carried]
    needles = tuple(path for path in judged if isinstance(path, Path))
    paths = (*needles, *_wires(needles, anatomy, settings))
    template = _template(paths, anatomy, settings)
    fractures = find_fractures(volume, anatomy, settings.fracture)
    has_skin = skin_of(anatomy.bones) is not None
    return Draft(
        paths=paths,
        skipped=tuple(a for a in (*answers, *judged) if isinstance(a, Skipped)),
        measurements=fractures.measurements,
        warnings=(
            *all_notices(answers, paths, anatomy, has_skin),
            *fractures.notices,
            *template.notices,
        ),
        extra={"approach": approach, **_accepted(anatomy), **template.extra},
    )


def _planned(
    volume: CTVolume, anatomy: Anatomy, needle: NeedleSettings, progress: Progress
) -> list[Path | Skipped]:
    """Plan every chosen level by the approach that was asked for."""
    approach = anatomy.options.approach or needle.approach
    work = partial(plan_level, approach=approach, side=anatomy.options.side, needle=needle)
    view = WIDE_VIEW_MM if approach == ROUTE else VIEW_MM
    return plan_levels(volume, anatomy, work, "needles", progress, view)


def _level_with_endplates(
    volume: CTVolume,
    anatomy: Anatomy,
    settings: KyphoplastySettings,
    progress: Progress,
    levels: tuple[str, ...],
) -> list[Path | Skipped]:
    """Plan some levels again, nearly level with their endplates."""
    low, high = zip(settings.needle.sagittal_deg, settings.needle.level_sagittal_deg, strict=True)
    narrow = {"sagittal_deg": (max(low), max(max(low), min(high)))}
    needle, chosen = settings.needle.model_copy(update=narrow), replace(anatomy, chosen=levels)
    return _planned(volume, chosen, needle, stage(progress, "needles", 0.7, 0.85))


def _template(paths: tuple[Path, ...], anatomy: Anatomy, settings: KyphoplastySettings) -> Decision:
    """Decide on the template; a plate must find skin under all of it."""
    posture = cast("Mapping[str, Any]", anatomy.extra["posture"])
    decided = decide_template(paths, posture, anatomy.options.accept_posture, settings)
    return laid_out(decided, paths, _behind(anatomy), settings.template)


def _accepted(anatomy: Anatomy) -> dict[str, Any]:
    """Note that the posture was accepted, for a plan that is changed by hand later."""
    if not anatomy.options.accept_posture:
        return {}
    return {"posture": {**cast("Mapping[str, Any]", anatomy.extra["posture"]), "accepted": True}}


def _behind(anatomy: Anatomy) -> Back:
    return Back.behind(anatomy.bones, anatomy.landmarks, anatomy.found.levels, anatomy.chosen)


def _from_the_skin(
    answers: list[Path | Skipped], anatomy: Anatomy, settings: KyphoplastySettings
) -> tuple[Path, ...]:
    """Carry every needle on to the skin."""
    paths = [answer for answer in answers if isinstance(answer, Path)]
    behind, reach = _behind(anatomy), settings.needle.skin_reach_mm
    return tuple(from_the_skin(path, behind, reach) for path in paths)


def _wires(
    needles: tuple[Path, ...], anatomy: Anatomy, settings: KyphoplastySettings
) -> tuple[Path, ...]:
    """Wires into the spinous process, where a template is to stand on the bone of one level."""
    level = wired_level(needles, settings)
    if level is None:
        return ()
    bone = next(b for b in anatomy.bones if b.name == level)
    marks = next(m for m in anatomy.landmarks if m.bone == level)
    return plan_wires(bone, marks, settings)
