"""How bright a surface looks in a picture: lamps, tones, outlines and crevices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from guidegen.model.arrays import Floats, unit

Singles = npt.NDArray[np.float32]

OUTLINE_STEP_MM = 2.5
CREVICE_MM = 0.5
CREVICE_PIXELS = 7.0


def brightness(normals: Singles, right: Floats, up: Floats, forward: Floats) -> Singles:
    """Light on each point (N): a lamp over the viewer's left shoulder, and a headlight.

    Args:
        normals: (N, 3), towards the viewer.
        right: (3,) the camera's axes.
        up: (3,)
        forward: (3,) into the scene.
    """
    lamp = unit(-forward - 0.55 * right + 0.75 * up, "lamp")
    key = np.maximum(normals @ lamp.astype(np.float32), 0)
    head = np.maximum(normals @ (-forward).astype(np.float32), 0)
    return np.asarray(0.30 + 0.52 * key + 0.26 * head, dtype=np.float32)


def toned(colours: Singles, light: Singles) -> Singles:
    """Colours (N, 3) under light (N): the brightest spots wash out a little, none clips."""
    lit = colours * np.minimum(light, 1.0)[:, None]
    glow = 0.35 * np.maximum(light - 0.92, 0)
    return np.asarray(lit + (1 - lit) * glow[:, None], dtype=np.float32)


def relief(depth: Singles) -> Singles:
    """Factor for each pixel (H, W): darker at outlines and in crevices such as engraved text.

    Args:
        depth: (H, W) mm from the camera; infinite where there is nothing.
    """
    return np.asarray(_outlines(depth) * _crevices(depth), dtype=np.float32)


def _outlines(depth: Singles) -> Singles:
    """Darker where the surface ends before a deeper one."""
    far = np.where(np.isfinite(depth), depth, 1e6)
    step = np.zeros_like(far)
    for axis in (0, 1):
        gap = np.diff(far, axis=axis)
        first, last = [slice(None)] * 2, [slice(None)] * 2
        first[axis], last[axis] = slice(None, -1), slice(1, None)
        step[tuple(first)] = np.maximum(step[tuple(first)], gap)
        step[tuple(last)] = np.maximum(step[tuple(last)], -gap)
    edge = (step > OUTLINE_STEP_MM) & np.isfinite(depth)
    return np.asarray(1 - 0.45 * edge, dtype=np.float32)


def _crevices(depth: Singles) -> Singles:
    """Darker where the surface lies deeper than the mean around it.

    References:
        Luft, Colditz, Deussen: Image enhancement by unsharp masking the depth buffer.
        ACM Transactions on Graphics 25 (2006) 1206-1213.
    """
    there = np.isfinite(depth)
    known = np.where(there, depth, 0).astype(np.float32)
    total = ndimage.gaussian_filter(known, CREVICE_PIXELS, truncate=2.0)
    share = ndimage.gaussian_filter(there.astype(np.float32), CREVICE_PIXELS, truncate=2.0)
    deeper = np.where(there, depth - total / np.maximum(share, 1e-6), 0)
    return np.asarray(1 - 0.38 * np.clip(deeper / CREVICE_MM, 0, 1), dtype=np.float32)
