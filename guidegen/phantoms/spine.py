"""A definition becomes a scene: bones as implicit shapes, each with its place in the patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.model.frames import PATIENT, Pose
from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.definition import Definition, LevelChange, PedicleChange
from guidegen.phantoms.fusion import FusedField, fused_bridges
from guidegen.phantoms.ribs import RibField
from guidegen.phantoms.sacrum import SacrumField
from guidegen.phantoms.shapes import Distances, Points
from guidegen.phantoms.sizes import FACET_TURN, SIZES, Sizes, lumbar_share
from guidegen.phantoms.vertebra import Joint, Pedicle, Vertebra, VertebraField

Field = Callable[[Points], tuple[Distances, Distances]]


@dataclass(frozen=True, eq=False)
class Solid:
    """One bone of the scene.

    Args:
        name: ``L3``, ``rib_T12_left``.
        shape: Points (3, N) in the bone's frame to distance and cortex thickness.
        patient_from_bone: Where the bone is.
        bounds_mm: (2, 3) in the bone's frame.
    """

    name: str
    shape: Field
    patient_from_bone: Pose
    bounds_mm: Floats

    def measure(self, points_mm: Points) -> tuple[Distances, Distances]:
        """Measure patient points (3, N): distance, negative inside, and cortex thickness, mm."""
        m = self.patient_from_bone.inverse.matrix.astype(points_mm.dtype)
        return self.shape(m[:3, :3] @ points_mm + m[:3, 3:])

    def patient_bounds(self) -> Floats:
        """(2, 3): a box in the patient's frame that holds the bone."""
        pick = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
        corners = self.patient_from_bone.points(
            np.stack([self.bounds_mm[pick[:, n], n] for n in range(3)], axis=1)
        )
        return np.array([corners.min(axis=0), corners.max(axis=0)])


@dataclass(frozen=True, eq=False)
class Scene:
    """All bones of a phantom, and the vertebrae's parameters for the truth."""

    definition: Definition
    solids: tuple[Solid, ...]
    vertebrae: dict[str, Vertebra]
    poses: dict[str, Pose]
    rendered: tuple[Solid, ...] = field(default=())

    def solid(self, name: str) -> Solid:
        """The bone of that name."""
        return next(s for s in self.solids if s.name == name)


def rotation(flexion_deg: float, bend_deg: float, turn_deg: float) -> Floats:
    """(3, 3): patient from vertebra."""
    f, b, t = np.radians([flexion_deg, bend_deg, turn_deg])
    rx = np.array([[1, 0, 0], [0, np.cos(f), -np.sin(f)], [0, np.sin(f), np.cos(f)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(t), -np.sin(t), 0], [np.sin(t), np.cos(t), 0], [0, 0, 1]])
    return np.asarray(ry @ rx @ rz)


def _level_sizes(definition: Definition, level: str) -> Sizes:
    base = SIZES[level]
    change = definition.change.get(level, LevelChange())
    values = dict(base.__dict__)
    if change.wedge_deg is not None:
        values["wedge"] = change.wedge_deg
    return Sizes(**values)


def _pedicle(sizes: Sizes, change: PedicleChange, lumbar: float) -> Pedicle:
    def pick(new: float | None, old: float) -> float:
        return old if new is None else new

    return Pedicle(
        pick(change.width_mm, sizes.pedicle_width),
        pick(change.height_mm, sizes.pedicle_height),
        pick(change.convergence_deg, sizes.convergence),
        pick(change.sagittal_deg, -6.0 * (1.0 - lumbar)),
    )


def _bare(definition: Definition, level: str) -> Vertebra:
    sizes, lumbar = _level_sizes(definition, level), lumbar_share(level)
    change = definition.change.get(level, LevelChange())
    pedicles = {
        "left": _pedicle(sizes, change.left, lumbar),
        "right": _pedicle(sizes, change.right, lumbar),
    }
    return Vertebra(level, sizes, lumbar, pedicles, {}, {})


def stack(definition: Definition, bare: dict[str, Vertebra]) -> dict[str, Pose]:
    """Stand the vertebrae on each other; their mean x and y are 0, and the lowest one's z is 0."""
    n = len(definition.levels)
    posture = definition.posture
    bends = posture.bend_deg or (0.0,) * n
    turns = posture.turn_deg or (0.0,) * n
    turned = [rotation(*a) for a in zip(posture.flexion_deg, bends, turns, strict=True)]
    centres = [np.zeros(3)]
    for upper, lower, r_up, r_low in zip(
        definition.levels, definition.levels[1:], turned, turned[1:], strict=False
    ):
        foot, _ = bare[upper].endplate(False)
        head, _ = bare[lower].endplate(True)
        middle = r_up[:, 2] + r_low[:, 2]
        step = middle / np.linalg.norm(middle) * bare[upper].sizes.disc
        centres.append(centres[-1] + r_up @ foot - step - r_low @ head)
    shift = np.append(np.mean(centres, axis=0)[:2], centres[-1][2])
    return {
        level: Pose.from_axes(r, c - shift, PATIENT, level)
        for level, r, c in zip(definition.levels, turned, centres, strict=True)
    }


