"""The open side of a sleeve, through which the drill is seen and debris leaves."""

from __future__ import annotations

import numpy as np

from guidegen.cad.parts import Part
from guidegen.cad.sleeve import ROUNDING_MM, Sleeve
from guidegen.mesh.grid import Field
from guidegen.model.arrays import Floats


def window_span(sleeve: Sleeve, closed_mm: float) -> tuple[float, float] | None:
    """Lowest and highest point of the window, heights over the entry; None if too short."""
    low = sleeve.foot_mm + closed_mm + ROUNDING_MM
    high = sleeve.top_mm - closed_mm - ROUNDING_MM
    return (low, high) if high - low >= 4.0 else None


def window_direction(sleeve: Sleeve) -> Floats:
    """(3,): away from the midline and at right angles to the sleeve, guide frame (x right)."""
    side = np.array([-1.0 if sleeve.side == "left" else 1.0, 0.0, 0.0])
    side = side - (side @ sleeve.out) * sleeve.out
    return np.asarray(side / np.linalg.norm(side))


def window(sleeve: Sleeve, span: tuple[float, float], width_mm: float) -> Part:
    """A slot with round ends from the bore outwards to the side."""
    toward = window_direction(sleeve).astype(np.float32)
    across = np.cross(sleeve.out, toward).astype(np.float32)
    middle = sleeve.at(sum(span) / 2).astype(np.float32)
    along = sleeve.out.astype(np.float32)
    straight = max((span[1] - span[0] - width_mm) / 2, 0.0)

    def distance(x: Field, y: Field, z: Field) -> Field:
        px, py, pz = x - middle[0], y - middle[1], z - middle[2]
        s = px * along[0] + py * along[1] + pz * along[2]
        t = px * across[0] + py * across[1] + pz * across[2]
        w = px * toward[0] + py * toward[1] + pz * toward[2]
        flat = np.sqrt(t**2 + np.maximum(np.abs(s) - np.float32(straight), 0) ** 2)
        return np.asarray(np.maximum(flat - np.float32(width_mm / 2), -w), dtype=np.float32)

    ends = np.array([sleeve.at(h) + r * toward for h in span for r in (0.0, sleeve.outer_mm)])
    return Part(ends.min(axis=0) - width_mm, ends.max(axis=0) + width_mm, distance)
