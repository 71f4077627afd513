"""What a bilateral drill guide on a vertebra is made of, decided before its solid is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.cad.blockout import top_height
from guidegen.cad.bridge import Grip, arch, arm, place_grip, room_for_grip
from guidegen.cad.contact import BonePoints, Contact, Side, choose_contacts, spread_points
from guidegen.cad.frame import choose_insertion, guide_frame
from guidegen.cad.label import Layout, fit_layout
from guidegen.cad.parts import Part, slab
from guidegen.cad.scene import Scene, make_scene
from guidegen.cad.settings import GuideSettings
from guidegen.cad.sleeve import Sleeve, Tab, side_tab, stand
from guidegen.errors import GeometryError
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.frames import Pose
from guidegen.model.plan import Path

POINT_MM = 0.7
"""Distance of the points by which a bone's surface is judged for contact."""
_PILOT_MM = 2.7
_MIN_CONTACTS = 4
_SLOT_MM = 2.5
"""Legs of both sides stay this far apart at the midline, so that no thin neck joins them."""


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
            bore_mm=(path.pilot_diameter_mm or _PILOT_MM) + settings.bore_clearance_mm,
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


def bone_points(scene: Scene, settings: GuideSettings) -> BonePoints:
    """Spread points over the own bone and tell which the guide can rest on."""
    points, normals = spread_points(*scene.own, POINT_MM)
    lattice = scene.lattice
    inside = (points > lattice.origin_mm) & (
        points < lattice.origin_mm + lattice.spacing_mm * (np.array(lattice.shape) - 1)
    )
    points, normals = points[inside.all(axis=1)], normals[inside.all(axis=1)]
    outward = points + 0.6 * normals
    seen = lattice.sample(scene.own_shadow, outward) > 0.25
    room = settings.fit_gap_mm + settings.neighbour_clearance_mm + 0.7
    free = lattice.sample(scene.others_shadow(), outward) > room
    return BonePoints(points, normals, seen & free & (normals[:, 2] > 0.0), POINT_MM**2)


def find_contacts(
    scene: Scene,
    sleeves: Sequence[Sleeve],
    guide_from_bone: Pose,
    settings: GuideSettings,
) -> tuple[Contact, ...]:
    """Choose the contacts of both sides.

    Raises:
        GeometryError: A side has no place that can be reached, or there are fewer than four.
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
        if not own:
            raise GeometryError(
                f"a guide needs contacts on both sides, found none on the {side.name} that a "
                "straight push reaches; check the bone's surface there or lower contact_radius_mm"
            )
        found += own
    if len(found) < _MIN_CONTACTS:
        raise GeometryError(
            f"a guide needs at least {_MIN_CONTACTS} separate contacts, found {len(found)} that a "
            "straight push reaches; check the bone's surface or lower contact_radius_mm"
        )
    return found


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
