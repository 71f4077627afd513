"""From an approved plan to one drill guide and one bone model a vertebra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from guidegen.cad.blockout import top_height
from guidegen.cad.body import main_body, one_body, opened
from guidegen.cad.bridge import (
    Grip,
    arch,
    arm,
    bridge,
    grip_plate,
    grip_stem,
    over_grip,
    place_grip,
    room_for_grip,
)
from guidegen.cad.contact import (
    BonePoints,
    Contact,
    Side,
    choose_contacts,
    docking,
    pad,
    spread_points,
)
from guidegen.cad.frame import choose_insertion, guide_frame
from guidegen.cad.label import Layout, engraving, fit_layout, line_outlines
from guidegen.cad.parts import Part, ball, carve, cylinder, empty, join, slab, smooth_min
from guidegen.cad.scene import Scene, forbidden, make_scene
from guidegen.cad.settings import GuideSettings
from guidegen.cad.sleeve import (
    Sleeve,
    Tab,
    headroom,
    over_tab,
    pilot,
    side_tab,
    stand,
    tab_plate,
    tube,
)
from guidegen.cad.window import window, window_direction, window_span
from guidegen.errors import AnatomyError, GeometryError
from guidegen.mesh.grid import Lattice, bounded_distance
from guidegen.mesh.solid import Solid
from guidegen.model.arrays import Floats, Ints
from guidegen.model.bone import Bone
from guidegen.model.frames import Pose
from guidegen.model.guide import Feature, Guide
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Progress
from guidegen.model.plan import Path, Plan

_UNDERSIZE_MM = 0.1
"""The bore in the distance field is this much narrower: the exact one is cut afterwards, so that
its mouth is already round and the isosurface's grid never shows in the bore."""
_MARK_MM = 3.6
_POINT_MM = 0.7
_CONTACT_MM = 0.1
_MIN_CONTACTS = 2
_FILLET_MM = 4.0
_SLOT_MM = 2.5
"""Legs of both sides stay this far apart at the midline, so that no thin neck joins them."""
_OPENING_MARGIN_MM = 0.22


class HasGuide(Protocol):
    """Settings of a procedure that makes guides."""

    @property
    def guide(self) -> GuideSettings:
        """The guide's settings."""


@dataclass(frozen=True, eq=False)
class Design:
    """Everything about a guide that is decided before its solid is made, guide frame."""

    scene: Scene
    sleeves: tuple[Sleeve, Sleeve]
    contacts: tuple[Contact, ...]
    arms: tuple[Part, ...]
    line: Floats
    grip: Grip
    layout: Layout
    tabs: tuple[Tab, ...]
    midline: Part

    @property
    def drilled(self) -> tuple[Sleeve, ...]:
        """The sleeves that have a bore."""
        return tuple(s for s in self.sleeves if s.bore_mm > 0)


def build_guides(
    plan: Plan,
    bones: Sequence[Bone],
    landmarks: Sequence[Landmarks],
    settings: HasGuide,
    progress: Progress,
) -> tuple[Guide, ...]:
    """Make a bilateral guide and a 1:1 model for every vertebra that has a screw path.

    Args:
        plan: With ``extra["plan_sha256"]`` for the label, if it is known, and
            ``extra["unattended"]`` if nobody approved it by hand.
        bones: Every surface of the case; the others are kept clear of.
        landmarks: One set for each vertebra with a path.
        settings: The procedure's, with ``guide``.
        progress: Told before each vertebra.

    Returns:
        Guide and model of each vertebra, in the order of the bones.

    Raises:
        AnatomyError: Landmarks of a planned vertebra are missing.
        GeometryError: A sleeve, a seat or one closed body can't be had.
    """
    frames = {marks.bone: marks.patient_from_bone for marks in landmarks}
    planned = [b for b in bones if any(p.bone == b.name for p in plan.paths)]
    parts: list[Guide] = []
    for n, bone in enumerate(planned):
        progress(f"guide for {bone.name}", n / len(planned))
        if bone.name not in frames:
            raise AnatomyError(
                f"a guide for {bone.name} needs the vertebra's landmarks, found none; plan again"
            )
        paths = [p for p in plan.paths if p.bone == bone.name]
        others = [b for b in bones if b.name != bone.name]
        words = label_words(plan, bone.name)
        parts.append(build_guide(paths, (bone, others), frames[bone.name], words, settings.guide))
        parts.append(bone_model(bone))
    return tuple(parts)


