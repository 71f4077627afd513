"""The skin of the patient's back."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.interpolate import LinearNDInterpolator

from guidegen.anatomy.back_edge import averaged, exact_exits, one_sheet, rough_exits
from guidegen.anatomy.back_profile import SOLID_HU
from guidegen.anatomy.back_view import Columns, Mask, back_columns
from guidegen.errors import AnatomyError
from guidegen.geometry.lines import line_crossings
from guidegen.mesh.heights import closed_under
from guidegen.mesh.rays import RayTarget
from guidegen.mesh.sampling import face_areas_normals
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
SKIN_LEAN = 0.25
"""Faces whose normal has more than this to the back are skin, the rest cut planes."""
_ABOVE_MM = 300.0
_AT_EDGE_MM = 5.0
_BRIDGE_MM = 8.0
_SPIKE_WINDOW_MM, _SPIKE_MM = 12.0, 0.7
"""Skin is curved by less than this across the window; what stands out and is narrower than half
of it is a fold, a lead's edge, or a column in which a cover was taken for skin."""
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
    found = _without_spikes(exact_exits(columns, rough), columns.step_mm)
    heights = _smoothed(_bridged(found, rough, columns.step_mm), columns)
    _require_seen(np.isfinite(heights), middle, columns)
    points, faces = closed_under(columns.x_mm, columns.z_mm, heights, _FRONT_MM)
    return Bone(SKIN, frame.points(points), faces)


def leaves_skin(skin: Bone, start_mm: Floats, out: Floats, back: Floats) -> Floats | None:
    """Find where a straight line from inside leaves the skin.

    Args:
        skin: As ``find_skin`` made it.
        start_mm: (3,) LPS, in the patient.
        out: (3,) unit vector.
        back: (3,) unit vector to the patient's back.

    Returns:
        (3,) LPS mm; None where it leaves through a cut plane, or does not leave.
    """
    way = np.asarray(out, dtype=np.float64)
    triangles = skin.vertices_mm[skin.faces]
    normals = face_areas_normals(skin.vertices_mm, skin.faces)[1]
    outward = normals @ way > 0
    is_skin = normals @ back > SKIN_LEAN
    through = _first(triangles[outward & is_skin], start_mm, way)
    cut = _first(triangles[outward & ~is_skin], start_mm, way)
    return np.asarray(start_mm + through * way) if through < cut else None


def _first(triangles: Floats, start_mm: Floats, out: Floats) -> float:
    """How far a line runs to the first of the triangles (N, 3, 3) before it; else infinite."""
    along = line_crossings(triangles, np.asarray(start_mm, dtype=np.float64), out)
    return float(np.min(along[along > 0], initial=np.inf))


def skin_over(skin: Bone, points_mm: Floats, back: Floats) -> list[Floats | None]:
    """Find the points of the skin straight behind points in the patient.

    Args:
        skin: As ``find_skin`` made it.
        points_mm: (N, 3) LPS.
        back: (3,) unit vector to the patient's back.

    Returns:
        A point (3,) for each; None where no skin is behind it.
    """
    return [leaves_skin(skin, point, back, back) for point in np.asarray(points_mm)]


def midline_distance(skin: Bone, tips: Floats, point_mm: Floats, back: Floats) -> float:
    """Measure how far a point of the skin is from the line of the spinous processes, on the skin.

    The way runs over the skin in the plane through the point that is square to the line. Over
    a gap in the skin it runs straight.

    Args:
        skin: As ``find_skin`` made it.
        tips: (N, 3) points of the skin over the spinous tips, head to foot; the line joins them
            and goes on straight beyond the ends. One alone: the line runs head to foot, square
            to ``back``.
        point_mm: (3,) on the skin, LPS.
        back: (3,) unit vector to the patient's back.

    Returns:
        mm, not negative.
    """
    point = np.asarray(point_mm, dtype=np.float64)
    origin, along = _line_near(np.asarray(tips, dtype=np.float64), point, np.asarray(back))
    middle = origin + along * ((point - origin) @ along)
    up = back - along * (along @ back)
    up = up / np.linalg.norm(up)
    across = np.cross(up, along)
    width = float((point - middle) @ across)
    share = np.linspace(0.0, 1.0, max(2, int(np.ceil(abs(width))) + 1))[:, None]
    high = middle + share * width * across + _ABOVE_MM * up
    way, face = RayTarget(skin.vertices_mm, skin.faces).first_hit(high, -up)
    normals = face_areas_normals(skin.vertices_mm, skin.faces)[1]
    met = (face >= 0) & (normals[face] @ back > SKIN_LEAN)
    met[-1] = False
    path = np.concatenate([(high - way[:, None] * up)[met], point[None]])
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


def _line_near(tips: Floats, point: Floats, back: Floats) -> tuple[Floats, Floats]:
    """A point and the unit direction of the piece of the line that is beside a point."""
    if len(tips) == 1:
        head = np.array([0.0, 0.0, 1.0])
        head = head - back * (back @ head)
        return tips[0], head / np.linalg.norm(head)
    pieces = np.diff(tips, axis=0)
    lengths = np.linalg.norm(pieces, axis=1)
    along = np.einsum("nd,nd->n", point - tips[:-1], pieces) / lengths
    beyond = np.maximum(np.maximum(-along, along - lengths), 0.0)
    n = int(np.argmin(beyond))
    return tips[n], pieces[n] / lengths[n]


def _require_seen(known: Mask, middle: Mask, columns: Columns) -> None:
    """Raise unless the skin is known behind the levels' middle."""
    share = float(known[middle].mean()) if middle.any() else 0.0
    if share >= _SEEN:
        return
    wanted = (
        f"the skin of the back was wanted over the middle {2 * MIDDLE_MM:.0f} mm behind the levels"
    )
    y = np.arange(0.0, columns.farthest_mm() + 1.0)
    hu, seen = columns.sample(y)
    last = len(y) - 1 - seen[middle][:, ::-1].argmax(axis=1)
    near = np.abs(np.arange(len(y)) - last[:, None]) < _AT_EDGE_MM
    cut = (near & seen[middle] & (hu[middle] > SOLID_HU)).any(axis=1) & ~known[middle]
    if cut.sum() < 0.5 * (~known[middle]).sum():
        raise AnatomyError(
            f"{wanted}, but only {100 * share:.0f} % of it can be told from what lies behind it: "
            "plan without the skin, or on a scan with air behind the back"
        )
    raise AnatomyError(
        f"{wanted}, but the scan's view ends about {np.median(y[last[cut]]):.0f} mm behind the "
        f"middle of the vertebral body and shows {100 * share:.0f} % of it: reconstruct the scan "
        "with the whole back in view, or plan without the skin"
    )


def _without_spikes(heights: Floats, step_mm: float) -> Floats:
    """Forget columns that stand out of their neighbourhood: narrow things that are no skin."""
    known = np.isfinite(heights)
    if not known.any():
        return heights
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    filled = heights[tuple(nearest)]
    usual = ndimage.median_filter(filled, size=2 * round(_SPIKE_WINDOW_MM / 2 / step_mm) + 1)
    return np.where(np.abs(filled - usual) > _SPIKE_MM, np.nan, heights)


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
