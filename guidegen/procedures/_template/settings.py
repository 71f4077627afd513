"""Settings: every number with unit, reason and source; unknown keys are errors."""

from __future__ import annotations

from guidegen.settings import Settings, setting


class TemplateSettings(Settings):
    """Settings of the template procedure."""

    diameter_mm: float = setting(
        3.0,
        "mm",
        "Diameter of the channel (engineering choice: a common drill)",
        ge=1.0,
        le=6.0,
    )
    depth_mm: float = setting(
        25.0,
        "mm",
        "Length of the channel from the bone's surface (engineering choice)",
        ge=10.0,
        le=60.0,
    )
    largest_part_mm: float = setting(
        150.0,
        "mm",
        "Longest side of a part that fits a desktop printer (engineering choice)",
        ge=20.0,
        le=500.0,
    )
