"""From a CT of the legs to named bones with landmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from guidegen.bones.leg import find_legs
from guidegen.bones.leg_surface import extract_leg_bones
from guidegen.errors import AnatomyError
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.leg import Legs
from guidegen.model.notice import Notice, Progress, stage
from guidegen.model.volume import CTVolume
from guidegen.procedures.contract import Anatomy, Options
from guidegen.procedures.knee.bones import ANATOMICAL, Leg, leg_notices, measured_leg
from guidegen.procedures.knee.settings import KneeSettings

SIDES = ("left", "right")


def find_knee_anatomy(
    volume: CTVolume, options: Options, settings: KneeSettings, progress: Progress
) -> Anatomy:
    """Find the legs' bones, their landmarks and their sides.

    Args:
        volume: The CT.
        options: ``side`` and ``axis`` are heeded, and an imported label map.
        settings: Of the procedure.
        progress: Told the share done.

    Raises:
        AnatomyError: There is no leg, or nothing that can be planned on the side that was asked
            for.
    """
    legs = find_legs(volume, options.labels, stage(progress, "legs", 0.0, 0.5))
    bones = extract_leg_bones(volume, legs, progress=stage(progress, "surfaces", 0.5, 0.8))
    progress("landmarks", 0.8)
    measured = {
        letter: measured_leg(
            _of_leg(letter, bones), options.axis, settings.femur.valgus_deg, _cut(letter, legs)
        )
        for letter in dict.fromkeys(bone.leg for bone in legs.bones)
    }
    sides, told = _sides(measured)
    asked = SIDES if options.side == "both" else (options.side,)
    require_asked(measured, sides, asked, options)
    marks = _marks(measured, sides, asked)
    return Anatomy(
        found=legs.renamed(sides),
        bones=tuple(_named(bone, sides) for bone in bones),
        landmarks=marks,
        chosen=tuple(one.bone for one in marks),
        options=options,
        notices=(*told, *_notices(measured, sides, asked)),
        extra={"axis": options.axis or "mechanical"},
    )


def _named(bone: Bone, sides: Mapping[str, str]) -> Bone:
    """``femur_a_proximal`` becomes ``femur_left_proximal``."""
    kind, leg, *rest = bone.name.split("_")
    name = "_".join([kind, sides.get(leg, leg), *rest])
    return replace(bone, name=name, side=sides.get(leg, ""))


def _of_leg(letter: str, bones: Sequence[Bone]) -> dict[str, Bone]:
    """A leg's bones by kind and part: ``femur``, ``femur_proximal``, ..."""
    split = [(bone, bone.name.split("_")) for bone in bones]
    return {"_".join([kind, *rest]): bone for bone, (kind, leg, *rest) in split if leg == letter}


def _cut(letter: str, legs: Legs) -> tuple[str, ...]:
    """Kinds of a leg's bones that the field of view cuts off at its side."""
    return tuple(b.kind for b in legs.bones if b.leg == letter and "side" in b.cut_at)


def _sides(measured: Mapping[str, Leg]) -> tuple[dict[str, str], tuple[Notice, ...]]:
    """The legs' sides by shape, and why one has none.

    Raises:
        AnatomyError: A label map calls a leg the other side's.
    """
    sides: dict[str, str] = {}
    told: list[Notice] = []
    for letter, leg in measured.items():
        if not leg.marks:
            continue
        try:
            sides[letter] = leg.side
        except AnatomyError as error:
            told.append(Notice("side_unclear", str(error), f"leg_{letter}", red=True))
            continue
        if letter in SIDES and sides[letter] != letter:
            raise AnatomyError(
                f"the label map's bones of the {letter} leg have the shape of a {sides[letter]} "
                "one: the names are wrong or the map is mirrored; give the scan's own map"
            )
    return sides, tuple(told)


def require_asked(
    measured: Mapping[str, Leg],
    sides: Mapping[str, str],
    asked: Sequence[str],
    options: Options,
) -> None:
    """Refuse where nothing can be planned on the side that was asked for.

    Raises:
        AnatomyError: The scan shows the other side only, or no bone has its landmarks.
    """
    if any(side in asked for side in sides.values()):
        return
    if sides:
        shown = " and ".join(sorted(set(sides.values())))
        raise AnatomyError(
            f"a {asked[0]} leg was asked for, but by the shape of its bones the scan shows a "
            f"{shown} one: give --side {next(iter(sides.values()))}, or the right scan"
        )
    whys = [why for leg in measured.values() for why in leg.failed.values()]
    ends = options.axis != ANATOMICAL and any("at the side of the field" not in w for w in whys)
    hint = (
        ": scan hip and ankle too (name series of their own with --series as well), or accept the "
        "shafts' axes with --axis anatomical"
    )
    raise AnatomyError(
        "no bone of a knee can be planned "
        f"({'; '.join(whys) or 'no femur and no tibia is in view'}){hint if ends else ''}"
    )


def _marks(
    measured: Mapping[str, Leg], sides: Mapping[str, str], asked: Sequence[str]
) -> tuple[Landmarks, ...]:
    return tuple(
        Landmarks(f"{kind}_{sides[letter]}", found.patient_from_bone, found.points)
        for letter, leg in measured.items()
        for kind, found in leg.marks.items()
        if sides.get(letter) in asked
    )


def _notices(
    measured: Mapping[str, Leg], sides: Mapping[str, str], asked: Sequence[str]
) -> tuple[Notice, ...]:
    return tuple(
        notice
        for letter, leg in measured.items()
        if letter in sides
        for notice in leg_notices(leg, sides[letter], asked)
    )
