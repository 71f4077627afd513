"""What a check measured."""

from __future__ import annotations

import math
from dataclasses import dataclass

SENSES = ("at_least", "at_most", "equal")


@dataclass(frozen=True)
class Finding:
    """One measured value against its limit; a value that is not a number fails.

    Args:
        code: ``min_wall``, ``overlap``, ...
        subject: The file or path it is about.
        value: What was measured.
        limit: What it is compared with.
        sense: ``at_least``, ``at_most`` or ``equal`` (within 1e-9).
        unit: ``mm``, ``deg``, ``mm3``, ``count``, ...
        reference: Definition or source of the limit.
        reason: Why it failed, where the number alone does not say it.
    """

    code: str
    subject: str
    value: float
    limit: float
    sense: str
    unit: str
    reference: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if self.sense not in SENSES:
            raise ValueError(f"sense must be one of {SENSES}, got {self.sense!r}")

    @property
    def passed(self) -> bool:
        """True only for a finite value on the right side of a finite limit."""
        if not (math.isfinite(self.value) and math.isfinite(self.limit)):
            return False
        if self.sense == "at_least":
            return self.value >= self.limit
        if self.sense == "at_most":
            return self.value <= self.limit
        return abs(self.value - self.limit) <= 1e-9


@dataclass(frozen=True)
class CheckReport:
    """All findings; an empty report has failed."""

    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """True if there are findings and all of them passed."""
        return bool(self.findings) and all(f.passed for f in self.findings)

    def of(self, subject: str) -> CheckReport:
        """The findings of one part: its file, or ``file#item``."""
        own = (f for f in self.findings if f.subject.split("#")[0] == subject)
        return CheckReport(tuple(own))
