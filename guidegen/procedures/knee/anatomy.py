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
from guidegen.procedures.knee.bones import (
    ANATOMICAL,
    KNEE_END,
    WHOLE_KNEE,
    Leg,
    leg_notices,
    measured_leg,
)
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
    require_asked(measured, sides, asked, options, told)
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


def _cut(letter: str, legs: Legs) -> dict[str, str]:
    """Kinds of a leg's bones that the scan cuts off where no plan is possible, and where.

    A joint surface that the scan leaves out is not noticed on the bone's own shape: its flat end
    would be taken for condyles or plateaus.
    """
    found = {}
    for bone in legs.bones:
        if bone.leg != letter:
            continue
        at_knee = bone.name == f"{bone.kind}_{letter}" and KNEE_END.get(bone.kind) in bone.cut_at
        if "side" in bone.cut_at:
            found[bone.kind] = "at the side of the field of view: scan or reconstruct"
        elif at_knee:
            found.setdefault(bone.kind, "at the knee, where the scan or a part of it ends: scan")
    return found


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
    return _two_of_one(sides, told)


def _two_of_one(
    sides: dict[str, str], told: list[Notice]
) -> tuple[dict[str, str], tuple[Notice, ...]]:
    """The sides of which there is one leg each, and what is said of the others.

    ``a`` lies to the patient's right of ``b`` (``find_legs``); a scan that is mirrored shows both
    legs on the wrong side.
    """
    for side in SIDES:
        alike = [letter for letter, own in sides.items() if own == side]
        for letter in alike if len(alike) > 1 else ():
            text = (
                f"{len(alike)} legs in view have the shape of a {side} one: look at their bones' "
                "surfaces, or tell the bones by a label map (--labels)"
            )
            told.append(Notice("side_unclear", text, f"leg_{letter}", red=True))
            del sides[letter]
    placed = [sides[letter] for letter in sorted(sides) if letter not in SIDES]
    if placed == ["left", "right"]:
        text = (
            "by the shape of its bones the leg on the patient's right is a left one, and the "
            "other a right one: the scan is mirrored or turned, or the legs are crossed: compare "
            "with the patient"
        )
        told.append(Notice("sides_swapped", text, "series", red=True))
    return sides, tuple(told)


def require_asked(
    measured: Mapping[str, Leg],
    sides: Mapping[str, str],
    asked: Sequence[str],
    options: Options,
    told: Sequence[Notice] = (),
) -> None:
    """Refuse where nothing can be planned on the side that was asked for.

    Args:
        measured: The legs by letter.
        sides: Their sides by letter, where known.
        asked: Sides that are wanted.
        options: ``axis`` is heeded.
        told: Why legs have no side.

    Raises:
        AnatomyError: The scan shows the other side only, or no bone has its landmarks.
    """
    if any(side in asked for side in sides.values()):
        return
    failed = [
        why
        for letter, leg in measured.items()
        if letter not in sides
        for why in leg.failed.values()
    ]
    whys = "; ".join([*failed, *dict.fromkeys(notice.message for notice in told)])
    shown = " and ".join(sorted(set(sides.values())))
    if sides and not whys:
        raise AnatomyError(
            f"a {asked[0]} leg was asked for, but by the shape of its bones the scan shows a "
            f"{shown} one: give --side {shown}, or the right scan"
        )
    ends = options.axis != ANATOMICAL and any(WHOLE_KNEE not in why for why in failed)
    hint = (
        ": scan hip and ankle too (name series of their own with --series as well), or accept the "
        "shafts' axes with --axis anatomical"
    )
    start = "no bone of a knee can be planned"
    if sides:
        start = (
            f"a {asked[0]} leg was asked for, but by the shape of its bones the scan shows a "
            f"{shown} one, and of the other nothing can be planned"
        )
    raise AnatomyError(
        f"{start} ({whys or 'no femur and no tibia is in view'}){hint if ends else ''}"
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
    told: list[Notice] = []
    for letter, leg in measured.items():
        if letter in sides:
            told += leg_notices(leg, sides[letter], asked)
        elif leg.failed and not leg.marks and (letter in asked or len(asked) == len(SIDES)):
            text = f"another leg in view gets no plan: {'; '.join(leg.failed.values())}"
            told.append(Notice("leg_not_planned", text, f"leg_{letter}"))
    return tuple(told)