def label_words(plan: Plan, bone: str) -> tuple[str, ...]:
    """Words of the label: case, level, first four digits of the plan's hash, "unattended"."""
    digest = str(plan.extra.get("plan_sha256", "")).removeprefix("sha256:")[:4]
    mark = "unattended" if plan.extra.get("unattended") else ""
    return tuple(w for w in (plan.case_id, bone, digest, mark) if w)


def bone_model(bone: Bone) -> Guide:
    """The vertebra 1:1, to try the guide on before surgery."""
    return Guide(
        name=bone.name,
        role="model",
        vertices_mm=bone.vertices_mm,
        faces=bone.faces,
        bones=(bone.name,),
    )


def build_guide(
    paths: Sequence[Path],
    anatomy: tuple[Bone, Sequence[Bone]],
    patient_from_bone: Pose,
    words: Sequence[str],
    settings: GuideSettings,
) -> Guide:
    """Make one guide.

    Args:
        paths: One or two paths of this vertebra.
        anatomy: The vertebra and every other bone.
        patient_from_bone: The vertebra's frame (x left, y back, z head).
        words: Of the label.
        settings: Sizes.
    """
    design = make_design(paths, anatomy, patient_from_bone, words, settings)
    solid = make_solid(design, settings, anatomy[0].name)
    vertices, faces = solid.arrays()
    frame = design.scene.patient_from_guide
    points, normals = seat(design, settings)
    return Guide(
        name=anatomy[0].name,
        role="guide",
        vertices_mm=frame.points(vertices),
        faces=faces,
        bones=(anatomy[0].name,),
        neighbours=design.scene.names,
        features=guide_features(design, settings, " ".join(words), docking(points, normals)),
        patient_from_guide=frame,
        insertion_direction=-frame.axes[:, 2],
        fit_gap_mm=settings.fit_gap_mm,
        contact_area_mm2=contact_area(vertices, faces, design.scene.own, settings),
        label=" ".join(words),
    )


def plan_sleeves(
    paths: Sequence[Path], patient_from_bone: Pose, settings: GuideSettings
) -> tuple[Sleeve, Sleeve]:
    """A sleeve for each path, and a post in the mirror place where a side has none; patient."""
    by_side = {}
    for path in paths:
        by_side[path.side] = Sleeve(
            name=path.name,
            side=path.side,
            entry_mm=path.entry_mm,
            out=-path.direction,
            bore_mm=(path.pilot_diameter_mm or 2.7) + settings.bore_clearance_mm,
            outer_mm=settings.sleeve_outer_mm,
            depth_mm=path.length_mm,
        )
    if len(by_side) != len(paths) or not set(by_side) <= {"left", "right"}:
        names = ", ".join(p.name for p in paths)
        raise GeometryError(f"a guide takes one path a side, found {names}; leave the others out")
    for side, other in (("left", "right"), ("right", "left")):
        if side not in by_side:
            by_side[side] = mirrored_post(by_side[other], patient_from_bone)
    return by_side["left"], by_side["right"]


def mirrored_post(sleeve: Sleeve, patient_from_bone: Pose) -> Sleeve:
    """A solid post on the other side of the midline."""
    flip = np.array([-1.0, 1.0, 1.0])
    bone_from_patient = patient_from_bone.inverse
    return replace(
        sleeve,
        name="",
        side="left" if sleeve.side == "right" else "right",
        entry_mm=patient_from_bone.points(bone_from_patient.points(sleeve.entry_mm) * flip),
        out=patient_from_bone.vectors(bone_from_patient.vectors(sleeve.out) * flip),
        bore_mm=0.0,
    )


def find_frame(
    sleeves: Sequence[Sleeve],
    anatomy: tuple[Bone, Sequence[Bone]],
    patient_from_bone: Pose,
    settings: GuideSettings,
) -> Pose:
    """Choose the insertion direction and build the guide's frame on it."""
    approach = -np.sum([s.out for s in sleeves], axis=0)
    approach = approach / np.linalg.norm(approach)
    own, normals = spread_points(anatomy[0].vertices_mm, anatomy[0].faces, 1.2)
    centre = np.mean([s.entry_mm for s in sleeves], axis=0)
    clouds = [b.vertices_mm[::3] for b in anatomy[1]]
    others = np.concatenate(clouds) if clouds else np.zeros((0, 3))
    others = others[np.linalg.norm(others - centre, axis=1) < 70]
    head = patient_from_bone.axes[:, 2]
    insertion = choose_insertion(
        approach, head, sleeves, (own, normals, others), settings.insertion_cone_deg
    )
    return guide_frame(insertion, head, centre)


