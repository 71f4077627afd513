"""Rigid poses that know which frames they join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.errors import FrameError
from guidegen.model.arrays import Floats, frozen_floats

PATIENT = "patient"


@dataclass(frozen=True, eq=False)
class Pose:
    """A rigid motion: ``target_from_source``.

    Args:
        matrix: (4, 4) rigid, mm, right-handed.
        target: Name of the frame the points end in.
        source: Name of the frame the points come from.

    Raises:
        FrameError: The matrix is not rigid and right-handed.
    """

    matrix: Floats
    target: str
    source: str

    def __post_init__(self) -> None:
        matrix = frozen_floats(self.matrix, (4, 4), "pose")
        rotation = matrix[:3, :3]
        rigid = np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-6)
        if not rigid or np.linalg.det(rotation) < 0 or not np.allclose(matrix[3], (0, 0, 0, 1)):
            raise FrameError(
                f"the pose {self.target}_from_{self.source} is not a right-handed rigid motion"
            )
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def from_axes(cls, axes: Any, origin_mm: Any, target: str, source: str) -> Pose:
        """Build from three unit axes as columns (3, 3) and the origin, in the target frame."""
        matrix = np.eye(4)
        matrix[:3, :3] = axes
        matrix[:3, 3] = origin_mm
        return cls(matrix, target, source)

    @property
    def axes(self) -> Floats:
        """(3, 3): the source's axes as columns, in the target frame."""
        return self.matrix[:3, :3]

    @property
    def origin_mm(self) -> Floats:
        """(3,): the source's origin, in the target frame."""
        return self.matrix[:3, 3]

    def points(self, points_mm: Any) -> Floats:
        """Move points (..., 3) from source to target."""
        return np.asarray(points_mm, dtype=np.float64) @ self.axes.T + self.origin_mm

    def vectors(self, vectors: Any) -> Floats:
        """Turn vectors (..., 3) from source to target, without the shift."""
        return np.asarray(vectors, dtype=np.float64) @ self.axes.T

    @property
    def inverse(self) -> Pose:
        """``source_from_target``."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.axes.T
        matrix[:3, 3] = -self.axes.T @ self.origin_mm
        return Pose(matrix, self.source, self.target)

    def __matmul__(self, other: Pose) -> Pose:
        if self.source != other.target:
            raise FrameError(
                f"{self.target}_from_{self.source} can't follow {other.target}_from_{other.source}"
            )
        return Pose(self.matrix @ other.matrix, self.target, other.source)
