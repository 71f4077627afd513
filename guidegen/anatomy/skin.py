"""The skin of the patient's back."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.interpolate import LinearNDInterpolator

from guidegen.anatomy.back_edge import averaged, exact_exits, one_sheet, rough_exits
from guidegen.anatomy.back_view import Columns, Mask, back_columns
from guidegen.errors import AnatomyError
from guidegen.mesh.heights import closed_under
from guidegen.model.arrays import Floats
from guidegen.model.bone import SKIN, Bone
from guidegen.model.frames import Pose
from guidegen.model.volume import CTVolume

MIDDLE_MM = 30.0
"""Half the width of back that must be seen behind the levels; engineering choice: the two
pedicles' entries and the spinous processes lie in it."""
_SEEN = 0.98
_FRONT_MM = -30.0
"""y of the cut plane in front: no part of a vertebra that a line may start from is before it."""
_BRIDGE_MM = 8.0
_SMOOTH_MM = 1.5


def find_skin(volume: CTVolume, frame: Pose, span_mm: tuple[float, float]) -> Bone:
    """Find the skin of the back behind some levels.

    Columns run from the vertebrae to the back; the patient's surface is where they leave tissue
    for the air outside, with sheets, covers and wires taken off. Columns whose air is out of
    view are left out.

    Args:
        volume: The scan.
        frame: ``patient_from_bone`` of a middle level.
        span_mm: Lowest and highest z of the chosen levels in it.

    Returns:
        A body named ``skin``: faces whose normal points to the back (component > 0.25) are skin,
        all others are cut planes.

    Raises:
        AnatomyError: The skin behind the levels' middle is out of view or can't be told from
            what lies behind it.
    """
    columns = back_columns(volume, frame, span_mm)
    beside = np.abs(columns.x_mm) <= MIDDLE_MM
    along = (columns.z_mm >= span_mm[0]) & (columns.z_mm <= span_mm[1])
    middle = beside[:, None] & along[None, :]
    coarse = columns.coarse
    rough = columns.refined(one_sheet(rough_exits(coarse), coarse, middle[::2, ::2]))
    _require_seen(np.isfinite(rough), middle, columns)
    heights = _bridged(exact_exits(columns, rough), rough, columns.step_mm)
    heights = _smoothed(heights, columns)
    _require_seen(np.isfinite(heights), middle, columns)
    points, faces = closed_under(columns.x_mm, columns.z_mm, heights, _FRONT_MM)
    return Bone(SKIN, frame.points(points), faces)


def _require_seen(known: Mask, middle: Mask, columns: Columns) -> None:
    """Raise unless the skin is known behind the levels' middle."""
    share = float(known[middle].mean()) if middle.any() else 0.0
    if share >= _SEEN:
        return
    y = np.arange(0.0, columns.farthest_mm() + 1.0)
    seen = columns.sample(y)[1][middle]
    reach = float(np.median(y[np.minimum(seen.argmin(axis=1), len(y) - 1)]))
    wanted = (
        f"the skin of the back was wanted over the middle {2 * MIDDLE_MM:.0f} mm behind the levels"
    )
    if seen.all(axis=1).mean() > _SEEN or reach >= columns.farthest_mm():
        raise AnatomyError(
            f"{wanted}, but only {100 * share:.0f} % of it can be told from what lies behind it: "
            "plan without the skin, or on a scan with air behind the back"
        )
    raise AnatomyError(
        f"{wanted}, but the scan's view ends about {reach:.0f} mm behind the middle of the "
        f"vertebral body and shows {100 * share:.0f} % of it: reconstruct the scan with the whole "
        "back in view, or plan without the skin"
    )


def _bridged(heights: Floats, rough: Floats, step_mm: float) -> Floats:
    """Fill narrow gaps between known columns: where a wire or a fold lay on the skin."""
    lost = np.isfinite(rough) & ~np.isfinite(heights)
    known = np.isfinite(heights)
    if not lost.any() or not known.any():
        return heights
    lost &= ndimage.distance_transform_edt(~known) * step_mm < _BRIDGE_MM
    ring = known & ndimage.binary_dilation(lost, iterations=2)
    out = heights.copy()
    if ring.sum() > 2:
        out[lost] = LinearNDInterpolator(np.argwhere(ring), heights[ring])(np.argwhere(lost))
    return out


def _smoothed(heights: Floats, columns: Columns) -> Floats:
    """Average a little over neighbours, about a smooth surface; the outermost columns are lost.

    The average of a sloping surface is wrong where neighbours are known on one side only; what
    is averaged is therefore its distance from a surface of low degree.
    """
    known = np.isfinite(heights)
    x, z = np.meshgrid(columns.x_mm / 100, columns.z_mm / 100, indexing="ij")
    terms = np.stack([x**a * z**b for a in range(5) for b in range(5 - a)], axis=-1)
    if known.sum() < terms.shape[-1]:
        return heights
    plain = terms @ np.linalg.lstsq(terms[known], heights[known], rcond=None)[0]
    rest = averaged(np.nan_to_num(heights - plain), known, _SMOOTH_MM / columns.step_mm)
    inner = ndimage.binary_erosion(known, np.ones((3, 3), dtype=bool), border_value=0)
    return np.where(inner, plain + rest, np.nan)
