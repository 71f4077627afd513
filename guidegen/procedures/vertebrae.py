"""Spine, surfaces and landmarks of the chosen vertebrae: what all procedures of the spine share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from guidegen.anatomy.spine import choose_levels
from guidegen.anatomy.vertebra import find_landmarks
from guidegen.bones.spine import find_spine
from guidegen.bones.surface import extract_bones
from guidegen.errors import AnatomyError, GuidegenError
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.level import Spine
from guidegen.model.notice import Notice, Progress, stage
from guidegen.model.volume import CTVolume
from guidegen.procedures.contract import Anatomy, Options

_T = TypeVar("_T")


def attempt(bone: str, work: Callable[[], _T]) -> _T | str:
    """Do one vertebra's work, or say in a sentence why it can't be done.

    Arithmetic that breaks on an odd bone counts too, as it does in a check.
    """
    try:
        return work()
    except GuidegenError as error:
        return str(error)
    except Exception as error:  # one vertebra never stops the others
        return f"{bone} can't be computed ({type(error).__name__}): look at its surface"


def with_neighbours(chosen: Sequence[str], spine: Spine) -> tuple[str, ...]:
    """Add the levels next to the chosen ones: a drill must pass them."""
    order = [level.name for level in spine.levels]
    at = [order.index(name) for name in chosen]
    return tuple(n for k, n in enumerate(order) if any(abs(k - c) <= 1 for c in at))


def find_surfaces(
    volume: CTVolume, spine: Spine, wanted: tuple[str, ...], progress: Progress
) -> tuple[tuple[Bone, ...], dict[str, str]]:
    """Make the wanted surfaces, all at once or, where one fails, one by one.

    Returns:
        The surfaces that could be made, head to foot, and why the others could not, by name.
    """
    together = attempt("", partial(extract_bones, volume, spine, wanted, progress))
    if not isinstance(together, str):
        return together, {}
    found: list[Bone] = []
    failed: dict[str, str] = {}
    for name in wanted:
        made = attempt(name, partial(extract_bones, volume, spine, (name,), progress))
        if isinstance(made, str):
            failed[name] = made
        else:
            found += made
    return tuple(found), failed


def find_vertebrae(
    bones: Sequence[Bone], spine: Spine, chosen: Sequence[str]
) -> tuple[tuple[Landmarks, ...], dict[str, str]]:
    """Find the landmarks of the chosen bones.

    Returns:
        The sets that were found, and why there is none for the others, by name.
    """
    found: list[Landmarks] = []
    failed: dict[str, str] = {}
    for bone in bones:
        if bone.name not in chosen:
            continue
        marks = attempt(bone.name, partial(find_landmarks, bone, spine.level(bone.name)))
        if isinstance(marks, str):
            failed[bone.name] = marks
        else:
            found.append(marks)
    return tuple(found), failed


def _of_concern(
    notices: tuple[Notice, ...], wanted: Sequence[str], spine: Spine
) -> tuple[Notice, ...]:
    """Leave out what concerns levels that are neither planned on nor next to such."""
    elsewhere = {level.name for level in spine.levels} - set(wanted)
    return tuple(notice for notice in notices if notice.subject not in elsewhere)


def find_vertebral_anatomy(
    volume: CTVolume, options: Options, progress: Progress, measured_neighbours: bool = False
) -> Anatomy:
    """Find spine, surfaces of the chosen levels and their neighbours, and landmarks.

    Args:
        volume: The CT.
        options: What was asked for.
        progress: Told the share done.
        measured_neighbours: Find the neighbours' landmarks, too, where they have any.

    Raises:
        AnatomyError: There is no spine, a level is not in view, or none of the chosen ones has
            landmarks.
    """
    earlier = options.earlier
    if earlier is not None:
        spine = earlier.spine
    else:
        search = stage(progress, "spine", 0.0, 0.55)
        spine = find_spine(volume, options.lowest_level, options.labels, search)
    chosen = choose_levels(options.levels, spine)
    wanted = with_neighbours(chosen, spine)
    spine = replace(spine, notices=_of_concern(spine.notices, wanted, spine))
    failed: dict[str, str] = {}
    bones = earlier.surfaces(wanted) if earlier is not None else ()
    if not bones:
        surfaces = stage(progress, "surfaces", 0.55, 0.9)
        bones, failed = find_surfaces(volume, spine, wanted, surfaces)
    progress("landmarks", 0.9)
    landmarks, why = find_vertebrae(bones, spine, wanted if measured_neighbours else chosen)
    failed = {**failed, **{name: text for name, text in why.items() if name in chosen}}
    if not any(marks.bone in chosen for marks in landmarks):
        reasons = "; ".join(failed[name] for name in chosen if name in failed)
        raise AnatomyError(
            f"no pedicle can be planned on {', '.join(chosen)}: {reasons}; check that this is "
            "a CT of the spine"
        )
    return Anatomy(spine, bones, landmarks, chosen, failed, options)
