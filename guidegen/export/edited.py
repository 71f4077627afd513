"""A plan that somebody changed, into its case: what was made from the old one goes."""

from __future__ import annotations

from guidegen.export.folder import CaseFolder
from guidegen.export.plan_json import with_extra, write_plan
from guidegen.export.slicer import write_paths
from guidegen.model.plan import Plan


def write_edited(folder: CaseFolder, plan: Plan) -> Plan:
    """Write a changed plan in place of the one before.

    Parts, checks and report show the plan before and are taken away first, so that none of them
    can pass for the new one; an approval stays and is stale by its hash.

    Returns:
        The plan with its hash in ``extra``.

    Raises:
        InputError: The folder can't be written.
    """
    folder.remove_built()
    folder.report.unlink(missing_ok=True)
    digest = write_plan(folder.plan, plan)
    for old in (folder.root / "slicer").glob("*.mrk.json"):
        old.unlink()
    write_paths(folder, plan)
    return with_extra(plan, plan_sha256=digest)
