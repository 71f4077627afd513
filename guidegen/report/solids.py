"""Colours and solids of the report's three-dimensional pictures."""

from __future__ import annotations

import numpy as np

from guidegen.mesh.picture import Camera, ColouredMesh, Picture
from guidegen.model.arrays import Floats, Ints
from guidegen.model.bone import SKIN, Bone
from guidegen.model.frames import Pose
from guidegen.model.guide import Guide
from guidegen.model.plan import Cut, Path
from guidegen.report.drawing import Figure, Note, bar_mm
from guidegen.report.plane import letter
from guidegen.report.raster import jpeg_uri
from guidegen.report.wording import number

BONE = (0.91, 0.86, 0.76)
OTHER_BONE = (0.80, 0.80, 0.79)
SKIN_COLOUR = (0.86, 0.64, 0.54)
SKIN_OPACITY = 0.35
PATH = (0.93, 0.49, 0.05)
GUIDE = (0.36, 0.63, 0.78)
PIN_MM = 1.0
PIN_OUT_MM = 22.0
CUT = (0.16, 0.45, 0.72)
CUT_MM = (100.0, 80.0, 0.8)
NEAR_CUT_MM = 3.0
SIDES = 40


def cylinder(start_mm: Floats, end_mm: Floats, diameter_mm: float) -> tuple[Floats, Ints]:
    """A closed, outward cylinder: vertices (V, 3) and faces (F, 3)."""
    along = np.asarray(end_mm) - np.asarray(start_mm)
    along = along / np.linalg.norm(along)
    first = np.cross(along, np.eye(3)[int(np.abs(along).argmin())])
    first /= np.linalg.norm(first)
    second = np.cross(along, first)
    turn = 2 * np.pi * np.arange(SIDES) / SIDES
    ring = (np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second) * diameter_mm / 2
    points = np.concatenate([ring + start_mm, ring + end_mm, [start_mm, end_mm]])
    n = np.arange(SIDES)
    m = (n + 1) % SIDES
    low, high = np.full(SIDES, 2 * SIDES), np.full(SIDES, 2 * SIDES + 1)
    sides = [
        (n, m, m + SIDES),
        (n, m + SIDES, n + SIDES),
        (m, n, low),
        (n + SIDES, m + SIDES, high),
    ]
    return points, np.concatenate([np.stack(s, axis=1) for s in sides])


def bone_solid(bone: Bone, planned: bool = True, opacity: float = 1.0) -> ColouredMesh:
    """A bone, warm where it is planned on and grey where not; the skin is a veil."""
    if bone.name == SKIN:
        return ColouredMesh(bone.vertices_mm, bone.faces, SKIN_COLOUR, SKIN_OPACITY)
    return ColouredMesh(bone.vertices_mm, bone.faces, BONE if planned else OTHER_BONE, opacity)


def guide_solid(guide: Guide) -> ColouredMesh:
    """A guide, through which nothing is seen, so that its label can be read."""
    return ColouredMesh(guide.vertices_mm, guide.faces, GUIDE, covers=True)


def path_solids(path: Path, pin: bool = True) -> list[ColouredMesh]:
    """A path seen through the bone, with a thin pin that carries its axis on outside."""
    solids = [
        ColouredMesh(*cylinder(path.entry_mm, path.tip_mm, path.diameter_mm), PATH, 1.0, 0.45)
    ]
    if pin:
        solids.append(ColouredMesh(*cylinder(pin_end(path), path.entry_mm, PIN_MM), PATH))
    return solids


def cut_solid(cut: Cut, bone: Bone | None) -> ColouredMesh:
    """A cut as a thin sheet seen through the bone, over the width of a knee."""
    centre = cut.origin_mm
    if bone is not None:
        height = (bone.vertices_mm - cut.origin_mm) @ cut.normal
        near = np.abs(height) < NEAR_CUT_MM
        if near.any():
            middle = bone.vertices_mm[near].mean(axis=0)
            centre = middle - ((middle - cut.origin_mm) @ cut.normal) * cut.normal
    one = np.cross(cut.normal, np.eye(3)[int(np.abs(cut.normal).argmin())])
    one /= np.linalg.norm(one)
    axes = np.stack([one, np.cross(cut.normal, one), cut.normal])
    signs = np.array([(x, y, z) for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)])
    corners = centre + (signs * np.array(CUT_MM) / 2) @ axes
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    return ColouredMesh(corners, faces, CUT, 0.45, 0.5)


def pin_end(path: Path) -> Floats:
    """(3,): where a path's pin ends: on the skin, or a little way out where that is not known."""
    if path.skin_mm is not None:
        return path.skin_mm
    return np.asarray(path.entry_mm - PIN_OUT_MM * path.direction)


def picture_figure(
    picture: Picture, camera: Camera, frame: Pose, caption: str, notes: tuple[Note, ...] = ()
) -> Figure:
    """Put side marks and a scale bar on a picture; drawing units are its pixels.

    Args:
        picture: (H, W, 3).
        camera: It was made with.
        frame: Whose axes name the sides.
        caption: Below the picture.
        notes: Further texts.
    """
    height, width = picture.shape[:2]
    bar = bar_mm(camera.width_mm)
    edges = {"left": -camera.right, "right": camera.right, "top": camera.up, "bottom": -camera.up}
    return Figure(
        caption=caption,
        width=width,
        height=height,
        image=jpeg_uri(picture),
        marks={edge: letter(direction, frame) for edge, direction in edges.items()},
        notes=notes,
        bar=bar * width / camera.width_mm,
        bar_text=f"{number(bar, 0)} mm",
        text=15.0,
    )
