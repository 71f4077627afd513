"""Settings: every number with unit, reason and source; unknown keys are errors."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TemplateSettings(BaseModel):
    """Settings of the template procedure."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    diameter_mm: float = Field(
        default=3.0,
        ge=1.0,
        le=6.0,
        description="Diameter of the channel (engineering choice: a common drill)",
        json_schema_extra={"unit": "mm"},
    )
    depth_mm: float = Field(
        default=25.0,
        ge=10.0,
        le=60.0,
        description="Length of the channel from the bone's surface (engineering choice)",
        json_schema_extra={"unit": "mm"},
    )
    largest_part_mm: float = Field(
        default=150.0,
        ge=20.0,
        le=500.0,
        description="Longest side of a part that fits a desktop printer (engineering choice)",
        json_schema_extra={"unit": "mm"},
    )
