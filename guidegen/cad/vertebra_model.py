"""A vertebra to rehearse on: joined to its neighbours in place, with the needles' channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.cad.body import one_body
from guidegen.cad.channel import Channel, find_channels, webs
from guidegen.cad.foot import Foot, find_foot
from guidegen.cad.model_settings import ModelSettings
from guidegen.cad.strut import Bar, Place, Strut, find_struts, square_axes
from guidegen.cad.thicken import thickened
from guidegen.errors import AnatomyError
from guidegen.mesh.solid import Solid
from guidegen.mesh.surface import Surface
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.guide import Guide
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Path

_FRAME = "model"
_INTO_FOOT_MM = 1.0


@dataclass(frozen=True, eq=False)
class _Column:
    """Bones from foot to head in the model's frame, and what is known of their bodies.

    Args:
        bones: Names and surfaces, lowest first.
        level: Which of them is rehearsed on.
        marks: The level's landmarks.
        patient_from_model: Origin in the lowest body's centre; x left, y back, z its long axis.
    """

    bones: tuple[tuple[str, Surface], ...]
    level: int
    marks: Landmarks
    patient_from_model: Pose

    @property
    def own(self) -> Surface:
        """The level's surface."""
        return self.bones[self.level][1]

    @property
    def half_mm(self) -> tuple[float, float]:
        """Half width and depth of the level's body."""
        values = self.marks["body_centre"].values
        return number(values["width_mm"]) / 2, number(values["depth_mm"]) / 2


def number(value: float | tuple[float, ...]) -> float:
    """A landmark's value that is one number."""
    if isinstance(value, tuple):
        raise AnatomyError(
            f"a landmark's size should be one number, found {len(value)}; plan again"
        )
    return float(value)


def build_model(
    level: Bone,
    neighbours: Sequence[Bone],
    paths: Sequence[Path],
    landmarks: Mapping[str, Landmarks],
    words: Sequence[str],
    settings: ModelSettings,
) -> Guide:
    """Make the model of one level.

    The bones keep their places (patient LPS) and, where they are thick enough, their surfaces.
    Discs are bridged by three struts each; the model stands on a flat foot that is square to the
    lowest body's long axis.

    Args:
        level: To rehearse on.
        neighbours: The vertebra above and the one below, as far as they are in view.
        paths: Needles of this level; K-wires are left out.
        landmarks: By bone; the level's are needed, a neighbour's help to place the foot.
        words: Of the label.
        settings: Sizes.

    Raises:
        AnatomyError: The level's landmarks are missing.
        GeometryError: The bones can't be joined, a needle misses the bone, or walls stay thin.
    """
    column = _column(level, neighbours if settings.neighbours else (), landmarks)
    frame = column.patient_from_model.inverse
    local = [replace(p, entry_mm=frame.points(p.entry_mm), tip_mm=frame.points(p.tip_mm))
             for p in paths if p.bone == level.name]  # fmt: skip
    channels = find_channels(local, column.own.rays, settings.channel_clearance_mm)
    struts = _struts(column, channels, settings)
    bones = one_body(
        Solid.union([*(b.solid for _, b in column.bones), *(s.solid() for s in struts)]), level.name
    )
    tools = [*(c.solid(narrower_mm=0.15) for c in channels), *webs(channels, settings.min_wall_mm)]
    bones = one_body(bones.minus(tools), level.name) if tools else bones
    bones = thickened(bones, channels, settings.min_wall_mm, level.name)
    foot = find_foot(*_standing(column, bones), words, settings)
    columns = _columns(column, foot, channels, settings)
    body = Solid.union([bones, foot.plate(), *(c.solid() for c in columns)])
    body = one_body(body.minus(foot.texts(settings.text_depth_mm)), level.name)
    features = [c.feature() for c in channels] + [s.feature() for s in (*struts, *columns)]
    features += foot.features(words, settings)
    vertices, faces = body.arrays()
    pose = column.patient_from_model
    return Guide(
        name=level.name,
        role="model",
        vertices_mm=pose.points(vertices),
        faces=faces,
        bones=(level.name,),
        neighbours=tuple(name for name, _ in column.bones if name != level.name),
        features=tuple(
            replace(f, point_mm=pose.points(f.point_mm), direction=pose.vectors(f.direction))
            for f in features
        ),
        label=" ".join(words),
    )


