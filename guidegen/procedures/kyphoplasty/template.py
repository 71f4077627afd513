"""Whether a template is made, and of which kind; wires of the one that stands on the bone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guidegen.cad.skin_template import TemplateMarks, lay_flat
from guidegen.cad.template_settings import TemplateSettings
from guidegen.errors import GeometryError
from guidegen.model.notice import Notice
from guidegen.model.plan import Path
from guidegen.procedures.kyphoplasty.meeting import meeting
from guidegen.procedures.kyphoplasty.notices import POSTURE_ACCEPTED, POSTURE_REFUSED
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings
from guidegen.procedures.kyphoplasty.skin import Back

SKIN, BONE, NONE = "skin", "bone", "none"
NOT_PRONE = "NOT PRONE"
_CASE_WORDS = ("0" * 12, "0" * 4)
"""Stand for the case's name and the plan's hash, which a plan that is being made has not yet."""


@dataclass(frozen=True)
class Decision:
    """Which template is made.

    Args:
        kind: ``skin``, ``bone`` or ``none``.
        words: Engraved besides the label.
        notices: Why it is not made, or made against the rule.
    """

    kind: str
    words: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def extra(self) -> dict[str, Any]:
        """What plan.json keeps of it."""
        carried = {} if self.kind != NONE else {"carried_by": "models"}
        return {"template": {"kind": self.kind, "words": list(self.words)}, **carried}


def template_of(facts: Mapping[str, Any]) -> Decision:
    """Read a decision back from what plan.json keeps."""
    kept = facts.get("template")
    if not isinstance(kept, Mapping) or kept.get("kind") not in (SKIN, BONE):
        return Decision(NONE)
    return Decision(str(kept["kind"]), tuple(str(w) for w in kept.get("words", ())))


def _refused(why: str) -> Decision:
    text = f"no template is made: {why}; the bone model with its channels is made"
    return Decision(NONE, (), (Notice(POSTURE_REFUSED, text, "template"),))


def _one_wire(level: str) -> tuple[Notice, ...]:
    text = (
        f"the spinous process of {level} has room for one wire only, and the template can turn "
        "round it: hold it in place and check each needle on fluoroscopy before it enters the bone"
    )
    return (Notice("single_wire", text, "template", red=True),)


def decide_template(
    paths: Sequence[Path], posture: Mapping[str, Any], accepted: bool, settings: KyphoplastySettings
) -> Decision:
    """Decide on the template.

    One that lies on the skin is only valid if the patient was scanned prone; it is made all the
    same where the engineer accepts the posture, and then says so on itself.

    Args:
        paths: The needles, with their skin entries.
        posture: ``prone`` and ``sentence``.
        accepted: The engineer accepts another posture.
        settings: Of the procedure.
    """
    needles = [path for path in paths if path.kind == "needle"]
    kind = settings.template_kind
    if kind == NONE or not needles:
        return Decision(NONE)
    without = [path.name for path in needles if path.skin_mm is None]
    if without:
        return _refused(f"the skin over {', '.join(without)} is out of view")
    pairs = meeting(needles, settings)
    if pairs:
        names = "; ".join(" and ".join(pair) for pair in pairs)
        return _refused(f"needles meet over the skin ({names}): plan each level by itself")
    if kind == BONE:
        levels = sorted({path.bone for path in needles})
        if len(levels) > 1:
            return _refused(
                f"one that is wired to the bone serves one level, found {', '.join(levels)}: plan "
                "each by itself"
            )
        wires = sum(path.kind == "pin" for path in paths)
        if not wires:
            return _refused(f"no place for a wire was found in the spinous process of {levels[0]}")
        return Decision(BONE, (), _one_wire(levels[0]) if wires == 1 else ())
    if posture["prone"]:
        return Decision(SKIN)
    said = str(posture["sentence"])
    if not accepted:
        return _refused(
            f"{said}, and skin has that shape only in that posture; scan prone, or accept it with "
            "--accept-posture"
        )
    text = (
        f"the skin template is made although {said}: on a patient who lies prone the skin has "
        "another shape, and every needle may miss its pedicle"
    )
    return Decision(SKIN, (NOT_PRONE,), (Notice(POSTURE_ACCEPTED, text, "template", red=True),))


def template_marks(behind: Back) -> TemplateMarks:
    """What a skin template is lined up with."""
    axes = behind.frame.axes
    return TemplateMarks(behind.tips_mm, axes[:, 1], axes[:, 2])


def laid_out(
    decided: Decision, paths: Sequence[Path], behind: Back, settings: TemplateSettings
) -> Decision:
    """Refuse a template for the skin where the skin in view is too small for it."""
    if decided.kind != SKIN or behind.skin is None:
        return decided
    needles = [path for path in paths if path.kind == "needle"]
    levels = " ".join(dict.fromkeys(path.bone for path in needles))
    words = (*_CASE_WORDS, levels, *decided.words)
    try:
        lay_flat(needles, behind.skin, template_marks(behind), words, settings)
    except GeometryError as error:
        return _refused(str(error))
    return decided
