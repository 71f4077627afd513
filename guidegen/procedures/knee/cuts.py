"""The cuts of one femur and one tibia, and how much bone each takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from guidegen.model.arrays import Floats, unit
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Cut
from guidegen.planning.alignment import FrontalPlane, femoral_planes, turn_deg
from guidegen.planning.resection import Face, extent_mm, notch_mm, resection, turned
from guidegen.procedures.knee.settings import FemurSettings, KneeSettings

_DISTAL_MM = 45.0
_ASIDE_SHARE = 0.1
_SIDES = ("medial", "lateral")


@dataclass(frozen=True, eq=False)
class Cutting:
    """One bone's main cut and what comes with it.

    Args:
        cut: Of the guide.
        planes: The bone's own planes.
        faces: Further planes by name, which get no slot.
        removed_mm: Bone taken off, by name of the part.
        sizes_mm: Of the cut surface and of what a component has to cover, by name.
        angles_deg: Rotations by name.
    """

    cut: Cut
    planes: FrontalPlane
    faces: Mapping[str, Face] = field(default_factory=dict)
    removed_mm: Mapping[str, float] = field(default_factory=dict)
    sizes_mm: Mapping[str, float] = field(default_factory=dict)
    angles_deg: Mapping[str, float] = field(default_factory=dict)

    @property
    def away(self) -> Floats:
        """(3,): the bone's axis from the knee into the bone: of a femur up, of a tibia down."""
        up = self.planes.up
        return up if up @ self.cut.normal < 0 else -up


def _kerfed(name: str, bone: str, face: Face, kerf_mm: float) -> Cut:
    """A cut whose kerf lies outside of the face that stays."""
    return Cut(name, bone, face.point_mm + kerf_mm / 2 * face.normal, face.normal, kerf_mm)


def _tilted(planes: FrontalPlane, medial_deg: float, back_deg: float) -> Floats:
    """(3,): the way up, leant to medial and to the back, each as seen along the other."""
    medial, back = np.tan(np.radians([medial_deg, back_deg]))
    return unit(planes.up + medial * planes.medial + back * planes.back, "cut")


def cut_femur(bone: Bone, marks: Landmarks, side: str, settings: KneeSettings) -> Cutting:
    """Plan the distal cut and, for rotation and size, the posterior and the anterior one.

    Args:
        bone: The femur.
        marks: Its landmarks, mechanical axis in ``patient_from_bone``.
        side: ``left`` or ``right``.
        settings: Targets.

    Returns:
        The distal cut takes ``resection_mm`` less the cartilage off the condyle that stands out
        most along it; the posterior cut likewise; the anterior one is ``anterior_mm`` in front of
        the anterior cortex, where that is in view.
    """
    own, planes = settings.femur, femoral_planes(marks)
    up = _tilted(planes, own.frontal_deg - 90.0, -own.flexion_deg)
    condyles = _condyles(bone, marks, planes)
    distal = resection(-up, condyles, own.resection_mm - settings.cartilage_mm)
    across = _across(marks, planes, own)
    back = unit(np.cross(up, across), "posterior")
    back = back if back @ planes.back > 0 else -back
    posterior = resection(back, condyles, own.posterior_mm - settings.cartilage_mm)
    removed = {
        f"{name}_{part}": float(face.removed_mm(points).max())
        for name, face in (("distal", distal), ("posterior", posterior))
        for part, points in zip(_SIDES, condyles, strict=True)
    }
    sizes = {"distal_ml": extent_mm(bone.vertices_mm, bone.faces, distal, across)}
    faces = {"posterior": posterior}
    if "anterior_cortex" in marks:
        cortex = _anterior_cortex(bone, marks, planes)
        anterior = Face(cortex[int((cortex @ -back).argmax())] - own.anterior_mm * back, -back)
        sizes["component_ap"] = float((posterior.point_mm - anterior.point_mm) @ back)
        sizes["notch"] = notch_mm(anterior, cortex)
        faces["anterior"] = anterior
    angles = _rotations(across, marks, planes)
    cut = _kerfed(f"distal_femur_{side}", bone.name, distal, settings.kerf_mm)
    return Cutting(cut, planes, faces, removed, sizes, angles)


