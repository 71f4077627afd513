"""In which direction a knee guide is pushed on, and with which contacts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidegen.cad.contact import Contact
from guidegen.cad.frame import cone
from guidegen.cad.knee_block import DEEPER_MM, RIM_MM
from guidegen.cad.knee_contact import (
    Mask,
    Places,
    choose_places,
    contacts_of,
    find_places,
    strength,
)
from guidegen.cad.knee_footprint import Seat
from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.cad.knee_windows import Window
from guidegen.errors import GeometryError
from guidegen.geometry.knee import CutAxes
from guidegen.mesh.rays import RayTarget
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.plan import Path

_OFF_MM = 0.3
_LEAST_FACING = 0.22
_LEAST_CONTACTS = 6
_KERF_ROOM_MM = 1.2
_RIM_ROOM_MM = 1.3
_BAND_MM = 2.0
_SLEEVE_ROOM_MM = 0.6
_WINDOW_ROOM_MM = 0.8
_RADII = (1.0, 0.85, 0.7)
"""Shares of the contacts' radius, tried until all contacts find room: many small ones hold better
than few large ones (12 for 7 doubled the docking index of a tibia; engineering choice)."""
_PER_DEG = 0.002
"""A degree off the approach must be worth this much of the docking index."""
_PER_CONTACT = 0.01
"""A contact more is worth this much of it: points that wear or were cut badly weigh less."""


def parallel_pins(pins: Sequence[Path]) -> tuple[Path, Path]:
    """The two pins that are parallel to each other.

    Raises:
        GeometryError: There are fewer than three pins, or no two are parallel.
    """
    for n, one in enumerate(pins):
        for other in pins[n + 1 :]:
            if len(pins) >= 3 and one.direction @ other.direction > np.cos(np.radians(0.05)):
                return one, other
    raise GeometryError(
        "a knee guide needs at least three pins, two of them parallel, found "
        f"{', '.join(p.name for p in pins) or 'none'}; plan again"
    )


def approach_way(axes: CutAxes, settings: KneeGuideSettings) -> Floats:
    """(3,): about the way the guide is pushed on; with pins only exactly along them."""
    a = np.radians(settings.insertion_tilt_deg if settings.slot else 0.0)
    return np.asarray(np.cos(a) * axes.into + np.sin(a) * axes.stay)


def seat_guide(
    anatomy: tuple[Bone, Sequence[Bone]],
    seat: Seat,
    axes: CutAxes,
    taken: tuple[Sequence[Path], Sequence[Window]],
    settings: KneeGuideSettings,
) -> tuple[Floats, tuple[Contact, ...]]:
    """Search insertion and contacts together: the direction whose best contacts hold best.

    Args:
        anatomy: The bone and others that stay where they are.
        seat: Where contacts may be.
        axes: Of the cut.
        taken: Pins, whose sleeves stand on the bone, and windows.
        settings: Sizes.

    Returns:
        Insertion (3,) and contacts, patient LPS.

    Raises:
        GeometryError: Fewer than six contacts can be reached from any direction.
    """
    forbidden, target = _taken(seat, axes, taken, settings), _target(anatomy)
    approach = approach_way(axes, settings)
    ways = cone(approach, -axes.stay, settings.insertion_cone_deg if settings.slot else 0.0)
    seen = [reachable(seat, target, way) for way in ways]
    tried: list[tuple[float, int, Places]] = []
    n_most = 0
    for share in _RADII:
        places = find_places(seat, share * settings.contact_radius_mm, forbidden)
        score, at, n_found = _best_way(places, list(zip(ways, seen, strict=True)), settings)
        n_most = max(n_most, n_found)
        if n_found >= _LEAST_CONTACTS:
            tried.append((score, at, places))
        if n_found >= settings.n_contacts:
            break
    if not tried:
        raise GeometryError(
            f"{anatomy[0].name}: a guide needs at least {_LEAST_CONTACTS} separate contacts, found "
            f"{n_most} that a straight push reaches; lower contact_radius_mm or enlarge reach_mm"
        )
    _, at, places = max(tried, key=lambda item: item[0])
    chosen = choose_places(places, seen[at], settings.n_contacts)
    return ways[at], contacts_of(places, chosen)


def _best_way(
    places: Places, ways: Sequence[tuple[Floats, Mask]], settings: KneeGuideSettings
) -> tuple[float, int, int]:
    """Of insertions (3,), with what each reaches (N,), the one whose contacts hold best.

    Returns:
        Its score, its number and how many contacts it has; where every one has too few, of the
        one that has most.
    """
    approach, found = ways[0][0], []
    for n, (way, free) in enumerate(ways):
        chosen = choose_places(places, free, settings.n_contacts, 0)
        off = float(np.degrees(np.arccos(np.clip(way @ approach, -1, 1))))
        score = strength(places, chosen) - _PER_DEG * off + _PER_CONTACT * len(chosen)
        enough = min(len(chosen), _LEAST_CONTACTS)
        found.append((enough, round(score, 12), -n, len(chosen)))
    _, score, n, n_found = max(found)
    return score, -n, n_found


def reachable(seat: Seat, target: RayTarget, insertion: Floats) -> Mask:
    """(N,): points of the seat that lie free against the insertion and face it."""
    start = seat.points_mm + _OFF_MM * seat.normals
    free = np.isinf(target.first_hit(start, -insertion)[0])
    return np.asarray(free & (seat.normals @ insertion < -_LEAST_FACING))


def _target(anatomy: tuple[Bone, Sequence[Bone]]) -> RayTarget:
    """All bones in one, to cast rays on."""
    bones = [anatomy[0], *anatomy[1]]
    shifts = np.cumsum([0, *(len(b.vertices_mm) for b in bones[:-1])])
    faces = np.concatenate([b.faces + shift for b, shift in zip(bones, shifts, strict=True)])
    return RayTarget(np.concatenate([b.vertices_mm for b in bones]), faces)


def _taken(
    seat: Seat,
    axes: CutAxes,
    taken: tuple[Sequence[Path], Sequence[Window]],
    settings: KneeGuideSettings,
) -> Mask:
    """(N,): points that the kerf, a sleeve or a window takes away."""
    local = axes.local(seat.points_mm)
    height, kerf = local[:, 2], settings.slot_clearance_mm + _KERF_ROOM_MM
    out = np.zeros(len(height), dtype=bool)
    if settings.slot:
        deep = local[:, 1] - local[np.abs(height) < _BAND_MM, 1].min(initial=np.inf)
        behind = deep > DEEPER_MM - _RIM_ROOM_MM
        out = (height > -kerf) & (height < np.where(behind, RIM_MM + _RIM_ROOM_MM, kerf))
    for window in taken[1]:
        out |= window.away_mm(seat.points_mm) < window.diameter_mm / 2 + _WINDOW_ROOM_MM
    for pin in taken[0]:
        offset = seat.points_mm - pin.entry_mm
        beside = offset - (offset @ pin.direction)[:, None] * pin.direction
        near = np.linalg.norm(beside, axis=1) < settings.sleeve_outer_mm / 2 + _SLEEVE_ROOM_MM
        out |= near & (np.linalg.norm(offset, axis=1) < 2 * settings.sleeve_outer_mm)
    return np.asarray(out)
