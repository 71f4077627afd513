"""approval.json: who approved which plan, and whether it still is that plan."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from guidegen.errors import GuidegenError, InputError, NotApproved, PlanError
from guidegen.export.atomic import sha256_file, write_json
from guidegen.export.folder import CaseFolder
from guidegen.export.plan_json import read_plan
from guidegen.export.record import order_sha256, read_record
from guidegen.model.case import Approval
from guidegen.model.notice import Notice
from guidegen.model.plan import Plan

SCHEMA = "guidegen.approval/1"
NEVER = ("canal_breach",)
"""Codes of what nobody can accept: no route ever breaches the canal (case contract)."""
COVERED = (
    *("case.toml", "ct.nii.gz", "landmarks.json"),
    *("bones/segmentation.nii.gz", "bones/segmentation.json"),
)


class _Content(BaseModel):
    """approval.json; further keys are passed over."""

    model_config = ConfigDict(strict=True)

    schema_name: Literal["guidegen.approval/1"] = Field(alias="schema")
    by: str = Field(min_length=1)
    at: str
    plan_sha256: str
    accepted: tuple[str, ...] = Field(strict=False)
    unattended: bool
    files: dict[str, str]


def approve(
    folder: CaseFolder, by: str, accepted: tuple[str, ...] = (), unattended: bool = False
) -> Approval:
    """Approve the plan as it lies in the folder.

    Args:
        folder: The case.
        by: Name of the person.
        accepted: ``CODE:SUBJECT`` of each red warning that the person accepts.
        unattended: Accept all, and say so.

    Raises:
        NotApproved: A red warning is not accepted or can't be (a path in the canal), or the case
            is no longer the planned one.
        InputError: There is no name, or something accepted is no red warning of this plan.
    """
    if not by.strip():
        raise InputError('approval wants the name of a person: --by "NAME"')
    plan = read_plan(folder.plan)
    require_unchanged(folder, plan)
    _require_acceptable(plan)
    red = [warning_key(notice) for notice in red_warnings(plan)]
    unknown = [key for key in accepted if key not in red]
    if unknown:
        found = ", ".join(red) or "none"
        raise InputError(f"{unknown[0]} is no red warning of this plan; there are: {found}")
    missing = [] if unattended else [key for key in red if key not in accepted]
    if missing:
        wanted = " ".join(f"--accept {key}" for key in missing)
        raise NotApproved(f"{len(missing)} red warnings are not accepted; read them, then {wanted}")
    approval = Approval(
        by.strip(),
        datetime.now().astimezone().isoformat(timespec="seconds"),
        plan.extra["plan_sha256"],
        tuple(red),
        unattended,
    )
    folder.remove_built()
    files = {name: sha256_file(folder.root / name) for name in _covered(plan)}
    write_json(folder.approval, {"schema": SCHEMA, **vars(approval), "files": files})
    return approval


def require_approved(folder: CaseFolder) -> tuple[Plan, Approval]:
    """Read the plan and its approval.

    Raises:
        NotApproved: There is none, or anything that it covers has changed since.
    """
    found = _read(folder)
    if found is None:
        raise NotApproved(
            f"{folder.case_id} is not approved: look at report.html, then "
            "'guidegen approve CASE --by \"NAME\"'"
        )
    approval, approved = found
    try:
        plan = read_plan(folder.plan)
    except GuidegenError as error:
        raise NotApproved(f"the approved plan can't be read any more: {error}") from error
    _require_acceptable(plan)
    if plan.extra["plan_sha256"] != approval.plan_sha256:
        raise NotApproved("plan.json has changed since it was approved: look at it and approve it")
    require_unchanged(folder, plan)
    for name in _covered(plan):
        if name not in approved:
            raise NotApproved(f"approval.json does not cover {name}: approve the plan again")
        if sha256_file(folder.root / name) != approved[name]:
            raise _changed(name)
    open_ones = [
        key for key in map(warning_key, red_warnings(plan)) if key not in approval.accepted
    ]
    if open_ones:
        raise NotApproved(f"the approval does not accept {open_ones[0]}: approve the plan again")
    return plan, approval


def read_approval(folder: CaseFolder) -> Approval | None:
    """Read approval.json; None if there is none.

    Raises:
        NotApproved: It can't be understood.
    """
    found = _read(folder)
    return found[0] if found else None


def _read(folder: CaseFolder) -> tuple[Approval, dict[str, str]] | None:
    """The approval and the hashes of the files that it covers."""
    if not folder.approval.is_file():
        return None
    try:
        content = _Content.model_validate(json.loads(folder.approval.read_text(encoding="utf-8")))
        at = datetime.fromisoformat(content.at).isoformat()
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise NotApproved(f"approval.json can't be read ({reason}): approve the plan") from error
    approval = Approval(content.by, at, content.plan_sha256, content.accepted, content.unattended)
    return approval, content.files


def _require_acceptable(plan: Plan) -> None:
    for notice in plan.warnings:
        if notice.code in NEVER:
            raise NotApproved(f"this can't be approved by anybody: {notice.message}")


def require_unchanged(folder: CaseFolder, plan: Plan) -> None:
    """Compare every file and setting that the plan was made from with its hash.

    Raises:
        NotApproved: One differs; the message names it.
        PlanError: A path or cut stands on a bone that the plan does not list.
    """
    _require_bones(plan)
    wanted = {bone.file: bone.sha256 for bone in plan.bones} | dict(plan.extra.get("files", {}))
    for name, digest in sorted(wanted.items()):
        if sha256_file(folder.root / name) != digest:
            raise _changed(name)
    try:
        same = order_sha256(read_record(folder.record)) == plan.settings_sha256
    except InputError as error:
        raise NotApproved(f"case.toml has changed since the plan was made: {error}") from error
    if not same:
        raise _changed("case.toml (procedure, options or settings)")


def _require_bones(plan: Plan) -> None:
    listed = {bone.name for bone in plan.bones}
    items = [(path.name, path.bone) for path in plan.paths]
    for name, bone in items + [(cut.name, cut.bone) for cut in plan.cuts]:
        if bone not in listed:
            raise PlanError(
                f"{name} stands on {bone}, which is not among the plan's bones: correct plan.json"
            )


def _covered(plan: Plan) -> list[str]:
    return sorted({*(bone.file for bone in plan.bones), *plan.extra.get("files", {}), *COVERED})


def red_warnings(plan: Plan) -> tuple[Notice, ...]:
    """The warnings that must be accepted one by one."""
    return tuple(notice for notice in plan.warnings if notice.red)


def warning_key(notice: Notice) -> str:
    """``CODE:SUBJECT``, as the command line wants it."""
    return f"{notice.code}:{notice.subject}"


def _changed(name: str) -> NotApproved:
    return NotApproved(
        f"{name} is not the one the plan was made from: 'guidegen plan CASE' makes the plan again"
    )
