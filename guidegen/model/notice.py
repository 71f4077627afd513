"""What the engineer has to see, and how long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Progress = Callable[[str, float], None]
"""Called with a short text and the share done (0 to 1)."""


def silent(text: str, share: float) -> None:
    """Swallow progress."""


def stage(progress: Progress, name: str, start: float, stop: float) -> Progress:
    """Give a stage its own 0 to 1 inside the whole's ``start`` to ``stop``, and its name."""
    return lambda text, share: progress(f"{name}: {text}", start + (stop - start) * share)


@dataclass(frozen=True)
class Notice:
    """A warning that goes into the plan, the page and the report.

    Args:
        code: Stable snake_case name, e.g. ``thick_slices``.
        message: One sentence for a non-programmer.
        subject: What it is about: ``series``, a bone, a path.
        red: Must be accepted one by one at approval.
        extra: Further keys that plan.json held.
    """

    code: str
    message: str
    subject: str
    red: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
