"""The report: sections, set in one self-contained page."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from guidegen.model.case import Case
from guidegen.report.alignment import alignment_section
from guidegen.report.check_table import checks_section
from guidegen.report.cuts import cuts_section
from guidegen.report.decisions import decisions_section
from guidegen.report.fluoroscopy import fluoroscopy_section
from guidegen.report.guides import guides_section
from guidegen.report.head import head_section
from guidegen.report.notices import notices_section
from guidegen.report.overview import overview_section
from guidegen.report.pages import style_of, templates_of
from guidegen.report.provenance import (
    input_section,
    landmarks_section,
    measurements_section,
    methods_section,
    settings_section,
)
from guidegen.report.puncture import puncture_section
from guidegen.report.section import Section
from guidegen.report.slices import slices_section
from guidegen.report.tables import drill_section, plan_section
from guidegen.workers import side_by_side

PACKAGE = "guidegen.report"
SECTIONS: tuple[Callable[[Case], Section | None], ...] = (
    head_section,
    notices_section,
    overview_section,
    alignment_section,
    cuts_section,
    plan_section,
    puncture_section,
    measurements_section,
    drill_section,
    fluoroscopy_section,
    slices_section,
    guides_section,
    checks_section,
    decisions_section,
    landmarks_section,
    methods_section,
    settings_section,
    input_section,
)
"""What the report shows, in this order; a new section is one function and one template."""


def render_report(case: Case) -> str:
    """Set a case as one HTML page.

    The page holds its style and pictures, loads nothing, runs nothing, and prints on A4. What
    the case does not have yet is left out. The same case gives the same page.

    Args:
        case: At any stage, from planned to checked.

    Returns:
        The page's text.
    """
    made = side_by_side(lambda make: make(case), SECTIONS)
    sections = [section for section in made if section is not None]
    page = templates_of(PACKAGE).get_template("page.html.j2")
    return page.render(
        title=f"{case.plan.case_id} – guidegen report",
        style=style_of(PACKAGE, "report.css"),
        sections=[(section, _set(section)) for section in sections],
    )


def _set(section: Section) -> Markup:
    """One section as HTML; its template has escaped what came from the case."""
    text = templates_of(PACKAGE).get_template(section.template).render(**section.content)
    return Markup(text)
