"""A printable part and the features that carry the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from guidegen.model.arrays import Floats, Ints, frozen_floats, unit
from guidegen.model.bone import closed_surface
from guidegen.model.frames import Pose


@dataclass(frozen=True, eq=False)
class Feature:
    """A feature of a guide, tied to an item of the plan; LPS mm.

    Args:
        kind: ``bore``, ``label``, ``contact``, ``window``, ``slot``; of a template also ``notch``
            (its floor, out of the plate) and ``sight`` (a hole over a spinous process); of a
            model to rehearse on also ``strut`` (its lower end, going up) and ``foot`` (its lower
            face, going down). Of a knee guide also ``slot`` (the middle of its mouth, the blade's
            way), ``rod`` (the hole's mouth, going in) and, of one with pins only, ``pinned`` (its
            cut's origin, the saw's way); of a model with engraved cuts ``groove`` (the plane's
            point and normal) and ``end`` (its flat end, outward).
        item: Name of the plan's path or cut; for a label its text.
        point_mm: (3,) for a bore: its axis where the instrument goes in: at the sleeve's top, of
            a model's channel outside the bone;
            otherwise the feature's centre.
        direction: (3,) for a bore: going in; for a label: the engraved face's outward normal.
        values: Numbers by name: ``diameter_mm``, ``length_mm``, ``outer_mm``, ``radius_mm`` ...
    """

    kind: str
    item: str
    point_mm: Floats
    direction: Floats
    values: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "point_mm", frozen_floats(self.point_mm, (3,), "point_mm"))
        object.__setattr__(self, "direction", unit(self.direction, "direction"))


@dataclass(frozen=True, eq=False)
class Guide:
    """One printable part, patient LPS mm, so that it overlays the bones.

    Args:
        name: File name without ending: ``L3``.
        role: ``guide`` or ``model``.
        vertices_mm: (V, 3).
        faces: (F, 3): closed, outward.
        bones: Names of the bones it sits on.
        neighbours: Names of the bones in reach of it or its drill.
        features: Bores, label, contacts.
        patient_from_guide: z against the insertion direction; None for a model.
        insertion_direction: (3,) the way it is pushed on to the bone; None for a model.
        fit_gap_mm: Wanted distance between contact and bone; of a bar that stands off the skin,
            between it and the skin.
        contact_area_mm2: Designed contact.
        label: The engraved text on one line.
    """

    name: str
    role: str
    vertices_mm: Floats
    faces: Ints
    bones: tuple[str, ...]
    neighbours: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()
    patient_from_guide: Pose | None = None
    insertion_direction: Floats | None = None
    fit_gap_mm: float = 0.0
    contact_area_mm2: float = 0.0
    label: str = ""

    def __post_init__(self) -> None:
        points, triangles = closed_surface(self.vertices_mm, self.faces, self.name)
        object.__setattr__(self, "vertices_mm", points)
        object.__setattr__(self, "faces", triangles)
        if self.insertion_direction is not None:
            direction = unit(self.insertion_direction, "insertion_direction")
            object.__setattr__(self, "insertion_direction", direction)

    @property
    def file(self) -> str:
        """Where the part lies in the case folder."""
        return f"{'models' if self.role == 'model' else 'guides'}/{self.name}.stl"
