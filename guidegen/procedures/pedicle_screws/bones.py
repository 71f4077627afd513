"""Surfaces and landmarks of the chosen vertebrae and their neighbours; one never stops the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from guidegen.anatomy.vertebra import find_landmarks
from guidegen.bones.surface import extract_bones
from guidegen.errors import GuidegenError
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.level import Spine
from guidegen.model.notice import Progress
from guidegen.model.volume import CTVolume

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
