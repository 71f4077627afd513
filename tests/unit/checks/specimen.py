"""A bone like a hipped roof, and a drill guide on it, with faults on request."""

from dataclasses import dataclass, replace

import numpy as np
from manifold3d import CrossSection, FillRule, Manifold

from guidegen.cad.label import line_outlines
from guidegen.checks.part import Limits, Part
from guidegen.mesh.io import as_float32
from guidegen.model.bone import Bone
from guidegen.model.frames import Pose
from guidegen.model.guide import Feature, Guide
from guidegen.model.plan import Path

GAP = 0.2
BASE = [(x, y, z) for x in (-30, 30) for y in (-20, 6) for z in (-24, 24)]
RIDGE = [(x, 20, z) for x in (-8, 8) for z in (-6, 6)]
OUT = np.array([0.0, 1.0, 0.0])


def arrays(solid):
    mesh = solid.to_mesh64()
    weld = np.arange(len(mesh.vert_properties))
    if len(mesh.merge_from_vert):
        weld[mesh.merge_from_vert] = mesh.merge_to_vert
    return np.array(mesh.vert_properties[:, :3]), weld[np.array(mesh.tri_verts, dtype=np.int64)]


def hull(points, radius=0.0):
    if radius == 0:
        return Manifold.hull_points([tuple(map(float, p)) for p in points])
    ball = Manifold.sphere(radius, 32)
    return Manifold.batch_hull([ball.translate(p) for p in points])


def box(low, high):
    return Manifold.cube(tuple(np.subtract(high, low).tolist())).translate(tuple(low))


def rod(start, direction, length, diameter, n=96):
    z = np.asarray(direction, dtype=float)
    x = np.cross((0.0, 0.0, 1.0) if abs(z[2]) < 0.9 else (1.0, 0, 0), z)
    x /= np.linalg.norm(x)
    pose = np.column_stack([x, np.cross(z, x), z, start])
    return Manifold.cylinder(length, diameter / 2, circular_segments=n).transform(pose)


def path(side, name=None, shift=0.0):
    sign = 1.0 if side == "left" else -1.0
    entry = np.array([sign * 14.0, 20 - 14 * 6 / 22, 0.0])
    way = np.array([-sign * 0.15, -1.0, 0.1])
    way /= np.linalg.norm(way)
    return Path(
        name or f"L3_{side}",
        "L3",
        "screw",
        side,
        entry + np.array([shift, 0, 0]),
        entry + np.array([shift, 0, 0]) + 25 * way,
        5.0,
        pilot_diameter_mm=2.7,
        grade="A",
    )


@dataclass(frozen=True)
class Faults:
    """What to make wrong; the defaults are right."""

    bore_mm: float = 2.9
    bore_shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    bore_tilt_deg: float = 0.0
    bores: tuple[str, ...] = ("left", "right")
    outer_mm: float = 8.4
    slot: str = ""
    short: bool = False
    bar_over: bool = False
    gap: float = GAP
    label: bool = True
    marks: tuple[str, str] = ("L", "R")
    marks_from_left: tuple[str, str] = ("L", "R")
    mirrored: bool = False
    hook: bool = False


PATHS = (path("left"), path("right"))


def top_of(p):
    return p.entry_mm - 22.0 * p.direction


def _drill(solid, faults):
    for p in PATHS:
        if p.side not in faults.bores:
            continue
        x = np.cross(p.direction, (0, 0, 1.0))
        angle = np.radians(faults.bore_tilt_deg)
        way = np.cos(angle) * p.direction + np.sin(angle) * x / np.linalg.norm(x)
        start = p.entry_mm + faults.bore_shift - 40 * way
        solid -= rod(start, way, 45, faults.bore_mm)
        side = np.cross(p.direction, x / np.linalg.norm(x))
        if faults.slot:
            from_top = {"window": (4.5, 15.0), "top": (-1.0, 15.0), "foot": (4.5, 30.0)}[
                faults.slot
            ]
            low = top_of(p) + from_top[0] * p.direction
            solid -= Manifold.batch_hull(
                [
                    rod(low + k * side, p.direction, from_top[1] - from_top[0], 3.4)
                    for k in (2.8, 12.0)
                ]
            )
    return solid


