"""The head of the report: which case, how far it is, and what it adds up to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from guidegen.model.case import Case
from guidegen.report.section import Section
from guidegen.report.wording import heading, path_kind, plain, short_hash


@dataclass(frozen=True)
class Fact:
    """A figure that the reader should see first; ``tone`` is ``good``, ``bad`` or ""."""

    label: str
    value: str
    note: str = ""
    tone: str = ""


def head_section(case: Case) -> Section:
    """Say what the case is and how far it has come."""
    label, tone = status(case)
    content = {
        "case_id": case.plan.case_id,
        "procedure": heading(case.plan.procedure),
        "status": label,
        "tone": tone,
        "unattended": bool(case.approval and case.approval.unattended),
        "facts": [*_cuts(case), _paths(case), _skipped(case), *_grades(case), *_state(case)],
        "plan_hash": short_hash(plan_sha256(case)),
    }
    return Section("head", "", "head.html.j2", content)


def plan_sha256(case: Case) -> str:
    """The hash of plan.json, as approved or as written; "" if neither is known."""
    if case.approval is not None:
        return case.approval.plan_sha256
    return str(case.plan.extra.get("plan_sha256", ""))


def status(case: Case) -> tuple[str, str]:
    """How far the case is, in words, and its tone: ``good``, ``bad`` or ``open``."""
    approval = case.approval
    if approval is None:
        return "Planned – not approved", "open"
    how = "Unattended run in the name of" if approval.unattended else "Approved by"
    text = f"{how} {approval.by}, {approval.at.replace('T', ' ')}"
    if case.checks is None:
        return text, "open" if approval.unattended else "good"
    if case.checks.passed:
        return f"Built – all checks passed. {text}", "open" if approval.unattended else "good"
    return f"Built – with failed checks. {text}", "bad"


def _cuts(case: Case) -> list[Fact]:
    """Saw cuts, where the plan has them."""
    cuts = case.plan.cuts
    axis = str(case.plan.extra.get("axis", ""))
    note = f"{axis} axis" if axis else ""
    return [Fact("cuts", str(len(cuts)), note, "bad" * (axis == "anatomical"))] if cuts else []


def _paths(case: Case) -> Fact:
    kinds = Counter(path.kind for path in case.plan.paths)
    label = " and ".join(path_kind(k, n) for k, n in sorted(kinds.items())) or "paths"
    bones = len({path.bone for path in case.plan.paths})
    where = f"in {bones} bone{'' if bones == 1 else 's'}" if bones else "none planned"
    return Fact(label, str(len(case.plan.paths)), where)


def _skipped(case: Case) -> Fact:
    skipped = case.plan.skipped
    reasons = Counter(plain(s.code) for s in skipped)
    note = ", ".join(f"{n} × {reason}" for reason, n in sorted(reasons.items()))
    return Fact("skipped", str(len(skipped)), note or "every site got a path")


def _grades(case: Case) -> list[Fact]:
    """Grades of screws and needles; pins of cutting guides have none."""
    if case.plan.cuts:
        return []
    grades = Counter(path.grade for path in case.plan.paths if path.grade)
    value = "  ".join(f"{n} {grade}" for grade, n in sorted(grades.items())) or "–"
    bad = any(grade > "B" for grade in grades)
    return [Fact("Gertzbein-Robbins grade", value, "", "bad" if bad else "")]


def _state(case: Case) -> list[Fact]:
    """Warnings and, once built, guides and checks."""
    red = sum(notice.red for notice in case.plan.warnings)
    count = len(case.plan.warnings)
    facts = [Fact("warnings", str(count), f"{red} red" if red else "none red", "bad" * (red > 0))]
    if case.guides:
        guides = sum(guide.role == "guide" for guide in case.guides)
        facts.append(Fact("guides", str(guides), f"{len(case.guides) - guides} bone models"))
    if case.checks is not None:
        passed = sum(finding.passed for finding in case.checks.findings)
        count = len(case.checks.findings)
        failed = f"{count - passed} failed" if passed < count else "none failed"
        tone = "good" if case.checks.passed else "bad"
        facts.append(Fact("checks passed", f"{passed}/{count}", failed if count else "none", tone))
    return facts
