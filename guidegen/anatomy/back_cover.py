"""What lies on the skin without a gap that a scan could show: cloth, and a table's top."""

from __future__ import annotations

import numpy as np

from guidegen.anatomy.back_profile import SOLID_HU, Falls, crossing
from guidegen.anatomy.back_view import Values
from guidegen.model.arrays import Floats

_SHARPEST = 10.0
"""Percentile of the edges' spread that is taken for that of bare skin."""
_SPREAD_MM2 = 0.05
"""A smaller excess of spread is noise, and moves the skin by less than 0.2 mm."""
_COARSEST_MM = 1.0
"""Between coarser voxels the edge's shape tells nothing about cloth of 1 mm."""
_PHASE = 0.2
"""A sharp edge's variance depends by up to a quarter of the voxel squared on where it lies between
voxel centres; a scanner's own blur makes that less."""
_CLOTH_MM = 1.2
"""Thicker cloth shows as a layer of its own."""
_AIR_HU = -850.0
_MANY = 200
_BEHIND_SHARE, _KEPT_SHARE = 0.2, 0.7
_STIFF_MM = 0.4
_COINCIDES_MM = 0.6


def without_cloth(
    profiles: Values, t_mm: Floats, falls: Falls, slope: Floats, voxel_mm: float
) -> Floats:
    """Take thin cloth off that lies on the skin, by the spread of the edge.

    The slope of a bare edge is one bump whose variance is the scanner's blur. Cloth makes it two
    bumps: the skin's, and the cloth's own a little farther out. Mean, variance and third moment of
    the slope give places and weights of both; the blur's variance is taken from the sharpest
    edges of the same back. Where those are under cloth too, nothing is taken off. Cloth as dense
    as skin can't be told from it.

    Args:
        profiles: (N, T) HU.
        t_mm: (T,) places along the profiles.
        falls: Their falls.
        slope: (N,) tangent of the angle between profile and the skin's normal.
        voxel_mm: Size of the voxels along the profiles.

    Returns:
        (N,) mm: the skin.
    """
    n = np.arange(len(t_mm) - 1)
    inside = (n >= falls.top[:, None]) & (n < falls.stop[:, None])
    near = np.abs(t_mm[:-1] - np.nan_to_num(falls.skin_mm)[:, None]) < 4.0
    weight = np.where(inside & near, np.maximum(-np.diff(profiles, axis=1), 0.0), 0.0)
    weight = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-6)
    middle = (t_mm[:-1] + t_mm[1:]) / 2
    mean = weight @ middle
    off = middle - mean[:, None]
    variance, third = (weight * off**2).sum(axis=1), (weight * off**3).sum(axis=1)
    rows = np.arange(len(profiles))
    free = (profiles[rows, falls.stop] < _AIR_HU) & np.isfinite(falls.skin_mm)
    if free.sum() < _MANY or voxel_mm > _COARSEST_MM:
        return falls.skin_mm
    tilt = 1.0 + slope**2
    blur = float(np.percentile((variance / tilt)[free], _SHARPEST))
    excess = np.maximum(variance - blur * tilt - _PHASE * voxel_mm**2, _SPREAD_MM2)
    ratio = third / excess
    skin = mean - (np.sqrt(ratio**2 + 4 * excess) - ratio) / 2
    skin = np.clip(skin, falls.skin_mm - _CLOTH_MM, falls.skin_mm)
    return np.where(free & (excess > _SPREAD_MM2), skin, falls.skin_mm)


def layer_behind(profiles: Values, t_mm: Floats, skin_mm: Floats) -> tuple[Floats, Floats]:
    """Find the next dense layer behind the skin, where air lies between.

    Returns:
        (N,) its near and its far side, mm; NaN where there is none.
    """
    level = np.full(len(profiles), SOLID_HU)

    def behind(place: Floats) -> np.ndarray:
        beyond = np.searchsorted(t_mm, np.where(np.isfinite(place), place, t_mm[-1]))
        return np.asarray(np.minimum(beyond, len(t_mm) - 1))

    gap = crossing(-profiles, t_mm, -level, behind(skin_mm - 1.0))
    near = crossing(profiles, t_mm, level, behind(gap))
    far = crossing(-profiles, t_mm, -level, behind(near))
    return np.where(np.isfinite(far), near, np.nan), far


def without_table(skin_mm: Floats, layer_mm: tuple[Floats, Floats], places_mm: Floats) -> Floats:
    """Take a stiff table top off that the back touches.

    Where air lies between, the table's near and far side are seen, and a smooth surface is laid
    through each. Where the skin found lies on the far side, the table was taken for skin: there
    the skin touches the near side. A soft cover follows the back, is not smooth and changes
    nothing.

    Args:
        skin_mm: (N,) the skin along the columns.
        layer_mm: (N,) near and far side of the next layer, NaN where none is seen.
        places_mm: (N, 2) places of the columns.
    """
    near, far = (_smooth_surface(places_mm, side) for side in layer_mm)
    if near is None or far is None:
        return skin_mm
    touching = np.abs(skin_mm - far) < _COINCIDES_MM
    return np.where(touching, np.minimum(skin_mm, near), skin_mm)


def _smooth_surface(places_mm: Floats, heights_mm: Floats) -> Floats | None:
    """(N,): a surface of second degree through the known heights; None if it does not fit."""
    x, z = places_mm.T / 100
    terms = np.stack([np.ones_like(x), x, z, x * x, x * z, z * z], axis=1)
    seen = np.isfinite(heights_mm)
    kept = seen.copy()
    fitted = np.zeros(len(x))
    for _ in range(4):
        if kept.sum() < max(_MANY, _BEHIND_SHARE * len(x)):
            return None
        fitted = terms @ np.linalg.lstsq(terms[kept], heights_mm[kept], rcond=None)[0]
        off = np.abs(np.where(seen, heights_mm - fitted, np.inf))
        kept = off < max(3 * float(np.median(off[kept])), 0.2)
    stiff = kept.sum() > _KEPT_SHARE * seen.sum() and float(off[kept].std()) < _STIFF_MM
    return np.asarray(fitted) if stiff else None
