"""landmarks.json: the named points, and the frames that a build needs again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from guidegen.errors import PlanError
from guidegen.export.atomic import json_text, write_json
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.level import Level
from guidegen.model.plan import Measurement

SCHEMA = "guidegen.landmarks/1"
_OWN = ("position_mm", "spread_mm", "method")

ROUNDED = 1e-5
"""Axes in a file of six decimals are no farther off than this."""


def write_landmarks(
    path: Path,
    sets: Iterable[Landmarks],
    levels: Iterable[Level],
    measurements: Iterable[Measurement] = (),
) -> None:
    """Write landmarks.json: ``frames``, ``levels`` and ``measurements`` beside ``bones``."""
    sets = tuple(sets)
    write_json(
        path,
        {
            "schema": SCHEMA,
            "bones": {s.bone: {p.name: _point(p) for p in s.points} for s in sets},
            "frames": {s.bone: {"patient_from_bone": s.patient_from_bone.matrix} for s in sets},
            "levels": [
                {
                    "name": level.name,
                    "patient_from_level": level.patient_from_level.matrix,
                    "limits_mm": level.limits_mm,
                    "complete": level.complete,
                }
                for level in levels
            ],
            "measurements": {item.name: item.value for item in measurements},
        },
    )


def rewrite_measurements(path: Path, measurements: Iterable[Measurement]) -> None:
    """Put other measurements into landmarks.json; all else stays.

    Raises:
        PlanError: The file is absent or no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        told = {**content, "measurements": {item.name: item.value for item in measurements}}
    except (OSError, ValueError, TypeError) as error:
        raise PlanError(f"landmarks.json can't be used ({error}): plan the case again") from error
    if json_text(told) != json_text(content):
        write_json(path, told)


def read_landmarks(path: Path) -> tuple[tuple[Landmarks, ...], tuple[Level, ...]]:
    """Read landmarks and levels back.

    Raises:
        PlanError: The file is absent, no JSON, or lacks a key.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        sets = (
            Landmarks(
                bone,
                _pose(content["frames"][bone]["patient_from_bone"], bone),
                tuple(_landmark(name, item) for name, item in points.items()),
            )
            for bone, points in content["bones"].items()
        )
        levels = (
            Level(
                item["name"],
                _pose(item["patient_from_level"], item["name"]),
                (item["limits_mm"][0], item["limits_mm"][1]),
                item["complete"],
            )
            for item in content["levels"]
        )
        return tuple(sets), tuple(levels)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise PlanError(f"landmarks.json can't be used ({error}): plan the case again") from error


def _point(point: Landmark) -> dict[str, Any]:
    own = {"position_mm": point.position_mm, "spread_mm": point.spread_mm, "method": point.method}
    return {**own, **point.values}


def _landmark(name: str, item: Mapping[str, Any]) -> Landmark:
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in item.items() if k not in _OWN}
    spread = float("nan") if item["spread_mm"] is None else item["spread_mm"]
    return Landmark(name, item["position_mm"], spread, item["method"], values)


def _pose(matrix: Any, source: str) -> Pose:
    """A pose as the file has it, its axes square again: the file holds six decimals.

    As they stand they can be a little more off than a pose may be.

    Raises:
        FrameError: They are farther off than the file's decimals explain.
    """
    told = np.array(matrix, dtype=np.float64)
    if told.shape == (4, 4) and np.isfinite(told).all():
        left, _, right = np.linalg.svd(told[:3, :3])
        squared = left @ right
        if np.abs(squared - told[:3, :3]).max() < ROUNDED:
            told[:3, :3] = squared
    return Pose(told, PATIENT, source)
