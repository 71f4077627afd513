"""A small picture of every part of a case, for the summary."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from guidegen.batch.facts import read_json
from guidegen.errors import GuidegenError
from guidegen.export.folder import CaseFolder
from guidegen.mesh.io import read_stl
from guidegen.mesh.picture import Camera, ColouredMesh, render

SIZE = (220, 180)
MARGIN_MM = 7.0
BONE = (0.91, 0.86, 0.76)
PART = (0.36, 0.63, 0.78)
QUALITY = 82
FROM_FRONT = (0.0, 1.0, 0.0)


def draw_parts(folder: CaseFolder, to: Path) -> None:
    """Draw each guide on its bones, from where it is pushed on; models alone, if no guides.

    Args:
        folder: A built case.
        to: Folder of the pictures, ``NAME.jpg`` each; those of an earlier run go.
    """
    to.mkdir(parents=True, exist_ok=True)
    for old in to.glob("*.jpg"):
        old.unlink()
    files = read_json(folder.manifest).get("files", [])
    guides = [item for item in files if item.get("role") == "guide" and "bones" in item]
    models = [item for item in files if item.get("role") == "model"]
    for item in guides or models:
        if item["file"].endswith(".stl"):
            picture = _picture(folder, item)
            if picture:
                (to / f"{Path(item['file']).stem}.jpg").write_bytes(picture)


def _picture(folder: CaseFolder, item: dict[str, Any]) -> bytes:
    """One part as JPEG; nothing where its file can't be read."""
    try:
        part = ColouredMesh(*read_stl(folder.root / item["file"]), PART)
        bones = [
            ColouredMesh(*read_stl(folder.root / "bones" / f"{name}.stl"), BONE)
            for name in item.get("bones", ())
            if item["role"] == "guide" and (folder.root / "bones" / f"{name}.stl").is_file()
        ]
        forward = np.array(item.get("insertion_direction") or FROM_FRONT, dtype=np.float64)
        up = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 0.9 else np.array([0.0, -1.0, 0.0])
        seen = part.vertices_mm
        camera = Camera.framing(seen, forward, up, SIZE, MARGIN_MM)
        drawn = render([part, *bones], camera, SIZE)
    except (GuidegenError, OSError):
        return b""
    buffer = io.BytesIO()
    Image.fromarray(drawn).save(buffer, format="JPEG", quality=QUALITY)
    return buffer.getvalue()
