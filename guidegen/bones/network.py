"""Harmonic potentials on a network of voxels: who is connected to whom, and how well."""

from __future__ import annotations

from copy import copy

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.linalg import LinearOperator, cg

from guidegen.model.arrays import Floats

JOINT_DIP = 0.05
"""A dip by this share of its two walls lowers conduction to exp(-1) (engineering choice: deeper
than noise; a share, so that faint bone is told apart like dense bone)."""
FAINTEST_HU = 150.0
"""A wall fainter than this counts as this bright: in soft tissue every dip is noise."""
FLAT_DROP = 0.02
"""A drop of potential between neighbours that still counts as none (engineering choice)."""


def conductance(hu: np.ndarray) -> np.ndarray:
    """0 to 1: low where the grey value dips between two brighter sides, as in a joint."""
    sharp = ndimage.gaussian_filter(hu, 0.4)
    walls = ndimage.grey_closing(sharp, size=3)
    dip = (walls - sharp) / np.maximum(walls, FAINTEST_HU)
    return np.asarray(np.exp(-((dip / JOINT_DIP) ** 2)), dtype=np.float32)


class Network:
    """The graph of bone voxels, six neighbours, conductance by the darker of the two.

    Args:
        bone: (K, J, I) bool: which voxels are nodes.
        conduct: Same shape, 0 to 1: see ``conductance``.
    """

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
        self.weights = (weights + weights.T).astype(np.float32)

    def solve(self, fixed: np.ndarray, guess: np.ndarray, rtol: float = 1e-4) -> np.ndarray:
        """Find the harmonic values on the network, equal to ``fixed`` where that is not NaN.

        Args:
            fixed: (K, J, I) values to hold; NaN elsewhere. What is not bone does not count.
            guess: Same shape: where the iteration starts.
            rtol: Residual, as a share of the right side's norm, at which it stops; it also stops
                after 150 rounds, so a bad guess on a large network ends short of the limit.

        Returns:
            Same shape, float32; NaN off the bone and where nothing held is connected.
        """
        held = fixed[self.bone].astype(np.float64)
        is_held = np.isfinite(held)
        low, high = self._range_of_pieces(held, is_held)
        values = np.where(is_held, held, np.where(low == high, low, np.nan))
        free = ~is_held & (low < high)
        if free.any():
            values[free] = self._relax(free, is_held, held, guess[self.bone], rtol)
        out = np.full(self.bone.shape, np.nan, dtype=np.float32)
        out[self.bone] = values
        return out

    def steepened(self, values: np.ndarray) -> Network:
        """The same network with conduction lowered where the potential already drops.

        Solved and steepened in turn, the potential falls in ever fewer places: it tends to the
        cheapest cut between what is held high and what is held low (iteratively reweighted least
        squares of the total variation).

        References:
            Bhusnurmath A, Taylor CJ (2008) Graph cuts via l1 norm minimization. IEEE TPAMI
            30:1866, doi:10.1109/TPAMI.2008.82.
        """
        edges = self.weights.tocoo()
        potential = np.nan_to_num(values[self.bone])
        drop = np.abs(potential[edges.row] - potential[edges.col])
        out = copy(self)
        data = edges.data * (FLAT_DROP / (FLAT_DROP + drop)).astype(np.float32)
        out.weights = sparse.coo_matrix((data, (edges.row, edges.col)), edges.shape).tocsr()
        return out

    def _range_of_pieces(self, held: Floats, is_held: np.ndarray) -> tuple[Floats, Floats]:
        """Lowest and highest value held in each voxel's connected piece; NaN where none is."""
        _, piece = sparse.csgraph.connected_components(self.weights, directed=False)
        low = np.full(piece.max(initial=0) + 1, np.inf)
        high = np.full_like(low, -np.inf)
        np.minimum.at(low, piece[is_held], held[is_held])
        np.maximum.at(high, piece[is_held], held[is_held])
        none = low > high
        low[none] = high[none] = np.nan
        return low[piece], high[piece]

    def _relax(
        self, free: np.ndarray, is_held: np.ndarray, held: Floats, guess: np.ndarray, rtol: float
    ) -> Floats:
        degree = np.asarray(self.weights.sum(axis=1)).ravel()[free] + np.float32(1e-9)
        inner = self.weights[free]
        matrix = (sparse.diags(degree) - inner[:, free]).tocsr().astype(np.float32)
        right = inner[:, is_held] @ held[is_held].astype(np.float32)
        jacobi = LinearOperator(matrix.shape, matvec=lambda x: x / degree, dtype=np.float32)
        start = guess[free].astype(np.float32)
        solution, _ = cg(matrix, right, x0=start, rtol=rtol, maxiter=150, M=jacobi)
        return np.asarray(solution)
