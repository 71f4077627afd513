"""Where the pins of a cutting guide go: two parallel to the cut and one oblique, all in bone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from guidegen.errors import PlanError
from guidegen.geometry.knee import CutAxes, beside_tendon, bone_kind, medial_way
from guidegen.mesh.rays import RayTarget
from guidegen.mesh.sampling import face_areas_normals
from guidegen.mesh.sdf import signed_distance
from guidegen.model.arrays import Floats, unit
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Cut, Path

_WIDE_MM = 34
_DEEP_MM = 38
_STEP_MM = 2
_FAR_MM = 250.0
_START_MM = 8.0
_ALONG_MM = 2.0
_FOOT_MM, _SLEEVE_FREE_MM, _FREE_MM = 10.0, 28.0, 0.5
"""Bone may stand beside a sleeve's foot, but not farther out: the pin would run free too long."""
Mask = npt.NDArray[np.bool_]
_ENOUGH_MM = 7.0
_SAME_MM = 1e-6
_FACING = 0.45
SLEEVE_MM = 45.0
_WALL_MM = 1.0
_SIGHT_MM = 9.0
"""Between the third sleeve and the others: a window to see the seat goes there."""
_LEAST_SPACING_MM = 14
_LATER_MM = 16
_NARROW_PENALTY = 0.15
_AWAY_PENALTY = 0.1


class HasPins(Protocol):
    """Settings of a guide that is held by pins."""

    @property
    def slot(self) -> bool:
        """A saw slot; otherwise a standard block goes on the pins, exactly placed."""

    @property
    def pin_diameter_mm(self) -> float:
        """Of a pin."""

    @property
    def pin_depth_mm(self) -> float:
        """Entry to tip."""

    @property
    def pin_offset_mm(self) -> float:
        """Parallel pins from the cut."""

    @property
    def pin_spacing_mm(self) -> float:
        """Between the parallel pins."""

    @property
    def pin_oblique_deg(self) -> float:
        """Of the third pin to the parallel ones."""

    @property
    def pin_clear_mm(self) -> float:
        """Side of a pin from the cut."""

    @property
    def pin_bone_mm(self) -> float:
        """Bone round a pin."""

    @property
    def tibia_turn_deg(self) -> float:
        """Way in at the tibia from straight in front."""

    @property
    def tendon_mm(self) -> float:
        """Kept free medially of the tubercle's medial third."""

    @property
    def sleeve_outer_mm(self) -> float:
        """Outer diameter of a pin's sleeve."""


_Where = tuple[Bone, Landmarks, CutAxes]


@dataclass(frozen=True, eq=False)
class _Pins:
    """Possible pins.

    Args:
        entry_mm: (N, 3).
        way: (N, 3) going in.
        local_mm: (N, 2) across and stay of the entries.
        bone_mm: (N,) bone round them; negative where they leave it.
        depth_mm: Entry to tip.
    """

    entry_mm: Floats
    way: Floats
    local_mm: Floats
    bone_mm: Floats
    depth_mm: float


@dataclass(frozen=True)
class _Third:
    """How the third pin may stand, as shares of what the settings want.

    Args:
        angle: Of its angle to the parallel ones.
        depth: Of its depth.
        sight: Of the room for a window beside its sleeve.
    """

    angle: float = 1.0
    depth: float = 1.0
    sight: float = 1.0


_LADDER = (
    _Third(),
    _Third(sight=0.5),
    _Third(angle=0.7),
    _Third(angle=0.7, sight=0.5),
    _Third(depth=0.8, sight=0.5),
    _Third(angle=0.7, depth=0.7, sight=0.3),
    _Third(angle=0.5, depth=0.7, sight=0.1),
)
"""Tried in this order on narrow bones, with every pair of parallel pins (engineering choice: less
of all of it still holds; the angle stays well over what turns off a pair of parallel pins)."""
_PAIRS = 4
_NEARLY = 0.3
"""Scores that differ by less are as good (mm of bone): the same bone scanned otherwise gets the
same pins."""


