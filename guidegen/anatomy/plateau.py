"""The proximal tibia: plateaus, eminences, the posterior cruciate's place and the tubercle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from guidegen.anatomy.knee_axes import Axes
from guidegen.anatomy.long_bone import Faces, square_to
from guidegen.errors import AnatomyError
from guidegen.mesh.rays import RayTarget
from guidegen.model.arrays import Floats, unit

_STEP_MM = 0.7
_ABOVE_MM = 5.0
_SLAB_MM = (6.0, 14.0)
"""Under the highest point: there the outline is that of the plateaus (engineering choice)."""
_MIDDLE_SHARE = 0.22
"""Eminences lie within this share of the width beside the middle (engineering choice)."""
_RIM_SHARE = 0.18
"""Plateaus begin this share of the width beside the middle (engineering choice)."""
_HALF_COLUMN_MM = 3.0
_FACING = 0.9
_PLATEAU_MM = 12.0
"""Plateaus lie at most this far under the eminences (engineering choice)."""
_TUBERCLE_MM = (15.0, 55.0)
"""The tubercle lies this far under the plateaus (engineering choice)."""
_TUBERCLE_DEEP_MM = 2.5
"""Its width is measured this far behind its most anterior point (engineering choice)."""
_BESIDE_MM = 1.0
"""Bone this near to where the medial third ends tells how far to the front it lies."""
_LEDGE_MM = (4.0, 9.0)
"""The posterior rim is looked at this far under the plateaus (engineering choice)."""
_NOTCH_SHARE = 0.3
"""The rim's notch is looked for within this share of the width beside the eminences' middle."""
_NOTCH_MM = 0.5
"""A shallower notch is none: the middle counts."""
_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class Plateau:
    """Points of the proximal tibia, patient mm.

    Args:
        axes: Medial, back and up: back from the tubercle's medial third to the posterior
            cruciate's place, square to up.
        centre: Between the eminences, on bone.
        eminences: Medial and lateral tips.
        middles: Middle of the medial and of the lateral plateau.
        cruciate: Middle of the posterior rim between the plateaus.
        tubercle: Most anterior point of the tibial tubercle.
        medial_third: Where its medial third ends.
        width_mm: Of the plateaus, medial to lateral.
        depth_mm: Of the plateaus, front to back.
    """

    axes: Axes
    centre: Floats
    eminences: tuple[Floats, Floats]
    middles: tuple[Floats, Floats]
    cruciate: Floats
    tubercle: Floats
    medial_third: Floats
    width_mm: float
    depth_mm: float


def find_plateau(faces: Faces, axes: Axes, below: Floats | None) -> Plateau:
    """Find the proximal tibia's points in the frame that they decide themselves.

    Args:
        faces: The tibia, proximal end in view.
        axes: Rough, within about 25 degrees.
        below: (3,) what the long axis runs through from the plateaus' centre, the ankle; None
            where it is not in view and ``axes.up`` is kept.

    Raises:
        AnatomyError: No plateaus.
    """
    for _ in range(_ROUNDS):
        found = _points(faces, axes)
        up = axes.up if below is None else unit(found.centre - below, "mechanical axis")
        back = square_to(_told(found.cruciate - found.medial_third), up, "tibial rotation")
        medial = np.cross(back, up)
        medial = medial if medial @ axes.medial > 0 else -medial
        turned = Axes(medial, back, up)
        moved = np.degrees(np.arccos(np.clip((turned.matrix * axes.matrix).sum(0), -1, 1)))
        axes = turned
        if moved.max() < 0.02:
            break
    return _points(faces, axes)


def _told(way: Floats) -> Floats:
    """A direction, if it was found.

    Raises:
        AnatomyError: Tubercle or cruciate's place are missing.
    """
    if not np.isfinite(way).all():
        raise AnatomyError(
            "a tibia's tubercle and the posterior cruciate's place were wanted, not both can be "
            "told: they are out of view, or it is another bone"
        )
    return way


def outline_axes(faces: Faces, up: Floats) -> tuple[Floats, Floats]:
    """(3,) middle and (3,) widest direction of the plateaus' outline, square to ``up``."""
    height = faces.centres @ up
    top = float(height.max())
    slab = (height < top - _SLAB_MM[0]) & (height > top - _SLAB_MM[1])
    middle = faces.centroid(slab)
    away = faces.centres[slab] - middle
    away = away - (away @ up)[:, None] * up
    spread = (away * faces.areas[slab][:, None]).T @ away
    return middle, unit(np.linalg.eigh(spread)[1][:, -1], "plateau's width")


