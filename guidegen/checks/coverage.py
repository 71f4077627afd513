"""Every path of the plan stands in exactly one part."""

from __future__ import annotations

from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.plan import Plan


def check_coverage(plan: Plan, guides: tuple[Guide, ...]) -> tuple[Finding, ...]:
    """Count, for each path and cut of the plan, the guides that carry it; one is wanted.

    Where the plan says that it is carried by models (``extra["carried_by"]``: a puncture that is
    rehearsed, without a template), models count and guides do not. A cut is also carried by pins
    that a standard block goes on (``pinned``).

    Args:
        plan: What was approved.
        guides: The parts that were made.
    """
    role = "model" if plan.extra.get("carried_by") == "models" else "guide"
    carried = [
        feature.item
        for guide in guides
        if guide.role == role
        for feature in guide.features
        if feature.kind in ("bore", "slot", "pinned")
    ]
    names = [path.name for path in plan.paths] + [cut.name for cut in plan.cuts]
    return tuple(
        Finding(
            "path_in_one_guide",
            f"plan.json#{name}",
            float(carried.count(name)),
            1.0,
            "equal",
            "count",
            f"case contract: every path and cut stands in exactly one {role}",
        )
        for name in names
    )
