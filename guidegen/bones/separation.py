"""Tell touching vertebrae and ribs apart on the straightened scan.

Ribs are flooded off first: a watershed on brightness meets in the dark joint between rib and
vertebra. Vertebrae stand in a row, so one harmonic potential (the random walker's) that is held
at ``n`` in the n-th vertebra's core separates all of them at once: between neighbours it passes
through ``n + 1/2`` where bone conducts worst, at the narrowest and darkest place of the contact.
Where bone is fused without any trace of a joint, the cut falls half-way between the cores.

References:
    Grady L (2006) Random walks for image segmentation. IEEE TPAMI 28:1768,
    doi:10.1109/TPAMI.2006.233.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.linalg import LinearOperator, cg
from skimage.segmentation import watershed

from guidegen.bones.levels import Walls
from guidegen.bones.straight import CanalFrames, sample
from guidegen.model.arrays import Floats
from guidegen.model.volume import CTVolume

STEP_MM = 0.8
LEFT_MM = 66.0
FRONT_MM = 52.0
BACK_MM = 78.0
BONE_HU = 160.0
"""Voxels of the network: above soft tissue and discs, below the dimmest cortex."""
JOINT_HU = 30.0
"""A dip this deep between two bright walls lowers conduction to exp(-1) (engineering choice)."""
TRANSVERSE_TIP_MM = 41.0
"""Thoracic transverse processes end nearer to the canal than this (engineering choice)."""
ALA_SHARE = 0.5
"""Share of bone beside the canal, 24-40 mm out, that only the sacrum's ala has."""
MOST_SACRAL = 5
ILIUM_MM = 62.0
"""Bone this far beside the sacrum is ilium (engineering choice)."""
RIB_SEED_MM = 56.0
"""Bone that runs from there to this far beside the canal is rib (engineering choice)."""


@dataclass(frozen=True, eq=False)
class Straight:
    """The straightened scan at ``STEP_MM``.

    Args:
        hu: (S, front to back, right to left).
        labels: Same shape, int16: level index + 1, -1 on ribs, 0 elsewhere. One more than there
            are levels marks the arch of the vertebra above, whose pedicles are out of view.
    """

    frames: CanalFrames
    hu: np.ndarray
    labels: np.ndarray

    def voxels(self, points_mm: Floats) -> Floats:
        """LPS points (..., 3) to continuous voxel coordinates of the straightened grid."""
        corner = np.array([0.0, FRONT_MM, LEFT_MM])
        return np.asarray((straight_coordinates(self.frames, points_mm) + corner) / STEP_MM)


