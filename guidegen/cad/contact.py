"""Where a guide rests on a vertebra, and how well these contacts hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from guidegen.cad.parts import Part, ball
from guidegen.model.arrays import Floats, Ints

_MIN_SHARE = (0.5, 0.35)
"""Share of a full round that must be reachable: first choice, and for a side that has fewer than
two such contacts (with 0.8 of the radius)."""
_APART_MM = 1.0
_BACK_OFF_MM = 0.9
"""The opening rounds a contact's rim by about this much: the ball is made larger by it."""


@dataclass(frozen=True, eq=False)
class Contact:
    """One round contact.

    Args:
        name: ``lamina_left``, ...
        point_mm: (3,) on the bone.
        normal: (3,) the bone's outward normal, averaged over the contact.
        radius_mm: Of the contact.
    """

    name: str
    point_mm: Floats
    normal: Floats
    radius_mm: float


@dataclass(frozen=True, eq=False)
class BonePoints:
    """Evenly spread points of a bone's surface, guide frame.

    Args:
        points_mm: (N, 3).
        normals: (N, 3) outward.
        reachable: (N,) a straight push brings the guide here, and no neighbour is near.
        area_mm2: Surface that one point stands for.
    """

    points_mm: Floats
    normals: Floats
    reachable: npt.NDArray[np.bool_]
    area_mm2: float


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a vertebra as the contacts are looked for, guide frame.

    Args:
        name: ``left`` or ``right``.
        lateral: (3,) away from the midline.
        head: (3,) to the head.
        middle_mm: (3,) a point of the midline plane.
        entry_mm: (3,) where the sleeve stands.
        foot_radius_mm: Of the sleeve.
    """

    name: str
    lateral: Floats
    head: Floats
    middle_mm: Floats
    entry_mm: Floats
    foot_radius_mm: float

    @property
    def scale(self) -> float:
        """Size of the vertebra's back against a lumbar one (entry 20 mm from the midline)."""
        lateral = float((self.entry_mm - self.middle_mm) @ self.lateral)
        return float(np.clip(lateral / 20.0, 0.65, 1.1))


TARGETS = {
    "lamina": (0.5, 0.0, -8.0, 0.0),
    "spinous": (0.0, 4.5, -12.0, 1.0),
    "lateral": (1.0, 8.0, -3.0, 0.0),
    "pars": (0.9, 0.0, -14.0, 0.0),
}
"""Where a contact is looked for: lateral = share x entry's + mm x scale; mm x scale towards the
head from the entry; wish for a sideways face (engineering choice, by the vertebra's shape: middle
of the lamina, side of the spinous process's base, root of the transverse process, lateral edge of
the lamina under the facet)."""


def spread_points(vertices_mm: Floats, faces: Ints, spacing_mm: float) -> tuple[Floats, Floats]:
    """Spread points evenly over a surface, always the same ones.

    Returns:
        Points (N, 3) and outward unit normals (N, 3); a point stands for spacing^2 of area.
    """
    a, b, c = (vertices_mm[faces[:, n]] for n in range(3))
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1) / 2
    total = np.cumsum(area)
    n = max(int(total[-1] / spacing_mm**2), 1)
    face = np.searchsorted(total, (np.arange(n) + 0.5) / n * total[-1])
    u = (0.5 + np.arange(n) * 0.7548776662466927) % 1
    v = (0.5 + np.arange(n) * 0.5698402909980532) % 1
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    points = a[face] + u[:, None] * (b - a)[face] + v[:, None] * (c - a)[face]
    return points, cross[face] / np.maximum(2 * area[face], 1e-12)[:, None]


def _quality(surface: BonePoints, at: Ints, radius_mm: float) -> tuple[Floats, Floats]:
    """Share of a full contact and mean normal round each candidate."""
    tree = cKDTree(surface.points_mm)
    share, normals = np.zeros(len(at)), np.zeros((len(at), 3))
    full = np.pi * radius_mm**2
    groups = tree.query_ball_point(surface.points_mm[at], radius_mm, return_sorted=True)
    for n, (own, group) in enumerate(zip(at, groups, strict=True)):
        near = np.asarray(group)
        use = surface.reachable[near] & (surface.normals[near] @ surface.normals[own] > 0.2)
        share[n] = min(use.sum() * surface.area_mm2 / full, 1.0)
        mean = surface.normals[near[use]].sum(axis=0)
        normals[n] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return share, normals


