"""Lines and planes that somebody drew or moved in 3D Slicer, read back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from guidegen.errors import InputError
from guidegen.model.arrays import Floats

_FROM_RAS = np.array([-1.0, -1.0, 1.0])
_UNITS = {"mm": 1.0, "um": 1e-3}
_ENDS = ("entry", "tip")
_LARGEST = 2_000_000
_FARTHEST_MM = 5000.0
_OF_PLANE = "a plane with a centre and a normal"


@dataclass(frozen=True, eq=False)
class Markup:
    """A line or a plane.

    Args:
        file: Name of the file, for messages.
        names: What it may be called in the plan, the likeliest first.
        change: What a bench makes of it: ``entry_mm`` and ``tip_mm``, or ``origin_mm`` and
            ``normal``; LPS mm.
        title: What it is called in 3D Slicer.
    """

    file: str
    names: tuple[str, ...]
    change: Mapping[str, Floats]
    title: str = ""


def read_markups(path: Path) -> tuple[Markup, ...]:
    """Read a ``.mrk.json`` file.

    Raises:
        InputError: There is no such file, or it holds no lines or planes of 3D Slicer.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path.name} is too large for a markup: give a .mrk.json file")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path.name} can't be read as a markup ({type(error).__name__}): give a .mrk.json "
            "file that 3D Slicer saved"
        ) from error
    return markups_of(content, path.name)


def markups_of(content: Any, file: str) -> tuple[Markup, ...]:
    """Read what a ``.mrk.json`` file holds.

    Coordinates may be LPS or RAS, as the file says; they come back as LPS. Of a line's two points
    the labels tell entry and tip where they name both, else the first is the entry.

    Args:
        content: As JSON gives it.
        file: Its name.

    Raises:
        InputError: It holds no lines or planes, other coordinates, or points that are none.
    """
    items = content.get("markups") if isinstance(content, dict) else None
    schema = str(content.get("@schema", "")) if isinstance(content, dict) else ""
    if not isinstance(items, list) or not items or "markups" not in schema:
        raise InputError(f"{file} holds no markups of 3D Slicer: give a .mrk.json file")
    return tuple(_markup(item, file, alone=len(items) == 1) for item in items)


def _markup(item: Any, file: str, alone: bool) -> Markup:
    kind = item.get("type") if isinstance(item, dict) else None
    if kind not in ("Line", "Plane"):
        raise InputError(
            f"{file}: a line (entry to tip) or a plane (a cut) was wanted, found "
            f"{kind!s:.40}: save the path's own line or the cut's own plane"
        )
    scale = _scale(item, file)
    points = _points(item, file, scale)
    change = _line(points, file) if kind == "Line" else _plane(item, points, file, scale)
    title = str(item.get("name", ""))
    names = [title, *(_bare(label) for label, _ in points)]
    names += [file.split(".")[0]] if alone else []
    return Markup(file, tuple(dict.fromkeys(name for name in names if name)), change, title)


def _scale(item: Mapping[str, Any], file: str) -> Floats:
    """(3,): turns the file's coordinates to LPS mm."""
    system, unit = item.get("coordinateSystem", "LPS"), item.get("coordinateUnits", "mm")
    unit = unit[0] if isinstance(unit, list) and unit else unit
    if system not in ("LPS", "RAS"):
        raise InputError(f"{file}: coordinates in LPS or RAS were wanted, found {system!r:.40}")
    if not isinstance(unit, str) or unit not in _UNITS:
        raise InputError(f"{file}: coordinates in mm were wanted, found {unit!r:.40}")
    return _UNITS[unit] * (_FROM_RAS if system == "RAS" else np.ones(3))


def _points(item: Mapping[str, Any], file: str, scale: Floats) -> list[tuple[str, Floats]]:
    """Labels and places of the points that are set."""
    found = []
    given = item.get("controlPoints", [])
    for point in given if isinstance(given, list) else []:
        if not isinstance(point, dict) or point.get("positionStatus", "defined") != "defined":
            continue
        place = _vector(point.get("position"), file, "a point") * scale
        if np.abs(place).max() > _FARTHEST_MM:
            raise InputError(f"{file}: a point lies metres away: check the units")
        found.append((str(point.get("label", "")), place))
    return found


