"""Ribs: bent rods from the disc (or the body) past the transverse process to the side."""

from __future__ import annotations

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.phantoms import shapes
from guidegen.phantoms.shapes import Distances, Points
from guidegen.phantoms.vertebra import Vertebra

RIB_GAP_MM = 1.3
"""Space kept between a rib and the vertebrae."""
HEAD_GAP_MM = 2.0
FLAT = 0.72
"""Width of a rib's section as a share of its height."""


def _head(v: Vertebra, upper_width: float) -> Floats:
    """(3,): the rib head's centre on the left, clear of the bodies and the pedicle."""
    own_body = v.level in ("T1", "T11", "T12")
    z = 0.2 * v.half_height if own_body else v.half_height + 1.5
    a, b = max(v.sizes.width, upper_width) / 2, v.sizes.depth / 2
    angle = np.radians(20.0 if own_body else 32.0)
    normal = np.array([np.cos(angle) / a, np.sin(angle) / b])
    normal /= np.linalg.norm(normal)
    edge = np.array([a * np.cos(angle), b * np.sin(angle)])
    return np.append(edge + normal * (4.4 + HEAD_GAP_MM), z)


def rib_points(v: Vertebra, upper_width: float) -> Floats:
    """(N, 3): points along the left rib's middle, in the vertebra's frame."""
    head = _head(v, upper_width)
    back = v.sizes.depth / 2
    if v.level in ("T11", "T12"):
        far = 92.0 if v.level == "T11" else 66.0
        side = np.array([head[0] + 16, back + 9, head[2] - 2])
        out = np.array([head[0] + 34, back + 15, head[2] - 9])
        end = np.array([far, back + 9, head[2] - 9 - 0.6 * (far - out[0])])
        return np.array([head, side, out, end])
    tip = v.sizes.transverse
    pillar_y = back + 11.5
    tubercle = np.array([tip + 2.5, pillar_y + 8.5 - 10.9, 2.0])
    return np.array(
        [
            head,
            tubercle,
            [tip + 19, tubercle[1] + 9, -4],
            [tip + 40, tubercle[1] + 1, -15],
            [tip + 58, tubercle[1] - 22, -27],
            [tip + 68, tubercle[1] - 52, -38],
        ]
    )


def smooth_line(points: Floats, steps: int = 5) -> Floats:
    """(M, 3): a Catmull-Rom curve through the points."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        a, b = 2 * p0 - 5 * p1 + 4 * p2 - p3, 3 * (p1 - p2) + p3 - p0
        pieces.append(0.5 * (2 * p1 + (p2 - p0) * t + a * t**2 + b * t**3))
    return np.vstack([*pieces, points[-1:]])


class RibField:
    """One rib as a function of points in its vertebra's frame.

    ``contacts`` (N, 3) are places along its middle that lie beside the spine.
    """

    def __init__(self, vertebra: Vertebra, upper_width: float, side: str) -> None:
        line = smooth_line(rib_points(vertebra, upper_width))
        line[:, 0] *= 1.0 if side == "left" else -1.0
        self._squash = np.array([1.0, 1.0, FLAT])
        self._line = line * self._squash
        self._extent = line
        self.contacts = line[:12:3]
        self._radii = 3.7 + 0.7 * np.exp(-np.linspace(0, 6, len(line)))

    def __call__(self, points: Points) -> tuple[Distances, Distances]:
        """Measure points (3, N): distance, negative inside, and cortex thickness there, mm."""
        squashed = points * self._squash.astype(points.dtype)[:, None]
        distance = None
        ends = zip(self._line, self._line[1:], self._radii, self._radii[1:], strict=False)
        for start, end, r, r_end in ends:
            rod = shapes.capsule(squashed, start, end, float(r), float(r_end))
            distance = rod if distance is None else np.minimum(distance, rod)
        whole = np.asarray(distance)
        return whole, np.full_like(whole, 0.8)

    def bounds(self) -> Floats:
        """(2, 3): a box that holds the rib."""
        return np.array([self._extent.min(axis=0) - 9, self._extent.max(axis=0) + 9])
