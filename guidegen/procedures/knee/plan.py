"""Plan the cuts of the legs in view and say how they are aligned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Notice, Progress, silent
from guidegen.model.plan import Measurement, Path
from guidegen.model.saw_cuts import ANATOMICAL_AXIS
from guidegen.planning.alignment import Alignment, align, cut_angles_deg
from guidegen.planning.pins import plan_pins
from guidegen.procedures.contract import Anatomy, Draft
from guidegen.procedures.knee.cuts import Cutting, cut_femur, cut_tibia
from guidegen.procedures.knee.plausible import bone_warnings, leg_warnings, uncut_warnings
from guidegen.procedures.knee.settings import KneeSettings
from guidegen.procedures.vertebrae import attempt

SUPINE = "supine CT"
SIDES = ("left", "right")
_NOTCH_MM = 0.01
"""What the settings ask for is no rounding."""
CARTILAGE = Notice(
    "no_cartilage",
    "a CT shows no cartilage: contacts lie on bone, and cuts are measured from bone with an "
    "allowance for cartilage that is the same everywhere",
    "series",
)


def plan_knee(anatomy: Anatomy, settings: KneeSettings, progress: Progress = silent) -> Draft:
    """Plan every bone that is in view with its landmarks, each on its own.

    Args:
        anatomy: Bones named ``femur_left``, ``tibia_right``, ...; landmarks of the same names.
        settings: Targets.
        progress: Told the share done.

    Returns:
        Cuts for the guides, angles and resections as measurements, further planes in ``extra``.
    """
    bones = {bone.name: bone for bone in anatomy.bones}
    marks = {found.bone: found for found in anatomy.landmarks}
    cuttings: dict[str, Cutting] = {}
    for n, side in enumerate(SIDES):
        progress(f"cuts of the {side} leg", n / len(SIDES))
        cuttings |= _cuttings(side, bones, marks, settings)
    pinned = _pinned(cuttings, bones, marks, settings)
    shafted = {n.subject for n in anatomy.notices if n.code == ANATOMICAL_AXIS}
    measured = [item for side in SIDES for item in leg_measurements(side, marks, cuttings, shafted)]
    return Draft(
        paths=tuple(
            pin for found in pinned.values() if not isinstance(found, str) for pin in found
        ),
        cuts=tuple(cutting.cut for cutting in cuttings.values()),
        measurements=tuple(measured),
        warnings=(CARTILAGE, *doubts(cuttings, marks), *unpinned(pinned)) if cuttings else (),
        extra={"planes": planes_of(cuttings)},
    )


def planes_of(cuttings: Mapping[str, Cutting]) -> dict[str, dict[str, list[float]]]:
    """The planes that get no slot, as plan.json keeps them."""
    return {
        f"{name}_{bone}": {"point_mm": face.point_mm.tolist(), "normal": face.normal.tolist()}
        for bone, cutting in cuttings.items()
        for name, face in cutting.faces.items()
    }


def _cuttings(
    side: str,
    bones: Mapping[str, Bone],
    marks: Mapping[str, Landmarks],
    settings: KneeSettings,
) -> dict[str, Cutting]:
    """Cut femur and tibia of a side, as far as they are there."""
    found = {}
    for kind, cut in (("femur", cut_femur), ("tibia", cut_tibia)):
        name = f"{kind}_{side}"
        if name in bones and name in marks:
            found[name] = cut(bones[name], marks[name], side, settings)
    return found


def _pinned(
    cuttings: Mapping[str, Cutting],
    bones: Mapping[str, Bone],
    marks: Mapping[str, Landmarks],
    settings: KneeSettings,
) -> dict[str, tuple[Path, ...] | str]:
    """The pins of every guide, or why there is no place for them."""
    return {
        name: attempt(name, partial(plan_pins, bones[name], marks[name], own.cut, settings.guide))
        for name, own in cuttings.items()
    }


def unpinned(pinned: Mapping[str, tuple[Path, ...] | str]) -> Iterator[Notice]:
    """Warn of guides that can't be pinned."""
    for name, found in pinned.items():
        if isinstance(found, str):
            yield Notice("no_pins", f"the guide finds no place for its pins: {found}", name, True)


def doubts(cuttings: Mapping[str, Cutting], marks: Mapping[str, Landmarks]) -> Iterator[Notice]:
    """Everything about axes, sizes and landmarks that has to be seen."""
    for side in SIDES:
        yield from leg_warnings(side, _aligned(side, marks, cuttings), marks)
    for name, cutting in cuttings.items():
        yield from bone_warnings(name, cutting, marks[name])
        yield from uncut_warnings(cutting)
    yield from _notched(cuttings)


def _notched(cuttings: Mapping[str, Cutting]) -> Iterator[Notice]:
    """Warn of an anterior cut that runs into the shaft."""
    for name, cutting in cuttings.items():
        deep = cutting.sizes_mm.get("notch", 0.0)
        if deep > _NOTCH_MM:
            text = (
                f"the anterior cut would notch the anterior cortex by {deep:.1f} mm: plan again "
                "with femur.anterior_mm 0 or more"
            )
            yield Notice("notching", text, name, red=True)


