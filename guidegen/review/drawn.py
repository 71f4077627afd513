"""What the page draws: surfaces, slices, and a still picture where it can't draw itself."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from guidegen.errors import InputError
from guidegen.export.manifest import case_files
from guidegen.mesh.io import read_stl
from guidegen.mesh.picture import Camera, ColouredMesh, render
from guidegen.model.arrays import Floats, Ints
from guidegen.model.bone import SKIN
from guidegen.report.solids import GUIDE, bone_solid, cut_solid, path_solids
from guidegen.review.binary import coarser, mesh_bytes, slice_bytes
from guidegen.review.jobs import Jobs
from guidegen.review.session import Session
from guidegen.review.slices import Frame, Outlined, slice_of
from guidegen.review.state import planned_bones

CELL_MM = 1.1
"""Of bones as the page shows them: some 15 000 triangles a vertebra (engineering choice)."""
MOST_FACES = 40_000
MARGIN_MM = 12.0
LARGEST_PX = 1600


class Drawn:
    """Draws a case; what does not change is drawn once."""

    def __init__(self, session: Session, jobs: Jobs) -> None:
        self._session = session
        self._jobs = jobs
        self._meshes: dict[str, bytes] = {}

    def slice(self, frame: Frame) -> bytes:
        """The CT on a rectangle, with outlines."""
        volume = self._session.loaded().case.volume
        assert volume is not None
        return slice_bytes(*slice_of(volume, frame, self._outlined()))

    def mesh(self, kind: str, name: str) -> bytes:
        """A surface to look at.

        Raises:
            InputError: There is none of that name.
        """
        if kind == "bone":
            return self._bone(name)
        if kind == "preview" and name in self._jobs.current_previews():
            part = self._jobs.current_previews()[name]
            return mesh_bytes(part.vertices_mm, part.faces)
        if kind == "part" and name in case_files(self._session.folder) and name.endswith(".stl"):
            return mesh_bytes(*_part(self._session.folder.root / name))
        raise InputError(f"there is no {kind[:20]} {name[:60]} to show")

    def picture(self, query: Mapping[str, str]) -> bytes:
        """A still picture of bones, paths, cuts and guides, as JPEG.

        Raises:
            InputError: The directions or the size are wrong.
        """
        try:
            forward, up = (
                np.array([float(part) for part in query[name].split(",")])
                for name in ("forward", "up")
            )
            size = (int(query["w"]), int(query["h"]))
            if not all(10 < side <= LARGEST_PX for side in size):
                raise ValueError(size)
            if not all(w.shape == (3,) and np.isfinite(w).all() for w in (forward, up)):
                raise ValueError(forward, up)
        except (KeyError, ValueError) as error:
            raise InputError("a picture wants forward, up, w and h") from error
        solids = self._solids()
        points = np.concatenate([solid.vertices_mm for solid in solids])
        drawn = render(solids, Camera.framing(points, forward, up, size, MARGIN_MM), size)
        buffer = io.BytesIO()
        Image.fromarray(drawn).save(buffer, format="JPEG", quality=85)
        return buffer.getvalue()

    def _solids(self) -> list[ColouredMesh]:
        case = self._session.case()
        bones = {bone.name: bone for bone in case.bones if bone.name != SKIN}
        planned = planned_bones(case.plan)
        solids = [bone_solid(bone, bone.name in planned) for bone in bones.values()]
        for path in case.plan.paths:
            solids += path_solids(path)
        solids += [cut_solid(cut, bones.get(cut.bone)) for cut in case.plan.cuts]
        for solid in self._outlined():
            if solid.kind != "bone":
                solids.append(ColouredMesh(solid.vertices_mm, solid.faces, GUIDE))
        return solids

    def _bone(self, name: str) -> bytes:
        """A bone in fewer triangles than its file has."""
        bone = self._session.loaded().case.bone(name)
        if bone is None:
            raise InputError(f"there is no bone {name[:60]}")
        key = f"{name} {self._session.plan.extra.get('files')}"
        if key not in self._meshes:
            vertices, faces = bone.vertices_mm, bone.faces
            cell = CELL_MM
            while len(faces) > MOST_FACES or cell == CELL_MM:
                vertices, faces = coarser(bone.vertices_mm, bone.faces, cell)
                cell *= 1.4
            self._meshes[key] = mesh_bytes(vertices, faces)
        return self._meshes[key]

    def _outlined(self) -> Iterator[Outlined]:
        """Everything whose outline a slice shows."""
        case = self._session.case()
        planned = planned_bones(case.plan)
        for bone in case.bones:
            known = bone.name in planned
            yield Outlined(bone.name, "bone", bone.vertices_mm, bone.faces, known)
        previews = self._jobs.current_previews()
        for name, guide in previews.items():
            yield Outlined(name, "preview", guide.vertices_mm, guide.faces)
        for path in sorted(self._session.folder.root.glob("guides/*.stl")):
            if path.stem not in previews:
                yield Outlined(path.stem, "guide", *_part(path))


def _part(path: Path) -> tuple[Floats, Ints]:
    return _read_part(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read_part(path: Path, changed_ns: int) -> tuple[Floats, Ints]:
    return read_stl(path)