def _points(faces: Faces, axes: Axes) -> Plateau:
    local = faces.vertices @ axes.matrix
    top = float(local[:, 2].max())
    rim = local[(local[:, 2] < top - _SLAB_MM[0]) & (local[:, 2] > top - _SLAB_MM[1])]
    if len(rim) < 20:
        raise AnatomyError("a tibial plateau was wanted, none is in view")
    low, high = rim.min(axis=0), rim.max(axis=0)
    width, depth = (float(v) for v in (high - low)[:2])
    middle = (low + high) / 2
    seen = _Seen.of(local, faces.triangles, low, high, top)
    tips = _eminences(seen, middle, width)
    between = (tips[0] + tips[1]) / 2
    centre = np.append(between[:2], seen.at(between[:2]))
    flat = [_plateau(seen, centre, s * width, width, depth) for s in (1.0, -1.0)]
    level = min(float(p[2]) for p in flat)
    cruciate = _posterior_rim(local, centre, level, width)
    tubercle, third = _tubercle(local, centre, level)
    to_patient = axes.matrix
    return Plateau(
        axes,
        to_patient @ centre,
        (to_patient @ tips[0], to_patient @ tips[1]),
        (to_patient @ flat[0], to_patient @ flat[1]),
        to_patient @ cruciate,
        to_patient @ tubercle,
        to_patient @ third,
        width,
        depth,
    )


@dataclass(frozen=True, eq=False)
class _Seen:
    """The bone from above: heights (X, Y) over x medial and y back; NaN where there is none."""

    x: Floats
    y: Floats
    height: Floats

    @classmethod
    def of(
        cls, local: Floats, triangles: np.ndarray, low: Floats, high: Floats, top: float
    ) -> _Seen:
        """Look at the bone from above, between two corners."""
        x, y = (np.arange(low[n] - 3, high[n] + 3, _STEP_MM) for n in range(2))
        gx, gy = np.meshgrid(x, y, indexing="ij")
        start = np.column_stack([gx.ravel(), gy.ravel(), np.full(gx.size, top + _ABOVE_MM)])
        far, _ = RayTarget(local, triangles).first_hit(start, np.array([0.0, 0.0, -1.0]))
        height = np.where(np.isfinite(far), top + _ABOVE_MM - far, np.nan)
        return cls(x, y, height.reshape(gx.shape))

    def at(self, place: Floats) -> float:
        """Height at a place (2,)."""
        i, j = (
            int(np.abs(axis - v).argmin()) for axis, v in zip((self.x, self.y), place, strict=True)
        )
        return float(self.height[i, j])

    def point(self, i: int, j: int) -> Floats:
        """(3,): the point seen at a cell."""
        return np.array([self.x[i], self.y[j], self.height[i, j]])


def _eminences(seen: _Seen, middle: Floats, width: float) -> tuple[Floats, Floats]:
    """Tips of the medial and lateral eminence: the highest points beside the middle."""
    bottom = float(np.nanmin(seen.height))
    smooth = ndimage.gaussian_filter(np.nan_to_num(seen.height, nan=bottom), 1.0)
    inside = np.abs(seen.x - middle[0]) < _MIDDLE_SHARE * width
    central = np.where(inside[:, None], smooth, -np.inf)
    first = np.unravel_index(int(central.argmax()), central.shape)
    peak = central == ndimage.maximum_filter(smooth, size=5)
    apart = np.abs(seen.x - seen.x[first[0]]) > 5.0
    others = np.where(peak & apart[:, None] & np.isfinite(central), central, -np.inf)
    second = np.unravel_index(int(others.argmax()), others.shape)
    tips = [seen.point(int(first[0]), int(first[1]))]
    near = np.isfinite(others[second]) and central[first] - others[second] < _PLATEAU_MM
    tips.append(seen.point(int(second[0]), int(second[1])) if near else tips[0])
    tips.sort(key=lambda tip: -tip[0])
    return tips[0], tips[1]


