"""A small phantom: one vertebra of the demo, coarse, without noise."""

from pathlib import Path

import numpy as np
import pytest

from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.definition import Definition, View

LEVEL = "L3"


@pytest.fixture(scope="session")
def small() -> Definition:
    """The demo's definition, scanned only round L3."""
    demo = load_definition("demo")
    view = View(size_mm=(100.0, 110.0), centre_mm=(0.0, 22.0), below_mm=-76.0, above_mm=-14.0)
    expect = demo.expect.model_copy(update={"levels": (LEVEL,)})
    return demo.model_copy(update={"view": view, "expect": expect, "cobb": ()})


def cube(path: Path, size_mm: float = 20.0, open_side: bool = False, inward: bool = False) -> Path:
    """Write a cube as a binary STL."""
    corners = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=float)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([tri for a, b, c, d in quads for tri in ((a, b, c), (a, c, d))])
    faces = faces[:-1] if open_side else faces
    faces = faces[:, ::-1] if inward else faces
    records = np.zeros(len(faces), dtype=[("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")])
    records["v"] = corners[faces] * size_mm
    path.write_bytes(b"cube".ljust(80) + np.uint32(len(faces)).tobytes() + records.tobytes())
    return path
