"""From parts to findings: a check measures, compares and returns; it never raises."""

from __future__ import annotations

import numpy as np

from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.procedures._template.settings import TemplateSettings


def check_size(part: Guide, settings: TemplateSettings) -> Finding:
    """Compare the part's longest side with the printer."""
    longest = float(np.ptp(part.vertices_mm, axis=0).max())
    return Finding(
        "longest_side", part.file, longest, settings.largest_part_mm, "at_most", "mm",
        "engineering choice: a desktop printer",
    )  # fmt: skip


def check_part(part: Guide, settings: TemplateSettings) -> tuple[Finding, ...]:
    """Run every check of the template on one part."""
    return (check_size(part, settings),)