def way_in(marks: Landmarks, tibia_turn_deg: float) -> Floats:
    """(3,): the way in which saw and parallel pins go: backwards, at the tibia from medial."""
    back = marks.patient_from_bone.axes[:, 1]
    if bone_kind(marks) == "femur":
        return np.asarray(back)
    a = np.radians(tibia_turn_deg)
    return unit(np.cos(a) * back - np.sin(a) * medial_way(marks), "way in")


def plan_pins(bone: Bone, marks: Landmarks, cut: Cut, settings: HasPins) -> tuple[Path, ...]:
    """Place two pins parallel to the cut and to each other, and one oblique, from the front.

    Every pin lies in bone from 8 mm under its entry to its tip, clear of the cut, of the others
    and, at the tibia, of the patellar tendon; room for their sleeves is kept. On narrow bone the
    oblique pin is shorter or less oblique. With a slot the pair
    is searched from ``pin_offset_mm`` away from the cut and ``pin_spacing_mm`` apart; without,
    both are exact, because a standard block has to go on.

    Args:
        bone: The bone.
        marks: Its landmarks.
        cut: The planned cut.
        settings: Sizes.

    Returns:
        Three paths of kind ``pin``, patient LPS; the first two are parallel to each other and to
        the cut. ``extra["role"]`` is ``parallel`` or ``oblique``.

    Raises:
        PlanError: There is no place.
    """
    axes = CutAxes.of(marks, cut, way_in(marks, settings.tibia_turn_deg))
    straight = _possible((bone, marks, axes), axes.into, settings.pin_depth_mm, settings)
    pairs = _pairs(straight, bone.name, settings)
    pair, third = _with_third((bone, marks, axes), straight, pairs, settings)
    chosen = [(straight, pair[0], "parallel"), (straight, pair[1], "parallel"), (*third, "oblique")]
    return tuple(
        Path(
            name=f"{bone.name}_pin_{n}",
            bone=bone.name,
            kind="pin",
            side="",
            entry_mm=pins.entry_mm[at],
            tip_mm=pins.entry_mm[at] + pins.depth_mm * pins.way[at],
            diameter_mm=settings.pin_diameter_mm,
            route="",
            pilot_diameter_mm=settings.pin_diameter_mm,
            clearance_mm=float(pins.bone_mm[at]),
            extra={"role": role},
        )
        for n, (pins, at, role) in enumerate(chosen, start=1)
    )


def _possible(where: _Where, way: Floats, depth_mm: float, settings: HasPins) -> _Pins:
    """All pins of one direction whose entries lie under a grid seen along the way in."""
    bone, marks, axes = where
    offsets = settings.pin_offset_mm + np.arange(0.0, _DEEP_MM, _STEP_MM)
    aside = _aside(settings)
    grid = np.stack(np.meshgrid(aside, offsets, indexing="ij"), axis=-1).reshape(-1, 2)
    start = axes.place(np.column_stack([grid[:, 0], np.full(len(grid), -_FAR_MM), grid[:, 1]]))
    far, face = RayTarget(bone.vertices_mm, bone.faces).first_hit(start, axes.into)
    _, normals = face_areas_normals(bone.vertices_mm, bone.faces)
    use = (face >= 0) & (normals[face] @ way < -_FACING)
    entry = start + np.where(use, far, 0.0)[:, None] * axes.into
    free = beside_tendon(marks, settings.tendon_mm)
    if free is not None:
        use &= free.room_mm(entry) > settings.sleeve_outer_mm / 2 + _WALL_MM
        high = entry - SLEEVE_MM / 2 * way
        use &= free.room_mm(high) > settings.sleeve_outer_mm / 2
    entry, grid = entry[use], grid[use]
    ends = axes.local(entry + depth_mm * way)[:, 2]
    clear = np.minimum(grid[:, 1], ends) - settings.pin_diameter_mm / 2 - settings.pin_clear_mm
    room = _bone_mm(bone, entry, way, depth_mm) - settings.pin_diameter_mm / 2
    fit = (clear >= 0) & (room >= settings.pin_bone_mm)
    fit[fit] = _stands_free(bone, entry[fit], way, settings.sleeve_outer_mm / 2)
    ways = np.broadcast_to(way, entry.shape)
    return _Pins(entry[fit], ways[fit], grid[fit], room[fit], depth_mm)


