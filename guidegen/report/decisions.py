"""Who decided what: approval, accepted warnings, changes by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from guidegen.model.case import Case
from guidegen.model.plan import Cut, Path
from guidegen.report.head import plan_sha256, status
from guidegen.report.section import Section
from guidegen.report.wording import number, plain, short_hash


def decisions_section(case: Case) -> Section:
    """Tell who approved which plan, what was accepted, and what is not as it was planned."""
    text, tone = status(case)
    items: tuple[Path | Cut, ...] = (*case.plan.paths, *case.plan.cuts)
    content = {
        "status": text,
        "tone": tone,
        "plan": short_hash(plan_sha256(case)),
        "accepted": list(_accepted(case)),
        "edited": [row for item in items for row in _edited(item)],
        "history": [
            {
                "at": entry.at.replace("T", " "),
                "by": entry.by,
                "what": entry.what.replace("_", " "),
                "item": plain(entry.item),
                "plan": short_hash(entry.plan_sha256),
            }
            for entry in case.history
        ],
    }
    return Section("decisions", "Approval and changes", "decisions.html.j2", content)


def _accepted(case: Case) -> Iterator[dict[str, str]]:
    """The red warnings that were accepted, with their sentences."""
    accepted = case.approval.accepted if case.approval is not None else ()
    sentences = {f"{n.code}:{n.subject}": n.message for n in case.plan.warnings}
    for key in accepted:
        code, _, subject = key.partition(":")
        told = sentences.get(key, "is no warning of this plan any more")
        yield {"code": code, "subject": plain(subject), "message": told}


def _edited(item: Path | Cut) -> Iterator[dict[str, str]]:
    """What an item is, and what it was planned as, number by number."""
    automatic = item.extra.get("automatic")
    if not item.extra.get("edited") or not isinstance(automatic, Mapping):
        return
    for name, planned in automatic.items():
        now = getattr(item, name, item.extra.get(name))
        before, after = _shown(planned), _shown(now)
        if before != after:
            unit = {"mm": "mm", "deg": "°"}.get(name.rpartition("_")[2], "")
            what = plain(name.removesuffix("_mm").removesuffix("_deg"))
            told = {"item": plain(item.name), "what": what, "unit": unit}
            yield {**told, "before": before, "after": after}


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number(float(value))
    if isinstance(value, str):
        return value
    try:
        return " ".join(number(float(part)) for part in value)
    except (TypeError, ValueError):
        return str(value)
