"""A patient's back of simple shapes with punctures through it: no data from outside."""

from dataclasses import dataclass

import numpy as np

from guidegen.mesh.rays import RayTarget
from guidegen.model.bone import SKIN, Bone
from guidegen.model.frames import Pose
from guidegen.model.plan import Path

SIDE = {"left": 1.0, "right": -1.0}


def turned(turn, origin):
    """``patient_from_back`` of a patient turned about x, y, z by degrees."""
    a, b, c = np.radians(turn)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return Pose.from_axes(rz @ ry @ rx, origin, "patient", "bone")


def skin_depth(x, z, mirror=1.0):
    """Height (y, to the back) of the skin: bent both ways, a furrow, one flank fuller."""
    x = mirror * x
    flank = -(x**2) / 260.0 - np.where(x > 0, 0.0, x**2 / 900.0)
    furrow = -5.0 * np.exp(-((x / 11.0) ** 2))
    return 90.0 + flank + furrow - (z + 15.0) ** 2 / 900.0 + 0.04 * x


def skin_mesh(half=(105.0, 85.0), step=2.5, mirror=1.0, middle=(0.0, 0.0)):
    """Closed: the back over x left, z head; cut off at the sides, at both ends and in front."""
    x = np.arange(middle[0] - half[0], middle[0] + half[0] + step / 2, step)
    z = np.arange(middle[1] - half[1], middle[1] + half[1] + step / 2, step)
    gx, gz = np.meshgrid(x, z, indexing="ij")
    top = np.stack([gx, skin_depth(gx, gz, mirror), gz], axis=-1).reshape(-1, 3)
    low = top * [1, 0, 1] - [0, 80, 0]
    n, m = gx.shape
    k = np.arange(n * m).reshape(n, m)
    a, b, c, d = (q.ravel() for q in (k[:-1, :-1], k[1:, :-1], k[1:, 1:], k[:-1, 1:]))
    sheet = np.concatenate([np.stack([a, c, b], 1), np.stack([a, d, c], 1)])
    rim = np.concatenate([k[:-1, 0], k[-1, :-1], k[:0:-1, -1], k[0, :0:-1]])
    nxt, big = np.roll(rim, -1), n * m
    walls = np.concatenate(
        [np.stack([rim, nxt, rim + big], 1), np.stack([nxt, nxt + big, rim + big], 1)]
    )
    faces = np.concatenate([sheet, sheet[:, ::-1] + big, walls])
    points = np.concatenate([top, low])
    volume = np.einsum(
        "ij,ij->", points[faces[:, 0]], np.cross(points[faces[:, 1]], points[faces[:, 2]])
    )
    return points, faces if volume > 0 else faces[:, ::-1]


@dataclass(frozen=True)
class Back:
    """A planned patient: skin, bones and needles, with the skin's points over the tips."""

    patient_from_bone: Pose
    skin: Bone
    bones: tuple[Bone, ...]
    needles: tuple[Path, ...]
    pins: tuple[Path, ...]
    spinous_mm: np.ndarray

    @property
    def back(self):
        return self.patient_from_bone.axes[:, 1]

    @property
    def head(self):
        return self.patient_from_bone.axes[:, 2]


def needle(level, side, height, pose, skin, axial=12.0, sagittal=4.0):
    """From the skin through one pedicle: towards the midline and to the head going in."""
    sign = SIDE[side]
    a, b = np.radians([axial, sagittal])
    way = np.array([-sign * np.sin(a) * np.cos(b), -np.cos(a) * np.cos(b), np.sin(b)])
    entry = np.array([sign * 18.0, 11.0, 1.0 + height])
    target = RayTarget(*skin)
    far, _ = target.first_hit((entry - 400 * way)[None], way)
    out = entry - (400 - far[0]) * way
    points = (pose.points(p) for p in (entry, entry + 42 * way, out))
    start, tip, on_skin = points
    name = f"{level}_{side}"
    return Path(
        name, level, "needle", side, start, tip, 3.5, pilot_diameter_mm=3.5, skin_mm=on_skin
    )


def wire(name, height, pose, mesh, skin):
    """Straight from behind into the spinous process of L3."""
    way, start = np.array([0.0, -1.0, 0.0]), np.array([0.0, 400.0, height])
    found = [RayTarget(*surface).first_hit(start[None], way)[0][0] for surface in (mesh, skin)]
    entry, out = (start + far * way for far in found)
    ends = pose.points(entry), pose.points(entry + 15 * way), 1.8
    name = f"L3_kwire_{name}"
    return Path(name, "L3", "pin", "", *ends, pilot_diameter_mm=1.8, skin_mm=pose.points(out))


def make_back(mesh, turn=(0, 0, 0), sides=("left", "right"), levels=("L3",), **kind):
    """Place vertebrae of ``mesh`` 34 mm over one another under a back.

    Args:
        mesh: One vertebra, x left, y back, z head.
        turn: Of the patient, degrees.
        sides: Of the needles.
        levels: Of L2, L3, L4.
        kind: Of ``skin_mesh``.
    """
    pose = turned(turn, (30.0, -120.0, 410.0))
    skin = skin_mesh(**kind)
    heights = {"L2": 34.0, "L3": 0.0, "L4": -34.0}
    bones = tuple(Bone(n, pose.points(mesh[0] + [0, 0, h]), mesh[1]) for n, h in heights.items())
    found = [needle(v, s, heights[v], pose, skin) for v in levels for s in sides]
    tips = np.array([(1.5 * np.sin(h), 0.0, h - 18.0) for h in heights.values()])
    tips[:, 1] = skin_depth(tips[:, 0], tips[:, 2], kind.get("mirror", 1.0))
    pins = [wire(name, z, pose, mesh, skin) for name, z in (("upper", -14.0), ("lower", -21.0))]
    own = Bone(SKIN, pose.points(skin[0]), skin[1])
    return Back(pose, own, bones, tuple(found), tuple(pins), pose.points(tips))
