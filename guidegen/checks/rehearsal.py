"""Is a model to rehearse on the bone, with open channels, and does it stand?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, QhullError, cKDTree

from guidegen.checks.part import NAN, Part
from guidegen.mesh.sampling import face_areas_normals
from guidegen.mesh.solid import Solid
from guidegen.mesh.wall import thin_places
from guidegen.model.arrays import Floats
from guidegen.model.findings import Finding
from guidegen.model.guide import Feature
from guidegen.model.plan import Path

_OUTSIDE_MM = 60.0
_STEP_MM = 0.1
_NEAR_MM = 0.3
_SHARE = 0.95
_BESIDE_MM = 2.5
_JOINT_MM = 2.0
_SHARE_ALL = 0.85
_THIN_MM = 2.0
_LOST = 0.02
_FLAT_MM = 0.05
_AREA = 0.98
_TILT_DEG = 10.0


def check_channels(part: Part) -> tuple[Finding, ...]:
    """Push a rod of the needle's diameter along each planned axis through the whole model.

    ``channel_play`` is the diameter of the free space from 60 mm outside the channel to its end
    in front, less the rod's; negative if something blocks it. ``channel_open`` is by how much the
    channel's ends stick out of the bone: a channel that ends inside is blind.
    """
    found = []
    for path in part.paths:
        subject, bore = f"{part.subject}#{path.name}", part.bore(path)
        play = opened = NAN
        if bore is not None and part.cylinders[path.name] is not None:
            play, opened = _play_mm(part, path, bore), _open_mm(part, path, bore)
        found += [
            Finding("channel_play", subject, play, 0.0, "at_least", "mm", "a rod of the needle's "
                    "diameter passes from outside through to the front (required)"),
            Finding("channel_open", subject, opened, 0.0, "at_least", "mm", "both ends of the "
                    "channel lie outside the bone (required)"),
        ]  # fmt: skip
    return tuple(found)


def _play_mm(part: Part, path: Path, bore: Feature) -> float:
    """Diameter of the free space along the planned axis less the needle's."""
    length = bore.values.get("length_mm", 0.0)
    start = path.entry_mm + ((bore.point_mm - path.entry_mm) @ path.direction) * path.direction
    steps = np.arange(-_OUTSIDE_MM, length + _STEP_MM / 2, _STEP_MM)
    distance, _ = part.surface.nearest(start + steps[:, None] * path.direction)
    return 2 * float(distance.min()) - path.diameter_mm


def _open_mm(part: Part, path: Path, bore: Feature) -> float:
    """The smaller distance of the channel's ends from the bone that it runs through."""
    bone = part.bone_surfaces.get(path.bone)
    if bone is None:
        return NAN
    ends = bore.point_mm + np.array([[0.0], [bore.values.get("length_mm", 0.0)]]) * bore.direction
    return float(bone.nearest(ends)[0].min())


def check_fidelity(part: Part) -> tuple[Finding, ...]:
    """Measure how much of the bone's surface the model has, and how much bone it lacks.

    Left out are places within 2.5 mm of a channel or a strut and those within 2 mm of another
    bone of the model, where joint surfaces may be joined. ``model_surface`` also leaves out bone
    that is thinner than the smallest wall, which had to be thickened (2 mm round such places).
    """
    whole = thick = lost = NAN
    others = [part.bone_surfaces.get(name) for name in part.guide.neighbours]
    if len(part.seats) == 1 and None not in others:
        bone = part.seats[0]
        points = bone.samples.points_mm
        apart = _apart(part, points)
        for other in others:
            if other is not None:
                apart &= other.nearest(points)[0] > _JOINT_MM
        points = points[apart]
        near = np.abs(part.surface.nearest(points)[0]) <= _NEAR_MM
        sturdy = _sturdy(part, points)
        whole = float(near.mean()) if len(near) else NAN
        thick = float(near[sturdy].mean()) if sturdy.any() else NAN
        lost = _lost_share(part)
    how = "of the bone's surface away from channels, struts and joints, within 0.3 mm"
    firm = f"{how}, where the bone is thick enough to print"
    less = "volume of bone that the model lacks beyond its channels (engineering choice)"
    return (
        part.finding("model_surface", thick, _SHARE, "at_least", "1", firm),
        part.finding("model_surface_all", whole, _SHARE_ALL, "at_least", "1", how),
        part.finding("model_lacks", lost, _LOST, "at_most", "1", less),
    )


