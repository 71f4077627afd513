"""A vertebra of simple shapes, tilted at will, with a plan: no data from outside."""

from dataclasses import dataclass

import numpy as np
import pytest

from guidegen.cad.parts import ball, carve, cylinder, empty, join, strand
from guidegen.cad.settings import GuideSettings
from guidegen.mesh.grid import Lattice, isosurface
from guidegen.mesh.solid import Solid
from guidegen.model.bone import Bone
from guidegen.model.frames import Pose
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Path, Plan


@dataclass(frozen=True)
class Settings:
    """Stands for a procedure's settings."""

    guide: GuideSettings


@dataclass(frozen=True)
class Patient:
    """One planned vertebra between two others."""

    bones: tuple[Bone, ...]
    landmarks: Landmarks
    plan: Plan


def _points(*rows):
    return np.array(rows, dtype=float)


def vertebra_mesh():
    """Lumbar-like: x left, y back, z head, origin in the canal's middle at the pedicles."""
    lattice = Lattice.around((-42, -46, -32), (42, 48, 24), 0.8)
    body = cylinder(*_points((0, -25, -12), (0, -25, 12)), 17.0)
    field = join(lattice, empty(lattice), [body], 0)
    parts = []
    for s in (-1, 1):
        parts += [
            strand(_points((s * 13, -14, 2), (s * 17, 4, 1)), 5.0),
            strand(_points((s * 17, 6, 8), (s * 17, 8, -10), (s * 15, 9, -20)), 5.0),
            strand(_points((s * 17, 6, 0), (s * 36, 10, 0)), 4.0),
            strand(_points((s * 16, 9, -6), (s * 2, 17, -10)), 4.5),
            strand(_points((s * 15, 9, -13), (s * 1, 17, -14)), 4.0),
        ]
    parts.append(strand(_points((0, 16, -11), (0, 40, -16)), 3.6))
    parts.append(strand(_points((0, 17, -16), (0, 40, -20)), 3.6))
    field = join(lattice, field, parts, 2.0)
    field = carve(lattice, field, [cylinder(*_points((0, -1, -40), (0, -1, 40)), 8.0)])
    bumps = np.random.default_rng(7)
    spots = bumps.uniform((-30, 5, -18), (30, 25, 8), (60, 3))
    field = join(lattice, field, [ball(p, 1.2) for p in spots if _near(lattice, field, p)], 0.5)
    solid = Solid.from_mesh(*isosurface(lattice, field)).bodies()[0]
    return solid.arrays()


def _near(lattice, field, point):
    return abs(lattice.sample(field, point[None])[0]) < 1.0


def make_patient(mesh, turn=(0.0, 0.0, 0.0), sides=("left", "right"), case="demo"):
    """Place three vertebrae one over another, turned about x, y, z by ``turn`` degrees."""
    a, b, c = np.radians(turn)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    level = Pose.from_axes(rz @ ry @ rx, (30.0, -120.0, 410.0), "patient", "level")
    bones = tuple(
        Bone(name, level.points(mesh[0] + [0, 0, shift]), mesh[1])
        for name, shift in (("L2", 36.0), ("L3", 0.0), ("L4", -36.0))
    )
    paths = []
    for side in sides:
        s = 1 if side == "left" else -1
        out = np.array([s * np.sin(np.radians(10)), np.cos(np.radians(10)), 0.0])
        entry = np.array([s * 17.5, 11.5, 1.0])
        tip = entry - 40 * out
        ends = level.points(entry), level.points(tip)
        paths.append(Path(f"L3_{side}", "L3", "screw", side, *ends, 5.0, pilot_diameter_mm=2.7))
    body = Pose.from_axes(level.axes, level.points((0.0, -25.0, 0.0)), "patient", "bone")
    plan = Plan(
        case, "pedicle-screws", "", "", "", paths=tuple(paths), extra={"plan_sha256": "4f9a0c"}
    )
    return Patient(bones, Landmarks("L3", body, ()), plan)


@pytest.fixture(scope="session")
def mesh():
    return vertebra_mesh()


@pytest.fixture(scope="session")
def build(mesh):
    """Build guides of a turned patient; each one only once."""
    from guidegen.model.notice import silent
    from guidegen.procedures.pedicle_screws.guide import build_guides

    made = {}

    def _build(turn=(0.0, 0.0, 0.0), sides=("left", "right")):
        if (turn, sides) not in made:
            patient = make_patient(mesh, turn, sides)
            guides = build_guides(
                patient.plan, patient.bones, (patient.landmarks,), Settings(GuideSettings()), silent
            )
            made[turn, sides] = patient, guides
        return made[turn, sides]

    return _build
