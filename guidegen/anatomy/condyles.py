"""The distal femur: condyles, epicondyles and the notch, in a frame that they decide themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from guidegen.anatomy.knee_axes import Axes
from guidegen.anatomy.long_bone import Faces, square_to
from guidegen.errors import AnatomyError
from guidegen.mesh.rays import RayTarget
from guidegen.model.arrays import Floats, unit

DISTAL_MM = 45.0
"""The distal femur, from its lowest point: condyles and epicondyles lie in it."""
_STEP_MM = 0.5
_BELOW_MM = 5.0
_AWAY = 1e3
_FLAT_MM = 0.3
"""The floor's middle is that of all that is this near to its highest place."""
_VALLEY_MM = 1.0
"""A groove is at least this deep between its two sides."""
_NOTCH_DEG = 40.0
_NOTCH_RUN_MM = 4.0
"""The groove's floor has become the roof of the notch in the middle of the first piece so long that
climbs steeper (engineering choice: on three femora the point lies 0.5 to 1.6 mm from the mean of 20
picks, which spread by 3 to 4.5 mm; half as long a piece is as short as a coarse slice is thick)."""
_ODD_MM = 2.5
"""Less of the floor than half of this, far off the rest, is another hollow of a coarse surface
(engineering choice: in voxels of 1.5 x 1.5 x 2.0 mm one row of it lay on a condyle)."""
_EPICONDYLE_MM2, _CONDYLE_MM2 = 150.0, 100.0
"""What stands out is the middle of so much of the surface, which weighs the more the farther out it
lies: a single farthest point is noise (engineering choice: six scans of one leg in voxels of 1 mm
differ by 0.15 deg in the condylar twist so, by 0.4 with 100 mm2 and no look from outside the
posterior condyles)."""
_DEEP_MM = 1.5
"""... and no deeper than this under the farthest point, where a bone is sharper than real ones: a
condyle's side lies little deeper than its epicondyle."""
_APART_MM = 3.0
"""Hills so far from each other are two: beside a small epicondyle the condyle's side may reach as
far out (engineering choice: more than a coarse surface's triangles measure)."""
_LOOK_DEG = 5.0
"""Epicondyles stand out farthest seen along a line turned out so far against the posterior condyles
(about the mean condylar twist: Akagi et al., Clin Orthop Relat Res 388, 2001, name 5 deg). Not seen
along the line that joins them: bone is so round there that each degree of the line's turn turns
what it joins by 0.3 to 0.7 deg on three femora. Followed until both agree, it made noise two to
three times as large, and slid on to a condyle's side where this lies almost as far out. The price:
where the posterior condyles are worn on one side, the same share of their turn goes into the
epicondyles' line."""
_ASIDE_SHARE = 0.1
"""Condyles begin this share of the width beside the notch."""
_ROUNDS = 40
_SETTLED_DEG = 0.02


@dataclass(frozen=True, eq=False)
class Condyles:
    """Points of the distal femur, patient mm.

    Args:
        axes: Medial and back from the posterior condyles, up as it was given.
        notch: Where the notch's roof meets the trochlear groove.
        posterior: Most posterior points, medial and lateral.
        distal: Most distal points, medial and lateral.
        epicondyles: Medial and lateral, the ends of the clinical epicondylar axis.
    """

    axes: Axes
    notch: Floats
    posterior: tuple[Floats, Floats]
    distal: tuple[Floats, Floats]
    epicondyles: tuple[Floats, Floats]


def find_condyles(faces: Faces, axes: Axes, above: Floats | None) -> Condyles:
    """Find the distal femur's points in the frame that the posterior condyles decide.

    Turns about the long axis until the posterior condyles lie level, with the long axis through
    the notch, so that the points do not depend on the rough axes they start from.

    Args:
        faces: The femur, distal end in view.
        axes: Rough, within about 25 degrees.
        above: (3,) what the long axis runs through from the notch, the femoral head; None where
            it is not in view and ``axes.up`` is kept.

    Raises:
        AnatomyError: No two condyles with a notch between them.
    """
    for _ in range(_ROUNDS):
        notch = _notch(faces, axes)
        up = axes.up if above is None else unit(above - notch, "mechanical axis")
        near = _Near.distal(faces, up)
        sides = near.sides(axes, notch)
        hind = [side.farthest(axes.back, _CONDYLE_MM2) for side in sides]
        across = square_to(hind[0] - hind[1], up, "posterior condyles")
        back = np.cross(up, across)
        back = back if back @ axes.back > 0 else -back
        turned = Axes(across, back, up)
        settled = np.degrees(np.arccos(np.clip((turned.matrix * axes.matrix).sum(0), -1, 1)))
        axes = turned
        if settled.max() < _SETTLED_DEG:
            break
    low = [side.farthest(-axes.up, _CONDYLE_MM2) for side in sides]
    return Condyles(axes, notch, (hind[0], hind[1]), (low[0], low[1]), _epicondyles(near, axes))


