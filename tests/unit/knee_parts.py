"""Femora and tibiae of known shape, with landmarks, cut and pins, for tests of guides."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from guidegen.anatomy.femur import find_femur
from guidegen.anatomy.tibia import find_tibia
from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Cut, Path
from guidegen.phantoms.femur import Femur
from guidegen.phantoms.tibia import Tibia
from guidegen.planning.pins import plan_pins
from guidegen.procedures.knee.cuts import cut_femur, cut_tibia
from guidegen.procedures.knee.settings import KneeSettings

from .anatomy.leg_shapes import TURNS, placed, surface


@dataclass(frozen=True, eq=False)
class Planned:
    """One bone and its plan."""

    bone: Bone
    marks: Landmarks
    cut: Cut
    pins: tuple[Path, ...]
    settings: KneeGuideSettings


@cache
def mesh(kind):
    if kind == "femur":
        return surface(Femur().distance, (-72, -42, -20), (62, 48, 450), 1.5)
    return surface(Tibia().distance, (-46, -50, -382), (46, 40, 12), 1.5)


@cache
def planned(kind, side, turn, slot=True):
    """A bone of one kind and side, turned, with its cut and pins.

    Pins alone go farther from the cut than the settings say: beside them the notch is wide there.
    """
    shape = placed(mesh(kind), side, TURNS[turn])
    bone = Bone(f"{kind}_{side}", shape.vertices_mm, shape.faces, side)
    marks = (find_femur if kind == "femur" else find_tibia)(bone)
    guide = {"slot": True} if slot else {"slot": False, "pin_offset_mm": 20.0}
    settings = KneeSettings(guide=guide)
    cut = (cut_femur if kind == "femur" else cut_tibia)(bone, marks, side, settings).cut
    pins = plan_pins(bone, marks, cut, settings.guide)
    return Planned(bone, marks, cut, pins, settings.guide)


def lateral(case):
    """(3,) of a planned bone: its lateral way, from the patient's frame of the phantom."""
    left = case.marks.patient_from_bone.axes[:, 0]
    return left if case.bone.side == "left" else -left


def bumped(bone, at_mm, normal, high_mm, wide_mm):
    """The bone with an osteophyte: a smooth bump on its surface."""
    points = np.array(bone.vertices_mm)
    away = np.linalg.norm(points - at_mm, axis=1)
    points += high_mm * np.exp(-((away / wide_mm) ** 2))[:, None] * normal
    return Bone(bone.name, points, bone.faces, bone.side)
