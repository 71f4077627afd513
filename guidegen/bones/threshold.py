"""Where bone begins: a threshold that follows the cortex.

A thin cortex looks dimmer than it is, because the scanner blurs it. For a layer of width w and
true brightness C over a background b, blurred by a Gaussian of width sigma, both the peak and the
value at the true outer face depend on w / sigma alone, so the face's value follows from the peak
without knowing either: a thick cortex is cut at half, a thin one nearer to its peak.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.stats import norm

HIGHEST_SHARE = 0.66
"""Never nearer to the peak than this: noise would tear the surface (engineering choice)."""
CORTEX_RANGE_HU = (700.0, 1900.0)
"""What the brightest cortex of a spine may measure; metal is brighter (engineering choice)."""


def cortical_hu(hu: np.ndarray, bone: np.ndarray) -> float:
    """Brightness of thick cortex in this scan: a high percentile of the bone's grey values."""
    values = hu[bone & (hu < 2200)]
    if not len(values):
        return CORTEX_RANGE_HU[0]
    return float(np.clip(np.percentile(values, 99.8), *CORTEX_RANGE_HU))


def edge_share(peak_share: np.ndarray) -> np.ndarray:
    """Outer face's share of the peak, from the peak's share of thick cortex (both over background).

    Args:
        peak_share: (blurred peak - background) / (thick cortex - background), 0 to 1.

    Returns:
        Same shape: 0.5 (thick) to ``HIGHEST_SHARE`` (thin).
    """
    table = np.linspace(0.02, 8.0, 400)
    peak = 2 * norm.cdf(table / 2) - 1
    face = (norm.cdf(table) - 0.5) / peak
    return np.asarray(np.minimum(np.interp(peak_share, peak, face), HIGHEST_SHARE))


def local_threshold(
    hu: np.ndarray, spacing_kji_mm: np.ndarray, cortex_hu: float, reach_mm: float = 1.7
) -> np.ndarray:
    """HU at which the bone's face lies, for every voxel near it.

    Args:
        hu: (K, J, I) float32, noise smoothed; the same values are then compared with the result.
        spacing_kji_mm: (3,).
        cortex_hu: See ``cortical_hu``.
        reach_mm: How far the cortex's peak and the soft tissue may lie from the face.
    """
    size = np.maximum(3, 2 * np.rint(reach_mm / spacing_kji_mm).astype(int) + 1)
    peak = ndimage.maximum_filter(hu, size=size)
    ground = np.clip(ndimage.minimum_filter(hu, size=size), -120.0, 120.0)
    share = np.clip((peak - ground) / (cortex_hu - ground), 0.05, 1.0)
    threshold = ground + edge_share(share) * np.minimum(peak - ground, cortex_hu - ground)
    smooth = ndimage.gaussian_filter(threshold, 1.0 / spacing_kji_mm)
    return np.asarray(np.maximum(smooth, 130.0), dtype=np.float32)
