"""From an approved plan to one cutting guide a bone."""

from __future__ import annotations

from functools import partial

from guidegen.cad.knee_guide import build_knee_guide
from guidegen.model.case import Case
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.notice import Progress
from guidegen.model.plan import Cut
from guidegen.procedures.knee.settings import KneeSettings
from guidegen.procedures.labels import label_words
from guidegen.procedures.vertebrae import attempt
from guidegen.workers import side_by_side


def build_guides(
    case: Case, settings: KneeSettings, progress: Progress
) -> tuple[Guide | Finding, ...]:
    """Make the guide of every cut; one that can't be made is a failed finding with its reason."""
    cuts = case.plan.cuts

    def made(cut: Cut) -> Guide | Finding:
        file = f"guides/{cut.bone}.stl"
        found = attempt(file, partial(_guide, cut, case, settings))
        if isinstance(found, Guide):
            return found
        return Finding("made", file, 0.0, 1.0, "equal", "count", "the plan wants this part", found)

    def starting(n: int) -> None:
        progress(cuts[n].bone, n / len(cuts))

    return tuple(side_by_side(made, cuts, starting))


def _guide(cut: Cut, case: Case, settings: KneeSettings) -> Guide:
    bone = next(b for b in case.bones if b.name == cut.bone)
    others = [b for b in case.bones if b.name != cut.bone]
    marks = next(m for m in case.landmarks if m.bone == cut.bone)
    pins = [path for path in case.plan.paths if path.bone == cut.bone and path.kind == "pin"]
    words = label_words(case.plan, cut.bone)
    return build_knee_guide((bone, others), marks, cut, pins, words, settings.guide)
