"""What a puncture template is made of, decided before its solid is made; guide frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.cad.contact import Contact
from guidegen.cad.label import Layout
from guidegen.cad.sleeve import Sleeve, Tab, stand
from guidegen.cad.template_ground import Back, Ground
from guidegen.cad.template_outline import Opening, Outline
from guidegen.cad.template_settings import TemplateSettings
from guidegen.errors import GeometryError
from guidegen.model.arrays import Floats
from guidegen.model.frames import Pose
from guidegen.model.plan import Path

FREE_MM = 0.6
"""A needle's hub and the surgeon's fingers: this much wider than a sleeve over its top."""
NEEDLE_ABOVE_MM = 60.0
_ON_AXIS_MM = 0.5
_MARK_ROOM_MM = 1.7
_LIFT_MM = 0.8
_LEVEL_MM = 0.3
"""Sleeves whose tops lie this near in height count as level."""


@dataclass(frozen=True, eq=False)
class Design:
    """Everything about a template that is decided before its solid is made.

    Args:
        ground: The skin.
        sleeves: One for each path.
        outline: Of the plate.
        openings: Windows, notches and sights, through the plate.
        label: The plate under the label.
        layout: The label's lines.
        marks: Plates of the side marks by letter.
        layer_mm: Lowest and highest z of a flat bar; None for a plate that follows the skin.
        gap_mm: Distance kept from the skin's shadow.
        contacts: Where the plate's fit is measured.
    """

    ground: Ground
    sleeves: tuple[Sleeve, ...]
    outline: Outline
    openings: tuple[Opening, ...]
    label: Tab
    layout: Layout
    marks: dict[str, Tab]
    layer_mm: tuple[float, float] | None
    gap_mm: float
    contacts: tuple[Contact, ...] = ()

    @property
    def tabs(self) -> tuple[Tab, ...]:
        """Everything that is engraved."""
        return (self.label, *self.marks.values())


@dataclass(frozen=True, eq=False)
class Puncture:
    """A path with the sleeve that carries it, guide frame.

    Args:
        path: What the surgeon approved.
        sleeve: Its heights are measured from the skin.
        skin_to_entry_mm: Way through soft tissue.
    """

    path: Path
    sleeve: Sleeve
    skin_to_entry_mm: float

    @property
    def place_mm(self) -> Floats:
        """(2,): where the axis meets the skin."""
        return self.sleeve.entry_mm[:2]


def puncture(path: Path, frame: Pose, skin_mm: Floats, settings: TemplateSettings) -> Puncture:
    """Stand a sleeve on the skin, its axis the path's.

    Args:
        path: Needle or wire.
        frame: ``patient_from_guide``.
        skin_mm: (3,) where the axis meets the skin, patient LPS.
        settings: Sizes.

    Raises:
        GeometryError: The skin's point does not lie on the axis, before the entry.
    """
    away = np.asarray(skin_mm) - path.entry_mm
    along = float(away @ -path.direction)
    off = float(np.linalg.norm(away + along * path.direction))
    if off > _ON_AXIS_MM or along < 0:
        raise GeometryError(
            f"{path.name}: the point on the skin must lie on the path's axis behind the bone, "
            f"found it {off:.1f} mm beside and {along:.1f} mm behind; plan again"
        )
    bore = (path.pilot_diameter_mm or path.diameter_mm) + settings.bore_clearance_mm
    sleeve = Sleeve(
        name=path.name,
        side=path.side,
        entry_mm=path.entry_mm - along * path.direction,
        out=-path.direction,
        bore_mm=bore,
        outer_mm=bore + 2 * settings.bore_wall_mm,
        depth_mm=along + path.length_mm,
    )
    return Puncture(path, sleeve.moved(frame.inverse), along)


def skin_point(path: Path, skin: Back) -> Floats:
    """(3,): where a path's axis leaves the skin, patient LPS: the plan's, or looked for.

    Raises:
        GeometryError: It does not leave through skin.
    """
    if path.skin_mm is not None:
        return path.skin_mm
    guide_from_patient = skin.patient_from_guide.inverse
    point = guide_from_patient.points(path.entry_mm)[None]
    found, _ = skin.seen_from(point, guide_from_patient.vectors(path.direction))
    if np.isnan(found).any():
        raise GeometryError(
            f"{path.name}: the axis should leave through the skin of the back, found none there; "
            "use a scan with a wider field of view or leave this path out"
        )
    return skin.patient_from_guide.points(found[0])


def standing(
    punctures: Sequence[Puncture], ground: Ground, gap_mm: float, settings: TemplateSettings
) -> tuple[Puncture, ...]:
    """Find foot and top of every sleeve over the skin's shadow."""
    cut = ground.shadow - np.float32(gap_mm)
    most = settings.max_climb_mm + 2 * gap_mm
    found = []
    for p in punctures:
        sleeve = stand(p.sleeve, ground.lattice, cut, settings.sleeve_length_mm, most)
        found.append(replace(p, sleeve=sleeve))
    return tuple(found)


