"""Plan the screws of all chosen levels."""

from __future__ import annotations

from functools import partial

from guidegen.model.notice import Progress, silent
from guidegen.model.plan import Measurement, Path, Skipped
from guidegen.model.volume import CTVolume
from guidegen.planning.pedicle import SIDES, Pedicle
from guidegen.procedures.contract import Anatomy, Draft
from guidegen.procedures.levels import Site, best_pedicles, plan_levels
from guidegen.procedures.pedicle_screws.notices import all_notices
from guidegen.procedures.pedicle_screws.pedicle import decide, path_limits
from guidegen.procedures.pedicle_screws.rod import rod_lines
from guidegen.procedures.pedicle_screws.settings import PedicleSettings


def plan_vertebra(site: Site, settings: PedicleSettings) -> list[Path | Skipped]:
    """Plan both pedicles of one vertebra: a path or a reason for each."""
    return [
        decide(site.volume, found, settings) if isinstance(found, Pedicle) else found
        for found in best_pedicles(
            site,
            SIDES,
            lambda mark: path_limits(site.bone.name, mark, settings),
            settings.screw.min_diameter_mm,
        )
    ]


def plan_screws(
    volume: CTVolume, anatomy: Anatomy, settings: PedicleSettings, progress: Progress = silent
) -> Draft:
    """Plan a screw, or the reason for none, for every pedicle of the chosen levels.

    Args:
        volume: The CT, or a crop of it that holds the bones.
        anatomy: Levels, bones and landmarks.
        settings: Of the procedure.
        progress: Told the share done.

    Returns:
        Paths and skipped pedicles from head to foot, rod-line measurements and warnings.

    Raises:
        PlanError: No level is chosen.
    """
    work = partial(plan_vertebra, settings=settings)
    answers = plan_levels(volume, anatomy, work, "screws", progress)
    paths = tuple(a for a in answers if isinstance(a, Path))
    lines: tuple[Measurement, ...]
    lines, bends = rod_lines(paths, settings.screw.rod_line_mm)
    return Draft(
        paths=paths,
        skipped=tuple(a for a in answers if isinstance(a, Skipped)),
        measurements=lines,
        warnings=all_notices(answers, anatomy, settings.screw) + bends,
    )
