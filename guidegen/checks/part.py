"""A part under test: what every check measures on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from weakref import WeakKeyDictionary

from guidegen.checks.cylinder import Cylinder, fit_bore
from guidegen.checks.seat import gaps_under
from guidegen.mesh.surface import Surface
from guidegen.mesh.wall import Patch
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.findings import Finding
from guidegen.model.guide import Feature, Guide
from guidegen.model.plan import Path

NAN = float("nan")
_LABEL_DEEP_MM = 1.2


_SURFACES: WeakKeyDictionary[Bone, Surface] = WeakKeyDictionary()
_ONE_AT_A_TIME = Lock()


def surface_of(bone: Bone) -> Surface:
    """A bone's surface, whose search trees all parts of a case share while the bone lives."""
    with _ONE_AT_A_TIME:
        if bone not in _SURFACES:
            _SURFACES[bone] = Surface(bone.vertices_mm, bone.faces)
        return _SURFACES[bone]


def label_patch(label: Feature) -> Patch:
    """The round piece of surface that a label takes up."""
    width = 2 * label.values.get("radius_mm", 0.0)
    return Patch(label.point_mm, label.direction, None, width, 0, _LABEL_DEEP_MM)


@dataclass(frozen=True)
class Limits:
    """What the measured values are held against; the procedure's settings fill it in.

    Args:
        min_wall_mm: Smallest wall.
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
    """

    min_wall_mm: float = 2.0
    bore_clearance_mm: float = 0.2
    bore_offset_mm: float = 0.05
    bore_angle_deg: float = 0.1
    foot_gap_mm: float = 12.0
    closed_mm: float = 4.0
    gap_mm: float = 0.1
    breach_mm: float = 2.0
    docking: float = 0.05


@dataclass(frozen=True, eq=False)
class Part:
    """A guide as read back from its file, with the bones and paths that it belongs to.

    Args:
        guide: Mesh as read back, features as designed.
        bones: Every bone of the case.
        paths: The plan's paths through the bones that the guide sits on.
        limits: What the values are held against.
    """

    guide: Guide
    bones: tuple[Bone, ...]
    paths: tuple[Path, ...] = ()
    limits: Limits = Limits()

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
        return tuple(label_patch(label) for label in self.features("label"))

    def finding(
        self, code: str, value: float, limit: float, sense: str, unit: str, reference: str = ""
    ) -> Finding:
        """A finding about the part as a whole."""
        return Finding(code, self.subject, value, limit, sense, unit, reference)
