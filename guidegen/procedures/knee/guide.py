"""From an approved plan to one cutting guide a bone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from guidegen.cad.cut_model import build_cut_model
from guidegen.cad.knee_guide import build_knee_guide
from guidegen.model.case import Case
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.notice import Progress
from guidegen.model.plan import Cut, Plan
from guidegen.model.saw_cuts import about_shaft, further_cuts
from guidegen.procedures.knee.settings import KneeSettings
from guidegen.procedures.labels import label_words
from guidegen.procedures.vertebrae import attempt
from guidegen.workers import side_by_side


def build_guides(
    case: Case, settings: KneeSettings, progress: Progress
) -> tuple[Guide | Finding, ...]:
    """Make the guide of every cut, and a model where the settings want one.

    A part that can't be made is a failed finding with its reason.
    """
    wanted = [(f"guides/{cut.bone}.stl", partial(_guide, cut, case, settings))
              for cut in case.plan.cuts]  # fmt: skip
    if settings.model.make:
        wanted += [(f"models/{cut.bone}.stl", partial(_model, cut, case, settings))
                   for cut in case.plan.cuts]  # fmt: skip

    def made(part: tuple[str, Callable[[], Guide]]) -> Guide | Finding:
        file, make = part
        found = attempt(file, make)
        if isinstance(found, Guide):
            return found
        return Finding("made", file, 0.0, 1.0, "equal", "count", "the plan wants this part", found)

    def starting(n: int) -> None:
        progress(wanted[n][0], n / len(wanted))

    return tuple(side_by_side(made, wanted, starting))


def _guide(cut: Cut, case: Case, settings: KneeSettings) -> Guide:
    bone = next(b for b in case.bones if b.name == cut.bone)
    others = [b for b in case.bones if b.name != cut.bone]
    marks = next(m for m in case.landmarks if m.bone == cut.bone)
    pins = [path for path in case.plan.paths if path.bone == cut.bone and path.kind == "pin"]
    words = _words(case.plan, cut.bone)
    return build_knee_guide((bone, others), marks, cut, pins, words, settings.guide)


def _words(plan: Plan, bone: str) -> tuple[str, ...]:
    """The label's words; one planned about its shaft says so."""
    return (*label_words(plan, bone), *(("ANAT",) if about_shaft(plan, bone) else ()))


def _model(cut: Cut, case: Case, settings: KneeSettings) -> Guide:
    bone = next(b for b in case.bones if b.name == cut.bone)
    words = _words(case.plan, cut.bone)
    return build_cut_model(bone, planned_cuts(case.plan, cut.bone), words, settings.model)


def planned_cuts(plan: Plan, bone: str) -> tuple[Cut, ...]:
    """A bone's cut, then the further planes of the plan."""
    main = next(cut for cut in plan.cuts if cut.bone == bone)
    return (main, *further_cuts(plan, bone))