def _column(level: Bone, neighbours: Sequence[Bone], landmarks: Mapping[str, Landmarks]) -> _Column:
    """Order the bones along the level's z, and stand them in the lowest body's frame."""
    if level.name not in landmarks:
        raise AnatomyError(
            f"a model of {level.name} needs the vertebra's landmarks, found none; plan again"
        )
    marks = landmarks[level.name]
    up = marks.patient_from_bone.axes[:, 2]
    order = sorted([level, *neighbours], key=lambda b: float(b.vertices_mm.mean(axis=0) @ up))
    lowest = order[0]
    if lowest.name in landmarks:
        found = landmarks[lowest.name].patient_from_bone
        axes, origin = found.axes, found.origin_mm
    else:
        axes, origin = marks.patient_from_bone.axes, _body_under(marks, lowest)
    pose = Pose.from_axes(axes, origin, PATIENT, _FRAME)
    move = pose.inverse
    bones = tuple((b.name, Surface(move.points(b.vertices_mm), b.faces)) for b in order)
    return _Column(bones, order.index(level), _moved(marks, move), pose)


def _body_under(marks: Landmarks, bone: Bone) -> Floats:
    """(3,): centre of the body under a level's, on a line through both of its endplates."""
    end, top = marks["inferior_endplate_centre"], marks["superior_endplate_centre"]
    way = -marks.patient_from_bone.axes[:, 2]
    height = float((end.position_mm - top.position_mm) @ way)
    surface = Surface(bone.vertices_mm, bone.faces)
    there = surface.rays.first_hit(end.position_mm[None] - height * way, way)[0][0]
    if not np.isfinite(there):
        raise AnatomyError(
            f"{bone.name} should have its body under {marks.bone}'s, found none there; "
            "set neighbours = false"
        )
    return np.asarray(end.position_mm + (there - height + height / 2) * way)


def _moved(marks: Landmarks, model_from_patient: Pose) -> Landmarks:
    """A vertebra's landmarks in the model's frame; ``normal`` turned with them."""
    points = []
    for mark in marks.points:
        values = dict(mark.values)
        if "normal" in values:
            x, y, z = model_from_patient.vectors(values["normal"])
            values["normal"] = (float(x), float(y), float(z))
        at = model_from_patient.points(mark.position_mm)
        points.append(replace(mark, position_mm=at, values=values))
    return Landmarks(marks.bone, model_from_patient @ marks.patient_from_bone, tuple(points))


def _struts(
    column: _Column, channels: Sequence[Channel], settings: ModelSettings
) -> tuple[Strut, ...]:
    """Bridge the discs over and under the level."""
    found: list[Strut] = []
    for lower in range(len(column.bones) - 1):
        upper = lower + 1
        over = lower == column.level
        end = column.marks["superior_endplate_centre" if over else "inferior_endplate_centre"]
        left = column.marks.patient_from_bone.axes[:, 0]
        normal = np.asarray(end.values["normal"]) * (1.0 if over else -1.0)
        place = Place(end.position_mm, square_axes(normal, left), column.half_mm)
        (one, below), (two, above) = column.bones[lower], column.bones[upper]
        found += find_struts(place, (below, above), _bar(settings), channels, f"{one}-{two}")
    return tuple(found)


def _columns(
    column: _Column, foot: Foot, channels: Sequence[Channel], settings: ModelSettings
) -> tuple[Strut, ...]:
    """Stand the lowest body on the foot."""
    bottom = np.array([0.0, 0.0, foot.top_mm - _INTO_FOOT_MM])
    name, lowest = column.bones[0]
    place = Place(bottom, np.eye(3), column.half_mm)
    own = channels if column.level == 0 else ()
    return find_struts(place, (None, lowest), _bar(settings), own, f"{name}-foot")


def _bar(settings: ModelSettings) -> Bar:
    return Bar(settings.strut_diameter_mm, settings.strut_depth_mm, settings.min_wall_mm)


def _standing(column: _Column, whole: Solid) -> tuple[Floats, Floats, tuple[float, float]]:
    """All points, the centre of mass, and the size of the lowest body."""
    vertices, faces = whole.arrays()
    a, b, c = (vertices[faces[:, n]] for n in range(3))
    volume = np.einsum("nd,nd->n", a, np.cross(b, c))
    centre = (volume[:, None] * (a + b + c)).sum(axis=0) / (4 * volume.sum())
    return vertices, centre, (2 * column.half_mm[0], 2 * column.half_mm[1])
