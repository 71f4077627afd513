"""Gertzbein-Robbins grades."""

from __future__ import annotations


def gertzbein_robbins(breach_mm: float) -> str:
    """Grade how far a screw leaves the bone: A none, B < 2 mm, C < 4, D < 6, E 6 and more.

    A breach below 0.05 mm counts as none.

    References:
        Gertzbein SD, Robbins SE. Accuracy of pedicular screw placement in vivo.
        Spine 1990;15(1):11-14.
    """
    if breach_mm < 0.05:
        return "A"
    for grade, limit in (("B", 2.0), ("C", 4.0), ("D", 6.0)):
        if breach_mm < limit:
            return grade
    return "E"
