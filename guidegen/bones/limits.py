"""Hold a surface found from grey values to its label: reach, marrow, and joints to neighbours."""

from __future__ import annotations

import edt
import numpy as np
from scipy import ndimage

SLACK_MM = 1.2
"""How far the surface may leave its label, and how deep inside the label all is bone."""
HU_PER_MM = 600.0
"""Steepness of a typical bone edge: makes limits and grey values comparable."""
JOINT_DIP_HU = 100.0
"""Where labels meet, a dip this deep between two cortices is a joint (engineering choice: more
than noise, less than a joint space of 1 mm leaves after blur)."""
JOINT_NEAR_MM = 1.0
"""Joints are looked for this near to where labels meet: cortices lie beyond."""
JOINT_SLACK_MM = 0.9
"""So far from a joint's middle, what is inside the label is bone even where it is dark."""
JOINT_SPACING_MM = 1.6
"""Coarser scans show no joint space: their bones part half-way between the labels."""
JOINT_WIDTH_MM = 2.4
"""Dips up to this wide are filled to see how deep they are: two joint spaces (engineering
choice)."""
APART_MM = 6.0
"""Nearer to another label than this, a bone ends half-way between the two (engineering choice)."""
PORE_MM = 0.9
"""Gaps in a thin cortex up to twice as wide are torn by noise or vessels (engineering choice)."""


def within_label(
    field: np.ndarray,
    hu: np.ndarray,
    own: np.ndarray,
    other: np.ndarray,
    spacing: np.ndarray,
    sure_mm: float | None = None,
) -> np.ndarray:
    """Keep the grey values' face within reach of the label and off the others, and fill marrow.

    Args:
        field: (K, J, I) HU above the local threshold: positive in bright bone.
        hu: Same shape, the grey values behind it.
        own: Same shape, bool: this bone's label.
        other: Same shape, bool: all other bones' labels.
        spacing: (3,) mm.
        sure_mm: So deep inside its label all is bone; None is ``SLACK_MM`` and half a voxel.

    Returns:
        (K, J, I) float32, positive inside the bone, about ``HU_PER_MM`` a millimetre.
    """
    to_own = _distance(~own, spacing)
    depth = _distance(own | other, spacing)
    depth = depth - SLACK_MM - spacing.max() / 2 if sure_mm is None else depth - sure_mm
    out = np.minimum(field, (SLACK_MM - to_own) * HU_PER_MM)
    if not other.any():
        out = np.maximum(out, depth * HU_PER_MM)
        return np.asarray(np.maximum(out, _sealed(out, own, spacing)), dtype=np.float32)
    to_other = _distance(~other, spacing)
    joint = _joint(hu, np.maximum(to_own, to_other), spacing)
    if joint.any():
        depth = np.minimum(depth, _distance(~joint, spacing) - JOINT_SLACK_MM)
    out = np.maximum(out, depth * HU_PER_MM)
    out = np.maximum(out, _sealed(out, own & ~_near(joint, PORE_MM + 0.5, spacing), spacing))
    apart = ndimage.gaussian_filter(to_other - to_own, 0.6 / spacing)
    out = np.where(to_other < APART_MM, np.minimum(out, apart * HU_PER_MM / 2), out)
    return np.asarray(out, dtype=np.float32)


def _sealed(field: np.ndarray, own: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Where thin cortex is torn, the marrow behind it: closed pores and what they led to."""
    solid = field > 0
    shell = _distance(_near(solid, PORE_MM, spacing), spacing) - PORE_MM
    closed = solid | (own & (shell > 0))
    marrow = ndimage.binary_fill_holes(closed) & ~closed
    inner = np.where(own, shell - spacing.max() / 2, -np.inf)
    return np.where(marrow, spacing.max() / 2, inner) * HU_PER_MM


def _near(mask: np.ndarray, reach_mm: float, spacing: np.ndarray) -> np.ndarray:
    """Voxels within reach of a mask."""
    return _distance(~mask, spacing) <= reach_mm


def _joint(hu: np.ndarray, from_contact: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Voxels of a joint space: where labels meet, darker than the cortices on both sides."""
    if spacing.max() > JOINT_SPACING_MM:
        return np.zeros(hu.shape, dtype=bool)
    near = from_contact < 1.05 * max(JOINT_NEAR_MM, float(spacing.max()))
    size = np.maximum(3, 2 * np.rint(JOINT_WIDTH_MM / 2 / spacing).astype(int) + 1)
    dip = ndimage.grey_closing(hu, size=tuple(size)) - hu
    return np.asarray(near & (dip > JOINT_DIP_HU))


def _distance(mask: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Distance (mm) of each voxel of a mask to the nearest voxel outside it."""
    return np.asarray(edt.edt(np.ascontiguousarray(mask), anisotropy=tuple(spacing)))
