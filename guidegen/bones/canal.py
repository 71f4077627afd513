"""Find the spinal canal: the one thing every spine has, fused or deformed.

Each soft voxel is scored by how well bone encloses it in the axial plane and by how far it is
open along the spine: marrow darker than the cortex round it is enclosed too, but endplates close
it, and where bodies are fused the canal still lies behind them. Dynamic programming then follows
the best scores from foot to head. It fails where the canal leaves the axial plane by more than
about 60 degrees, and in scans without any vertebral arch in view.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage

from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats
from guidegen.model.volume import CTVolume, Grid
from guidegen.workers import side_by_side, together

STEP_MM = 2.0
"""Voxel of the search grid: half a canal's radius is still four voxels (engineering choice)."""
BONE_HU = 180.0
"""Below cortical, above contrast-free soft tissue; used for enclosure only."""
REACH_MM = 18.0
"""Half the widest lumbar canal plus the wall (engineering choice)."""
N_DIRECTIONS = 16
OPEN_MM = 24.0
"""So far up and down the canal stays open; marrow is closed within half a body's height, at most
18 mm from its middle (engineering choice)."""
BEHIND_MM = (18.0, 34.0)
"""The canal's middle lies this far behind that of the bodies, and nothing like it behind the
canal (engineering choice: more than the deepest canal, less than bodies and canal together)."""
OPEN_SLOPES = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Directions up and down that are tried: up to 45 degrees to the front, back and sides, as steep
as canals run."""
SHORTEST_CANAL_MM = 25.0


@dataclass(frozen=True, eq=False)
class Overview:
    """The scan on a coarse grid along the patient's axes.

    Args:
        hu: (K, J, I) float32; k to the head, j to the back, i to the left.
        origin_mm: (3,) LPS of voxel (0, 0, 0).
        step_mm: Voxel size.
    """

    hu: np.ndarray
    origin_mm: Floats
    step_mm: float

    def patient(self, kji: Floats) -> Floats:
        """Voxel coordinates (..., 3) to LPS mm."""
        return self.origin_mm + np.asarray(kji, dtype=np.float64)[..., ::-1] * self.step_mm


def overview(volume: CTVolume, step_mm: float = STEP_MM) -> Overview:
    """Average the scan down to a coarse grid along the patient's axes."""
    grid = volume.grid
    factors = np.maximum(1, np.floor(step_mm / grid.spacing_kji_mm + 0.25)).astype(int)
    coarse = _block_mean(volume.hu, factors)
    matrix = np.array(grid.patient_from_kji)
    matrix[:3, :3] *= factors
    matrix[:3, 3] = grid.patient((factors - 1) / 2)
    coarse_grid = Grid(matrix, tuple(coarse.shape))
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in coarse.shape])).reshape(3, -1).T
    corners = coarse_grid.patient(ends)
    low, high = corners.min(axis=0), corners.max(axis=0)
    n_ijk = np.floor((high - low) / step_mm).astype(int) + 1
    to_lps = np.zeros((3, 3))
    to_lps[[2, 1, 0], [0, 1, 2]] = step_mm
    inverse = np.linalg.inv(matrix[:3, :3])
    hu = ndimage.affine_transform(
        coarse,
        inverse @ to_lps,
        inverse @ (low - matrix[:3, 3]),
        output_shape=tuple(n_ijk[::-1]),
        order=1,
        cval=-1000.0,
    )
    return Overview(hu, low, step_mm)


