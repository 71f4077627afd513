"""Screws changed by hand, measured as the planner measures its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from guidegen.model.case import Case
from guidegen.model.landmarks import Landmark
from guidegen.model.notice import Notice
from guidegen.model.plan import Path, Plan, Skipped
from guidegen.model.volume import CTVolume
from guidegen.planning.given import Given, measure_given
from guidegen.planning.limits import PathLimits
from guidegen.procedures.by_hand import MEETING, as_given, hand_notices, meeting_notices
from guidegen.procedures.drawn import Drawn
from guidegen.procedures.path_bench import Measured, PathBench, Site, still_unplanned
from guidegen.procedures.pedicle_screws.notices import close_calls, notices_of
from guidegen.procedures.pedicle_screws.pedicle import path_limits, path_of
from guidegen.procedures.pedicle_screws.rod import rod_lines
from guidegen.procedures.pedicle_screws.settings import PedicleSettings, ScrewSettings

_CLOSE = "close_call"
_OF_SEVERAL = (MEETING, "off_rod_line", _CLOSE, "level_not_planned")
"""Codes of what depends on more than one path."""
_OUTSIDE = ("low_bone_density", "tight_approach", "high_foot")
"""Codes that say something of a screw whose axis is not in the bone."""
_WORST = "B"


class ScrewBench(PathBench):
    """Pedicle screws.

    Args:
        case: With its volume.
        settings: Of the procedure.
    """

    kind = "screw"

    def __init__(self, case: Case, settings: PedicleSettings) -> None:
        screw = settings.screw
        thickest = max(screw.max_lumbar_diameter_mm, screw.max_thoracic_diameter_mm)
        diameters = screw.min_diameter_mm, thickest, screw.diameter_step_mm
        super().__init__(case, diameters, screw.length_step_mm)
        self._settings = settings

    def limits_of(self, plan: Plan, bone: str, pedicle: Landmark) -> PathLimits:
        """The planner's own limits of the level."""
        return path_limits(bone, pedicle, self._settings)

    def measured(self, plan: Plan, drawn: Drawn, site: Site) -> Measured:
        """Measure a screw, with everything that the planner says of one."""
        ready = self.ready(plan, drawn.bone, drawn.side)
        ends = drawn.entry_mm, drawn.tip_mm
        given = measure_given(ready, *ends, drawn.diameter_mm, self.width(site))
        path = screw_along(ready.volume, given, drawn.diameter_mm, self._settings)
        hand = hand_notices(path, given, self._settings.screw.min_corridor_mm, _WORST)
        off = _off_set(path, self._settings.screw)
        return Measured(path, notices_of((path,)), (*hand, *off))

    def finished(self, plan: Plan) -> Plan:
        """Rod lines, screws that meet, and pedicles that are only just too narrow."""
        screw = self._settings.screw
        lines, bends = rod_lines(self._own(plan), screw.rod_line_mm)
        kept = [item for item in plan.measurements if not item.name.startswith("rod_line_")]
        sites: list[Path | Skipped] = [*plan.paths, *plan.skipped]
        for_all = [
            *still_unplanned(plan, "screw"),
            *(n for n in plan.warnings if n.code not in _OF_SEVERAL),
            *_close(plan, close_calls(sites, screw)),
            *bends,
            *meeting_notices(self._own(plan)),
        ]
        return replace(plan, measurements=(*kept, *lines), warnings=tuple(for_all))


def _close(plan: Plan, of_skipped: Sequence[Notice]) -> Iterator[Notice]:
    """Pedicles just wide enough keep their notice as long as they have a path."""
    names = {path.name for path in plan.paths}
    yield from (n for n in plan.warnings if n.code == _CLOSE and n.subject in names)
    yield from of_skipped


def screw_along(
    volume: CTVolume, given: Given, diameter_mm: float, settings: PedicleSettings
) -> Path:
    """The path of a screw as it was drawn."""
    return as_given(path_of(volume, given.pedicle, diameter_mm, settings), given, _OUTSIDE)


def _off_set(path: Path, screw: ScrewSettings) -> Iterator[Notice]:
    """Sizes that are not in the screw set."""
    sizes = (
        ("diameter", path.diameter_mm, screw.diameter_step_mm),
        ("length", path.length_mm, screw.length_step_mm),
    )
    for what, value, step in sizes:
        if abs(value / step - round(value / step)) * step > 0.05:
            text = (
                f"{path.name.replace('_', ' ')}: a {what} of {value:.1f} mm is not in the set, "
                f"whose steps are {step:g} mm"
            )
            yield Notice(f"{what}_not_in_set", text, path.name)