def _vector(value: Any, file: str, what: str) -> Floats:
    try:
        vector = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        vector = np.zeros(0)
    if vector.shape != (3,) or not np.isfinite(vector).all():
        raise InputError(f"{file}: {what} of three numbers was wanted, found {value!r:.60}")
    return vector


def _line(points: list[tuple[str, Floats]], file: str) -> Mapping[str, Floats]:
    if len(points) != 2:
        raise InputError(
            f"{file}: a line of two points, entry and tip, was wanted, found {len(points)}"
        )
    told = [_end_of(label) for label, _ in points]
    if told == ["tip", "entry"]:
        points = points[::-1]
    elif told[0] is not None and told[0] == told[1]:
        raise InputError(f"{file}: both points are labelled {told[0]}: label entry and tip")
    elif "tip" in told[:1] or "entry" in told[1:]:
        raise InputError(f"{file}: the labels contradict the order of the points: label both")
    return {"entry_mm": points[0][1], "tip_mm": points[1][1]}


def _end_of(label: str) -> str | None:
    """``entry`` or ``tip``, as a label ends."""
    word = label.lower().replace("_", " ").split()[-1:]
    return word[0] if word and word[0] in _ENDS else None


def _bare(label: str) -> str:
    """A label without the end's name: that of the path."""
    return label[: -len(_end_of(label) or "") - 1] if _end_of(label) else ""


def _plane(
    item: Mapping[str, Any], points: list[tuple[str, Floats]], file: str, scale: Floats
) -> Mapping[str, Floats]:
    turn = np.sign(scale)
    kind = str(item.get("planeType", "pointNormal")).lower()
    if kind == "3points" and len(points) == 3:
        corners = [place for _, place in points]
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        centre = np.mean(corners, axis=0)
    else:
        centre = _centre(item, points, file, scale)
        normal = _normal(item, file) * turn
    length = float(np.linalg.norm(normal))
    if not length > 1e-6:
        raise InputError(f"{file}: {_OF_PLANE} was wanted, found a normal without a direction")
    return {"origin_mm": centre, "normal": normal / length}


def _centre(
    item: Mapping[str, Any], points: list[tuple[str, Floats]], file: str, scale: Floats
) -> Floats:
    if item.get("center") is not None:
        return _vector(item["center"], file, "a centre") * scale
    if not points:
        raise InputError(f"{file}: {_OF_PLANE} was wanted, found no centre")
    return points[0][1]


def _normal(item: Mapping[str, Any], file: str) -> Floats:
    """The plane's normal in the file's coordinates; the third axis where it is not told."""
    if item.get("normal") is not None:
        return _vector(item["normal"], file, "a normal")
    axes = item.get("orientation")
    if not isinstance(axes, list) or len(axes) != 9:
        raise InputError(f"{file}: {_OF_PLANE} was wanted, found no normal")
    return _vector(axes[2::3], file, "a normal")


def on_items(markups: tuple[Markup, ...], items: tuple[str, ...]) -> Iterator[tuple[str, Markup]]:
    """Tell of which item of a plan each markup is.

    Raises:
        InputError: One is of none or may be of two, or two are of one.
    """
    taken: dict[str, str] = {}
    for markup in markups:
        found = _meant(markup, items)
        if len(found) > 1:
            raise InputError(
                f"{markup.file}: it may be of {' or of '.join(found)}: give markup and file the "
                "name of the path or cut that it is to replace"
            )
        name = found[0] if found else None
        if name is None:
            called = ", ".join(markup.names) or "nothing"
            raise InputError(
                f"{markup.file}: it is called {called}, and the plan has {', '.join(items)}: name "
                "the markup or the file after the path or cut that it is to replace"
            )
        if name in taken:
            raise InputError(f"{markup.file} and {taken[name]} are both of {name}: give one")
        taken[name] = markup.file
        yield name, markup


def _meant(markup: Markup, items: tuple[str, ...]) -> tuple[str, ...]:
    """Items that a markup is called after.

    Its points keep their labels when it is given another name, so they tell only where the name
    doesn't; a file of another item's name always leaves it open which is meant.
    """
    found = [name for name in markup.names if name in items]
    if markup.title in items:
        found = [name for name in found if name in (markup.title, markup.file.split(".")[0])]
    return tuple(found)
