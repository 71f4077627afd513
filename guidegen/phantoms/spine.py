"""A definition becomes a scene: bones as implicit shapes, each with its place in the patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.model.frames import PATIENT, Pose
from guidegen.phantoms.catalog import spine_definition
from guidegen.phantoms.definition import Definition, LevelChange, PedicleChange
from guidegen.phantoms.fusion import FusedField, fused_bridges
from guidegen.phantoms.neighbours import Neighbour, PartedField, SeparatedField
from guidegen.phantoms.ribs import RIB_GAP_MM, RibField
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
    """All bones of a phantom, and the vertebrae's parameters for the truth.

    Args:
        definition: What it was built from.
        solids: Every bone by itself: the truth.
        vertebrae: Parameters by level.
        poses: ``patient_from_vertebra`` by level.
        rendered: What is scanned: the same bones, or the fused column as one.
    """

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
    base, change = SIZES[level], definition.change.get(level, LevelChange())
    new = {"wedge": change.wedge_deg, "height": change.height_mm}
    new |= {"dent": change.dent_mm, "fragment": change.fragment_mm}
    return replace(base, **{name: value for name, value in new.items() if value is not None})


def _pedicle(sizes: Sizes, change: PedicleChange, lumbar: float) -> Pedicle:
    def pick(new: float | None, old: float) -> float:
        return old if new is None else new

    return Pedicle(
        pick(change.width_mm, sizes.pedicle_width),
        pick(change.height_mm, sizes.pedicle_height),
        pick(change.convergence_deg, sizes.convergence),
        pick(change.sagittal_deg, -6.0 * (1.0 - lumbar)),
        change.tube,
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


def _neighbour(name: str, other: str, cores: dict[str, Solid], bones: dict[str, Vertebra],
               gap_mm: float) -> Neighbour:  # fmt: skip
    """Let one vertebra look at the next one, round their facet joints."""
    v = bones[name]
    levels = list(bones)
    joints = v.below if levels.index(other) > levels.index(name) else v.above
    centres = np.array([joint.centre for joint in joints.values()])
    place = cores[other].patient_from_bone.inverse @ cores[name].patient_from_bone
    return Neighbour(cores[other].shape, place.matrix, centres, 20.0, gap_mm)


def _ribs(level: str, bones: dict[str, Vertebra], cores: dict[str, Solid]) -> list[Solid]:
    """Make both ribs of a level, clear of the vertebrae they lie against."""
    levels = list(bones)
    at = levels.index(level)
    upper = bones[levels[at - 1]].sizes.width if at else 0.0
    pose, ribs = cores[level].patient_from_bone, []
    for side in ("left", "right"):
        rib = RibField(bones[level], upper, side)
        beside = [
            Neighbour(
                cores[n].shape,
                (cores[n].patient_from_bone.inverse @ pose).matrix,
                rib.contacts,
                13.0,
                RIB_GAP_MM,
            )
            for n in levels[max(at - 1, 0) : at + 1]
        ]
        field = SeparatedField(rib, beside, share=1.0)
        ribs.append(Solid(f"rib_{level}_{side}", field, pose, rib.bounds()))
    return ribs


def _cores(bones: dict[str, Vertebra], poses: dict[str, Pose]) -> dict[str, Solid]:
    """Make every vertebra (and the sacrum) as if it stood alone."""
    cores = {}
    for level, v in bones.items():
        if level == "S1":
            sacrum = SacrumField(v)
            cores[level] = Solid(level, sacrum, poses[level], sacrum.bounds())
        else:
            cores[level] = Solid(level, VertebraField(v), poses[level], v.bounds())
    return cores


def _fused(cores: dict[str, Solid], bones: dict[str, Vertebra], poses: dict[str, Pose]) -> Solid:
    """Make the whole column as one solid in the patient's frame."""
    children = [(core.measure, core.patient_bounds()) for core in cores.values()]
    shape = FusedField(children + fused_bridges(bones, poses))
    return Solid("fused", shape, Pose(np.eye(4), PATIENT, "fused"), shape.bounds())


@lru_cache(maxsize=4)
def _build(definition_json: str) -> Scene:
    definition = Definition.model_validate_json(definition_json)
    bones, poses = _with_joints(definition)
    cores = _cores(bones, poses)
    column = _fused(cores, bones, poses) if definition.fused else None
    spine: list[Solid] = []
    levels = definition.levels
    for n, level in enumerate(levels):
        core = cores[level]
        beside = [
            _neighbour(level, other, cores, bones, definition.facet_gap_mm)
            for other in levels[max(n - 1, 0) : n + 2]
            if other != level
        ]
        field: Field = SeparatedField(core.shape, beside)
        if column is not None:
            field = PartedField(column.shape, core.patient_from_bone.matrix, core.shape, beside)
        spine.append(Solid(level, field, core.patient_from_bone, core.bounds_mm))
    ribbed = [name for name in levels if definition.ribs and name.startswith("T")]
    ribs = [rib for name in ribbed for rib in _ribs(name, bones, cores)]
    rendered = (*spine, *ribs) if column is None else (column, *ribs)
    return Scene(definition, (*spine, *ribs), bones, poses, rendered)


def build_scene(definition: Definition | str) -> Scene:
    """Build a phantom's bones from its definition or its name."""
    if isinstance(definition, str):
        definition = spine_definition(definition)
    return _build(definition.model_dump_json())