def find_contacts(
    scene: Scene,
    sleeves: Sequence[Sleeve],
    guide_from_bone: Pose,
    settings: GuideSettings,
) -> tuple[Contact, ...]:
    """Choose the contacts of both sides.

    Raises:
        GeometryError: A side has fewer than two places that can be reached.
    """
    surface = bone_points(scene, settings)
    found: tuple[Contact, ...] = ()
    for sleeve in sleeves:
        sign = 1.0 if sleeve.side == "left" else -1.0
        side = Side(
            name=sleeve.side,
            lateral=sign * guide_from_bone.axes[:, 0],
            head=guide_from_bone.axes[:, 2],
            middle_mm=guide_from_bone.origin_mm,
            entry_mm=sleeve.entry_mm,
            foot_radius_mm=settings.sleeve_outer_mm / 2,
        )
        own = choose_contacts(surface, side, settings.contact_radius_mm, found)
        if len(own) < _MIN_CONTACTS:
            raise GeometryError(
                f"a guide needs at least {_MIN_CONTACTS} separate contacts on the {side.name} that "
                f"a straight push reaches, found {len(own)}; check the bone's surface there or "
                "lower contact_radius_mm"
            )
        found += own
    return found


def bone_points(scene: Scene, settings: GuideSettings) -> BonePoints:
    """Spread points over the own bone and tell which the guide can rest on."""
    points, normals = spread_points(*scene.own, _POINT_MM)
    lattice = scene.lattice
    inside = (points > lattice.origin_mm) & (
        points < lattice.origin_mm + lattice.spacing_mm * (np.array(lattice.shape) - 1)
    )
    points, normals = points[inside.all(axis=1)], normals[inside.all(axis=1)]
    outward = points + 0.6 * normals
    seen = lattice.sample(scene.own_shadow, outward) > 0.25
    room = settings.fit_gap_mm + settings.neighbour_clearance_mm + 0.7
    free = lattice.sample(scene.others_shadow(), outward) > room
    return BonePoints(points, normals, seen & free & (normals[:, 2] > 0.0), _POINT_MM**2)


def make_design(
    paths: Sequence[Path],
    anatomy: tuple[Bone, Sequence[Bone]],
    patient_from_bone: Pose,
    words: Sequence[str],
    settings: GuideSettings,
) -> Design:
    """Decide frame, sleeves, contacts, arms, bridge, grip and marks."""
    pair = plan_sleeves(paths, patient_from_bone, settings)
    frame = find_frame(pair, anatomy, patient_from_bone, settings)
    pair = (pair[0].moved(frame.inverse), pair[1].moved(frame.inverse))
    scene = make_scene(frame, *anatomy, np.array([s.entry_mm for s in pair]))
    clear = scene.clear(settings)
    lattice, cut = scene.lattice, clear - np.float32(settings.fit_gap_mm)
    length = settings.sleeve_length_mm
    sleeves = (stand(pair[0], lattice, cut, length), stand(pair[1], lattice, cut, length))
    keep_walls_apart(sleeves, settings)
    guide_from_bone = frame.inverse @ patient_from_bone
    contacts = find_contacts(scene, sleeves, guide_from_bone, settings)
    under = top_height(lattice, cut - np.float32(settings.relief_mm))
    above = top_height(lattice, clear - np.float32(settings.bridge_clearance_mm))
    by_side = {s.side: s for s in sleeves}
    arms = [
        arm(c, by_side[c.name.rsplit("_", 1)[1]], lattice, under, settings.body_thickness_mm)
        for c in contacts
    ]
    line = arch(sleeves, lattice, above, settings)
    layout = fit_layout(words, room_for_grip(line, sleeves), settings)
    grip = place_grip(line, layout.half_mm, lattice, above)
    tabs = tuple(side_tab(s, lattice, clear, settings.body_thickness_mm) for s in sleeves)
    slot = slab(
        guide_from_bone.origin_mm, guide_from_bone.axes, np.array([_SLOT_MM / 2, 90, 90]), 0
    )
    return Design(scene, sleeves, contacts, tuple(arms), line, grip, layout, tabs, slot)