def _aside(settings: HasPins) -> Floats:
    """(N,): places across, every millimetre, and each one's partner where a block goes on.

    A block's spacing need not be a whole number.
    """
    whole = np.arange(-_WIDE_MM, _WIDE_MM + 1.0)
    over = settings.pin_spacing_mm % 1.0
    if settings.slot or over < _SAME_MM or over > 1.0 - _SAME_MM:
        return whole
    return np.sort(np.concatenate([whole, whole + over]))


def _stands_free(bone: Bone, entry: Floats, way: Floats, radius_mm: float) -> Mask:
    """(N,): whether a sleeve finds room: no bone beside it from some mm over the entry on."""
    if not len(entry):
        return np.zeros(0, dtype=bool)
    return sleeve_is_free(_distances(bone, sleeve_points(entry, way)), radius_mm)


def sleeve_points(entry: Floats, way: Floats) -> Floats:
    """(N, M, 3): points of axes where their sleeves stand."""
    out = np.arange(_FOOT_MM, _SLEEVE_FREE_MM + 0.1, _ALONG_MM)
    return np.asarray(entry[:, None] - out[:, None] * way)


def sleeve_is_free(distance_mm: Floats, radius_mm: float) -> Mask:
    """(N,): whether sleeves find room, by the distances (N, M) of their points to the bone."""
    return np.asarray(distance_mm.min(axis=1) > radius_mm + _FREE_MM)


def bone_points(entry: Floats, way: Floats, deep_mm: float) -> Floats:
    """(N, K, 3): points of axes from some mm under the entry to the tip."""
    depth = np.append(np.arange(_START_MM, deep_mm, _ALONG_MM), deep_mm)
    return np.asarray(entry[:, None] + depth[:, None] * way)


def _bone_mm(bone: Bone, entry: Floats, way: Floats, deep_mm: float) -> Floats:
    """(N,): bone round axes from some mm under the entry to the tip."""
    return np.asarray(-_distances(bone, bone_points(entry, way, deep_mm)).max(axis=1))


def _distances(bone: Bone, points: Floats) -> Floats:
    """(N, K): distances of points (N, K, 3) to a bone, negative inside."""
    found = signed_distance(points.reshape(-1, 3), bone.vertices_mm, bone.faces)
    return found.reshape(points.shape[:2])


def _pairs(pins: _Pins, name: str, settings: HasPins) -> list[tuple[int, int]]:
    """Two of the parallel pins at one height: the best pair of each distance, the best first."""
    places = {_key(u, n): k for k, (u, n) in enumerate(pins.local_mm.tolist())}
    exact = not settings.slot
    found: dict[float, list[tuple[float, float, tuple[int, int]]]] = {}
    for (u, n), k in places.items():
        if n > settings.pin_offset_mm + (_SAME_MM if exact else _LATER_MM):
            continue
        for spacing in _spacings(settings.pin_spacing_mm, exact):
            other = places.get(_key(u + spacing, n))
            if other is None:
                continue
            room = float(min(pins.bone_mm[k], pins.bone_mm[other], _ENOUGH_MM))
            aside = abs(u + spacing / 2)
            score = room - _NARROW_PENALTY * (settings.pin_spacing_mm - spacing)
            score -= _AWAY_PENALTY * (n + aside)
            found.setdefault(spacing, []).append((score, n + aside, (k, other)))
    best = [_most_central(of_one_distance) for of_one_distance in found.values()]
    if not best:
        how = "exactly" if exact else "at most"
        raise PlanError(
            f"{name}: two parallel pins {how} {settings.pin_spacing_mm:g} mm apart, "
            f"{settings.pin_depth_mm:g} mm deep in bone, were wanted "
            f"{settings.pin_offset_mm:g} mm from the cut, found no place; shorten pin_depth_mm or "
            "change pin_offset_mm or pin_spacing_mm, at a tibia also tibia_turn_deg or tendon_mm"
        )
    return [pair for _, _, pair in sorted(best, key=lambda item: -item[0])][:_PAIRS]


