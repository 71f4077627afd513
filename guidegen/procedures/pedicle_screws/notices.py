"""What the plan has to warn of, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from guidegen.model.notice import Notice
from guidegen.model.plan import Path, Skipped
from guidegen.procedures.contract import Anatomy
from guidegen.procedures.levels import level_notices
from guidegen.procedures.pedicle_screws.settings import ScrewSettings

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


def close_calls(answers: Sequence[Path | Skipped], screw: ScrewSettings) -> tuple[Notice, ...]:
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


def notices_of(paths: Sequence[Path]) -> tuple[Notice, ...]:
    """Put the planner's warning codes of paths into sentences."""
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
        level_notices(answers, anatomy, "screw") + notices_of(paths) + close_calls(answers, screw)
    )
