"""A part under test: what every check measures on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from guidegen.checks.cylinder import Cylinder, fit_bore
from guidegen.checks.seat import gaps_under
from guidegen.mesh.surface import Surface
from guidegen.mesh.wall import ENGRAVED_MM, Patch
from guidegen.model.arrays import Floats
from guidegen.model.bone import SKIN, Bone
from guidegen.model.findings import Finding
from guidegen.model.guide import Feature, Guide
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Cut, Path

NAN = float("nan")


_SURFACES: WeakKeyDictionary[Bone, Surface] = WeakKeyDictionary()
_ONE_AT_A_TIME = Lock()


def surface_of(bone: Bone) -> Surface:
    """A bone's surface, whose search trees all parts of a case share while the bone lives."""
    with _ONE_AT_A_TIME:
        if bone not in _SURFACES:
            _SURFACES[bone] = Surface(bone.vertices_mm, bone.faces)
        return _SURFACES[bone]


def label_axes(label: Feature, up: Floats | None = None) -> tuple[Floats, Floats]:
    """Two unit vectors in a label's face, right-handed with its normal.

    Args:
        label: The designed label.
        up: (3,) where its text's upper side is, roughly; None if nobody knows.
    """
    normal = label.direction
    if up is None:
        right = np.cross(np.eye(3)[2] if abs(normal[2]) < 0.9 else np.eye(3)[1], normal)
    else:
        right = np.cross(up, normal)
    right = right / np.linalg.norm(right)
    return right, np.cross(normal, right)


def label_size(label: Feature) -> tuple[float, float] | None:
    """Half width and half height of the plate under a label; None for a round patch."""
    sizes = [label.values.get(f"half_{name}_mm") for name in ("width", "height")]
    return None if sizes[0] is None or sizes[1] is None else (sizes[0], sizes[1])


def label_patch(label: Feature, up: Floats | None = None) -> Patch:
    """The piece of surface that a label takes up: a rectangle if its sizes are known, else round.

    Args:
        label: The designed label.
        up: (3,) where its text's upper side is, roughly.
    """
    half = label_size(label)
    if half is None or up is None:
        width = 2 * label.values.get("radius_mm", 0.0)
        return Patch(label.point_mm, label.direction, None, width, 0, ENGRAVED_MM)
    right, _ = label_axes(label, up)
    size = 2 * half[0], 2 * half[1]
    return Patch(label.point_mm, label.direction, right, *size, ENGRAVED_MM)


@dataclass(frozen=True)
class Limits:
    """What the measured values are held against; the procedure's settings fill it in.

    Args:
        min_wall_mm: Smallest wall; None for a copy of a bone, whose walls are anatomy.
        bore_clearance_mm: Bore diameter over the instrument's.
        bore_offset_mm: Largest distance of a bore's axis from the plan (required).
        bore_angle_deg: Largest angle between a bore and the plan (required).
        foot_gap_mm: Longest way that the drill runs free between sleeve and entry: beyond it the
            sleeve's play lets a drill wander 0.2 mm (engineering choice).
        closed_mm: Bore closed all round at each end (case contract).
        gap_mm: How far the mean gap may be from the fit gap; half of the usual 0.2 mm
            (engineering choice).
        breach_mm: Largest breach of a planned screw: below grade C of Gertzbein and Robbins.
        docking: Smallest docking score (engineering choice, see ``checks.docking``).
        skin_way_mm: Longest way that a needle runs free between its sleeve and the skin: with
            0.25 mm of play over 25 mm of sleeve its point strays 0.2 mm (engineering choice).
        needle_breach_mm: Largest breach of a needle through a pedicle: less counts as none (case
            contract).
        slot_clearance_mm: Slot over the cut's kerf; None where no cut gets a slot.
        slot_offset_mm: Largest distance of a slot's middle plane from the plan (required).
        slot_angle_deg: Largest angle between a slot and the plan (required).
        capture_mm: Depth over which a slot holds the blade (required).
        pin_clear_mm: Side of a pin from a cut (required).
        pin_offset_mm: Parallel pins from the cut, where a standard block goes on them; else None.
        pin_spacing_mm: Between the parallel pins, where a standard block goes on them; else None.
        rod_mm: Diameter of the alignment rod.
        rod_clearance_mm: Its hole over it.
    """

    min_wall_mm: float | None = 2.0
    bore_clearance_mm: float = 0.2
    bore_offset_mm: float = 0.05
    bore_angle_deg: float = 0.1
    foot_gap_mm: float = 12.0
    closed_mm: float = 4.0
    gap_mm: float = 0.1
    breach_mm: float = 2.0
    docking: float = 0.05
    skin_way_mm: float = 20.0
    needle_breach_mm: float = 0.05
    slot_clearance_mm: float | None = None
    slot_offset_mm: float = 0.05
    slot_angle_deg: float = 0.1
    capture_mm: float = 12.0
    pin_clear_mm: float = 5.0
    pin_offset_mm: float | None = None
    pin_spacing_mm: float | None = None
    rod_mm: float = 6.0
    rod_clearance_mm: float = 0.3