def cut_tibia(bone: Bone, marks: Landmarks, side: str, settings: KneeSettings) -> Cutting:
    """Plan the proximal cut of a tibia: square to its axis, with the slope down to the back.

    Args:
        bone: The tibia.
        marks: Its landmarks, mechanical axis in ``patient_from_bone``.
        side: ``left`` or ``right``.
        settings: Targets.
    """
    own = settings.tibia
    planes = tibial_planes(marks)
    up = _tilted(planes, 90.0 - own.frontal_deg, own.slope_deg)
    middles = [marks[f"plateau_{part}"].position_mm for part in _SIDES]
    face = resection(up, (np.array(middles),), own.resection_mm)
    removed = {
        f"plateau_{p}": float(face.removed_mm(m)) for p, m in zip(_SIDES, middles, strict=True)
    }
    size = {
        f"tibial_{name}": extent_mm(bone.vertices_mm, bone.faces, face, way)
        for name, way in (("ml", planes.medial), ("ap", planes.back))
    }
    cut = _kerfed(f"proximal_tibia_{side}", bone.name, face, settings.kerf_mm)
    return Cutting(cut, planes, {}, removed, size, {})


def tibial_planes(marks: Landmarks) -> FrontalPlane:
    """The planes of a tibia by its own frame: its front is the tubercle's medial third."""
    axes = marks.patient_from_bone.axes
    ends = [marks[f"plateau_{part}"].position_mm for part in _SIDES]
    towards = axes[:, 0] if axes[:, 0] @ (ends[0] - ends[1]) > 0 else -axes[:, 0]
    return FrontalPlane.of(axes[:, 2], towards, axes[:, 1])


def _condyles(bone: Bone, marks: Landmarks, planes: FrontalPlane) -> tuple[Floats, Floats]:
    """(N, 3) points of the medial and of the lateral condyle."""
    from_notch = bone.vertices_mm - marks["knee_centre"].position_mm
    height = from_notch @ planes.up
    low = height < height.min() + _DISTAL_MM
    across = from_notch @ planes.medial
    gap = _ASIDE_SHARE * float(np.ptp(across[low]))
    return bone.vertices_mm[low & (across > gap)], bone.vertices_mm[low & (across < -gap)]


def _line(marks: Landmarks, name: str) -> Floats:
    """(3,): from the lateral to the medial landmark of a pair."""
    ends = [marks[name.format(part)].position_mm for part in _SIDES]
    return np.asarray(ends[0] - ends[1])


def epicondylar_line(marks: Landmarks) -> Floats:
    """(3,) to medial: the surgical axis where the medial sulcus is told, else the clinical one."""
    if "medial_sulcus" not in marks:
        return _line(marks, "{}_epicondyle")
    ends = [marks[name].position_mm for name in ("medial_sulcus", "lateral_epicondyle")]
    return np.asarray(ends[0] - ends[1])


def _rotations(across: Floats, marks: Landmarks, planes: FrontalPlane) -> dict[str, float]:
    """Turn of the cuts against the femur's lines, and ``twist``, that of clinical TEA to PCA."""
    clinical, hind = _line(marks, "{}_epicondyle"), _line(marks, "posterior_condyle_{}")
    lines = {"PCA": hind, "TEA": epicondylar_line(marks), "clinical_TEA": clinical}
    if "trochlear_groove" in marks:
        groove = np.cross(np.array(marks["trochlear_groove"].values["along"]), planes.up)
        lines["groove"] = groove if groove @ planes.medial > 0 else -groove
    found = {name: turn_deg(across, line, planes) for name, line in lines.items()}
    return {**found, "twist": turn_deg(clinical, hind, planes)}


def _across(marks: Landmarks, planes: FrontalPlane, own: FemurSettings) -> Floats:
    """(3,) to medial: the line that the anterior and posterior cuts run along."""
    if own.rotation == "tea":
        line, angle = epicondylar_line(marks), 0.0
    else:
        line, angle = _line(marks, "posterior_condyle_{}"), own.rotation_deg
    flat = unit(line - (line @ planes.up) * planes.up, "rotation")
    handed = float(np.linalg.det([planes.medial, planes.back, planes.up]))
    return turned(flat, planes.up, -angle * handed)


def _anterior_cortex(bone: Bone, marks: Landmarks, planes: FrontalPlane) -> Floats:
    """(N, 3): points of the shaft's front above the trochlea."""
    heights = marks["anterior_cortex"].values
    from_knee = bone.vertices_mm - marks["knee_centre"].position_mm
    height, behind = from_knee @ planes.up, from_knee @ planes.back
    at = (height > heights["from_mm"]) & (height < heights["to_mm"])
    return np.asarray(bone.vertices_mm[at & (behind < np.median(behind[at]))])
