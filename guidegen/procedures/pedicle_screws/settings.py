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
        description="Convergence towards the midline, T1 to T12 (engineering choice: the "
        "range that pedicle axes take there; the planner looks for the widest corridor within it)",
        json_schema_extra=_DEG,
    )
    lumbar_axial_deg: _PAIR = Field(
        default=(5.0, 25.0),
        description="Convergence towards the midline, L1 to L5 (engineering choice: the range that "
        "pedicle axes take there)",
        json_schema_extra=_DEG,
    )
    sacral_axial_deg: _PAIR = Field(
        default=(25.0, 35.0),
        description="Convergence towards the midline, S1 (engineering choice: into the "
        "body, not the ala)",
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
        "in 1.9 %, 4.9 mm in 21.9 % (a series of 2024, as the project was given it; not verified)",
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
        description="Largest diameter as a share of the corridor: about 80 % of the pedicle's "
        "width is what has been adopted (Solitro et al., review, Int J Spine Surg 2019;13(2):132)",
        json_schema_extra=_SHARE,
    )
    min_diameter_mm: float = Field(
        default=4.0,
        ge=2.0,
        le=6.0,
        description="Thinnest screw (engineering choice: the thinnest of common sets)",
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
        description="Steps of the screw set (engineering choice: common sets)",
        json_schema_extra=_MM,
    )
    length_step_mm: float = Field(
        default=5.0,
        ge=1.0,
        le=10.0,
        description="Steps of the screw set (engineering choice: common sets)",
        json_schema_extra=_MM,
    )
    depth_share: _PAIR = Field(
        default=(0.60, 0.85),
        description="Depth of the tip in the body, share of the body's depth along the axis "
        "(engineering choice: deep enough to hold, short of the front third's vessels)",
        json_schema_extra=_SHARE,
    )
    front_margin_mm: float = Field(
        default=4.0,
        ge=1.0,
        le=15.0,
        description="Smallest distance of the tip from the front cortex (engineering "
        "choice: more than the error of surface, guide and drill stop together)",
        json_schema_extra=_MM,
    )
    cap_mm: float = Field(
        default=3.0,
        ge=0.0,
        le=8.0,
        description="Corridor and breach are measured from this far under the entry "
        "(definition of breach_mm in plan.json: the drill's funnel in the cortex is no breach)",
        json_schema_extra=_MM,
    )
    canal_bias_mm: float = Field(
        default=0.2,
        ge=0.0,
        le=1.0,
        description="The canal's wall counts this much nearer where the corridor is over 6 mm "
        "(engineering choice: a breach into the canal is worse than one to the side; it costs at "
        "most 0.2 mm of corridor)",
        json_schema_extra=_MM,
    )
    pilot_diameter_mm: float = Field(
        default=2.7,
        ge=1.5,
        le=5.0,
        description="Drill (engineering choice: the pilot hole of printed guides in use)",
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
        default=6.0,
        ge=0.0,
        le=20.0,
        description="Height over the entry up to which bone may stand beside the drill, under the "
        "sleeve; above it the whole sleeve must be free (engineering choice: 8 mm let feet start "
        "9 mm over the entry, 5 mm costs screws half a millimetre)",
        json_schema_extra=_MM,
    )
    high_foot_mm: float = Field(
        default=5.0,
        ge=0.0,
        le=20.0,
        description="Bone beside the drill higher than this over the entry is warned of: the "
        "sleeve's foot stands as high, and a drill that runs free on a slope may slip "
        "(engineering choice: less than two diameters of the drill)",
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
        description="Mean HU along the path below which a screw may loosen; 117 HU in L1 was "
        "the cut-off in 198 patients (Sci Rep 2023, doi 10.1038/s41598-023-28555-7)",
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