def keep_walls_apart(sleeves: tuple[Sleeve, Sleeve], settings: GuideSettings) -> None:
    """Raise GeometryError if the two sleeves run into each other."""
    heights = np.linspace(-2.0, max(s.top_mm for s in sleeves), 60)
    a, b = (np.array([s.at(h) for h in heights]) for s in sleeves)
    apart = float(np.linalg.norm(a[:, None] - b[None], axis=2).min())
    if apart < settings.sleeve_outer_mm + 1.0:
        names = " and ".join(s.name or s.side for s in sleeves)
        raise GeometryError(
            f"the sleeves of {names} need {settings.sleeve_outer_mm + 1:.1f} mm between their "
            f"axes, found {apart:.1f} mm; move an entry or leave one path out"
        )


def touching_parts(design: Design) -> list[Part]:
    """Where the guide comes down to the fit gap: contacts and sleeve feet."""
    feet = [
        cylinder(s.at(-8.0), s.at(s.foot_mm + 2.0), s.outer_mm / 2 + 0.3) for s in design.drilled
    ]
    return [ball(c.point_mm, c.radius_mm + 0.4) for c in design.contacts] + feet


def design_box(design: Design) -> tuple[Floats, Floats]:
    """Lowest and highest corner of everything the guide is made of."""
    solid = [*design.arms, *(pad(c) for c in design.contacts), grip_plate(design.grip)]
    solid += [tab_plate(t) for t in design.tabs]
    tops = [np.array([s.at(s.top_mm), s.at(-3.0)]) for s in design.sleeves]
    reach = design.sleeves[0].outer_mm / 2
    low = np.min([p.low_mm for p in solid] + [t.min(axis=0) - reach for t in tops], axis=0)
    high = np.max([p.high_mm for p in solid] + [t.max(axis=0) + reach for t in tops], axis=0)
    line = design.line
    low = np.minimum(low, line.min(axis=0) - [2, 5, 2])
    high = np.maximum(high, line.max(axis=0) + [2, 5, 2])
    scene_low = design.scene.lattice.origin_mm
    low = np.maximum(low - 1.0, scene_low)
    return low, high + 1.0


def make_solid(design: Design, settings: GuideSettings, name: str) -> Solid:
    """One distance field, one isosurface, then the exact bores and texts."""
    lattice = Lattice.around(*design_box(design), settings.grid_mm)
    legs = join(
        lattice, empty(lattice), [*design.arms, *(pad(c) for c in design.contacts)], _FILLET_MM
    )
    legs = carve(lattice, legs, [design.midline])
    field = join(lattice, empty(lattice), [tube(s) for s in design.sleeves], 0.0)
    field = smooth_min(field, legs, _FILLET_MM)
    field = join(lattice, field, [bridge(design.line, settings)], 2.5)
    field = join(lattice, field, [grip_stem(design.grip), grip_plate(design.grip)], 1.5)
    field = join(lattice, field, [tab_plate(t) for t in design.tabs], 1.0)
    away = [over_grip(design.grip), *(over_tab(t) for t in design.tabs)]
    for sleeve in design.drilled:
        span = window_span(sleeve, settings.sleeve_closed_mm)
        away.append(headroom(sleeve))
        if span is not None:
            away.append(window(sleeve, span, settings.window_width_mm))
        high = span[1] if span is not None else sleeve.foot_mm + settings.sleeve_closed_mm
        away.append(pilot(sleeve, sleeve.bore_mm - _UNDERSIZE_MM, high))
    field = carve(lattice, field, away)
    cut = forbidden(design.scene, lattice, touching_parts(design), settings)
    field = np.maximum(field, -cut)
    field = opened(lattice, field, settings.min_wall_mm / 2 + _OPENING_MARGIN_MM)
    body = main_body(lattice, field, name)
    body = body.minus([exact_bore(s) for s in design.drilled], name)
    return one_body(body.minus(texts(design, settings), name), name)


def exact_bore(sleeve: Sleeve) -> Solid:
    """The cylinder that is cut exactly."""
    return Solid.cylinder(sleeve.at(-8.0), sleeve.out, sleeve.top_mm + 10.0, sleeve.bore_mm)