def _wish(surface: BonePoints, side: Side, at: Ints, target: str) -> Floats:
    """How well candidates lie at a target: 0 is there, -1 is about 7 mm off (lumbar)."""
    share, extra, up, sideways = TARGETS[target]
    points, k = surface.points_mm[at], side.scale
    entry = float((side.entry_mm - side.middle_mm) @ side.lateral)
    lateral = (points - side.middle_mm) @ side.lateral - (share * entry + extra * k)
    along = (points - side.entry_mm) @ side.head - up * k
    face = np.abs(surface.normals[at] @ side.lateral)
    return np.asarray(-(lateral**2 + along**2) / (7 * k) ** 2 + sideways * face)


def choose_contacts(
    surface: BonePoints, side: Side, radius_mm: float, taken: Sequence[Contact] = ()
) -> tuple[Contact, ...]:
    """Choose separate contacts on one side: lamina, spinous base, lateral edge, pars.

    Each target takes the reachable place with the most surface near it that is far enough from
    the sleeve's foot and from the contacts before; a target without a place is left out. A side
    that gets fewer than two is searched again with smaller, less complete contacts.

    Args:
        surface: The bone's points.
        side: Which side.
        radius_mm: Of a contact on a lumbar vertebra; smaller ones get smaller contacts.
        taken: Contacts of the other side.
    """
    radius = radius_mm * float(np.clip(side.scale, 0.75, 1.0))
    found = _search(surface, side, radius, _MIN_SHARE[0], taken)
    if len(found) >= 2:
        return found
    more = _search(surface, side, max(0.8 * radius, 2.5), _MIN_SHARE[1], taken)
    return more if len(more) > len(found) else found


def _search(
    surface: BonePoints, side: Side, radius: float, least: float, taken: Sequence[Contact]
) -> tuple[Contact, ...]:
    """One pass over the targets."""
    found: list[Contact] = []
    points = surface.points_mm
    away = np.linalg.norm(points - side.entry_mm, axis=1)
    usable = surface.reachable & (away < 28 * side.scale)
    usable &= (points - side.middle_mm) @ side.lateral > 1.0
    usable &= away > radius + side.foot_radius_mm + _APART_MM
    for target in TARGETS:
        for other in (*taken, *found):
            apart = radius + other.radius_mm + _APART_MM
            usable &= np.linalg.norm(points - other.point_mm, axis=1) > apart
        at = np.flatnonzero(usable)
        wish = _wish(surface, side, at, target)
        at, wish = at[wish > -1.5], wish[wish > -1.5]
        if len(at) == 0:
            continue
        share, normals = _quality(surface, at, radius)
        score = np.where(share >= least, 2 * share + wish, -np.inf)
        best = int(np.argmax(score))
        if np.isfinite(score[best]):
            name = f"{target}_{side.name}"
            found.append(Contact(name, points[at[best]], normals[best], radius))
    return tuple(found)


def pad(contact: Contact) -> Part:
    """The ball whose underside becomes the contact."""
    lift = 1.2
    radius = float(np.hypot(contact.radius_mm + _BACK_OFF_MM, lift))
    return ball(contact.point_mm + lift * contact.normal, radius)


def docking(points_mm: Floats, normals: Floats) -> float:
    """Measure how well frictionless contacts resist the weakest of the six ways of moving.

    A contact resists a motion in so far as it moves the point along the normal. The index is
    the smallest singular value of (normal, lever x normal / mean lever) over all points, scaled
    by sqrt(6): 0 if some motion meets no resistance (a plane, a sphere, a straight rail), 1 if
    all six are met alike.

    Args:
        points_mm: (N, 3) evenly spread over the contacts.
        normals: (N, 3) unit.

    References:
        After the wrench matrix of grasp analysis: Murray RM, Li Z, Sastry SS. A Mathematical
        Introduction to Robotic Manipulation. CRC Press 1994, chapter 5. Scaling: engineering
        choice.
    """
    if len(points_mm) < 6:
        return 0.0
    lever = points_mm - points_mm.mean(axis=0)
    length = float(np.sqrt((lever**2).sum(axis=1).mean()))
    wrench = np.hstack([normals, np.cross(lever, normals) / max(length, 1e-9)])
    smallest = np.linalg.svd(wrench / np.sqrt(len(points_mm)), compute_uv=False)[-1]
    return float(smallest * np.sqrt(6))
