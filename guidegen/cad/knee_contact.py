"""Which contacts hold a guide best: chosen one by one, then exchanged, by their docking index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from guidegen.cad.contact import Contact
from guidegen.cad.knee_footprint import POINT_MM, Seat
from guidegen.model.arrays import Floats, Ints

_APART_MM = 2.0
_PLACE_MM = 2.0
_FULL = 0.85
_FACING = 0.6
_ROOM_MM = 0.8
_LEVER_MM = 22.0
"""Levers are measured by this, so that contacts far apart count for more."""
_EXCHANGES = 3
_VOLUME = 1e-4
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Places:
    """Candidate contacts and what they would resist, patient LPS.

    Args:
        seat: The points they are made of.
        at: (C,) index of each one's middle.
        patches: (C, N) points that belong to each.
        moments: (C, 6, 6) summed outer products of (normal, place x normal).
        sums_mm: (C, 3) summed places.
        radius_mm: Of a contact.
    """

    seat: Seat
    at: Ints
    patches: csr_matrix
    moments: Floats
    sums_mm: Floats
    radius_mm: float

    @property
    def points_mm(self) -> Floats:
        """(C, 3): the middles."""
        return np.asarray(self.seat.points_mm[self.at])

    @property
    def counts(self) -> Floats:
        """(C,): points of each."""
        return np.asarray(self.patches.sum(axis=1), dtype=np.float64).ravel()


def find_places(seat: Seat, radius_mm: float, forbidden: Mask) -> Places:
    """Find candidates about 2 mm apart whose whole round may touch.

    Args:
        seat: The bone's points.
        radius_mm: Of a contact.
        forbidden: (N,) points that no contact may hold: the kerf, sleeves.
    """
    points, use = seat.points_mm, seat.allowed & ~forbidden
    cell = np.floor(points / _PLACE_MM).astype(np.int64)
    _, first = np.unique(cell[use], axis=0, return_index=True)
    at = np.flatnonzero(use)[np.sort(first)]
    groups = cKDTree(points).query_ball_point(points[at], radius_mm + _ROOM_MM, return_sorted=True)
    full = _FULL * np.pi * radius_mm**2 / POINT_MM**2
    rows, kept = [], []
    for own, group in zip(at, groups, strict=True):
        near = np.asarray(group)
        near = near[seat.normals[near] @ seat.normals[own] > 0]
        if not use[near].all() or (seat.normals[near] @ seat.normals[own]).min() < _FACING:
            continue
        inner = near[np.linalg.norm(points[near] - points[own], axis=1) <= radius_mm]
        if len(inner) >= full:
            rows.append(inner)
            kept.append(own)
    where = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    column = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    shape = (len(rows), len(points))
    patches = csr_matrix((np.ones(len(column)), (where, column)), shape=shape)
    wrench = np.hstack([seat.normals, np.cross(points - points.mean(axis=0), seat.normals)])
    outer = (wrench[:, :, None] * wrench[:, None, :]).reshape(-1, 36)
    moments = np.asarray(patches @ outer).reshape(-1, 6, 6)
    sums = np.asarray(patches @ (points - points.mean(axis=0)))
    return Places(seat, np.array(kept, dtype=np.int64), patches, moments, sums, radius_mm)


def choose_places(
    places: Places, reachable: Mask, wanted: int, exchanges: int = _EXCHANGES
) -> Ints:
    """Choose contacts so that the weakest of the six ways of moving is resisted best.

    The first six are the ones that span the six ways best together; each further one raises the
    weakest way most; then each is exchanged for a better one while there is one.

    Args:
        places: Candidates.
        reachable: (N,) points of the seat that a straight push reaches.
        wanted: Contacts.
        exchanges: Rounds of exchanging at most.

    Returns:
        Their places' numbers, at most ``wanted``; fewer where there is no room.
    """
    seen = np.asarray(places.patches @ reachable.astype(np.float64)).ravel()
    free = seen >= places.counts - 0.5
    chosen: list[int] = []
    while len(chosen) < wanted:
        found = _best(places, chosen, free, len(chosen) < 6)
        if found is None:
            break
        chosen.append(found)
    for _ in range(exchanges):
        before = list(chosen)
        for n in range(len(chosen)):
            rest = chosen[:n] + chosen[n + 1 :]
            found = _best(places, rest, free, False)
            if found is not None:
                chosen = [*rest[:n], found, *rest[n:]]
        if chosen == before:
            break
    return np.array(chosen, dtype=np.int64)


def strength(places: Places, chosen: Ints) -> float:
    """How well chosen contacts resist the weakest way, with a fixed lever: 0 to about 1."""
    if len(chosen) == 0:
        return 0.0
    total = places.moments[chosen].sum(axis=0)[None]
    middle, count = places.sums_mm[chosen].sum(axis=0)[None], places.counts[chosen].sum()[None]
    return float(np.sqrt(6 * max(_weakest(total, middle, count)[0], 0.0)))


def _best(places: Places, chosen: list[int], free: Mask, spanning: bool) -> int | None:
    """The candidate that helps the chosen ones most, apart from them; None if there is none."""
    apart = 2 * places.radius_mm + _APART_MM
    usable = free.copy()
    for other in chosen:
        usable &= np.linalg.norm(places.points_mm - places.points_mm[other], axis=1) > apart
    at = np.flatnonzero(usable)
    if len(at) == 0:
        return None
    total = places.moments[at] + places.moments[chosen].sum(axis=0)
    middle = places.sums_mm[at] + places.sums_mm[chosen].sum(axis=0)
    count = places.counts[at] + places.counts[chosen].sum()
    score = _spanned(total, middle, count) if spanning else _weakest(total, middle, count)
    return int(at[int(np.argmax(score))])


def _about_middle(total: Floats, sums: Floats, count: Floats) -> Floats:
    """(C, 6, 6): mean wrenches about the contacts' own middle, levers by a fixed length."""
    centre = sums / count[:, None]
    turn = np.zeros((len(centre), 6, 6))
    turn[:, :3, :3] = np.eye(3)
    turn[:, 3:, 3:] = np.eye(3) / _LEVER_MM
    x, y, z = (centre / _LEVER_MM).T
    turn[:, 3, 1], turn[:, 3, 2] = z, -y
    turn[:, 4, 0], turn[:, 4, 2] = -z, x
    turn[:, 5, 0], turn[:, 5, 1] = y, -x
    return np.asarray(turn @ total @ turn.transpose(0, 2, 1) / count[:, None, None])


def _weakest(total: Floats, sums: Floats, count: Floats) -> Floats:
    return np.asarray(np.linalg.eigvalsh(_about_middle(total, sums, count))[:, 0])


def _spanned(total: Floats, sums: Floats, count: Floats) -> Floats:
    values = np.linalg.eigvalsh(_about_middle(total, sums, count))
    return np.asarray(np.log(np.maximum(values, 0) + _VOLUME).sum(axis=1))


def contacts_of(places: Places, chosen: Ints) -> tuple[Contact, ...]:
    """The chosen contacts, numbered, patient LPS."""
    found = []
    for n, k in enumerate(chosen, start=1):
        members = places.patches[k].indices
        normal = places.seat.normals[members].sum(axis=0)
        normal = normal / np.linalg.norm(normal)
        found.append(Contact(f"contact_{n}", places.points_mm[k], normal, places.radius_mm))
    return tuple(found)
