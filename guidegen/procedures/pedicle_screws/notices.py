"""What the plan has to warn of, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from guidegen.model.notice import Notice
from guidegen.model.plan import Path, Skipped
from guidegen.procedures.contract import Anatomy
from guidegen.procedures.pedicle_screws.settings import ScrewSettings

UNPLANNED = ("no_landmarks", "planning_failed")
"""Reasons that leave a whole vertebra without a plan."""
_RED = ("surface_unlike_ct",)
_MESSAGES = {
    "surface_unlike_ct": "the bone's surface leaves {corridor:.1f} mm about the screw, the grey "
    "values {half_maximum_on_axis_mm:.1f} mm: a rib or a neighbour may be joined to the surface; "
    "look at the slices, correct the label map or leave this screw out",
    "close_call": "the half-maximum corridor of {half_maximum_corridor_mm:.2f} mm (spread "
    "{corridor_spread_mm:.2f} mm) is only just wide enough for a screw",
    "low_bone_density": "mean {mean_hu:.0f} HU along the path: a screw may loosen",
    "tight_corridor": "the screw takes more than the usual share of the corridor of "
    "{corridor:.1f} mm on the bone's surface (half-maximum {half_maximum_corridor_mm:.1f} mm)",
    "tight_approach": "bone stands less than 0.5 mm beside drill or sleeve",
    "high_foot": "bone stands {sleeve_standoff_mm:.1f} mm high beside the entry, and the sleeve's "
    "foot above it: the drill runs free on a slope there and may slip; make a flat start first",
    "depth_out_of_range": "no screw length of the set ends within the depth limits: the tip is at "
    "{depth_share:.0%} of the body's depth",
    "wall_unclear": "only {wall_seen_share:.0%} of the wall show a clear edge on the CT",
}


def _red(answers: Sequence[Path | Skipped]) -> tuple[Notice, ...]:
    """One red warning for each vertebra that was asked for and could not be planned."""
    whole = {a.bone: a for a in answers if isinstance(a, Skipped) and a.code in UNPLANNED}
    return tuple(
        Notice("level_not_planned", f"{bone}: no screw was planned: {a.message}", bone, red=True)
        for bone, a in whole.items()
    )


def _missing_neighbours(anatomy: Anatomy) -> tuple[Notice, ...]:
    """Warn of neighbours without a surface: nothing kept drill and sleeve clear of them."""
    return tuple(
        Notice(
            "neighbour_without_surface",
            f"{name}: no surface could be made, so drills and guides of the levels beside it were "
            f"not kept clear of it ({why})",
            name,
            red=True,
        )
        for name, why in anatomy.failed.items()
        if name not in anatomy.chosen
    )


def _close_calls(answers: Sequence[Path | Skipped], screw: ScrewSettings) -> tuple[Notice, ...]:
    """Warn of pedicles that are only just too narrow."""
    found = []
    for item in answers:
        if not isinstance(item, Skipped) or item.code != "narrow_pedicle":
            continue
        width = item.corridor_diameter_mm or 0.0
        if width > screw.min_corridor_mm - screw.close_call_mm:
            text = (
                f"{item.name.replace('_', ' ')}: the half-maximum corridor of {width:.2f} mm "
                f"(spread {item.extra['corridor_spread_mm']:.2f} mm) is only just too narrow for a "
                "screw"
            )
            found.append(Notice("close_call", text, item.name))
    return tuple(found)


def _notices(paths: Sequence[Path]) -> tuple[Notice, ...]:
    """Put a path's warning codes into sentences."""
    found = []
    for path in paths:
        numbers = {**path.extra, "corridor": path.corridor_diameter_mm}
        for code in path.warnings:
            text = f"{path.name.replace('_', ' ')}: {_MESSAGES[code].format(**numbers)}"
            found.append(Notice(code, text, path.name, red=code in _RED))
    return tuple(found)


def all_notices(
    answers: Sequence[Path | Skipped], anatomy: Anatomy, screw: ScrewSettings
) -> tuple[Notice, ...]:
    """What the answers and the bones give reason to warn of, levels without a plan first."""
    paths = [answer for answer in answers if isinstance(answer, Path)]
    return (
        _red(answers)
        + _missing_neighbours(anatomy)
        + _notices(paths)
        + _close_calls(answers, screw)
    )
