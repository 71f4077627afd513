"""What the engineer has to see, and how long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[str, float], None]
"""Called with a short text and the share done (0 to 1)."""


def silent(text: str, share: float) -> None:
    """Swallow progress."""


@dataclass(frozen=True)
class Notice:
    """A warning that goes into the plan, the page and the report.

    Args:
        code: Stable snake_case name, e.g. ``thick_slices``.
        message: One sentence for a non-programmer.
        subject: What it is about: ``series``, a bone, a path.
        red: Must be accepted one by one at approval.
    """

    code: str
    message: str
    subject: str
    red: bool = False
