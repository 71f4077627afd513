"""What 3D Slicer opens: a line a path, a plane a cut, the label map, meshes, a colour table."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from guidegen.export.atomic import write_bytes, write_json, write_text
from guidegen.export.folder import CaseFolder
from guidegen.model.arrays import Floats
from guidegen.model.plan import Cut, Path, Plan
from guidegen.model.volume import LabelMap

MARKUPS = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/"
    "Resources/Schema/markups-schema-v1.0.3.json#"
)
_PLANE_MM = 90.0
"""Side of a cut's plane as it is shown: more than a knee is wide."""


def write_paths(folder: CaseFolder, plan: Plan) -> None:
    """Write ``slicer/NAME.mrk.json``: a line from entry to tip a path, a plane a cut."""
    made = [(path.name, line_markup(path)) for path in plan.paths]
    made += [(cut.name, plane_markup(cut)) for cut in plan.cuts]
    for name, markup in made:
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", name)
        write_json(folder.root / "slicer" / f"{name}.mrk.json", markup)


def write_scene(folder: CaseFolder, plan: Plan, labels: LabelMap | None = None) -> None:
    """Copy the case's bones, parts and label map to ``slicer/``, with a colour table."""
    parts = [*folder.root.glob("guides/*.stl"), *folder.root.glob("models/*.stl")]
    planned = {path.bone for path in plan.paths} | {cut.bone for cut in plan.cuts}
    bones = [folder.root / bone.file for bone in plan.bones if bone.name in planned]
    for mesh in sorted(parts) + bones:
        kind = {"guides": "guide", "models": "model", "bones": "bone"}[mesh.parent.name]
        write_bytes(folder.root / "slicer" / f"{kind}_{mesh.name}", mesh.read_bytes())
    if labels is not None:
        write_bytes(folder.root / "slicer" / "labels.nii.gz", folder.segmentation.read_bytes())
        write_text(folder.root / "slicer" / "labels.ctbl", colour_table(labels))


def line_markup(path: Path) -> dict[str, Any]:
    """A line markup in LPS mm, as 3D Slicer's markups schema 1.0.3 wants it.

    It is not locked: it may be moved there and taken up again (``guidegen import``).

    References:
        3D Slicer, Markups module, JSON schema 1.0.3.
    """
    ends = (("entry", path.entry_mm), ("tip", path.tip_mm))
    length = {
        "name": "length",
        "enabled": True,
        "value": path.length_mm,
        "units": "mm",
        "printFormat": "%-#4.4g%s",
    }
    return _file(
        {
            "type": "Line",
            **_common(path.name),
            "controlPoints": [
                _point(n, f"{path.name} {label}", place)
                for n, (label, place) in enumerate(ends, start=1)
            ],
            "measurements": [length],
            "display": {
                "visibility": True,
                "lineThickness": 0.5,
                "propertiesLabelVisibility": True,
            },
        }
    )


def plane_markup(cut: Cut) -> dict[str, Any]:
    """A plane markup in LPS mm in the middle of a cut's kerf; its normal is the cut's.

    References:
        3D Slicer, Markups module, JSON schema 1.0.3.
    """
    across = np.cross(cut.normal, np.eye(3)[np.abs(cut.normal).argmin()])
    across = across / np.linalg.norm(across)
    axes = np.column_stack([across, np.cross(cut.normal, across), cut.normal])
    base = np.eye(4)
    base[:3, :3], base[:3, 3] = axes, cut.origin_mm
    half = _PLANE_MM / 2
    return _file(
        {
            "type": "Plane",
            **_common(cut.name),
            "planeType": "pointNormal",
            "sizeMode": "absolute",
            "center": cut.origin_mm,
            "normal": cut.normal,
            "size": [_PLANE_MM, _PLANE_MM, 0.0],
            "planeBounds": [-half, half, -half, half],
            "objectToBase": np.eye(4).ravel(),
            "baseToNode": base.ravel(),
            "orientation": axes.ravel(),
            "controlPoints": [_point(1, cut.name, cut.origin_mm)],
            "display": {"visibility": True, "opacity": 0.5, "propertiesLabelVisibility": True},
        }
    )


def _file(markup: dict[str, Any]) -> dict[str, Any]:
    return {"@schema": MARKUPS, "markups": [markup]}


def _common(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": False,
        "fixedNumberOfControlPoints": True,
        "labelFormat": "%N-%d",
    }


def _point(number: int, label: str, place: Floats) -> dict[str, Any]:
    return {
        "id": str(number),
        "label": label,
        "position": place,
        "selected": True,
        "locked": False,
        "visibility": True,
        "positionStatus": "defined",
    }


def colour_table(labels: LabelMap) -> str:
    """Name the label values for 3D Slicer: value, name, red, green, blue, opacity."""
    rows = ["# guidegen labels", "0 background 0 0 0 0"]
    for value in sorted(labels.names):
        red, green, blue = (90 + (value * step) % 166 for step in (67, 113, 31))
        rows.append(f"{value} {labels.names[value]} {red} {green} {blue} 255")
    return "\n".join(rows) + "\n"