@dataclass(frozen=True, eq=False)
class Part:
    """A guide as read back from its file, with the bones and paths that it belongs to.

    Args:
        guide: Mesh as read back, features as designed.
        bones: Every bone of the case.
        paths: The plan's paths through the bones that the guide sits on.
        limits: What the values are held against.
        cuts: The plan's saw cuts of these bones.
        marks: Landmarks of these bones, where a check needs them.
    """

    guide: Guide
    bones: tuple[Bone, ...]
    paths: tuple[Path, ...] = ()
    limits: Limits = Limits()
    cuts: tuple[Cut, ...] = ()
    marks: tuple[Landmarks, ...] = ()

    @property
    def subject(self) -> str:
        """``guides/L3.stl``."""
        return self.guide.file

    @cached_property
    def surface(self) -> Surface:
        """The part's own surface."""
        return Surface(self.guide.vertices_mm, self.guide.faces)

    @cached_property
    def bone_surfaces(self) -> dict[str, Surface]:
        """The bones' surfaces by name."""
        return {b.name: surface_of(b) for b in self.bones}

    @cached_property
    def seats(self) -> tuple[Surface, ...]:
        """Surfaces of the bones that the guide sits on."""
        found = self.bone_surfaces
        return tuple(found[name] for name in self.guide.bones if name in found)

    @cached_property
    def seat_gaps(self) -> tuple[Floats, Floats, Floats]:
        """Gaps, samples and the bone's normals under the contacts: see ``gaps_under``."""
        return gaps_under(self.features("contact"), self.surface, self.seats)

    def features(self, kind: str) -> tuple[Feature, ...]:
        """The designed features of one kind."""
        return tuple(f for f in self.guide.features if f.kind == kind)

    def bore(self, path: Path) -> Feature | None:
        """The bore designed for a path."""
        return next((f for f in self.features("bore") if f.item == path.name), None)

    def skin_mm(self, path: Path) -> Floats | None:
        """(3,): where an instrument goes through the skin; None of one that starts on bone.

        The plan's point; of a wire that the plan says nothing of, where its axis meets the skin.
        """
        skin = self.bone_surfaces.get(SKIN)
        if path.skin_mm is not None or path.kind != "pin" or skin is None:
            return path.skin_mm
        start = path.entry_mm - float(np.linalg.norm(skin.high - skin.low)) * path.direction
        distance, _ = skin.rays.first_hit(start[None], path.direction)
        return start + distance[0] * path.direction if np.isfinite(distance[0]) else None

    def start_mm(self, path: Path) -> Floats:
        """(3,): where the instrument leaves the sleeve for the body: on the skin, or on bone."""
        skin = self.skin_mm(path)
        return path.entry_mm if skin is None else skin

    @cached_property
    def middle_mm(self) -> Floats | None:
        """(3,): middle of the bones that the paths go into, else of what the guide sits on.

        Not that of the skin: where a scan ends, its middle lies anywhere.
        """
        planned = {p.bone for p in self.paths} & self.bone_surfaces.keys()
        found = [self.bone_surfaces[name] for name in sorted(planned)] or list(self.seats)
        if not found:
            return None
        return np.asarray(np.mean([s.samples.points_mm.mean(axis=0) for s in found], axis=0))

    @cached_property
    def cylinders(self) -> dict[str, Cylinder | None]:
        """The bore measured for each path's name; None if none was designed or none is there."""
        found: dict[str, Cylinder | None] = {}
        for path in self.paths:
            feature = self.bore(path)
            if feature is None:
                found[path.name] = None
                continue
            size = feature.values.get("diameter_mm", 0.0)
            length = feature.values.get("length_mm", 20.0)
            top = feature.point_mm
            found[path.name] = fit_bore(self.surface, top, path.direction, length, size)
        return found

    @property
    def label_patches(self) -> tuple[Patch, ...]:
        """Where text is engraved."""
        return tuple(label_patch(label, self.up) for label in self.features("label"))

    @property
    def up(self) -> Floats | None:
        """(3,): the upper side of the texts on a guide, to the patient's head; None of a model."""
        frame = self.guide.patient_from_guide
        return None if frame is None else frame.axes[:, 1]

    def finding(
        self, code: str, value: float, limit: float, sense: str, unit: str, reference: str = ""
    ) -> Finding:
        """A finding about the part as a whole."""
        return Finding(code, self.subject, value, limit, sense, unit, reference)
