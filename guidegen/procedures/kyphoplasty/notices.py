"""What the plan of a kyphoplasty has to warn of, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from guidegen.model.notice import Notice
from guidegen.model.plan import Path, Skipped
from guidegen.procedures.contract import Anatomy
from guidegen.procedures.levels import UNPLANNED, level_notices

_SAID = (*UNPLANNED, "one_sided_infeasible")
"""Reasons that have a notice of their own."""
_RED = ("surface_unlike_ct",)
_MESSAGES = {
    "surface_unlike_ct": "the bone's surface leaves {corridor:.1f} mm about the needle, the grey "
    "values {half_maximum_on_axis_mm:.1f} mm: a rib or a neighbour may be joined to the surface; "
    "look at the slices, correct the label map or leave this needle out",
    "tight_corridor": "the needle takes more than the usual share of the corridor of "
    "{corridor:.1f} mm on the bone's surface (half-maximum {half_maximum_corridor_mm:.1f} mm)",
    "wall_unclear": "only {wall_seen_share:.0%} of the wall show a clear edge on the CT",
    "through_rib": "the way beside the pedicle runs {through_rib_mm:.0f} mm through other bone, "
    "most likely the rib: feel for it with the needle",
}
POSTURE_REFUSED = "template_refused"
POSTURE_ACCEPTED = "posture_accepted"


def _of_paths(paths: Sequence[Path]) -> tuple[Notice, ...]:
    """Put a path's warning codes into sentences."""
    found = []
    for path in paths:
        numbers = {**path.extra, "corridor": path.corridor_diameter_mm or 0.0}
        for code in (code for code in path.warnings if code in _MESSAGES):
            text = f"{path.name.replace('_', ' ')}: {_MESSAGES[code].format(**numbers)}"
            found.append(Notice(code, text, path.name, red=code in _RED))
    return tuple(found)


def _one_sided(answers: Sequence[Path | Skipped]) -> tuple[Notice, ...]:
    """A level that was to be punctured from one side and can't be: a red warning."""
    refused: dict[str, list[str]] = {}
    for answer in answers:
        if isinstance(answer, Skipped) and answer.code == "one_sided_infeasible":
            refused.setdefault(answer.bone, []).append(answer.message)
    return tuple(
        Notice("one_sided_infeasible", f"{bone}: {'; '.join(why)}", bone, red=True)
        for bone, why in refused.items()
    )


def _no_skin(paths: Sequence[Path], has_skin: bool) -> tuple[Notice, ...]:
    """Needles whose axis leaves the seen skin at its edge."""
    return tuple(
        Notice(
            "skin_entry_out_of_view",
            f"{path.name.replace('_', ' ')}: the axis leaves the part of the back that is in view, "
            "so there is no skin entry for it",
            path.name,
        )
        for path in paths
        if has_skin and path.kind == "needle" and path.skin_mm is None
    )


def _left_out(answers: Sequence[Path | Skipped]) -> tuple[Notice, ...]:
    """Levels without any needle: red; one needle of two: plain."""
    found = []
    for bone in dict.fromkeys(answer.bone for answer in answers):
        own = [answer for answer in answers if answer.bone == bone]
        skipped = [a for a in own if isinstance(a, Skipped) and a.code not in _SAID]
        why = "; ".join(f"{s.side}: {s.message}" for s in skipped)
        if skipped and len(skipped) == len(own):
            text = f"{bone}: no needle was planned: {why}"
            found.append(Notice("level_without_needle", text, bone, red=True))
        elif skipped:
            found.append(Notice("needle_left_out", f"{bone}: one needle only: {why}", bone))
    return tuple(found)


def _lung_unseen(paths: Sequence[Path]) -> tuple[Notice, ...]:
    """Ways beside the pedicle whose skin is out of view: lung was not looked for all along."""
    return tuple(
        Notice(
            "lung_unseen",
            f"{path.name.replace('_', ' ')}: the skin over this way beside the pedicle is out of "
            "view, so lung was looked for only as far as the spinous process reaches: use a scan "
            "that shows the whole back",
            path.name,
            red=True,
        )
        for path in paths
        if path.route == "extrapedicular" and path.skin_mm is None
    )


def notices_of(paths: Sequence[Path], has_skin: bool) -> tuple[Notice, ...]:
    """What single paths give reason to warn of."""
    return (*_lung_unseen(paths), *_of_paths(paths), *_no_skin(paths, has_skin))


def notices_of_levels(answers: Sequence[Path | Skipped]) -> tuple[Notice, ...]:
    """What the needles of each level together give reason to warn of."""
    return (*_one_sided(answers), *_left_out(answers))


def all_notices(
    answers: Sequence[Path | Skipped], paths: Sequence[Path], anatomy: Anatomy, has_skin: bool
) -> tuple[Notice, ...]:
    """What answers and bones give reason to warn of, levels without a plan first."""
    return (
        *level_notices(answers, anatomy, "needle"),
        *notices_of_levels(answers),
        *notices_of(paths, has_skin),
    )
