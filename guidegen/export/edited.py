"""A plan that somebody changed, into its case: what was made from the old one goes."""

from __future__ import annotations

from guidegen.errors import PlanError
from guidegen.export.atomic import sha256_file
from guidegen.export.folder import CaseFolder
from guidegen.export.landmarks_json import rewrite_measurements
from guidegen.export.plan_json import read_plan, with_extra, write_plan
from guidegen.export.slicer import write_paths
from guidegen.model.plan import Plan


def write_edited(folder: CaseFolder, plan: Plan) -> Plan:
    """Write a changed plan in place of the one before.

    Parts, checks and report show the plan before and are taken away first, so that none of them
    can pass for the new one; an approval stays and is stale by its hash. ``landmarks.json`` gets
    the new measurements.

    Returns:
        The plan with its hash in ``extra``.

    Raises:
        InputError: The folder can't be written.
        PlanError: ``landmarks.json`` can't be used.
    """
    folder.remove_built()
    folder.report.unlink(missing_ok=True)
    plan = _with_measurements(folder, plan)
    digest = write_plan(folder.plan, plan)
    for old in (folder.root / "slicer").glob("*.mrk.json"):
        old.unlink()
    write_paths(folder, plan)
    return with_extra(plan, plan_sha256=digest)


def _with_measurements(folder: CaseFolder, plan: Plan) -> Plan:
    """Write the plan's measurements beside the landmarks, and their file's hash into the plan.

    A file that somebody else changed is left as it is, with the plan's hash of it: an approval has
    to find that out.
    """
    name = folder.landmarks.name
    try:
        known = read_plan(folder.plan).extra.get("files", {}).get(name)
    except PlanError:
        known = None
    if known is None or sha256_file(folder.landmarks) != known:
        return plan
    rewrite_measurements(folder.landmarks, plan.measurements)
    files = {**plan.extra.get("files", {}), name: sha256_file(folder.landmarks)}
    return with_extra(plan, files=files)
