"""What somebody changed by hand in a plan, to be kept when the case is planned again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from guidegen.model.arrays import Floats
from guidegen.model.plan import Cut, Path, Plan, Skipped


@dataclass(frozen=True, eq=False)
class Edits:
    """The plan before, and where its bones lay.

    Args:
        plan: The plan before; None where it could not be read.
        centres_mm: (3,) mean of a bone's surface, by name, as far as they could be read.
        why: Why the plan before could not be read; "" where it could.
    """

    plan: Plan | None
    centres_mm: Mapping[str, Floats] = field(default_factory=dict)
    why: str = ""

    @property
    def items(self) -> tuple[Cut | Path | Skipped, ...]:
        """Cuts and paths that were changed by hand, and paths that were left out; cuts first."""
        if self.plan is None:
            return ()
        all_items: tuple[Cut | Path | Skipped, ...]
        all_items = (*self.plan.cuts, *self.plan.paths, *self.plan.skipped)
        return tuple(item for item in all_items if item.extra.get("edited") is True)