@dataclass(frozen=True, eq=False)
class _Near:
    """A part of the surface: (N, 3) centres of its faces and (N,) their areas."""

    centres: Floats
    areas: Floats

    @classmethod
    def distal(cls, faces: Faces, up: Floats) -> _Near:
        """The distal femur."""
        low = faces.centres @ up < float((faces.vertices @ up).min()) + DISTAL_MM
        return cls(faces.centres[low], faces.areas[low])

    def sides(self, axes: Axes, notch: Floats) -> tuple[_Near, _Near]:
        """The medial and the lateral condyle."""
        across = (self.centres - notch) @ axes.medial
        gap = _ASIDE_SHARE * float(np.ptp(across))
        found = (across > gap), (across < -gap)
        if min(self.areas[own].sum() for own in found) < _CONDYLE_MM2:
            raise AnatomyError("two femoral condyles were wanted, one is out of view")
        medial, lateral = (_Near(self.centres[own], self.areas[own]) for own in found)
        return medial, lateral

    def farthest(self, way: Floats, area_mm2: float, one_hill: bool = False) -> Floats:
        """(3,): the farthest place along a way, from the outermost part of so much area.

        On anything round the mean of that part lies half as deep under the top as its rim, which
        tells the top without trusting a single point. Of several hills only one counts if asked:
        a rough condyle is many.
        """
        reach = self.centres @ way
        outward = np.argsort(-reach)
        n = int(np.searchsorted(np.cumsum(self.areas[outward]), area_mm2)) + 1
        own = outward[:n][reach[outward[:n]] >= reach.max() - _DEEP_MM]
        rim = float(reach[own[-1]])
        if one_hill:
            own = own[_heaviest_hill(self.centres[own], self.areas[own] * (reach[own] - rim))]
        areas = self.areas[own]
        weights = areas * (reach[own] - rim)
        if not weights.sum() > 0:
            raise AnatomyError("two femoral condyles were wanted, the bone ends in a plane there")
        middle = (self.centres[own] * weights[:, None]).sum(axis=0) / weights.sum()
        top = 2.0 * float((reach[own] * areas).sum() / areas.sum()) - rim
        return np.asarray(middle + (top - middle @ way) * way)


def _heaviest_hill(centres: Floats, weights: Floats) -> np.ndarray:
    """(N,) bool: of places (N, 3), those that hang together and weigh most."""
    pairs = cKDTree(centres).query_pairs(_APART_MM, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (len(centres),) * 2)
    _, hill = connected_components(links, directed=False)
    return np.asarray(hill == np.bincount(hill, weights).argmax())


def _epicondyles(near: _Near, axes: Axes) -> tuple[Floats, Floats]:
    """The two places that stand out farthest along the usual line across, medial first."""
    turn = np.radians(_LOOK_DEG)
    way = np.cos(turn) * axes.medial - np.sin(turn) * axes.back
    medial, lateral = (near.farthest(s * way, _EPICONDYLE_MM2, True) for s in (1.0, -1.0))
    return medial, lateral


def _notch(faces: Faces, axes: Axes) -> Floats:
    """(3,): where the floor of the trochlear groove turns up into the notch.

    Looked at from below, the groove is the highest line between the condyles; from its most distal
    point it is followed backwards to where it climbs steeply.
    """
    floor = _groove(faces, axes)
    floor[:, 2] = ndimage.median_filter(floor[:, 2], round(_ODD_MM / _STEP_MM), mode="nearest")
    lowest = int(floor[:, 2].argmin())
    run = round(_NOTCH_RUN_MM / _STEP_MM)
    steep = np.tan(np.radians(_NOTCH_DEG)) * _NOTCH_RUN_MM
    at = lowest
    while at + run < len(floor) and floor[at + run, 2] - floor[at, 2] < steep:
        at += 1
    middle = min(at + run // 2, len(floor) - 1)
    across = np.median(floor[at : at + run + 1, 0])
    return np.asarray(axes.matrix @ np.array([across, *floor[middle, 1:]]))


def _groove(faces: Faces, axes: Axes) -> Floats:
    """(N, 3): the groove's floor from front to back, ``_STEP_MM`` apart: medial, back, up."""
    local = faces.vertices @ axes.matrix
    low = local[local[:, 2] < local[:, 2].min() + DISTAL_MM]
    corner, size = low.min(axis=0), np.ptp(low, axis=0)
    across = np.arange(corner[0] + 0.08 * size[0], corner[0] + 0.92 * size[0], _STEP_MM)
    along = np.arange(corner[1], corner[1] + size[1], _STEP_MM)
    x, y = np.meshgrid(across, along, indexing="ij")
    start = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, corner[2] - _BELOW_MM)])
    far, _ = RayTarget(local, faces.triangles).first_hit(start, np.array([0.0, 0.0, 1.0]))
    height = np.where(np.isfinite(far), corner[2] - _BELOW_MM + far, _AWAY).reshape(x.shape)
    one = np.minimum.accumulate(height, axis=0)
    other = np.minimum.accumulate(height[::-1], axis=0)[::-1]
    depth = height - np.maximum(one, other)
    deepest = depth.argmax(axis=0)
    rows = np.arange(len(along))
    flat = depth > depth[deepest, rows] - _FLAT_MM
    middle = (flat * across[:, None]).sum(axis=0) / flat.sum(axis=0)
    floor = np.column_stack([middle, along, height[deepest, rows]])
    bounded = (depth[deepest, rows] > _VALLEY_MM) & (floor[:, 2] < _AWAY)
    if bounded.sum() * _STEP_MM < _NOTCH_RUN_MM:
        raise AnatomyError("two femoral condyles with a groove between them were wanted, none seen")
    valley = depth[deepest, rows] > _VALLEY_MM
    pieces, _ = ndimage.label(valley)
    lowest = int(np.where(bounded, floor[:, 2], np.inf).argmin())
    return np.asarray(floor[pieces == pieces[lowest]])
