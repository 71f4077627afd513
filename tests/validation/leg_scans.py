"""Real leg bones as a CT of their surfaces shows them, and planned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from guidegen.ct.reader import read_ct
from guidegen.mesh.io import read_stl, stl_bytes
from guidegen.model.arrays import Floats
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import silent
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.write import write_meshes_phantom
from guidegen.procedures.contract import Anatomy, Options
from guidegen.procedures.knee.anatomy import find_knee_anatomy
from guidegen.procedures.knee.settings import KneeSettings

from .raters import FEMORA

FINE = ScanOptions(spacing_mm=0.7, slice_mm=1.0)
COARSE = ScanOptions(spacing_mm=1.0, slice_mm=1.0)
Mesh = tuple[Floats, np.ndarray]


def found_in_scan(surfaces: Sequence[Path], place: Path, options: ScanOptions) -> Anatomy:
    """Scan closed surfaces into a DICOM folder, read it, and find bones and landmarks."""
    folder = write_meshes_phantom(surfaces, place, options)
    return find_knee_anatomy(read_ct(folder), Options(), KneeSettings(), silent)


def femur_in_scan(shared: Path, subject: str, place: Path) -> tuple[Landmarks, Anatomy]:
    """Landmarks of one rater's femur, alone in a CT of 0.7 x 0.7 x 1.0 mm, and all else found."""
    side, file = FEMORA[subject]
    anatomy = found_in_scan([shared / "mesh" / file], place / subject, FINE)
    return next(m for m in anatomy.landmarks if m.bone == f"femur_{side}"), anatomy


def leg_in_scan(meshes: Mapping[str, Mesh], place: Path) -> Anatomy:
    """Bones and landmarks of a leg whose surfaces were moved, in a CT of 1.0 mm voxels."""
    place.mkdir(parents=True, exist_ok=True)
    files = []
    for name, (vertices, faces) in meshes.items():
        files.append(place / f"{name}.stl")
        files[-1].write_bytes(stl_bytes(vertices, faces, name))
    return found_in_scan(files, place / "dicom", COARSE)


def leg_meshes(shared: Path, letter: str) -> dict[str, Mesh]:
    """The surfaces of one of z027's legs, ``L`` or ``R``."""
    kinds = ("Femur", "Tibia", "Fibula", "Patella", "Talus")
    folder = shared / "mesh" / "vsd_z027"
    return {kind.lower(): read_stl(folder / f"{kind}_{letter}.stl") for kind in kinds}
