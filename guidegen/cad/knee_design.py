"""What a knee guide is made of, decided before its solid is made; guide frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import ConvexHull

from guidegen.cad.blockout import shadow
from guidegen.cad.contact import Contact
from guidegen.cad.frame import guide_frame
from guidegen.cad.knee_block import Block, block_rise_mm, make_block, text_tabs
from guidegen.cad.knee_footprint import Seat, find_seat, tendon_side
from guidegen.cad.knee_insertion import parallel_pins, seat_guide
from guidegen.cad.knee_rod import Rod, place_rod
from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.cad.knee_windows import Window, find_windows
from guidegen.cad.scene import Scene, scene_on
from guidegen.cad.sleeve import Sleeve, Tab, stand
from guidegen.geometry.knee import CutAxes, HalfSpace
from guidegen.mesh.grid import Field, Lattice
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.frames import Pose
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Cut, Path

COARSE_MM = 1.5
_RIM_MM = 3.6
_SIDE_MM = 16.0
_UNDER_MM = 12.0
_FLOOR_MM = 5.0
_ABOVE_MM = 4.0
_N_TURNS = 16


@dataclass(frozen=True, eq=False)
class Design:
    """Everything about a knee guide that is decided before its solid is made.

    Args:
        scene: The bones and their shadows.
        axes: Of the cut.
        contacts: On the bone.
        sleeves: Of the pins.
        block: Slot, label and marks.
        tabs: Places of the marks and, under "", of the label.
        rod: Hole for the alignment rod.
        windows: Through the shell.
        hull: (E, 3) lines round the shell: a x + b y + c < 0 inside, a and b of length one.
        floor_mm: The shell ends at this height.
        free: Half spaces that everything stays in.
    """

    scene: Scene
    axes: CutAxes
    contacts: tuple[Contact, ...]
    sleeves: tuple[Sleeve, ...]
    block: Block
    tabs: dict[str, Tab]
    rod: Rod
    windows: tuple[Window, ...]
    hull: Floats
    floor_mm: float
    free: tuple[HalfSpace, ...]

    def layer(self, lattice: Lattice, thick_mm: float) -> Field:
        """The shell's outer side over the shadow, on a lattice."""
        over = self.scene.lattice.resample(self.scene.own_shadow, lattice)
        return np.asarray(over - np.float32(thick_mm), dtype=np.float32)


def make_design(
    anatomy: tuple[Bone, Sequence[Bone]],
    marks: Landmarks,
    cut: Cut,
    pins: Sequence[Path],
    words: Sequence[str],
    settings: KneeGuideSettings,
) -> Design:
    """Decide contacts, insertion, sleeves, block, rod and windows.

    Args:
        anatomy: The bone, and others that stay where they are when the joint is opened.
        marks: The bone's landmarks.
        cut: The planned cut.
        pins: Two parallel and at least one more.
        words: Of the label.
        settings: Sizes.

    Raises:
        GeometryError: Something finds no place.
    """
    axes = CutAxes.of(marks, cut, parallel_pins(pins)[0].direction)
    seat = find_seat(anatomy[0], marks, axes, settings)
    free = tuple(tendon_side(marks, settings))
    over = block_rise_mm(cut.kerf_mm, settings)
    windows = find_windows(anatomy[0], axes, pins, (over, free), settings)
    insertion, contacts = seat_guide(anatomy, seat, axes, (pins, windows), settings)
    middle = np.mean([p.entry_mm for p in pins], axis=0)
    frame = guide_frame(insertion, _upright(insertion, axes, marks), middle)
    turn = frame.inverse
    seat = replace(seat, points_mm=turn.points(seat.points_mm), normals=turn.vectors(seat.normals))
    contacts = tuple(
        replace(c, point_mm=turn.points(c.point_mm), normal=turn.vectors(c.normal))
        for c in contacts
    )
    windows = tuple(
        replace(w, point_mm=turn.points(w.point_mm), into=turn.vectors(w.into)) for w in windows
    )
    free = tuple(half.moved(turn) for half in free)
    axes = axes.moved(turn)
    block = make_block(axes, seat.points_mm, free, words, settings, cut.kerf_mm)
    head = turn.vectors(marks.patient_from_bone.axes[:, 2])
    spots = [*(c.point_mm for c in contacts), *(w.point_mm for w in windows)]
    spots += [turn.points(p.entry_mm) for p in pins]
    lowest = float(np.min(spots, axis=0)[2])
    lattice = _lattice(np.array(spots), block, pins, seat, frame, settings)
    bound = settings.fit_gap_mm + settings.relief_mm + settings.body_thickness_mm + 2 * COARSE_MM
    scene = scene_on(lattice, frame, *anatomy, bound)
    sleeves = stand_sleeves(pins, scene, settings)
    rod = place_rod(block, head, (sleeves, windows), scene.own[0], free, settings)
    hull = _hull(contacts, sleeves, block, windows)
    floor = lowest - _FLOOR_MM
    tabs = text_tabs(block, axes.stay if axes.stay @ head > 0 else -axes.stay, settings)
    return Design(scene, axes, contacts, sleeves, block, tabs, rod, windows, hull, floor, free)