def _sturdy(part: Part, points: Floats) -> npt.NDArray[np.bool_]:
    """Tell for points (N, 3) whether the bone near each is thicker than the smallest wall."""
    least = part.limits.min_wall_mm
    if least is None:
        return np.ones(len(points), dtype=bool)
    thin = thin_places(part.seats[0].vertices, part.seats[0].faces, least)
    if not len(thin):
        return np.ones(len(points), dtype=bool)
    distance, _ = cKDTree(thin).query(points, distance_upper_bound=_THIN_MM)
    return np.asarray(np.isinf(distance))


def _apart(part: Part, points: Floats) -> npt.NDArray[np.bool_]:
    """Tell for points (N, 3) whether each is away from channels and struts."""
    away = np.ones(len(points), dtype=bool)
    for feature in (*part.features("bore"), *part.features("strut")):
        along = np.clip(
            (points - feature.point_mm) @ feature.direction, 0, feature.values.get("length_mm", 0.0)
        )
        off = points - feature.point_mm - along[:, None] * feature.direction
        reach = feature.values.get("diameter_mm", 0.0) / 2 + _BESIDE_MM
        away &= np.linalg.norm(off, axis=1) > reach
    return away


def _lost_share(part: Part) -> float:
    """Bone that is neither in the model nor in a channel, as a share of the bone."""
    bone, model = part.seats[0].solid, part.surface.solid
    kept = [model]
    for bore in part.features("bore"):
        values = bore.values
        size, length = values.get("diameter_mm", NAN), values.get("length_mm", NAN)
        kept.append(Solid.cylinder(bore.point_mm, bore.direction, length, size))
    return bone.beyond_mm3(kept) / bone.volume_mm3


def check_foot(part: Part) -> tuple[Finding, ...]:
    """Measure whether the model's foot is flat and large, and how far it tilts before it falls.

    ``foot_flat``: area of the faces that lie within 0.05 mm of the lowest point, against the
    designed area. ``foot_tilt``: smallest angle at which the centre of mass passes the edge.
    """
    area = tilt = wanted = NAN
    feet = part.features("foot")
    if len(feet) == 1:
        down = feet[0].direction
        surface = part.surface
        height = surface.vertices @ down
        low = height >= height.max() - _FLAT_MM
        flat = low[surface.faces].all(axis=1)
        areas, normals = face_areas_normals(surface.vertices, surface.faces[flat])
        area = float((areas * np.clip(normals @ down, 0, None)).sum())
        wanted = feet[0].values.get("area_mm2", NAN)
        used = np.unique(surface.faces[flat])
        tilt = _tilt_deg(surface.vertices[used], surface.solid.centre_mm, down)
    flatness = "of the designed area, lying in one plane (engineering choice)"
    stands = "tilt at which the centre of mass passes the foot's edge (engineering choice)"
    share = area / wanted if wanted > 0 else NAN
    return (
        part.finding("foot_flat", share, _AREA, "at_least", "1", flatness),
        part.finding("foot_tilt", tilt, _TILT_DEG, "at_least", "deg", stands),
    )


def _tilt_deg(foot: Floats, centre: Floats, down: Floats) -> float:
    """Smallest angle by which a body with this foot tips over; negative if it does not stand.

    Args:
        foot: (N, 3) corners of the foot's face.
        centre: (3,) centre of mass.
        down: (3,) unit vector.
    """
    one = np.cross(down, np.eye(3)[int(np.argmin(np.abs(down)))])
    one = one / np.linalg.norm(one)
    axes = np.stack([one, np.cross(down, one)], axis=1)
    try:
        hull = ConvexHull(foot @ axes)
    except (QhullError, ValueError):
        return NAN
    inside = -float((hull.equations[:, :2] @ (centre @ axes) + hull.equations[:, 2]).max())
    height = float((foot @ down).max() - centre @ down)
    return float(np.degrees(np.arctan2(inside, height)))
