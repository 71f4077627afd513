"""Every guide on its bone, from several sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.mesh.picture import Camera, ColouredMesh, render_views
from guidegen.model.arrays import Floats
from guidegen.model.bone import SKIN
from guidegen.model.case import Case
from guidegen.model.frames import Pose
from guidegen.model.guide import Guide
from guidegen.report.drawing import Figure
from guidegen.report.frames import bone_frame
from guidegen.report.section import Section
from guidegen.report.solids import bone_solid, guide_solid, path_solids, picture_figure
from guidegen.report.wording import number, plain
from guidegen.workers import side_by_side

Way = tuple[float, float, float]
Views = tuple[tuple[str, Way, Way], ...]
SIZE = (420, 222)
MARGIN_MM = 9.0
LABEL_MARGIN_MM = 5.0
FAINT = 0.22
FRONT_VIEWS: Views = (
    ("From the front", (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    ("Oblique, from the front on the left", (-0.75, 0.8, -0.45), (0.0, 0.0, 1.0)),
    ("From above, front up", (0.0, 0.0, -1.0), (0.0, -1.0, 0.0)),
)
"""Of parts with saw cuts."""
VIEWS: Views = (
    ("From behind", (0.0, -1.0, 0.0), (0.0, 0.0, 1.0)),
    ("Oblique, from behind on the left", (-0.75, -0.8, -0.45), (0.0, 0.0, 1.0)),
    ("From above, front up", (0.0, 0.0, -1.0), (0.0, -1.0, 0.0)),
)


@dataclass(frozen=True)
class GuideFigures:
    """The pictures of one guide."""

    title: str
    facts: str
    figures: tuple[Figure, ...]


def guides_section(case: Case) -> Section | None:
    """Draw every guide, and the models that carry paths; None before there are any."""
    guides = [g for g in case.guides if g.role == "guide" or _rehearses(g)]
    if not guides:
        return None
    items = side_by_side(lambda guide: _guide_figures(case, guide), guides)
    title = "Guides on the bone"
    return Section("guides", title, "guides.html.j2", {"items": items}, new_page=True)


def _rehearses(guide: Guide) -> bool:
    """True for a model with channels or engraved cuts: it is more than the bone."""
    return guide.role == "model" and any(f.kind in ("bore", "groove") for f in guide.features)


def _guide_figures(case: Case, guide: Guide) -> GuideFigures:
    """The pictures of one guide, in the frame of the bone it sits on."""
    frame = bone_frame(case, _seat(case, guide))
    front = any(cut.bone in guide.bones for cut in case.plan.cuts)
    cameras, captions = guide_cameras(guide, frame, FRONT_VIEWS if front else VIEWS)
    pictures = render_views(_solids(case, guide), cameras, SIZE)
    figures = tuple(
        picture_figure(picture, camera, frame, caption)
        for picture, camera, caption in zip(pictures, cameras, captions, strict=True)
    )
    fit = f"fit gap {number(guide.fit_gap_mm, 2)} mm"
    contact = f"contact {number(guide.contact_area_mm2, 0)} mm²"
    facts = [
        *((fit, contact) if guide.contact_area_mm2 > 0 else ()),
        "size " + " × ".join(number(s, 0) for s in np.ptp(guide.vertices_mm, axis=0)) + " mm",
    ]
    return GuideFigures(
        f"{plain(guide.name)} – {guide.file}",
        " · ".join(facts) + (f" · label “{guide.label}”" if guide.label else ""),
        figures,
    )


def _seat(case: Case, guide: Guide) -> str:
    """The bone whose frame a guide is shown in: its own, or that of its paths where it is skin."""
    own = next((name for name in guide.bones if name != SKIN), None)
    carried = {feature.item for feature in guide.features if feature.kind == "bore"}
    return own or next((p.bone for p in case.plan.paths if p.name in carried), "")


def guide_cameras(
    guide: Guide, frame: Pose, views: Views = VIEWS
) -> tuple[list[Camera], list[str]]:
    """Cameras and captions of the fixed views and of the label, if there is one."""
    points = guide.vertices_mm
    cameras = [
        Camera.framing(points, frame.vectors(forward), frame.vectors(up), SIZE, MARGIN_MM)
        for _, forward, up in views
    ]
    captions = [caption for caption, _, _ in views]
    for label in guide.features:
        if label.kind == "label":
            cameras.append(_label_camera(label.point_mm, label.direction, points, frame))
            captions.append("Engraved label, square on")
            break
    return cameras, captions


def _label_camera(point: Floats, normal: Floats, points: Floats, frame: Pose) -> Camera:
    """A closer look straight at the label, head upwards as far as that goes."""
    head, front = frame.axes[:, 2], -frame.axes[:, 1]
    up = head if abs(float(head @ normal)) < 0.8 else front
    near = points[np.linalg.norm(points - point, axis=1) < 22.0]
    seen = near if len(near) > 3 else points
    return Camera.framing(seen, -normal, up, SIZE, LABEL_MARGIN_MM)


def _solids(case: Case, guide: Guide) -> list[ColouredMesh]:
    """The guide, its bone, faint neighbours, and the paths it carries."""
    solids = [guide_solid(guide)]
    carried = {feature.item for feature in guide.features if feature.kind == "bore"}
    for bone in () if guide.role == "model" else case.bones:
        if bone.name in guide.bones:
            solids.append(bone_solid(bone))
        elif bone.name in guide.neighbours:
            solids.append(bone_solid(bone, planned=False, opacity=FAINT))
    for path in case.plan.paths:
        if path.name in carried:
            solids += path_solids(path, pin=False)
    return solids