def _key(aside_mm: float, height_mm: float) -> tuple[float, float]:
    """A place on the grid, without what rounding adds."""
    return round(aside_mm, 6), round(height_mm, 6)


def _most_central(
    found: Sequence[tuple[float, float, tuple[int, int]]],
) -> tuple[float, float, tuple[int, int]]:
    """Of those nearly as good as the best the one nearest to middle and cut."""
    high = max(score for score, _, _ in found)
    near = [item for item in found if item[0] >= high - _NEARLY]
    return min(near, key=lambda item: item[1])


def _spacings(largest_mm: float, exact: bool) -> Iterator[float]:
    """Distances of two pins that are tried; with a slot whole millimetres, at most the largest."""
    if exact:
        yield largest_mm
    else:
        yield from np.arange(np.floor(largest_mm), _LEAST_SPACING_MM - 0.5, -2.0)


def _with_third(
    where: _Where, straight: _Pins, pairs: Sequence[tuple[int, int]], settings: HasPins
) -> tuple[tuple[int, int], tuple[_Pins, int]]:
    """The first pair with which a third pin finds a place, as good a one as there is."""
    for third in _LADDER:
        possible = list(_leaning(where, third, settings))
        for pair in pairs:
            found = _oblique(possible, (straight, pair), third.sight * _SIGHT_MM, settings)
            if found is not None:
                return pair, found
    raise PlanError(
        f"{where[0].name}: a third pin at {settings.pin_oblique_deg:g} deg to the parallel ones, "
        f"{settings.pin_depth_mm:g} mm deep in bone, was wanted, found no place beside the "
        "others, nor a shorter or less oblique one; shorten pin_depth_mm or change pin_oblique_deg"
    )


def _leaning(where: _Where, third: _Third, settings: HasPins) -> Iterator[_Pins]:
    """Pins whose outer end leans away from the cut, or to a side."""
    axes, a = where[2], np.radians(third.angle * settings.pin_oblique_deg)
    for lean in (axes.stay, axes.across, -axes.across):
        way = np.cos(a) * axes.into - np.sin(a) * lean
        yield _possible(where, way, third.depth * settings.pin_depth_mm, settings)


def _oblique(
    possible: Sequence[_Pins],
    parallel: tuple[_Pins, tuple[int, int]],
    sight_mm: float,
    settings: HasPins,
) -> tuple[_Pins, int] | None:
    """The best of the oblique pins that stay apart from a pair."""
    taken = [(parallel[0].entry_mm[k], parallel[0].way[k]) for k in parallel[1]]
    found: list[tuple[float, float, tuple[int, int]]] = []
    for n, pins in enumerate(possible):
        for k in range(len(pins.entry_mm)):
            away = float(pins.local_mm[k, 1] + abs(pins.local_mm[k, 0]))
            score = float(min(pins.bone_mm[k], _ENOUGH_MM)) - _AWAY_PENALTY * away
            found.append((score, away, (n, k)))
    found.sort(key=lambda item: -item[0])
    fit: list[tuple[float, float, tuple[int, int]]] = []
    for item in found:
        if fit and item[0] < fit[0][0] - _NEARLY:
            break
        n, k = item[2]
        if apart(possible[n].entry_mm[k], possible[n].way[k], taken, sight_mm, settings):
            fit.append(item)
    if not fit:
        return None
    n, k = _most_central(fit)[2]
    return possible[n], k


def apart(
    entry: Floats,
    way: Floats,
    others: Sequence[tuple[Floats, Floats]],
    sight_mm: float,
    settings: HasPins,
) -> bool:
    """Tell whether sleeves outside and pins inside stay apart."""
    steps = np.arange(-SLEEVE_MM, settings.pin_depth_mm + 1, 3.0)
    least = np.where(
        steps < 0, settings.sleeve_outer_mm + sight_mm, settings.pin_diameter_mm + _WALL_MM
    )
    own = entry + steps[:, None] * way
    for start, direction in others:
        offset = own - start
        along = np.clip(offset @ direction, -SLEEVE_MM, settings.pin_depth_mm)
        distance = np.linalg.norm(offset - along[:, None] * direction, axis=1)
        if (distance < least).any():
            return False
    return True