def _block_mean(hu: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Mean over blocks of ``factors`` voxels; an incomplete last block is dropped."""
    n = np.maximum(np.array(hu.shape) // factors, 1)
    total = np.zeros(tuple(n), dtype=np.float32)
    for offset in np.ndindex(*factors.tolist()):
        total += hu[
            tuple(
                slice(o, o + count * f, f) for o, count, f in zip(offset, n, factors, strict=True)
            )
        ]
    return np.asarray(total / np.float32(np.prod(factors)))


def centreline(
    view: Overview, shortest_mm: float = SHORTEST_CANAL_MM, through_gaps: bool = False
) -> Floats:
    """Follow the canal from foot to head.

    Args:
        view: The scan on a coarse grid.
        shortest_mm: Least length of canal that counts.
        through_gaps: Run from the first enclosed slice to the last, over open ones between.

    Returns:
        (N, 3) LPS mm, about one point per ``step_mm``, smoothed.

    Raises:
        AnatomyError: No canal of that length is in view.
    """
    enclosed, score = _scores(view)
    path = _best_path(score)
    k = np.arange(len(path))
    along = enclosed[k, path[:, 0], path[:, 1]]
    if through_gaps:
        closed = np.flatnonzero(along > 0.6)
        first, last = (int(closed[0]), int(closed[-1]) + 1) if len(closed) else (0, 0)
    else:
        first, last = _longest_run(along, round(20 / view.step_mm))
    if (last - first) * view.step_mm < shortest_mm:
        raise AnatomyError(
            "a spine was wanted, but no spinal canal of at least "
            f"{shortest_mm:.0f} mm is in view; check that this is a CT of the spine"
        )
    kji = np.column_stack([k, path])[first:last].astype(np.float64)
    kji[:, 1:] = ndimage.gaussian_filter1d(kji[:, 1:], 6 / view.step_mm, axis=0, mode="nearest")
    return view.patient(kji)


def _scores(view: Overview) -> tuple[np.ndarray, np.ndarray]:
    """Share of directions that meet bone, and the score of being the canal's centre."""
    hu, step = view.hu, view.step_mm
    bone = hu > BONE_HU
    hits, clear_mm, tube = together(
        lambda: _directions_met(bone, step),
        lambda: np.asarray(ndimage.distance_transform_edt(~bone, sampling=step)),
        lambda: _openness(bone, step),
    )
    enclosed = np.where((hu > -60) & (hu < 140), hits / N_DIRECTIONS, 0).astype(np.float32)
    body = ndimage.uniform_filter(np.clip(hu, 0, 400) / 400, size=_odd(10, 16, 14, step=step))
    front = np.minimum(_shifted(body, -round(21 / step), 0), 0.5)
    score = enclosed**2 + 0.3 * np.minimum(clear_mm, 8) / 8 + front + tube - _off_midline(hu, step)
    score -= _tube_behind(enclosed**2 * tube, step)
    return enclosed, np.where(enclosed > 0, score, -1.0).astype(np.float32)


def _directions_met(bone: np.ndarray, step_mm: float) -> np.ndarray:
    """In how many of ``N_DIRECTIONS`` in the axial plane bone lies within ``REACH_MM``."""
    hits = np.zeros(bone.shape, dtype=np.float32)
    for n in range(N_DIRECTIONS):
        angle = 2 * np.pi * n / N_DIRECTIONS
        met = np.zeros_like(bone)
        for reach in np.arange(step_mm, REACH_MM + step_mm / 2, step_mm):
            dj, di = np.sin(angle) * reach / step_mm, np.cos(angle) * reach / step_mm
            met |= _shifted(bone, int(np.rint(dj)), int(np.rint(di)))
        hits += met
    return hits


def _tube_behind(tube: np.ndarray, step_mm: float) -> np.ndarray:
    """The best tube ``BEHIND_MM`` behind each voxel: in a fused column the marrow is one too."""
    behind = np.zeros_like(tube)
    for back_mm in np.arange(BEHIND_MM[0], BEHIND_MM[1] + step_mm / 2, step_mm):
        np.maximum(behind, _shifted(tube, round(back_mm / step_mm), 0), out=behind)
    return behind


def _openness(bone: np.ndarray, step_mm: float) -> np.ndarray:
    """0 to 1: how far a way one voxel clear of bone is free both up and down, of ``OPEN_MM``."""
    n_steps = round(OPEN_MM / step_mm)
    free = ~ndimage.binary_dilation(bone, ndimage.generate_binary_structure(2, 1)[None])
    ways = side_by_side(lambda ahead: _free_way(ahead, n_steps), [free, free[::-1]])
    return np.asarray(np.minimum(ways[0], ways[1][::-1]) / np.float32(n_steps))


def _free_way(free: np.ndarray, n_steps: int) -> np.ndarray:
    """Slices upward (uint8) that stay free, in the best direction; out of view all is free."""
    n_k, n_j, n_i = free.shape
    beyond = np.pad(free, [(0, n_steps), (n_steps,) * 2, (n_steps,) * 2], constant_values=True)
    best = np.zeros(free.shape, dtype=np.uint8)
    for slope_j, slope_i in product(OPEN_SLOPES, OPEN_SLOPES):
        way, still = free.astype(np.uint8), free.copy()
        for n in range(1, n_steps):
            j, i = n_steps + round(slope_j * n), n_steps + round(slope_i * n)
            still &= beyond[n : n + n_k, j : j + n_j, i : i + n_i]
            way += still
        np.maximum(best, way, out=best)
    return best


def _off_midline(hu: np.ndarray, step_mm: float) -> np.ndarray:
    """Penalty for being far to the side of the body's middle: thighs are no spine."""
    body = (hu > -300).sum(axis=(0, 1)).astype(np.float64)
    middle = float((body * np.arange(len(body))).sum() / max(body.sum(), 1))
    aside = (np.arange(len(body)) - middle) * step_mm / 60
    return np.asarray(0.6 * np.minimum(aside**2, 2.0), dtype=np.float32)


def _odd(*sizes_mm: float, step: float) -> tuple[int, ...]:
    return tuple(2 * int(size / step / 2) + 1 for size in sizes_mm)


def _shifted(values: np.ndarray, dj: int, di: int) -> np.ndarray:
    """``out[k, j, i] = values[k, j + dj, i + di]``, zero outside."""
    out = np.zeros_like(values)
    n_j, n_i = values.shape[1:]
    if abs(dj) >= n_j or abs(di) >= n_i:
        return out
    to_j, from_j = _overlap(n_j, dj)
    to_i, from_i = _overlap(n_i, di)
    out[:, to_j, to_i] = values[:, from_j, from_i]
    return out


def _overlap(n: int, d: int) -> tuple[slice, slice]:
    return slice(max(-d, 0), n + min(-d, 0)), slice(max(d, 0), n + min(d, 0))


def _best_path(score: np.ndarray, bend: float = 0.02) -> np.ndarray:
    """Dynamic programming through the slices, at most two voxels a step: (K, 2) of (j, i)."""
    n_k, n_j, n_i = score.shape
    moves = [(dj, di) for dj in range(-2, 3) for di in range(-2, 3)]
    total = score[0].copy()
    came = np.zeros(score.shape, dtype=np.int8)
    for k in range(1, n_k):
        padded = np.pad(total, 2, constant_values=-1e9)
        best = np.full((n_j, n_i), -1e9, dtype=np.float32)
        for n, (dj, di) in enumerate(moves):
            moved = padded[2 + dj : 2 + dj + n_j, 2 + di : 2 + di + n_i] - bend * (dj**2 + di**2)
            better = moved > best
            best[better] = moved[better]
            came[k][better] = n
        total = best + score[k]
    place = np.array(np.unravel_index(int(total.argmax()), total.shape))
    path = [place]
    for k in range(n_k - 1, 0, -1):
        place = place + moves[came[k, place[0], place[1]]]
        path.append(place)
    return np.array(path[::-1])


def _longest_run(enclosed: np.ndarray, window: int) -> tuple[int, int]:
    """The longest stretch that is enclosed on average and never quite open: (first, last + 1)."""
    mean = ndimage.uniform_filter1d(enclosed, max(window, 1), mode="nearest")
    broken = ndimage.minimum_filter1d(enclosed, 1) < 0.3
    inside = np.concatenate([[False], (mean > 0.6) & ~broken, [False]])
    edges = np.flatnonzero(np.diff(inside.astype(int)))
    runs = list(zip(edges[::2], edges[1::2], strict=True))
    if not runs:
        return 0, 0
    first, last = max(runs, key=lambda run: run[1] - run[0])
    return int(first), int(last)
