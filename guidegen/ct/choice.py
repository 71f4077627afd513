"""Which of several series is used, by stated rules."""

from __future__ import annotations

import re
from collections.abc import Sequence

from guidegen.ct.series import Series, thickness_mm

RULES = (
    "usable geometry (a block of an uneven series only on request)",
    "original slices before derived ones",
    "axial before other planes",
    "at least half as long as the longest",
    "thinner slices",
    "more slices",
    "soft or standard kernel before sharp",
    "smaller pixels",
)
"""In this order; the first rule that tells two series apart decides. A soft or standard kernel
goes first because sharp ones overshoot at edges and raise the noise, which shifts a surface at
half maximum (engineering choice)."""


def best_series(found: Sequence[Series]) -> tuple[Series | None, dict[int, str]]:
    """Choose one, and say of every other why not.

    Returns:
        The chosen series or None, and a reason for each place in ``found``.
    """
    usable = [s for s in found if s.problem is None and not s.is_block]
    if not usable:
        return None, {n: _problem(s) for n, s in enumerate(found)}
    longest = max(s.extent_mm for s in usable)
    chosen = min(usable, key=lambda s: (_rank(s, longest), s.selector))
    reasons = {n: _reason(s, chosen, longest, len(usable)) for n, s in enumerate(found)}
    return chosen, reasons


def _rank(series: Series, longest: float) -> tuple[float, ...]:
    """Smaller is better, one number a rule after the first."""
    head = series.head
    derived = "DERIVED" in head.image_type or "SECONDARY" in head.image_type
    normal = series.stack.matrix[2, 0] if series.stack is not None else 0.0
    axial = abs(float(normal)) > 0.7 * (series.step_mm or 1.0)
    thickness = max(series.step_mm or 0.0, thickness_mm(series) or 0.0)
    return (
        float(derived),
        float(not axial),
        float(series.extent_mm < 0.5 * longest),
        round(thickness, 1),
        -float(len(series.slices)),
        float(is_sharp(head.trait("kernel"))),
        round(head.spacing[0] if head.spacing else 0.0, 3),
    )


def _problem(series: Series) -> str:
    if series.is_block:
        return "an even block of an uneven series: used only if its UID is given with --series"
    return str(series.problem)


def _reason(series: Series, chosen: Series, longest: float, n_usable: int) -> str:
    if series.problem is not None or series.is_block:
        return _problem(series)
    if series is chosen:
        return "the only usable series" if n_usable == 1 else "the best usable series by the rules"
    mine, best = _rank(series, longest), _rank(chosen, longest)
    for rule, a, b in zip(RULES[1:], mine, best, strict=True):
        if a != b:
            return f"usable, but another is preferred: {rule}"
    return "usable, equal to the chosen one"


def is_sharp(kernel: str) -> bool:
    """Tell a sharp (bone, lung, edge) kernel by the names of the large makers."""
    name = kernel.upper()
    if any(word in name for word in ("BONE", "LUNG", "EDGE", "SHARP", "DETAIL")):
        return True
    siemens = re.match(r"[BHIQT][A-Z]?(\d{2})", name)
    if siemens:
        return int(siemens.group(1)) >= 50
    canon = re.match(r"FC(\d{2})", name)
    if canon:
        return 30 <= int(canon.group(1)) <= 39 or int(canon.group(1)) >= 50
    return name in ("D", "E", "L", "YC", "YD", "YE")