def joint_frame(upper: Vertebra, lower: Vertebra, poses: dict[str, Pose]) -> Pose:
    """The frame of a motion segment: origin in the disc's middle, axes between the neighbours'."""
    a, b = poses[upper.level], poses[lower.level]
    u, _, vt = np.linalg.svd(a.axes + b.axes)
    origin = 0.5 * (a.points(upper.endplate(False)[0]) + b.points(lower.endplate(True)[0]))
    return Pose.from_axes(u @ vt, origin, PATIENT, f"{upper.level}/{lower.level}")


def _joints(
    upper: Vertebra, lower: Vertebra, poses: dict[str, Pose], gap_mm: float
) -> dict[str, tuple[Joint, Joint]]:
    """Make both facet joints between two neighbours, as the upper and as the lower one sees it."""
    frame, made = joint_frame(upper, lower, poses), {}
    lumbar = upper.lumbar > 0.5
    half_width = (upper.sizes.canal_width + lower.sizes.canal_width) / 4
    back = 0.5 * (upper.canal_back + lower.canal_back)
    turn = np.radians(FACET_TURN.get(upper.level, -12.0))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        centre = np.array(
            [sign * (half_width + (4.4 if lumbar else 3.0)), back + (-0.8 if lumbar else 1.0), 1.2]
        )
        normal = np.array([-sign * np.sin(turn), np.cos(turn), 0.02 if lumbar else 0.22])
        normal /= np.linalg.norm(normal)
        up = np.array([0.0, 0.0, 1.0]) - normal * normal[2]
        up /= np.linalg.norm(up)
        seen = []
        for v in (upper, lower):
            local = poses[v.level].inverse @ frame
            args = local.points(centre), local.vectors(normal), local.vectors(up)
            seen.append(Joint(*args, gap_mm))
        made[side] = (seen[0], seen[1])
    return made


def _with_joints(definition: Definition) -> tuple[dict[str, Vertebra], dict[str, Pose]]:
    bare = {level: _bare(definition, level) for level in definition.levels}
    poses = stack(definition, bare)
    for upper, lower in zip(definition.levels, definition.levels[1:], strict=False):
        joints = _joints(bare[upper], bare[lower], poses, definition.facet_gap_mm)
        for side, (seen_above, seen_below) in joints.items():
            bare[upper].below[side] = seen_above
            bare[lower].above[side] = seen_below
    return bare, poses


def _ribs(level: str, scene: dict[str, Vertebra], pose: Pose, above: str | None) -> list[Solid]:
    upper = scene[above].sizes.width if above else 0.0
    ribs = []
    for side in ("left", "right"):
        rib = RibField(scene[level], upper, side)
        ribs.append(Solid(f"rib_{level}_{side}", rib, pose, rib.bounds()))
    return ribs


@lru_cache(maxsize=4)
def _build(definition_json: str) -> Scene:
    definition = Definition.model_validate_json(definition_json)
    vertebrae, poses = _with_joints(definition)
    solids: list[Solid] = []
    above: str | None = None
    for level in definition.levels:
        v, pose = vertebrae[level], poses[level]
        if level == "S1":
            sacrum = SacrumField(v)
            solids.append(Solid("S1", sacrum, pose, sacrum.bounds()))
        else:
            solids.append(Solid(level, VertebraField(v), pose, v.bounds()))
            if definition.ribs and level.startswith("T"):
                solids += _ribs(level, vertebrae, pose, above)
        above = level
    rendered = tuple(solids)
    if definition.fused:
        spine = [s for s in solids if not s.name.startswith("rib")]
        bridges = fused_bridges(vertebrae, poses)
        shape = FusedField([(s.measure, s.patient_bounds()) for s in spine] + bridges)
        one = Solid("fused", shape, Pose(np.eye(4), PATIENT, "fused"), shape.bounds())
        rendered = (one, *(s for s in solids if s.name.startswith("rib")))
    return Scene(definition, tuple(solids), vertebrae, poses, rendered)


def build_scene(definition: Definition | str) -> Scene:
    """Build a phantom's bones from its definition or its name."""
    if isinstance(definition, str):
        definition = load_definition(definition)
    return _build(definition.model_dump_json())
