"""Landmarks of a vertebra and the vertebra's own frame, from its closed surface."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from guidegen.anatomy.body import Body, find_body
from guidegen.anatomy.pedicle import Canal, Isthmus, find_canal, find_isthmus
from guidegen.errors import AnatomyError
from guidegen.mesh.field import DistanceField, sample_field
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.level import Level

_GRID_MM = 1.5
_MARGIN_MM = 3.0
_BOX_MM = ((-34.0, -54.0, -32.0), (34.0, 24.0, 26.0))
_SIDES = (("left", 1.0), ("right", -1.0))


def _upright(up: Floats, left: Floats) -> Floats:
    """(3, 3): axes x left, y back, z head as columns, z kept and x made square to it."""
    x = left - up * (up @ left)
    x = x / np.linalg.norm(x)
    return np.stack([x, np.cross(up, x), up], axis=1)


def _asymmetry(field: DistanceField, axes: Floats, centre: Floats) -> float:
    """Measure how unlike the two sides of the mid-plane are; mean |difference| in mm."""
    x, y, z = np.meshgrid(
        np.arange(2.0, 26.0, 3.0), np.arange(-14.0, 34.0, 3.0), np.arange(-9.0, 10.0, 3.0)
    )
    local = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    here = np.clip(field.at(centre + local @ axes.T), -4.0, 4.0)
    there = np.clip(field.at(centre + (local * (-1.0, 1.0, 1.0)) @ axes.T), -4.0, 4.0)
    return float(np.abs(here - there).mean())


def _turned(axes: Floats, turn_deg: float) -> Floats:
    """(3, 3): axes turned about their z."""
    a = np.radians(turn_deg)
    return _upright(axes[:, 2], np.cos(a) * axes[:, 0] + np.sin(a) * axes[:, 1])


def _mirrored(field: DistanceField, start: Floats, centre: Floats) -> tuple[Floats, float]:
    """Turn axes about z, within 15 deg, to where the two sides mirror best: axes and asymmetry."""

    def cost(move: Floats) -> float:
        axes = _turned(start, float(np.clip(move[0], -15.0, 15.0)))
        return _asymmetry(field, axes, centre + np.clip(move[1], -4.0, 4.0) * axes[:, 0])

    simplex = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 1.5]])
    options = {"initial_simplex": simplex, "maxfev": 80, "xatol": 0.1, "fatol": 1e-3}
    found = optimize.minimize(cost, simplex[0], method="Nelder-Mead", options=options)
    return _turned(start, float(np.clip(found.x[0], -15.0, 15.0))), float(found.fun)


def _bone_axes(
    field: DistanceField, body: Body, canal: Canal, pedicles: dict[str, Isthmus]
) -> Floats:
    """Choose the vertebra's axes: z between the endplates' normals, x by mirror symmetry.

    The search for the best mirror plane starts from the line between the pedicles and from the
    level's own x; the better end is taken.
    """
    up = body.superior.normal - body.inferior.normal
    up = up / np.linalg.norm(up)
    starts = [np.array([1.0, 0.0, 0.0])]
    if len(pedicles) == 2:
        starts.append(pedicles["left"].centre - pedicles["right"].centre)
    middle = body.centre + 0.5 * (canal.centre - body.centre) * (1.0, 0.0, 0.0)
    found = [_mirrored(field, _upright(up, left), middle) for left in starts]
    return min(found, key=lambda pair: pair[1])[0]


def _spinous_tip(local: Floats, canal: Canal, axes: Floats) -> Floats:
    """Average the hindmost 30 points of the surface near the mid-plane (level's frame)."""
    seen = (local - canal.centre) @ axes
    near = np.flatnonzero((np.abs(seen[:, 0]) < 14.0) & (seen[:, 1] > 0))
    if len(near) < 30:
        raise AnatomyError("no bone was found behind the canal: the arch is cut off or missing")
    order = near[np.argsort(-seen[near, 1], kind="stable")[:30]]
    return np.asarray(local[order].mean(axis=0))


def _points(level: Level, body: Body, canal: Canal, frame: Pose) -> list[Landmark]:
    """List the landmarks of body and canal in the patient's frame."""
    to_patient = level.patient_from_level
    marks = [
        Landmark(
            "body_centre", frame.origin_mm, body.spread_mm + 0.3, "halved chords and endplates",
            {"width_mm": body.width_mm, "depth_mm": body.depth_mm},
        ),
        Landmark(
            "canal_centre", to_patient.points(canal.centre), 0.7, "point farthest from bone",
            {"radius_mm": canal.radius_mm},
        ),
    ]  # fmt: skip
    for name, plate in (("superior", body.superior), ("inferior", body.inferior)):
        normal = to_patient.vectors(plate.normal)
        marks.append(
            Landmark(
                f"{name}_endplate_centre",
                to_patient.points(plate.point),
                plate.spread_mm,
                f"plane fitted to {plate.n_kept} rays",
                {"normal": (float(normal[0]), float(normal[1]), float(normal[2]))},
            )
        )
    return marks


def _pedicle_mark(name: str, isthmus: Isthmus, to_patient: Pose) -> Landmark:
    """Turn an isthmus into a landmark."""
    along = to_patient.vectors(isthmus.along)
    return Landmark(
        name,
        to_patient.points(isthmus.centre),
        isthmus.spread_mm,
        "smallest section square to the pedicle",
        {
            "width_mm": float(isthmus.width_mm),
            "height_mm": float(isthmus.height_mm),
            "along": (float(along[0]), float(along[1]), float(along[2])),
        },
    )


def find_landmarks(bone: Bone, level: Level) -> Landmarks:
    """Find the landmarks of a vertebra.

    Works on a distance field of the surface in the level's frame. The level's frame may be off
    by a few mm and about 10 deg. A pedicle that is cut off or destroyed is left out; so is the
    spinous tip where the arch is not in view.

    Args:
        bone: Closed surface of the vertebra, patient LPS.
        level: Where the level lies along the canal.

    Returns:
        ``body_centre``, ``canal_centre``, ``superior_endplate_centre``,
        ``inferior_endplate_centre`` (with ``normal``), ``pedicle_left|right`` (with ``width_mm``,
        ``height_mm``), ``spinous_tip``; ``patient_from_bone`` has its origin in the body's
        centre, z between the endplates' normals, x to the left.

    Raises:
        AnatomyError: No body or endplate was found; names the level.
    """
    to_level = level.patient_from_level.inverse
    local = to_level.points(bone.vertices_mm)
    bounds = np.array([local.min(axis=0) - _MARGIN_MM, local.max(axis=0) + _MARGIN_MM])
    bounds = np.clip(bounds, *_BOX_MM)
    try:
        field = sample_field(local, bone.faces, bounds, _GRID_MM)
        canal = find_canal(field)
        body = find_body(field, np.array([canal.centre[0], canal.front_mm, 0.0]))
    except AnatomyError as error:
        raise AnatomyError(f"{bone.name}: {error}") from None
    found = {name: find_isthmus(field, canal, side) for name, side in _SIDES}
    pedicles = {name: isthmus for name, isthmus in found.items() if isthmus is not None}
    axes = _bone_axes(field, body, canal, pedicles)
    to_patient = level.patient_from_level
    frame = Pose.from_axes(
        to_patient.axes @ axes, to_patient.points(body.centre), PATIENT, bone.name
    )
    marks = _points(level, body, canal, frame)
    marks += [_pedicle_mark(f"pedicle_{n}", p, to_patient) for n, p in pedicles.items()]
    try:
        tip = to_patient.points(_spinous_tip(local, canal, axes))
        marks.append(Landmark("spinous_tip", tip, 1.0, "hindmost points near the mid-plane"))
    except AnatomyError:
        pass
    return Landmarks(bone.name, frame, tuple(marks))