def _upright(insertion: Floats, axes: CutAxes, marks: Landmarks) -> Floats:
    """(3,) to the head, so that text on the block stands upright in the guide's frame."""
    up = np.cross(insertion, axes.across)
    return up if up @ marks.patient_from_bone.axes[:, 2] > 0 else -up


def _lattice(
    spots: Floats,
    block: Block,
    pins: Sequence[Path],
    seat: Seat,
    frame: Pose,
    settings: KneeGuideSettings,
) -> Lattice:
    """Coarse and wide enough; upwards beyond every piece of bone that lies over the guide."""
    long = settings.sleeve_length_mm + settings.sleeve_outer_mm + _SIDE_MM
    tops = [frame.inverse.points(p.entry_mm - long * p.direction) for p in pins]
    every = np.concatenate([spots, block.corners_mm, tops])
    low, high = every.min(axis=0) - _SIDE_MM, every.max(axis=0) + _SIDE_MM
    low[2] = spots[:, 2].min() - _UNDER_MM
    inside = (seat.points_mm[:, :2] > low[:2]) & (seat.points_mm[:, :2] < high[:2])
    high[2] = max(high[2], seat.points_mm[inside.all(axis=1), 2].max() + _ABOVE_MM)
    return Lattice.around(low, high, COARSE_MM)


def stand_sleeves(
    pins: Sequence[Path], scene: Scene, settings: KneeGuideSettings
) -> tuple[Sleeve, ...]:
    """A sleeve for each pin, standing where all bone beside it is cleared; guide frame."""
    turn = scene.patient_from_guide.inverse
    clear = shadow(scene.own_distance)
    for other in scene.other_distance:
        clear = np.minimum(clear, shadow(other) - np.float32(settings.neighbour_clearance_mm))
    found = []
    for pin in pins:
        sleeve = Sleeve(
            name=pin.name,
            side="",
            entry_mm=turn.points(pin.entry_mm),
            out=turn.vectors(-pin.direction),
            bore_mm=pin.diameter_mm + settings.bore_clearance_mm,
            outer_mm=settings.sleeve_outer_mm,
            depth_mm=pin.length_mm,
        )
        cut = clear - np.float32(settings.fit_gap_mm)
        found.append(stand(sleeve, scene.lattice, cut, settings.sleeve_length_mm))
    return tuple(found)


def _hull(
    contacts: Sequence[Contact],
    sleeves: Sequence[Sleeve],
    block: Block,
    windows: Sequence[Window],
) -> Floats:
    """(E, 3): lines round all that touches bone and the block's back, along the insertion."""
    turn = 2 * np.pi * np.arange(_N_TURNS) / _N_TURNS
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    discs = [(c.point_mm, c.radius_mm + _RIM_MM) for c in contacts]
    discs += [(s.entry_mm, s.outer_mm / 2 + 1.0) for s in sleeves]
    discs += [(w.point_mm, w.rim_mm + 1.0) for w in windows]
    places = [p[:2] + r * ring for p, r in discs]
    ends = [[u, block.back_mm, block.high_mm] for u in block.outer_mm]
    places.append(block.axes.place(ends)[:, :2])
    return np.asarray(ConvexHull(np.concatenate(places)).equations)
