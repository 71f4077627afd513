"""What 3D Slicer opens: one line markup a path, the label map, the meshes, a colour table."""

from __future__ import annotations

import re
from typing import Any

from guidegen.export.atomic import write_bytes, write_json, write_text
from guidegen.export.folder import CaseFolder
from guidegen.model.plan import Path, Plan
from guidegen.model.volume import LabelMap

MARKUPS = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/"
    "Resources/Schema/markups-schema-v1.0.3.json#"
)


def write_paths(folder: CaseFolder, plan: Plan) -> None:
    """Write ``slicer/NAME.mrk.json``, a line from entry to tip, for each path."""
    for path in plan.paths:
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", path.name)
        write_json(folder.root / "slicer" / f"{name}.mrk.json", line_markup(path))


def write_scene(folder: CaseFolder, plan: Plan, labels: LabelMap | None = None) -> None:
    """Copy the case's bones, parts and label map to ``slicer/``, with a colour table."""
    parts = [*folder.root.glob("guides/*.stl"), *folder.root.glob("models/*.stl")]
    planned = {path.bone for path in plan.paths}
    bones = [folder.root / bone.file for bone in plan.bones if bone.name in planned]
    for mesh in sorted(parts) + bones:
        kind = {"guides": "guide", "models": "model", "bones": "bone"}[mesh.parent.name]
        write_bytes(folder.root / "slicer" / f"{kind}_{mesh.name}", mesh.read_bytes())
    if labels is not None:
        write_bytes(folder.root / "slicer" / "labels.nii.gz", folder.segmentation.read_bytes())
        write_text(folder.root / "slicer" / "labels.ctbl", colour_table(labels))


def line_markup(path: Path) -> dict[str, Any]:
    """A line markup in LPS mm, as 3D Slicer's markups schema 1.0.3 wants it.

    References:
        3D Slicer, Markups module, JSON schema 1.0.3.
    """
    points = [("entry", path.entry_mm), ("tip", path.tip_mm)]
    return {
        "@schema": MARKUPS,
        "markups": [
            {
                "type": "Line",
                "coordinateSystem": "LPS",
                "coordinateUnits": "mm",
                "locked": True,
                "labelFormat": "%N-%d",
                "controlPoints": [
                    {
                        "id": str(n),
                        "label": f"{path.name} {label}",
                        "position": position,
                        "selected": True,
                        "locked": True,
                        "visibility": True,
                        "positionStatus": "defined",
                    }
                    for n, (label, position) in enumerate(points, start=1)
                ],
                "measurements": [
                    {
                        "name": "length",
                        "enabled": True,
                        "value": path.length_mm,
                        "units": "mm",
                        "printFormat": "%-#4.4g%s",
                    }
                ],
                "display": {
                    "visibility": True,
                    "lineThickness": 0.5,
                    "propertiesLabelVisibility": True,
                },
            }
        ],
    }


def colour_table(labels: LabelMap) -> str:
    """Name the label values for 3D Slicer: value, name, red, green, blue, opacity."""
    rows = ["# guidegen labels", "0 background 0 0 0 0"]
    for value in sorted(labels.names):
        red, green, blue = (90 + (value * step) % 166 for step in (67, 113, 31))
        rows.append(f"{value} {labels.names[value]} {red} {green} {blue} 255")
    return "\n".join(rows) + "\n"