def tab_axes(tab: Tab) -> Floats:
    """(3, 3): reading direction, up and outward normal of a tab's face."""
    return np.column_stack([tab.right, tab.up, tab.normal])


def texts(design: Design, settings: GuideSettings) -> list[Solid]:
    """The engraved label and side marks."""
    depth = settings.text_depth_mm
    found = [engraving(design.layout.outlines(), np.eye(3), design.grip.centre_mm, depth)]
    for sleeve, tab in zip(design.sleeves, design.tabs, strict=True):
        mark = line_outlines(sleeve.side[0].upper(), _MARK_MM, (0.0, 0.0))
        found.append(engraving(mark, tab_axes(tab), tab.centre_mm, depth))
    return found


def seat(design: Design, settings: GuideSettings) -> tuple[Floats, Floats]:
    """Points (N, 3) and normals of the bone under the contacts, one for each 0.49 mm2."""
    surface = bone_points(design.scene, settings)
    near = np.zeros(len(surface.points_mm), dtype=bool)
    for contact in design.contacts:
        distance = np.linalg.norm(surface.points_mm - contact.point_mm, axis=1)
        near |= (distance < contact.radius_mm) & (surface.normals @ contact.normal > 0)
    use = near & surface.reachable
    return surface.points_mm[use], surface.normals[use]


def contact_area(
    vertices: Floats, faces: Ints, bone: tuple[Floats, Ints], settings: GuideSettings
) -> float:
    """Area of the guide's surface within the fit gap + 0.1 mm of the bone, mm2."""
    reach = settings.fit_gap_mm + _CONTACT_MM
    near = bounded_distance(vertices, *bone, 1.0) <= reach
    corners = vertices[faces[near[faces].all(axis=1)]]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(cross, axis=1).sum() / 2)


def guide_features(
    design: Design, settings: GuideSettings, label: str, held: float
) -> tuple[Feature, ...]:
    """Everything that carries the plan, in the patient's frame."""
    frame = design.scene.patient_from_guide
    found = [f for s in design.drilled for f in sleeve_features(s, settings)]
    half = design.layout.half_mm
    found.append(
        Feature(
            "label",
            label,
            design.grip.centre_mm,
            np.array([0.0, 0.0, 1.0]),
            {
                "radius_mm": float(np.hypot(*half)),
                "depth_mm": settings.text_depth_mm,
                "text_height_mm": design.layout.height_mm,
            },
        )
    )
    for sleeve, tab in zip(design.sleeves, design.tabs, strict=True):
        values = {"radius_mm": 3.4, "depth_mm": settings.text_depth_mm, "text_height_mm": _MARK_MM}
        mark = sleeve.side[0].upper()
        found.append(Feature("label", mark, tab.centre_mm, tab.normal, values))
    for contact in design.contacts:
        area: Mapping[str, float] = {
            "area_mm2": float(np.pi * contact.radius_mm**2),
            "radius_mm": contact.radius_mm,
            "docking": held,
        }
        found.append(Feature("contact", contact.name, contact.point_mm, contact.normal, area))
    return tuple(
        replace(f, point_mm=frame.points(f.point_mm), direction=frame.vectors(f.direction))
        for f in found
    )


def sleeve_features(sleeve: Sleeve, settings: GuideSettings) -> list[Feature]:
    """Bore and window of a sleeve, guide frame."""
    values = {
        "diameter_mm": sleeve.bore_mm,
        "length_mm": sleeve.top_mm - sleeve.foot_mm,
        "outer_mm": sleeve.outer_mm,
        "drill_depth_mm": sleeve.top_mm + sleeve.depth_mm,
        "foot_above_entry_mm": sleeve.foot_mm,
    }
    found = [Feature("bore", sleeve.name, sleeve.at(sleeve.top_mm), -sleeve.out, values)]
    span = window_span(sleeve, settings.sleeve_closed_mm)
    if span is not None:
        centre = sleeve.at(sum(span) / 2) + sleeve.outer_mm / 2 * window_direction(sleeve)
        size = {"length_mm": span[1] - span[0], "width_mm": settings.window_width_mm}
        found.append(Feature("window", sleeve.name, centre, window_direction(sleeve), size))
    return found
