"""From an approved plan to the models to rehearse on and the template."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from guidegen.cad.bone_template import build_bone_template
from guidegen.cad.skin_template import build_skin_template
from guidegen.cad.vertebra_model import build_model
from guidegen.errors import AnatomyError
from guidegen.model.bone import Bone
from guidegen.model.case import Case
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.notice import Progress
from guidegen.procedures.kyphoplasty import template
from guidegen.procedures.kyphoplasty.again import back_of, require_own_numbers, template_again
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings
from guidegen.procedures.labels import label_words
from guidegen.procedures.vertebrae import attempt
from guidegen.workers import side_by_side

Make = Callable[[], Guide]


def build_parts(
    case: Case, settings: KyphoplastySettings, progress: Progress
) -> tuple[Guide | Finding, ...]:
    """Make a model for every level that has a needle, and the template that the plan decided on.

    Returns:
        The models from head to foot, then the template; instead of a part that can't be made a
        failed finding with the reason. One part never stops the others.

    Raises:
        PlanError: The plan was changed by hand and contradicts itself or the rules it was made by.
    """
    levels = [b for b in case.bones if any(p.bone == b.name for p in case.plan.paths)]
    jobs: list[tuple[str, Make]] = [
        (f"models/{bone.name}.stl", partial(_model, bone, case, settings)) for bone in levels
    ]
    require_own_numbers(case, settings)
    decision = template_again(case, settings)
    if decision.kind != template.NONE:
        file = f"guides/template_{decision.kind}.stl"
        jobs.append((file, partial(_template, decision, case, settings)))

    def made(job: tuple[str, Make]) -> Guide | Finding:
        file, make = job
        found = attempt(file, make)
        if isinstance(found, Guide):
            return found
        return Finding("made", file, 0.0, 1.0, "equal", "count", "the plan wants this part", found)

    def starting(n: int) -> None:
        progress(jobs[n][0], n / len(jobs))

    return tuple(side_by_side(made, jobs, starting))


def _model(bone: Bone, case: Case, settings: KyphoplastySettings) -> Guide:
    """The model of one level, with the levels above and below."""
    order = [level.name for level in case.levels]
    at = order.index(bone.name)
    near = [n for n in order[max(at - 1, 0) : at + 2] if n != bone.name]
    beside = [b for b in case.bones if b.name in near]
    marks = {m.bone: m for m in case.landmarks}
    words = label_words(case.plan, bone.name)
    return build_model(bone, beside, case.plan.paths, marks, words, settings.model)


def _template(decision: template.Decision, case: Case, settings: KyphoplastySettings) -> Guide:
    """The template; its label names the levels and what the engineer accepted."""
    needles = [p for p in case.plan.paths if p.kind == "needle"]
    levels = list(dict.fromkeys(p.bone for p in needles))
    marks = {m.bone: m for m in case.landmarks}
    behind = back_of(case)
    skin = behind.skin
    if skin is None or any(level not in marks for level in levels):
        raise AnatomyError("a template needs skin and landmarks of its levels; plan again")
    words = (*label_words(case.plan, " ".join(levels)), *decision.words)
    if decision.kind == template.BONE:
        level, own = next(b for b in case.bones if b.name == levels[0]), marks[levels[0]]
        return build_bone_template(
            case.plan.paths, (level, skin), own.patient_from_bone, words, settings.template
        )
    over = template.template_marks(behind)
    return build_skin_template(needles, skin, over, words, settings.template)
