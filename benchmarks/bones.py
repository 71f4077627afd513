"""CT to separate closed bone surfaces, written as STL: the part that has a peer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.child import peak_mb
from guidegen.bones.spine import find_spine
from guidegen.bones.surface import extract_bones
from guidegen.ct.reader import read_ct
from guidegen.mesh.io import stl_bytes


def main(source: str, out: str, lowest_level: str) -> None:
    """Read, separate, extract, write."""
    volume = read_ct(Path(source))
    spine = find_spine(volume, lowest_level=lowest_level or None)
    bones = extract_bones(volume, spine)
    for bone in bones:
        Path(out, f"{bone.name}.stl").write_bytes(stl_bytes(bone.vertices_mm, bone.faces))
    print(json.dumps({"bones": len(bones), "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
