"""What is engraved on a part."""

from __future__ import annotations

from guidegen.model.plan import Plan


def label_words(plan: Plan, bone: str) -> tuple[str, ...]:
    """Words of the label: case, level, first four digits of the plan's hash, "unattended"."""
    digest = str(plan.extra.get("plan_sha256", "")).removeprefix("sha256:")[:4]
    mark = "unattended" if plan.extra.get("unattended") else ""
    return tuple(w for w in (plan.case_id, bone, digest, mark) if w)