def _plateau(seen: _Seen, centre: Floats, aside: float, width: float, depth: float) -> Floats:
    """Middle of the plateau on one side, on bone: of what faces up beside the eminences."""
    gx, gy = np.gradient(seen.height, _STEP_MM)
    facing = 1.0 / np.sqrt(1.0 + gx**2 + gy**2) > _FACING
    off = (seen.x - centre[0]) * np.sign(aside)
    beside = (off > _RIM_SHARE * width) & (off < 0.6 * width)
    low = seen.height > centre[2] - _PLATEAU_MM
    with np.errstate(invalid="ignore"):
        own = facing & low & beside[:, None]
    pieces, n = ndimage.label(own)
    if n == 0:
        raise AnatomyError("two tibial plateaus were wanted, one is not in view")
    largest = pieces == 1 + int(np.bincount(pieces.ravel())[1:].argmax())
    columns = np.flatnonzero(largest.any(axis=1))
    across = (columns[0] + columns[-1]) / 2
    near = columns[np.abs(columns - across) <= round(_HALF_COLUMN_MM / _STEP_MM)]
    rows = [np.flatnonzero(largest[i]) for i in near]
    along = float(np.mean([(row[0] + row[-1]) / 2 for row in rows]))
    place = np.array([seen.x[0] + across * _STEP_MM, seen.y[0] + along * _STEP_MM])
    return np.append(place, seen.at(place))


def _posterior_rim(local: Floats, centre: Floats, level: float, width: float) -> Floats:
    """Where the posterior cruciate ligament starts: the rim's notch between the plateaus."""
    ledge = (local[:, 2] < level - _LEDGE_MM[0]) & (local[:, 2] > level - _LEDGE_MM[1])
    off = local[:, 0] - centre[0]
    edges = np.arange(-_NOTCH_SHARE * width, _NOTCH_SHARE * width, 2 * _STEP_MM)
    middles, rim = [], []
    for edge in edges:
        own = ledge & (off >= edge) & (off < edge + 2 * _STEP_MM) & (local[:, 1] > centre[1])
        if own.any():
            middles.append(edge + _STEP_MM)
            rim.append(float(local[own, 1].max()))
    if not rim:
        raise AnatomyError("the posterior rim of the tibia is not in view")
    back = np.array(rim)
    sides = np.maximum.accumulate(back), np.maximum.accumulate(back[::-1])[::-1]
    depth = np.minimum(*sides) - back
    shallow = depth.max() < _NOTCH_MM
    weight = np.abs(middles) < 2.0 if shallow else depth > depth.max() - 0.3
    place, rear = (float(np.array(values)[weight].mean()) for values in (middles, rim))
    return np.array([centre[0] + place, rear, level - float(np.mean(_LEDGE_MM))])


def _tubercle(local: Floats, centre: Floats, level: float) -> tuple[Floats, Floats]:
    """The tubercle's most anterior point, and where its medial third ends."""
    below = (local[:, 2] < level - _TUBERCLE_MM[0]) & (local[:, 2] > level - _TUBERCLE_MM[1])
    found = local[below]
    if len(found) < 20:
        raise AnatomyError("the tibial tubercle is not in view")
    front = float(found[:, 1].min())
    height = float(np.median(found[found[:, 1] < front + 0.5][:, 2]))
    at = found[np.abs(found[:, 2] - height) < 4.0]
    patch = at[at[:, 1] < at[:, 1].min() + _TUBERCLE_DEEP_MM]
    low, high = float(patch[:, 0].min()), float(patch[:, 0].max())
    middle = (low + high) / 2
    tubercle = np.array([middle, float(at[:, 1].min()), height])
    third = low + (high - low) * 2 / 3
    off = np.abs(patch[:, 0] - third)
    near = patch[off <= max(_BESIDE_MM, float(off.min()))]
    return tubercle, np.array([third, float(near[:, 1].min()), height])