def leg_measurements(
    side: str,
    marks: Mapping[str, Landmarks],
    cuttings: Mapping[str, Cutting],
    shafted: Collection[str] = (),
) -> list[Measurement]:
    """Angles of a leg and its cuts, and how much bone each cut takes, named with the side.

    Args:
        side: ``left`` or ``right``.
        marks: Landmarks by bone.
        cuttings: By bone.
        shafted: Bones that are planned about their shafts; such give no HKA, and it is said.
    """
    femur, tibia = cuttings.get(f"femur_{side}"), cuttings.get(f"tibia_{side}")
    found: list[tuple[str, float, str, str]] = []
    aligned = _aligned(side, marks, cuttings)
    if aligned is not None:
        found += _alignment(aligned)
    if femur is not None:
        frontal, sagittal = cut_angles_deg(femur.planes, femur.away, femur.cut.normal)
        found += [
            ("FFC", frontal, "deg", f"distal cut to the mechanical axis, medial{_leans(frontal)}"),
            ("LFC", -sagittal, "deg", "flexion of the distal cut to the mechanical axis"),
            *_rotations(femur, marks[f"femur_{side}"]),
        ]
    if tibia is not None:
        frontal, slope = cut_angles_deg(tibia.planes, tibia.away, tibia.cut.normal)
        found += [
            ("FTC", frontal, "deg", f"cut to the mechanical axis, medial{_leans(frontal)}"),
            (
                "LTC",
                90.0 - slope,
                "deg",
                f"cut to the mechanical axis, slope {slope:.1f} deg down to the back",
            ),
            ("tibial_rotation", 0.0, "deg", "to the medial third of the tubercle"),
        ]
    for cutting in (femur, tibia):
        if cutting is not None:
            found += _thicknesses(cutting)
    told = [Measurement(f"{n}_{side}", round(v, 3), unit, note) for n, v, unit, note in found]
    return list(_marked(told, side, shafted))


def _leans(frontal_deg: float) -> str:
    """To which side a cut leans, in words; nothing where it is square to the axis."""
    off = round(abs(frontal_deg - 90.0), 1)
    return f": {off:.1f} deg {'varus' if frontal_deg < 90.0 else 'valgus'}" if off else ""


def _marked(
    found: Sequence[Measurement], side: str, shafted: Collection[str]
) -> Iterator[Measurement]:
    """Say which angles are those to a shaft's axis; such bones give no HKA."""
    here = {name for name in shafted if name.endswith(side)}
    for item in found:
        name = item.name.removesuffix(f"_{side}")
        if name == "HKA" and here:
            continue
        bone = {"FFC": "femur", "LFC": "femur", "FTC": "tibia", "LTC": "tibia"}.get(name, "")
        if f"{bone}_{side}" not in here:
            yield item
            continue
        note = item.note.replace(
            "the mechanical axis", "an axis taken from the SHAFT (anatomical axis accepted)"
        )
        yield replace(item, note=note)


def _rotations(femur: Cutting, marks: Landmarks) -> Iterator[tuple[str, float, str, str]]:
    """Turn of the femur's cuts against its lines."""
    which = "surgical" if "medial_sulcus" in marks else "clinical"
    notes = {
        "PCA": "external positive",
        "TEA": f"{which}; external positive",
        "clinical_TEA": "external positive",
        "groove": "square to the trochlear groove; external positive",
    }
    for name, note in notes.items():
        if name in femur.angles_deg and not (name == "clinical_TEA" and which == "clinical"):
            yield f"femoral_rotation_to_{name}", femur.angles_deg[name], "deg", note
    yield "condylar_twist", femur.angles_deg["twist"], "deg", "clinical TEA to PCA, external"


def _aligned(
    side: str, marks: Mapping[str, Landmarks], cuttings: Mapping[str, Cutting]
) -> Alignment | None:
    """The leg's angles; None without femur or tibia."""
    femur, tibia = f"femur_{side}", f"tibia_{side}"
    if femur not in cuttings or tibia not in cuttings:
        return None
    shafts = (_along(marks[femur]), _along(marks[tibia]))
    return align(cuttings[femur].planes, marks[tibia].patient_from_bone.axes[:, 2], shafts)


def _alignment(found: Alignment) -> Iterator[tuple[str, float, str, str]]:
    """HKA, FTA and how far the knee was bent."""
    kind = "varus" if found.hka < 180.0 else "valgus"
    yield "HKA", found.hka, "deg", f"{abs(180.0 - found.hka):.1f} deg {kind}, {SUPINE}"
    yield "FTA", found.fta, "deg", f"between the shafts, {SUPINE}"
    yield "knee_flexion", found.flexion, "deg", f"as the leg lay, {SUPINE}"


def _along(marks: Landmarks) -> Floats:
    return np.asarray(marks["shaft"].values["along"], dtype=np.float64)


def _thicknesses(cutting: Cutting) -> Sequence[tuple[str, float, str, str]]:
    """Bone that each part loses, and the sizes of what is cut."""
    lost = [
        (f"resection_{part}", value, "mm", "bone, without cartilage")
        for part, value in cutting.removed_mm.items()
    ]
    sizes = [(f"size_{name}", value, "mm", "") for name, value in cutting.sizes_mm.items()]
    return [*lost, *sizes]
