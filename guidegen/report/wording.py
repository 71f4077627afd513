"""Names, numbers and sentences as the report writes them."""

from __future__ import annotations

import math
from typing import Any

from guidegen.model.plan import Path

DASH = "–"
MINUS = "−"


def plain(name: str) -> str:
    """Write a name of the case folder for people: ``L3_left`` becomes ``L3 left``."""
    return name.replace("_", " ").replace("-", " ").strip()


def heading(name: str) -> str:
    """Write a name with a capital letter: ``pedicle-screws`` becomes ``Pedicle screws``."""
    words = plain(name)
    return words[:1].upper() + words[1:]


def number(value: Any, digits: int = 1) -> str:
    """Write a number with a true minus sign; a dash where there is none, ``a–b`` for a pair."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(number(v, digits) for v in value)
    if value is None or isinstance(value, bool):
        return DASH if value is None else ("yes" if value else "no")
    if not math.isfinite(value):
        return "not a number"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def short_hash(digest: str) -> str:
    """The first twelve digits of a hash, without its ``sha256:``."""
    return digest.removeprefix("sha256:")[:12]


def point(values: Any, digits: int = 1) -> str:
    """Write a point's three coordinates."""
    return ", ".join(number(float(v), digits) for v in values)


def path_title(path: Path) -> str:
    """Say what a path is: ``T7 left – 5.0 × 35 mm – grade A``."""
    grade = f"grade {path.grade}" if path.grade else plain(path.route) or path.kind
    length = number(path.length_mm, 0 if abs(path.length_mm - round(path.length_mm)) < 0.05 else 1)
    return f"{plain(path.name)} – {number(path.diameter_mm)} × {length} mm – {grade}"


def path_kind(kind: str, count: int = 2) -> str:
    """The word for paths of a kind: ``screws``."""
    return kind if count == 1 else f"{kind}s"
