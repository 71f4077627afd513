"""A model of a bone's end to print, with the planned cuts engraved round it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidegen.cad.label import Layout, engraving, fit_layout
from guidegen.cad.part_settings import PartSettings
from guidegen.cad.strut import square_axes
from guidegen.errors import GeometryError
from guidegen.mesh.solid import Solid
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.guide import Feature, Guide
from guidegen.model.plan import Cut
from guidegen.settings import setting

_SPARE_MM = 2.0
_LEAST_MM = 20.0
_NARROWER = 0.9
_PLATE_MM, _PLATE_THICK_MM, _PLATE_INTO_MM = 34.0, 3.0, 1.0


class CutModelSettings(PartSettings):
    """Sizes of a model with engraved cuts."""

    make: bool = setting(
        False,
        "1",
        "Make a model of each bone's end with the cut planes engraved, to hold the guide against "
        "and to show the plan (engineering choice: printed when asked for)",
    )
    length_mm: float = setting(
        70.0,
        "mm",
        "Bone beyond the cut that the model keeps: the guide sits within it (engineering choice)",
        ge=40.0,
        le=150.0,
    )
    groove_mm: float = setting(
        0.8,
        "mm",
        "Depth of the grooves; they are as wide as the saw's kerf (engineering choice: seen and "
        "felt, but no place to break)",
        ge=0.4,
        le=2.0,
    )


def build_cut_model(
    bone: Bone, cuts: Sequence[Cut], words: Sequence[str], settings: CutModelSettings
) -> Guide:
    """Cut a bone's end off parallel to its main cut, and engrave all cuts.

    The model stands on its flat end with the main cut level; there the label is, on a plate where
    the end is too narrow for it.

    Args:
        bone: Femur or tibia.
        cuts: To engrave, each as wide as its kerf; the main one first.
        words: Of the label.
        settings: Sizes.

    Returns:
        A part of role ``model`` with the features ``groove`` (a point of the plane, its normal),
        ``end`` (the flat end, outward) and ``label``.

    Raises:
        GeometryError: The bone ends at the cut.
    """
    main = cuts[0]
    away = -main.normal
    origin = main.origin_mm
    reach = float(((bone.vertices_mm - origin) @ away).max()) - _SPARE_MM
    length = min(settings.length_mm, reach)
    if length < _LEAST_MM:
        raise GeometryError(
            f"{bone.name}: at least {_LEAST_MM:g} mm of bone beyond the cut were wanted for a "
            f"model, found {max(reach, 0.0):.0f}: scan more of the bone, or make no model"
        )
    whole = Solid.from_mesh(bone.vertices_mm - origin, bone.faces, bone.name)
    end = length * away
    body = whole.kept_beyond(end, main.normal, bone.name).bodies()[0]
    centre, layout, fits = _label_place(body, end, away, words, settings)
    tools = [
        body.groove(_plane(cut.origin_mm - origin, cut.normal), cut.kerf_mm, settings.groove_mm)
        for cut in cuts
    ]
    body = body.minus(tools, bone.name)
    if not fits:
        centre = centre + _PLATE_THICK_MM * away
        body = Solid.union([body, _plate(centre, away, layout)])
    axes = square_axes(away, _across(away))
    text_tool = engraving(layout.outlines(), axes, centre, settings.text_depth_mm)
    vertices, faces = body.minus([text_tool], bone.name).bodies()[0].arrays()
    text = " ".join(words)
    label = {
        "radius_mm": float(np.hypot(*layout.half_mm)),
        "depth_mm": settings.text_depth_mm,
        "text_height_mm": layout.height_mm,
    }
    features = [Feature("groove", c.name, c.origin_mm, c.normal, _sizes(c, settings)) for c in cuts]
    features.append(Feature("end", bone.name, origin + end, away, {"length_mm": length}))
    features.append(Feature("label", text, origin + centre, away, label))
    return Guide(
        name=bone.name,
        role="model",
        vertices_mm=vertices + origin,
        faces=faces,
        bones=(bone.name,),
        features=tuple(features),
        label=text,
    )


def _sizes(cut: Cut, settings: CutModelSettings) -> dict[str, float]:
    return {"width_mm": cut.kerf_mm, "depth_mm": settings.groove_mm}


def _across(normal: Floats) -> Floats:
    """(3,): the axis that lies most nearly across a normal."""
    return np.asarray(np.eye(3)[int(np.argmin(np.abs(normal)))])


def _plane(point_mm: Floats, normal: Floats) -> Floats:
    """(4, 4): a frame whose x-y plane is the plane."""
    pose = np.eye(4)
    pose[:3, :3] = square_axes(normal, _across(normal))
    pose[:3, 3] = point_mm
    return pose


def _label_place(
    body: Solid, end: Floats, away: Floats, words: Sequence[str], settings: CutModelSettings
) -> tuple[Floats, Layout, bool]:
    """The widest place's middle on the flat end (3,), the label's lines, whether they fit there."""
    pose = _plane(end - 0.01 * away, away)
    (x, y), radius = body.inner_circle(pose)
    centre, width = end + x * pose[:3, 0] + y * pose[:3, 1], 2 * radius
    while width > radius / 2:
        layout = fit_layout(words, width, settings)
        if np.hypot(*layout.half_mm) <= radius:
            return centre, layout, True
        width *= _NARROWER
    return centre, fit_layout(words, _PLATE_MM, settings), False


def _plate(face_mm: Floats, away: Floats, layout: Layout) -> Solid:
    """A plate under the flat end, a little into it; its outer face holds the label."""
    axes = square_axes(away, _across(away))
    wide, tall = layout.half_mm
    corners = [
        face_mm + x * axes[:, 0] + y * axes[:, 1] - z * away
        for x in (-wide, wide)
        for y in (-tall, tall)
        for z in (0.0, _PLATE_THICK_MM + _PLATE_INTO_MM)
    ]
    return Solid.hull(np.array(corners), "plate")
