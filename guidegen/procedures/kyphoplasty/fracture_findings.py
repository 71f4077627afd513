"""What the plan says of a fracture: notices and measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guidegen.anatomy.back_wall import back_wall_bulge_mm, body_volume_mm3
from guidegen.anatomy.canal_bone import CanalBone, canal_bone
from guidegen.errors import AnatomyError
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Notice
from guidegen.model.plan import Measurement
from guidegen.model.volume import CTVolume
from guidegen.procedures.kyphoplasty.fracture import PLACES, FractureMeasure, FractureSettings


@dataclass(frozen=True)
class BodyFindings:
    """What was found on one chosen level beside its heights.

    Args:
        volume_mm3: Of the body; None if it could not be measured.
        bulge_mm: How far bone stands behind the back wall's line; None likewise.
        canal: Bone in the canal; None likewise.
    """

    volume_mm3: float | None = None
    bulge_mm: float | None = None
    canal: CanalBone | None = None


def examine(
    volume: CTVolume,
    bone: Bone,
    landmarks: Landmarks,
    neighbours: Sequence[Landmarks],
    settings: FractureSettings,
) -> BodyFindings:
    """Measure one body's volume, its back wall and bone in the canal behind it.

    Args:
        volume: The CT, or a crop that holds the vertebra.
        bone: The vertebra.
        landmarks: Of the same vertebra.
        neighbours: Of the vertebrae next to it that are whole.
        settings: Limits.

    Returns:
        None for what could not be measured.
    """
    canal = canal_bone(volume, landmarks, neighbours, settings.canal_limits)
    try:
        size = body_volume_mm3(bone, landmarks)
        return BodyFindings(size, back_wall_bulge_mm(bone, landmarks), canal)
    except AnatomyError:
        return BodyFindings(canal=canal)


def _height_notice(name: str, measure: FractureMeasure, settings: FractureSettings) -> list[Notice]:
    """Say where no fracture is seen, and where nothing could be compared."""
    found = []
    if not measure.neighbours:
        text = (
            f"{name}: no unfractured neighbour is whole in view, so its heights are compared with "
            "its own back height: a crush does not show, compare with an earlier image"
        )
        found.append(Notice("heights_without_neighbours", text, name))
    spreads = measure.shape.spreads
    unsure = [place for place in PLACES if spreads.get(place, 0.0) > settings.max_spread_mm]
    if unsure:
        text = (
            f"{name}: the endplates are uneven at the {' and '.join(unsure)} (spread over "
            f"{settings.max_spread_mm:.1f} mm), so the height there is uncertain: look at the "
            "slices for an osteophyte or a step"
        )
        found.append(Notice("heights_uncertain", text, name))
    if measure.grade == 0:
        text = (
            f"{name}: no height of the body is {settings.mild_share:.0%} below that of "
            f"{measure.reference} (largest loss {measure.compression:.0%}): no compression "
            "fracture is seen; make sure that this is the level meant"
        )
        found.append(Notice("no_fracture", text, name))
    return found


def _canal_notice(name: str, findings: BodyFindings, settings: FractureSettings) -> list[Notice]:
    """Warn of a broken back wall and of bone in the canal."""
    found = []
    if findings.bulge_mm is not None and findings.bulge_mm > settings.max_bulge_mm:
        text = (
            f"{name}: bone stands {findings.bulge_mm:.1f} mm behind the line between the body's "
            "back corners: the back wall may be broken and cement may leak into the canal; look at "
            "the slices"
        )
        found.append(Notice("broken_back_wall", text, name, red=True))
    if findings.canal is not None and findings.canal.n_pieces:
        text = (
            f"{name}: {findings.canal.volume_mm3:.0f} mm3 of bone lie in the canal and reach "
            f"{findings.canal.reach_mm:.1f} mm into it: a fragment may press on the cord; look at "
            "the slices"
        )
        found.append(Notice("canal_fragment", text, name, red=True))
    unseen = [
        w for w, v in (("back wall", findings.bulge_mm), ("canal", findings.canal)) if v is None
    ]
    if unseen:
        text = f"{name}: {' and '.join(unseen)} could not be judged: look at the slices"
        found.append(Notice("back_wall_unseen", text, name, red=True))
    return found


def fracture_notices(
    measures: Mapping[str, FractureMeasure],
    findings: Mapping[str, BodyFindings],
    failed: Mapping[str, str],
    settings: FractureSettings,
) -> tuple[Notice, ...]:
    """Put what was measured into sentences.

    Args:
        measures: Of the chosen levels.
        findings: Of the chosen levels; one that is missing or None there is warned of.
        failed: Why a chosen level has no measure, by name.
        settings: Limits.

    Returns:
        ``no_fracture``, ``heights_without_neighbours``, ``heights_uncertain``,
        ``heights_not_measured``: plain; ``broken_back_wall``, ``canal_fragment``,
        ``back_wall_unseen``: red.
    """
    found: list[Notice] = []
    for name, why in failed.items():
        found.append(Notice("heights_not_measured", f"no body heights: {why}", name))
    for name, measure in measures.items():
        found += _height_notice(name, measure, settings)
    for name in dict.fromkeys((*measures, *failed)):
        found += _canal_notice(name, findings.get(name, BodyFindings()), settings)
    return tuple(found)


def _heights(name: str, measure: FractureMeasure) -> list[Measurement]:
    """Heights, compression and angle of one level."""
    shape, found = measure.shape, []
    for place in PLACES:
        note = f"{-measure.lost[place]:+.0%} against {measure.reference}"
        value = round(shape.heights_mm[place], 2)
        extra = {"spread_mm": round(shape.spreads.get(place, 0.0), 2)}
        found.append(Measurement(f"height_{place}_{name}", value, "mm", note, extra))
    note = f"{measure.words} (Genant's grades), against {measure.reference}"
    extra_class = {"kind": measure.kind, "grade": measure.grade}
    value = round(measure.compression, 3)
    found.append(Measurement(f"compression_{name}", value, "1", note, extra_class))
    note = "between the body's own endplates, front lower positive, lying in the scanner"
    angle = round(shape.kyphosis_deg, 2)
    extra = {"spread_deg": round(shape.spreads.get("kyphosis", 0.0), 2)}
    found.append(Measurement(f"local_kyphosis_{name}", angle, "deg", note, extra))
    return found


def _cement(name: str, volume_mm3: float, settings: FractureSettings) -> list[Measurement]:
    """Volume of one body and the cement that such a volume took in a study."""
    volume = volume_mm3 / 1000.0
    found = [Measurement(f"body_volume_{name}", round(volume, 2), "mL", "in front of the canal")]
    pairs = zip(("low", "high"), settings.cement_share, ("strength", "stiffness"), strict=True)
    for end, share, what in pairs:
        note = (
            f"information, not a prescription: {share:.1%} of the body's volume restored {what} "
            "on average in 120 bodies (Molloy et al. 2003, PMID 12865843)"
        )
        found.append(Measurement(f"cement_{end}_{name}", round(share * volume, 1), "mL", note))
    return found


def fracture_measurements(
    measures: Mapping[str, FractureMeasure],
    findings: Mapping[str, BodyFindings],
    settings: FractureSettings,
) -> tuple[Measurement, ...]:
    """List the numbers of the chosen levels, named as in the case contract.

    Args:
        measures: Of the chosen levels.
        findings: Of the chosen levels.
        settings: Limits.
    """
    found: list[Measurement] = []
    for name, measure in measures.items():
        found += _heights(name, measure)
    for name, seen in findings.items():
        if seen.bulge_mm is not None:
            note = "behind the line between the body's back corners"
            bulge = round(seen.bulge_mm, 2)
            found.append(Measurement(f"back_wall_bulge_{name}", bulge, "mm", note))
        if seen.canal is not None:
            note = f"inside the canal's outline, reaching {seen.canal.reach_mm:.1f} mm in"
            volume = round(seen.canal.volume_mm3, 1)
            found.append(Measurement(f"canal_bone_{name}", volume, "mm3", note))
        if seen.volume_mm3 is not None:
            found += _cement(name, seen.volume_mm3, settings)
    return tuple(found)
