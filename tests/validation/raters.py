"""Femoral landmarks against those that five raters picked four times (VSDFullBodyBoneModels)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from guidegen.anatomy.femoral_head import sphere_through
from guidegen.anatomy.femur import find_femur
from guidegen.mesh.io import read_stl
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks

FEMORA = {
    "z001": ("left", "vsd_femora/z001_femur_left.stl"),
    "z009": ("right", "vsd_femora/z009_femur_right.stl"),
    "z027": ("left", "vsd_z027/Femur_L.stl"),
}
PICKED = {
    "posterior_condyle_lateral": "PLC",
    "posterior_condyle_medial": "PMC",
    "distal_condyle_lateral": "DLC",
    "distal_condyle_medial": "DMC",
    "lateral_epicondyle": "LEC",
    "medial_epicondyle": "MEC",
    "intercondylar_notch": "ICN",
}
LIMITS_DEG = {"mechanical": 0.5, "PCA": 1.5, "TEA": 2.5}
HEAD = ("SFH", "AFH", "LFH", "PFH", "MFH", "IFH")


@dataclass(frozen=True)
class Judged:
    """One femur's landmarks against the raters' means.

    Args:
        errors_mm: Distance from the mean of all picks, by landmark.
        spread_mm: Root mean square distance of the picks from their mean.
        axes_deg: Off the axes of the means: mechanical, PCA, TEA.
    """

    errors_mm: dict[str, float]
    spread_mm: dict[str, float]
    axes_deg: dict[str, float]


def femur(shared: Path, subject: str) -> Bone:
    """The surface of one subject's femur."""
    return Bone("femur", *read_stl(shared / "mesh" / FEMORA[subject][1]))


def judge(shared: Path, subject: str, marks: Landmarks | None = None) -> Judged:
    """Hold landmarks against the raters' picks."""
    found = find_femur(femur(shared, subject)) if marks is None else marks
    text = (shared / "mesh" / "vsd_femora" / "manual_landmarks_lps.json").read_text()
    picks = {
        name.split("(")[1].rstrip(")"): np.array([pick["xyz_mm"] for pick in trials])
        for name, trials in json.loads(text)[subject]["landmarks"].items()
    }
    means = {name: points.mean(axis=0) for name, points in picks.items()}
    own = {name: found[name].position_mm for name in PICKED}
    return Judged(
        {n: float(np.linalg.norm(own[n] - means[k])) for n, k in PICKED.items()},
        {n: float(_scatter(picks[k])) for n, k in PICKED.items()},
        _axes(found, means),
    )


def _scatter(points: np.ndarray) -> float:
    return float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _axes(found: Landmarks, means: dict[str, np.ndarray]) -> dict[str, float]:
    """Degrees between our axes and those of the raters' means, PCA and TEA seen along theirs."""
    head, _ = sphere_through(np.array([means[k] for k in HEAD]), np.ones(len(HEAD)))
    up = head - means["ICN"]
    up = up / np.linalg.norm(up)
    lines = {"PCA": "posterior_condyle_{}", "TEA": "{}_epicondyle"}
    ends = {"PCA": ("PMC", "PLC"), "TEA": ("MEC", "LEC")}
    out = {"mechanical": _degrees(found.patient_from_bone.axes[:, 2], up)}
    for axis, name in lines.items():
        medial, lateral = (found[name.format(s)].position_mm for s in ("medial", "lateral"))
        theirs = means[ends[axis][0]] - means[ends[axis][1]]
        out[axis] = _degrees(_flat(medial - lateral, up), _flat(theirs, up))
    return out


def _flat(vector: np.ndarray, up: np.ndarray) -> np.ndarray:
    across = vector - (vector @ up) * up
    return np.asarray(across / np.linalg.norm(across))


def _degrees(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(one @ other, -1.0, 1.0))))