def keep_bores_apart(sleeves: Sequence[Sleeve], settings: TemplateSettings) -> None:
    """Raise GeometryError if a bore, or a needle on its way in, meets another sleeve's wall."""
    for n, one in enumerate(sleeves):
        for other in (*sleeves[:n], *sleeves[n + 1 :]):
            room = _room(one, other, settings.bore_wall_mm)
            if room < 0:
                raise GeometryError(
                    f"the sleeves of {one.name} and {other.name} need a wall of "
                    f"{settings.bore_wall_mm:.1f} mm between their bores and room for the "
                    f"needles, found {-room:.1f} mm too little; move an entry or leave one path out"
                )


def _room(one: Sleeve, other: Sleeve, wall_mm: float) -> float:
    """What is left between two sleeves' bores, and over the first one beside the other, mm."""
    inside = np.array([one.at(h) for h in np.linspace(-2.0, one.top_mm, 40)])
    above = one.top_mm + np.linspace(0.0, NEEDLE_ABOVE_MM, 60)
    way = np.array([one.at(h) for h in above])
    beside = np.array([other.at(h) for h in np.linspace(-2.0, other.top_mm, 60)])
    bores = (one.bore_mm + other.bore_mm) / 2 + wall_mm
    room = _apart(inside, beside) - bores
    higher = beside[(beside - way[0]) @ one.out > _LEVEL_MM]
    if len(higher):
        hub = (one.outer_mm - one.bore_mm) / 2 + FREE_MM
        room = min(room, _apart(way, higher) - bores - hub)
    return room


def _apart(one: Floats, other: Floats) -> float:
    """Smallest distance between two rows of points (N, 3)."""
    return float(np.linalg.norm(one[:, None] - other[None], axis=2).min())


def tab_on(
    centre_mm: Floats, half_mm: tuple[float, float], surface_mm: Floats, thick_mm: float
) -> Tab:
    """A flat plate for text that lies on a curved surface, at least 0.8 mm over it everywhere.

    Args:
        centre_mm: (2,) its middle.
        half_mm: Half sizes.
        surface_mm: (N, 3) points of the surface under it.
        thick_mm: Of the plate, over the deepest of these points.
    """
    local = surface_mm - np.append(centre_mm, 0.0)
    design = np.column_stack([local[:, :2], np.ones(len(local))])
    (slope_x, slope_y, height), *_ = np.linalg.lstsq(design, local[:, 2], rcond=None)
    normal = np.array([-slope_x, -slope_y, 1.0])
    normal = normal / np.linalg.norm(normal)
    over = (local - [0, 0, height]) @ normal
    up = np.array([0.0, 1.0, 0.0]) - normal[1] * normal
    up = up / np.linalg.norm(up)
    face = np.append(centre_mm, height) + (float(over.max()) + _LIFT_MM) * normal
    thick = float(np.ptp(over)) + _LIFT_MM + thick_mm
    return Tab(face, np.cross(up, normal), up, normal, half_mm, thick)


def mark_half(settings: TemplateSettings) -> tuple[float, float]:
    """Half sizes of the plate of a side mark."""
    half = settings.mark_height_mm / 2
    return 0.8 * half + _MARK_ROOM_MM, half + _MARK_ROOM_MM


def on_surface(design_mm: Floats, half_mm: tuple[float, float]) -> Floats:
    """(25, 2): places under a plate for text about ``design_mm`` (2,)."""
    x, y = (np.linspace(-h, h, 5) for h in half_mm)
    return np.asarray(
        design_mm + np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    )
