"""A vertebra to rehearse on: joined to its neighbours in place, with the needles' channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.cad.body import one_body
from guidegen.cad.channel import Channel, find_channels, webs
from guidegen.cad.column import Column, make_column
from guidegen.cad.foot import Foot, find_foot
from guidegen.cad.model_settings import ModelSettings
from guidegen.cad.strut import Bar, Place, Strut, find_struts, square_axes
from guidegen.cad.thicken import NARROWER_MM, sturdy
from guidegen.mesh.io import as_float32
from guidegen.mesh.solid import Solid
from guidegen.mesh.wall import ENGRAVED_MM, Patch, thin_walls
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.guide import Feature, Guide
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Path

_INTO_FOOT_MM = 1.0
_SURE_MM = 0.03
"""To spare over the limit. It does not cover other samples of the same surface: on rough bone
these find isolated places that are thinner than any of the check's own samples."""


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
    column = make_column(level, neighbours if settings.neighbours else (), landmarks)
    frame = column.patient_from_model.inverse
    local = [replace(p, entry_mm=frame.points(p.entry_mm), tip_mm=frame.points(p.tip_mm))
             for p in paths if p.bone == level.name]  # fmt: skip
    channels = find_channels(local, column.own.rays, settings.channel_clearance_mm)
    struts = _struts(column, channels, settings)
    solids = [*(bone.solid for _, bone in column.bones), *(s.solid() for s in struts)]
    joined = one_body(Solid.union(solids), level.name)
    tools = [*(c.solid(narrower_mm=NARROWER_MM) for c in channels)]
    tools += webs(channels, settings.min_wall_mm)
    drilled = one_body(joined.minus(tools), level.name) if tools else joined
    made: list[Guide] = []

    def judged(bones: Solid) -> Floats:
        made[:] = [_finished(column, bones, (channels, struts), words, settings)]
        return frame.points(_too_thin(made[0], settings.min_wall_mm + _SURE_MM))

    sturdy(drilled, channels, settings.min_wall_mm, level.name, judged)
    return made[0]


def _finished(
    column: Column,
    bones: Solid,
    inner: tuple[Sequence[Channel], Sequence[Strut]],
    words: Sequence[str],
    settings: ModelSettings,
) -> Guide:
    """The model on its foot."""
    channels, struts = inner
    stand = _stand(column, bones, channels, words, settings)
    features = [c.feature() for c in channels]
    features += [s.feature() for s in (*struts, *stand.columns)]
    return _guide(column, stand.body, (*features, stand.foot.feature(), *stand.labels), words)


def _too_thin(model: Guide, least_mm: float) -> Floats:
    """(N, 3): places that are too thin, judged on what will be read back from the file."""
    patches = tuple(
        Patch(f.point_mm, f.direction, None, 2 * f.values["radius_mm"], 0.0, ENGRAVED_MM)
        for f in model.features
        if f.kind == "label"
    )
    vertices, faces = as_float32(model.vertices_mm, model.faces)
    return thin_walls(vertices.astype(np.float64), faces, patches, least_mm)


@dataclass(frozen=True, eq=False)
class _Stand:
    """Bones on their foot.

    Args:
        body: Everything, with the texts engraved.
        foot: The plate.
        columns: Between plate and lowest body.
        labels: Where the texts are.
    """

    body: Solid
    foot: Foot
    columns: tuple[Strut, ...]
    labels: tuple[Feature, ...]


def _stand(
    column: Column,
    bones: Solid,
    channels: Sequence[Channel],
    words: Sequence[str],
    settings: ModelSettings,
) -> _Stand:
    """Put the bones on their foot and engrave it."""
    name, half = column.bones[column.level][0], column.half_mm
    vertices, _ = bones.arrays()
    body_mm = 2 * half[0], 2 * half[1]
    foot = find_foot(vertices, bones.centre_mm, body_mm, words, settings)
    columns = _columns(column, foot, channels, settings)
    whole = Solid.union([bones, foot.plate(), *(c.solid() for c in columns)])
    body = one_body(whole.minus(foot.texts(settings.text_depth_mm)), name)
    return _Stand(body, foot, columns, tuple(foot.labels(words, settings)))


def _guide(column: Column, body: Solid, features: Sequence[Feature], words: Sequence[str]) -> Guide:
    """The model in the patient's frame."""
    vertices, faces = body.arrays()
    pose, name = column.patient_from_model, column.bones[column.level][0]
    return Guide(
        name=name,
        role="model",
        vertices_mm=pose.points(vertices),
        faces=faces,
        bones=(name,),
        neighbours=tuple(other for other, _ in column.bones if other != name),
        features=tuple(
            replace(f, point_mm=pose.points(f.point_mm), direction=pose.vectors(f.direction))
            for f in features
        ),
        label=" ".join(words),
    )


def _struts(
    column: Column, channels: Sequence[Channel], settings: ModelSettings
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
    column: Column, foot: Foot, channels: Sequence[Channel], settings: ModelSettings
) -> tuple[Strut, ...]:
    """Stand the lowest body on the foot."""
    bottom = np.array([0.0, 0.0, foot.top_mm - _INTO_FOOT_MM])
    name, lowest = column.bones[0]
    place = Place(bottom, np.eye(3), column.half_mm)
    own = channels if column.level == 0 else ()
    return find_struts(place, (None, lowest), _bar(settings), own, f"{name}-foot")


def _bar(settings: ModelSettings) -> Bar:
    return Bar(settings.strut_diameter_mm, settings.strut_depth_mm, settings.min_wall_mm)
