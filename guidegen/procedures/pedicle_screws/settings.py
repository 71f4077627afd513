"""Settings of pedicle-screw planning: every limit with unit, reason and source."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from guidegen.cad.settings import GuideSettings

_MM: dict[str, Any] = {"unit": "mm"}
_DEG: dict[str, Any] = {"unit": "deg"}
_HU: dict[str, Any] = {"unit": "HU"}
_SHARE: dict[str, Any] = {"unit": "1"}
_PAIR = tuple[float, float]


class ScrewSettings(BaseModel):
    """Limits of a pedicle screw's path."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    thoracic_axial_deg: _PAIR = Field(
        default=(0.0, 25.0),
        description="Convergence towards the midline, T1 to T12 (algorithms.md, limits)",
        json_schema_extra=_DEG,
    )
    lumbar_axial_deg: _PAIR = Field(
        default=(5.0, 25.0),
        description="Convergence towards the midline, L1 to L5 (algorithms.md, limits)",
        json_schema_extra=_DEG,
    )
    sacral_axial_deg: _PAIR = Field(
        default=(25.0, 35.0),
        description="Convergence towards the midline, S1 (algorithms.md, limits)",
        json_schema_extra=_DEG,
    )
    unnamed_axial_deg: _PAIR = Field(
        default=(0.0, 25.0),
        description="Convergence where the level count is not anchored: thoracic and lumbar "
        "limits together (engineering choice)",
        json_schema_extra=_DEG,
    )
    sagittal_deg: _PAIR = Field(
        default=(-15.0, 15.0),
        description="Angle to the head in the vertebra's own frame: down and up "
        "to a slope that still ends in the body's front third (engineering choice)",
        json_schema_extra=_DEG,
    )
    thoracic_entry_height_mm: float = Field(
        default=2.0,
        ge=-8.0,
        le=12.0,
        description="Entry at most this far above the isthmus' centre, T1 to T12: below the joint "
        "with the vertebra above (engineering choice)",
        json_schema_extra=_MM,
    )
    lumbar_entry_height_mm: float = Field(
        default=-2.0,
        ge=-8.0,
        le=12.0,
        description="The same from L1: at the root of the transverse process, below the upper "
        "articular process, so that the joint above is spared; less where the pedicle is too low "
        "for that (engineering choice)",
        json_schema_extra=_MM,
    )
    min_corridor_mm: float = Field(
        default=5.0,
        ge=4.0,
        le=10.0,
        description="Smallest half-maximum corridor that gets a screw: thoracic >= 5.0 mm breached "
        "in 1.9 %, 4.9 mm in 21.9 % (mission.md, figures 2024)",
        json_schema_extra=_MM,
    )
    close_call_mm: float = Field(
        default=0.3,
        ge=0.0,
        le=2.0,
        description="A half-maximum corridor this near to min_corridor_mm is warned of, on either "
        "side (engineering choice: about what reading the wall at 40 % or 60 % instead of 50 % "
        "changes)",
        json_schema_extra=_MM,
    )
    corridor_share: float = Field(
        default=0.8,
        gt=0.3,
        le=1.0,
        description="Largest diameter as a share of the corridor (algorithms.md, limits)",
        json_schema_extra=_SHARE,
    )
    min_diameter_mm: float = Field(
        default=4.0,
        ge=2.0,
        le=6.0,
        description="Thinnest screw (algorithms.md, limits)",
        json_schema_extra=_MM,
    )
    max_thoracic_diameter_mm: float = Field(
        default=6.5,
        ge=4.0,
        le=10.0,
        description="Thickest screw down to T12 (engineering choice: common sets)",
        json_schema_extra=_MM,
    )
    max_lumbar_diameter_mm: float = Field(
        default=7.5,
        ge=4.0,
        le=10.0,
        description="Thickest screw from L1 (engineering choice: common sets)",
        json_schema_extra=_MM,
    )
    diameter_step_mm: float = Field(
        default=0.5,
        ge=0.1,
        le=2.0,
        description="Steps of the screw set (algorithms.md, limits)",
        json_schema_extra=_MM,
    )
    length_step_mm: float = Field(
        default=5.0,
        ge=1.0,
        le=10.0,
        description="Steps of the screw set (algorithms.md, limits)",
        json_schema_extra=_MM,
    )
    depth_share: _PAIR = Field(
        default=(0.60, 0.85),
        description="Depth of the tip in the body, share of the body's depth along the axis "
        "(algorithms.md, limits)",
        json_schema_extra=_SHARE,
    )
    front_margin_mm: float = Field(
        default=4.0,
        ge=1.0,
        le=15.0,
        description="Smallest distance of the tip from the front cortex (algorithms.md, limits)",
        json_schema_extra=_MM,
    )
    cap_mm: float = Field(
        default=3.0,
        ge=0.0,
        le=8.0,
        description="Corridor and breach are measured from this far under the entry "
        "(case_contract.md, breach_mm)",
        json_schema_extra=_MM,
    )
    canal_bias_mm: float = Field(
        default=0.2,
        ge=0.0,
        le=1.0,
        description="The canal's wall counts this much nearer where the corridor is over 6 mm "
        "(algorithms.md: canal side weighs more; the amount is an engineering choice, it costs at "
        "most 0.2 mm of corridor)",
        json_schema_extra=_MM,
    )
    pilot_diameter_mm: float = Field(
        default=2.7,
        ge=1.5,
        le=5.0,
        description="Drill (mission.md, figures in use)",
        json_schema_extra=_MM,
    )
    drill_clearance_mm: float = Field(
        default=0.3,
        ge=0.0,
        le=2.0,
        description="Free round the drill outside the bone (engineering choice)",
        json_schema_extra=_MM,
    )
    sleeve_standoff_mm: float = Field(
        default=8.0,
        ge=0.0,
        le=20.0,
        description="Height over the entry up to which bone may stand beside the drill, under the "
        "sleeve; above it the whole sleeve must be free (engineering choice: a facet joint's "
        "height)",
        json_schema_extra=_MM,
    )
    sleeve_reach_mm: float = Field(
        default=45.0,
        ge=20.0,
        le=120.0,
        description="How far from the entry the sleeve's cylinder must be free: standoff, sleeve "
        "of 20 mm and the hand piece's nose (engineering choice)",
        json_schema_extra=_MM,
    )
    low_density_hu: float = Field(
        default=120.0,
        ge=0.0,
        le=400.0,
        description="Mean HU along the path below which a screw may loosen (algorithms.md, report)",
        json_schema_extra=_HU,
    )
    rod_line_mm: float = Field(
        default=6.0,
        ge=1.0,
        le=30.0,
        description="Entry farther than this beside the line of its two neighbours on the "
        "side: the rod needs a bend there (engineering choice)",
        json_schema_extra=_MM,
    )

    @model_validator(mode="after")
    def _ordered(self) -> ScrewSettings:
        pairs = ("thoracic_axial_deg", "lumbar_axial_deg", "sacral_axial_deg", "unnamed_axial_deg")
        for name in (*pairs, "sagittal_deg", "depth_share"):
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"{name}: the first value must be below the second")
        return self


class PedicleSettings(BaseModel):
    """Settings of the procedure ``pedicle-screws``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    screw: ScrewSettings = Field(default_factory=ScrewSettings)
    guide: GuideSettings = Field(default_factory=lambda: GuideSettings.model_validate({}))