def straight_coordinates(frames: CanalFrames, points_mm: Floats) -> Floats:
    """LPS points (..., 3) to (arc length, back, left) in mm, by the plane that holds the point.

    Beyond the ends of the canal the end frames are extended straight.
    """
    points = np.asarray(points_mm, dtype=np.float64).reshape(-1, 3)
    centres, heads = frames.centres_mm, frames.axes[:, :, 2]
    last = len(centres) - 1
    s = np.clip((points - centres[last // 2]) @ heads[last // 2] + last / 2, 0, last)
    for _ in range(12):
        n = np.rint(s).astype(int)
        ahead = np.einsum("ij,ij->i", points - centres[n], heads[n])
        inner = ((n > 0) | (ahead > 0)) & ((n < last) | (ahead < 0))
        s = np.where(inner, np.clip(n + 0.8 * ahead, 0, last), n)
    n = np.rint(s).astype(int)
    offset = points - centres[n]
    local = np.einsum("ij,ijk->ik", offset, frames.axes[n])
    out = np.column_stack([n + local[:, 2], local[:, 1], local[:, 0]])
    return out.reshape(np.shape(points_mm))


def separate(volume: CTVolume, walls: Walls) -> Straight:
    """Flood the ribs off, then solve the vertebrae's potential on what is left."""
    hu = _sampled(volume, walls.frames)
    smooth = ndimage.gaussian_filter(hu, 0.7)
    bone = _large(smooth > BONE_HU, 400)
    core, rib_core = _cores(hu, bone, walls)
    rib = _ribs(smooth, bone, core, rib_core)
    sharp = ndimage.gaussian_filter(hu, 0.4)
    dip = ndimage.grey_closing(sharp, size=3) - sharp
    conduct = (np.exp(-((dip / JOINT_HU) ** 2)) + 1e-4).astype(np.float32)
    free = bone & ~rib
    guess = _coarse_potential(free, conduct, core, _nearest_level(hu.shape, walls))
    potential = _Network(free, conduct).solve(core, guess)
    labels = np.where(np.isfinite(potential), np.rint(potential) + 1, 0).astype(np.int16)
    labels[rib] = -1
    return Straight(walls.frames, hu, labels)


def _ribs(
    smooth: np.ndarray, bone: np.ndarray, core: np.ndarray, rib_core: np.ndarray
) -> np.ndarray:
    """Watershed on brightness from the lateral rib shafts against the spine's middle."""
    back = (np.arange(bone.shape[1]) * STEP_MM - FRONT_MM)[None, :, None]
    left = (np.arange(bone.shape[2]) * STEP_MM - LEFT_MM)[None, None, :]
    middle = bone & (np.abs(left) < 14) & (back > -5)
    markers = np.where(rib_core, 2, 0).astype(np.int32)
    markers[np.isfinite(core) | middle] = 1
    return np.asarray(watershed(-smooth, markers, mask=bone) == 2)


def _sampled(volume: CTVolume, frames: CanalFrames) -> np.ndarray:
    """(S, back, left) at STEP_MM."""
    back = np.arange(-FRONT_MM, BACK_MM + 1e-6, STEP_MM)
    left = np.arange(-LEFT_MM, LEFT_MM + 1e-6, STEP_MM)
    s = np.arange(0, len(frames.centres_mm) - 1 + 1e-6, STEP_MM)
    n = np.minimum(s.astype(int), len(frames.centres_mm) - 2)
    part = (s - n)[:, None]
    centres = frames.centres_mm[n] * (1 - part) + frames.centres_mm[n + 1] * part
    axes = frames.axes[n] * (1 - part[:, :, None]) + frames.axes[n + 1] * part[:, :, None]
    out = np.empty((len(s), len(back), len(left)), dtype=np.float32)
    for row in range(len(s)):
        plane = (
            centres[row]
            + back[:, None, None] * axes[row, :, 1]
            + left[None, :, None] * axes[row, :, 0]
        )
        out[row] = sample(volume, plane)
    return out


def _large(mask: np.ndarray, n_voxels: int) -> np.ndarray:
    """Drop components smaller than ``n_voxels``."""
    labels, n = ndimage.label(mask)
    keep = np.bincount(labels.ravel(), minlength=n + 1) >= n_voxels
    keep[0] = False
    return np.asarray(keep[labels])


def _cores(hu: np.ndarray, bone: np.ndarray, walls: Walls) -> tuple[np.ndarray, np.ndarray]:
    """Voxels that surely belong to a level (its index, else NaN), and voxels that are rib."""
    shape = hu.shape
    s = np.arange(shape[0])[:, None, None] * STEP_MM
    back = (np.arange(shape[1]) * STEP_MM - FRONT_MM)[None, :, None]
    left = (np.arange(shape[2]) * STEP_MM - LEFT_MM)[None, None, :]
    core = np.full(shape, np.nan, dtype=np.float32)
    for n, pedicle in enumerate(walls.pedicles_s):
        low, high = walls.foramina_s[n], walls.foramina_s[n + 1]
        body_s = pedicle - 0.12 * (high - low)
        tall = 0.16 * (high - low)
        body = (np.abs(s - body_s) < tall) & (back < -9) & (back > -30) & (np.abs(left) < 9)
        ring = (np.abs(s - pedicle) < 3.2) & (back < -2) & (back > -14) & (np.abs(left) < 20)
        core[(body | ring) & bone] = n
    arch = _arch_wall(bone, back, left)
    for n, (top, tall) in enumerate(_arch_heights(walls)):
        core[arch & (s < top - 0.30 * tall) & (s > top - 0.48 * tall)] = n
    n_sacral = count_sacral(ala_of_levels(hu, walls))
    sacral = s < (walls.foramina_s[n_sacral] if n_sacral else -1.0)
    tip = np.where(sacral, ILIUM_MM, TRANSVERSE_TIP_MM)
    aside = (np.abs(left) > tip) & (back < 45)
    return core, _reaching(bone & aside, np.abs(left) > RIB_SEED_MM)


def _arch_heights(walls: Walls) -> list[tuple[float, float]]:
    """Pedicle height and spacing of each level, and of the one that would follow above."""
    tall = np.diff(walls.foramina_s)
    typical = float(np.median(tall))
    heights = [
        (float(s), max(float(t), 0.7 * typical))
        for s, t in zip(walls.pedicles_s, tall, strict=True)
    ]
    return [*heights, (heights[-1][0] + heights[-1][1], heights[-1][1])]


def _arch_wall(bone: np.ndarray, back: np.ndarray, left: np.ndarray) -> np.ndarray:
    """The first 4 mm of bone behind the canal, near the middle: lamina, not the level above."""
    behind = bone & (back > 3) & (back < 24) & (np.abs(left) < 6)
    met = np.maximum.accumulate(behind, axis=1)
    return np.asarray(behind & (np.cumsum(met, axis=1) <= 4 / STEP_MM))


def ala_of_levels(hu: np.ndarray, walls: Walls) -> np.ndarray:
    """(L,) share of bone beside the canal at pedicle height: high in the sacrum only."""
    back = np.arange(hu.shape[1]) * STEP_MM - FRONT_MM
    left = np.abs(np.arange(hu.shape[2]) * STEP_MM - LEFT_MM)
    beside = ((left > 24) & (left < 40))[None, :] & ((back > -28) & (back < 6))[:, None]
    share = []
    for pedicle in walls.pedicles_s:
        rows = slice(max(int((pedicle - 5) / STEP_MM), 0), int((pedicle + 5) / STEP_MM) + 1)
        slab = ndimage.gaussian_filter(hu[rows], 1.5)
        share.append(float((slab[:, beside] > 110).mean()) if len(slab) else 0.0)
    return np.array(share)


def count_sacral(ala: np.ndarray) -> int:
    """How many of the lowest levels are sacrum: up to the highest one that has the ala.

    The canal's frames turn away from the sacrum's lower end, so only its top is asked for.
    """
    has = np.flatnonzero(ala > ALA_SHARE)
    return int(has[-1]) + 1 if len(has) and has[-1] < MOST_SACRAL else 0


def _reaching(mask: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """The components of a mask that reach the goal: rib shafts do, transverse tips do not."""
    pieces, _ = ndimage.label(mask)
    reached = np.unique(pieces[np.broadcast_to(goal, mask.shape) & mask])
    return np.asarray(np.isin(pieces, reached[reached > 0]))


def _coarse_potential(
    bone: np.ndarray, conduct: np.ndarray, core: np.ndarray, guess: np.ndarray
) -> np.ndarray:
    """First guess for the fine network: the potential solved at twice the step."""

    def highest(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, [(0, n % 2) for n in values.shape], mode="edge")
        n_k, n_j, n_i = (n // 2 for n in padded.shape)
        return np.asarray(padded.reshape(n_k, 2, n_j, 2, n_i, 2).max(axis=(1, 3, 5)))

    core_or_none = highest(np.where(np.isfinite(core), core, -1))
    fixed = np.where(core_or_none >= 0, core_or_none, np.nan)
    network = _Network(highest(bone), highest(np.where(bone, conduct, 0)))
    solved = network.solve(fixed, highest(guess))
    fine = solved.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)
    fine = fine[tuple(slice(0, n) for n in bone.shape)]
    return np.where(np.isfinite(fine), fine, guess)


def _nearest_level(shape: tuple[int, ...], walls: Walls) -> np.ndarray:
    """First guess of the potential: the level index at each height."""
    s = np.arange(shape[0]) * STEP_MM
    levels = np.arange(len(walls.pedicles_s))
    guess = np.interp(s, walls.pedicles_s, levels) if len(levels) > 1 else np.zeros(len(s))
    return np.broadcast_to(guess[:, None, None], shape)


class _Network:
    """The graph of bone voxels, six neighbours, conductance by the darker of the two."""

    def __init__(self, bone: np.ndarray, conduct: np.ndarray) -> None:
        self.bone = bone
        index = np.full(bone.shape, -1, dtype=np.int32)
        index[bone] = np.arange(int(bone.sum()), dtype=np.int32)
        rows, cols, values = [], [], []
        for axis in range(3):
            a = [slice(None)] * 3
            b = [slice(None)] * 3
            a[axis], b[axis] = slice(None, -1), slice(1, None)
            both = bone[tuple(a)] & bone[tuple(b)]
            rows.append(index[tuple(a)][both])
            cols.append(index[tuple(b)][both])
            values.append(np.minimum(conduct[tuple(a)][both], conduct[tuple(b)][both]))
        r, c, w = np.concatenate(rows), np.concatenate(cols), np.concatenate(values)
        n = int(bone.sum())
        weights = sparse.coo_matrix((w, (r, c)), shape=(n, n)).tocsr()
        self.weights = (weights + weights.T).astype(np.float64)

    def solve(self, fixed: np.ndarray, guess: np.ndarray) -> np.ndarray:
        """Harmonic values on the network, equal to ``fixed`` where that is not NaN.

        Voxels without a connection to any fixed one come back NaN.
        """
        held = fixed[self.bone].astype(np.float64)
        is_held = np.isfinite(held)
        _, piece = sparse.csgraph.connected_components(self.weights, directed=False)
        seeded = np.zeros(piece.max() + 1, dtype=bool)
        seeded[piece[is_held]] = True
        free = ~is_held & seeded[piece]
        values = np.where(is_held, held, np.nan)
        if free.any():
            values[free] = self._relax(free, is_held, held, guess[self.bone])
        out = np.full(self.bone.shape, np.nan, dtype=np.float32)
        out[self.bone] = values
        return out

    def _relax(
        self, free: np.ndarray, is_held: np.ndarray, held: np.ndarray, guess: np.ndarray
    ) -> np.ndarray:
        degree = np.asarray(self.weights.sum(axis=1)).ravel()[free] + 1e-9
        inner = self.weights[free]
        matrix = sparse.diags(degree) - inner[:, free]
        right = inner[:, is_held] @ held[is_held]
        jacobi = LinearOperator(matrix.shape, matvec=lambda x: x / degree)
        start = guess[free].astype(np.float64)
        solution, _ = cg(matrix, right, x0=start, rtol=1e-4, maxiter=150, M=jacobi)
        return np.asarray(solution)
