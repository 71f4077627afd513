"""What a row tells of a plan: red is only what the plan calls red."""

from guidegen.batch.facts import Facts, facts_of
from guidegen.export.atomic import write_json
from guidegen.export.folder import CaseFolder


def test_facts_of_a_plan(tmp_path):
    folder = CaseFolder(tmp_path)
    assert facts_of(folder) == {}
    warnings = [{"code": "metal", "red": True}, {"code": "tilt"}, {"code": "thick", "red": False}]
    path = {"name": "L3_left", "grade": "A", "clearance_mm": 0.0}
    bare = {"name": "L3_right", "grade": None, "clearance_mm": None}
    plan = {"bones": [{"name": "L3"}], "paths": [path, bare], "warnings": warnings}
    write_json(folder.plan, {**plan, "skipped": [{"name": "L4_left"}]})
    checks = [{"code": c, "subject": "L3", "passed": c == "fit"} for c in ("fit", "wall")]
    write_json(folder.checks, {"checks": checks})
    for part in ("guides/L3.stl", "models/L3.stl", "slicer/L3.stl", "guides/L3.3mf"):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        (tmp_path / part).write_bytes(b"")
    found = facts_of(folder)
    Facts.model_validate(found)
    assert (found["warnings"], found["red"]) == (["metal", "thick", "tilt"], ["metal"])
    assert (found["grades"], found["clearances_mm"]) == ({"L3_left": "A"}, {"L3_left": 0.0})
    assert (found["bones"], found["skipped"]) == (["L3"], ["L4_left"])
    assert (found["n_checks"], found["failed"]) == (2, ["wall L3"])
    assert found["parts"] == ["guides/L3.stl", "models/L3.stl"]
