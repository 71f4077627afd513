"""A skin template is refused in the plan where the skin in view is too small for it."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.cad.template_settings import TemplateSettings
from guidegen.procedures.kyphoplasty.skin import Back
from guidegen.procedures.kyphoplasty.template import BONE, NONE, SKIN, Decision, laid_out

from ..cad.backs import make_back
from ..cad.conftest import vertebra_mesh


@pytest.fixture(scope="module")
def mesh():
    return vertebra_mesh()


def _laid_out(mesh, kind=SKIN, **view):
    made = make_back(mesh, (8, 5, -6), **view)
    behind = Back(made.skin, made.patient_from_bone, made.spinous_mm)
    return laid_out(Decision(kind), made.needles, behind, TemplateSettings())


def test_with_skin_all_over_it_the_decision_stays(mesh):
    assert _laid_out(mesh) == Decision(SKIN)


@pytest.mark.parametrize(("middle", "side"), [((0, 46), "foot"), ((0, -50), "head")])
def test_too_little_skin_refuses_and_says_where(mesh, middle, side):
    found = _laid_out(mesh, half=(105.0, 70.0), middle=middle)
    assert found.kind == NONE and found.extra["carried_by"] == "models"
    (notice,) = found.notices
    assert notice.code == "template_refused" and f"at its {side} side" in notice.message


def test_other_templates_do_not_ask_for_it(mesh):
    few = {"half": (105.0, 70.0), "middle": (0, 46)}
    assert _laid_out(mesh, BONE, **few) == Decision(BONE)
    assert _laid_out(mesh, NONE, **few) == Decision(NONE)


def test_without_skin_it_is_not_asked(mesh):
    bare = Back(None, make_back(mesh).patient_from_bone, np.zeros((0, 3)))
    assert laid_out(Decision(SKIN), (), bare, TemplateSettings()) == Decision(SKIN)