def _engrave(solid, text, height, centre, mirrored=False):
    outlines = line_outlines(text, height, (0.0, 0.0))
    if mirrored:
        outlines = [o * (-1, 1) for o in outlines]
    section = CrossSection([np.ascontiguousarray(o) for o in outlines], FillRule.NonZero)
    if mirrored:
        section = CrossSection([np.ascontiguousarray(o[::-1]) for o in outlines], FillRule.NonZero)
    pose = np.column_stack([(-1.0, 0, 0), (0.0, 0, 1), OUT, np.asarray(centre) - 0.6 * OUT])
    return solid - Manifold.extrude(section, 2.0).transform(pose)


def guide_solid(faults):
    low = min(15.5, 15.5 + GAP - faults.gap)
    body = box((-9, low, -11), (9, 28, 11)) + box((-18, low, -3), (18, 21, 3))
    for p in PATHS:
        start = top_of(p) + (6.0 * p.direction if faults.short else 0.0)
        body += rod(start, p.direction, 30, faults.outer_mm) ^ box((-60, low, -60), (60, 60, 60))
    cavity = hull(BASE + RIDGE, faults.gap)
    body -= cavity
    body = _drill(body, faults)
    if faults.bar_over:
        body += box((0, 22, 5), (4, 52, 10)) + box((0, 48, -8), (24, 52, 10))
    if faults.hook:
        body += box((-2, 22, 9), (2, 26, 34)) + box((-2, -26, 30), (2, 26, 34))
        body += box((-2, -26, 14), (2, -22, 34))
    if faults.label:
        body = _engrave(body, "demo L3", 3.0, (0, 28, 5))
    for mark, x in zip(faults.marks, (5.0, -5.0), strict=True):
        body = body if mark == "" else _engrave(body, mark, 3.6, (x, 28, -5), faults.mirrored)
    return body


def features(faults):
    found = []
    for p in PATHS:
        values = {"diameter_mm": 2.9, "length_mm": 19.0, "outer_mm": 8.4}
        if p.side in faults.bores or faults.bores == ():
            found.append(Feature("bore", p.name, top_of(p), p.direction, values))
    small, large = {"radius_mm": 3.4}, {"radius_mm": 8.0}
    found.append(Feature("label", "demo L3 4f9a", (0, 28, 5), OUT, large))
    marks = zip(faults.marks_from_left, (5, -5), strict=True)
    found += [Feature("label", m, (x, 28, -5), OUT, small) for m, x in marks]
    slopes = [
        ((12.0, 20 - 14 * 4 / 22, 0.0), (14, 22, 0)),
        ((0, 20 - 14 * 3 / 18, 9.0), (0, 18, 14)),
    ]
    for point, normal in slopes:
        for turn in (1, -1):
            at = np.array(point) * (turn, 1, turn)
            way = np.array(normal, dtype=float) * (turn, 1, turn)
            found.append(Feature("contact", f"c{len(found)}", at, way, {"radius_mm": 5.0}))
    return tuple(found)


def bone(name="L3", solid=None, moved=(0, 0, 0)):
    vertices, faces = arrays((solid or hull(BASE + RIDGE)).refine_to_length(3.0).translate(moved))
    return Bone(name, vertices, faces)


def guide(faults=Faults(), solid=None):
    vertices, faces = arrays(guide_solid(faults) if solid is None else solid)
    vertices, faces = as_float32(vertices, faces)
    axes = np.column_stack([(-1.0, 0, 0), (0.0, 0, 1), OUT])
    return Guide(
        "L3",
        "guide",
        vertices,
        faces,
        ("L3",),
        features=features(faults),
        patient_from_guide=Pose.from_axes(axes, (0, 20, 0), "patient", "guide"),
        insertion_direction=-OUT,
        fit_gap_mm=GAP,
        contact_area_mm2=200.0,
        label="demo L3 4f9a",
    )


def part(faults=Faults(), bones=None, paths=PATHS, **changes):
    made = replace(guide(faults), **changes)
    return Part(made, tuple(bones) if bones else (bone(),), paths, Limits(min_wall_mm=0.5))
