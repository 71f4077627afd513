import numpy as np

from guidegen.anatomy.vertebra import find_landmarks
from guidegen.model.case import Case
from guidegen.model.level import Spine
from guidegen.model.notice import silent
from guidegen.model.plan import Plan
from guidegen.model.volume import CTVolume, Grid, LabelMap
from guidegen.procedures._template import Template
from guidegen.procedures.contract import Anatomy

from ..planning.vertebra_shape import Shape

SHAPE = Shape()


def test_template_runs_from_anatomy_to_findings():
    bone, level = SHAPE.bone(), SHAPE.level()
    grid = Grid(np.eye(4), (2, 2, 2))
    labels = LabelMap(np.zeros((2, 2, 2), dtype=np.uint16), grid, {})
    volume = CTVolume(np.zeros((2, 2, 2), dtype=np.int16), grid)
    spine = Spine(labels, (level,), np.zeros((2, 3)))
    anatomy = Anatomy(spine, (bone,), (find_landmarks(bone, level),), ("L3",))
    template = Template()
    settings = template.settings_type()
    draft = template.plan(volume, anatomy, settings, silent)
    assert [path.name for path in draft.paths] == ["L3_left"]
    assert abs(SHAPE.measure(draft.paths[0].entry_mm)) < 0.3
    plan = Plan("case", template.name, "", "", "", paths=draft.paths)
    case = Case(plan, volume, (bone,), landmarks=anatomy.landmarks)
    (part,) = template.build(case, settings, silent)
    findings = template.check(part, case, settings)
    assert findings and all(f.passed for f in findings)
    small = template.settings_type(largest_part_mm=40.0)
    assert not any(f.passed for f in template.check(part, case, small))
    assert all(row.source for row in template.setting_rows(settings))
