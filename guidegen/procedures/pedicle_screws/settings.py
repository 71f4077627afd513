"""Settings of pedicle-screw planning: every limit with unit, reason and source."""

from __future__ import annotations

from pydantic import Field, model_validator

from guidegen.cad.settings import GuideSettings
from guidegen.settings import Settings, setting

_PAIR = tuple[float, float]


class ScrewSettings(Settings):
    """Limits of a pedicle screw's path."""

    thoracic_axial_deg: _PAIR = setting(
        (0.0, 25.0),
        "deg",
        "Convergence towards the midline, T1 to T12 (engineering choice: the range that pedicle "
        "axes take there; the planner looks for the widest corridor within it)",
    )
    lumbar_axial_deg: _PAIR = setting(
        (5.0, 25.0),
        "deg",
        "Convergence towards the midline, L1 to L5 (engineering choice: the range that pedicle "
        "axes take there)",
    )
    sacral_axial_deg: _PAIR = setting(
        (25.0, 35.0),
        "deg",
        "Convergence towards the midline, S1 (engineering choice: into the body, not the ala)",
    )
    unnamed_axial_deg: _PAIR = setting(
        (0.0, 25.0),
        "deg",
        "Convergence where the level count is not anchored: thoracic and lumbar limits together "
        "(engineering choice)",
    )
    sagittal_deg: _PAIR = setting(
        (-15.0, 15.0),
        "deg",
        "Angle to the head in the vertebra's own frame: down and up to a slope that still ends "
        "in the body's front third (engineering choice)",
    )
    thoracic_entry_height_mm: float = setting(
        2.0,
        "mm",
        "Entry at most this far above the isthmus' centre, T1 to T12: below the joint with the "
        "vertebra above (engineering choice)",
        ge=-8.0,
        le=12.0,
    )
    lumbar_entry_height_mm: float = setting(
        -2.0,
        "mm",
        "The same from L1: at the root of the transverse process, below the upper articular "
        "process, so that the joint above is spared; less where the pedicle is too low for that "
        "(engineering choice)",
        ge=-8.0,
        le=12.0,
    )
    min_corridor_mm: float = setting(
        5.0,
        "mm",
        "Smallest half-maximum corridor that gets a screw: thoracic >= 5.0 mm breached in 1.9 %, "
        "4.9 mm in 21.9 % (a series of 2024, as the project was given it; not verified)",
        ge=4.0,
        le=10.0,
    )
    close_call_mm: float = setting(
        0.3,
        "mm",
        "A half-maximum corridor this near to min_corridor_mm is warned of, on either side "
        "(engineering choice: about what reading the wall at 40 % or 60 % instead of 50 % "
        "changes)",
        ge=0.0,
        le=2.0,
    )
    corridor_share: float = setting(
        0.8,
        "1",
        "Largest diameter as a share of the corridor: about 80 % of the pedicle's width is what "
        "has been adopted (Solitro et al., review, Int J Spine Surg 2019;13(2):132)",
        gt=0.3,
        le=1.0,
    )
    min_diameter_mm: float = setting(
        4.0,
        "mm",
        "Thinnest screw (engineering choice: the thinnest of common sets)",
        ge=2.0,
        le=6.0,
    )
    max_thoracic_diameter_mm: float = setting(
        6.5,
        "mm",
        "Thickest screw down to T12 (engineering choice: common sets)",
        ge=4.0,
        le=10.0,
    )
    max_lumbar_diameter_mm: float = setting(
        7.5,
        "mm",
        "Thickest screw from L1 (engineering choice: common sets)",
        ge=4.0,
        le=10.0,
    )
    diameter_step_mm: float = setting(
        0.5,
        "mm",
        "Steps of the screw set (engineering choice: common sets)",
        ge=0.1,
        le=2.0,
    )
    length_step_mm: float = setting(
        5.0,
        "mm",
        "Steps of the screw set (engineering choice: common sets)",
        ge=1.0,
        le=10.0,
    )
    depth_share: _PAIR = setting(
        (0.60, 0.85),
        "1",
        "Depth of the tip in the body, share of the body's depth along the axis (engineering "
        "choice: deep enough to hold, short of the front third's vessels)",
    )
    front_margin_mm: float = setting(
        4.0,
        "mm",
        "Smallest distance of the tip from the front cortex (engineering choice: more than the "
        "error of surface, guide and drill stop together)",
        ge=1.0,
        le=15.0,
    )
    cap_mm: float = setting(
        3.0,
        "mm",
        "Corridor and breach are measured from this far under the entry (definition of breach_mm "
        "in plan.json: the drill's funnel in the cortex is no breach)",
        ge=0.0,
        le=8.0,
    )
    canal_bias_mm: float = setting(
        0.2,
        "mm",
        "The canal's wall counts this much nearer where the corridor is over 6 mm (engineering "
        "choice: a breach into the canal is worse than one to the side; it costs at most 0.2 mm "
        "of corridor)",
        ge=0.0,
        le=1.0,
    )
    pilot_diameter_mm: float = setting(
        2.7,
        "mm",
        "Drill (engineering choice: the pilot hole of printed guides in use)",
        ge=1.5,
        le=5.0,
    )
    drill_clearance_mm: float = setting(
        0.3,
        "mm",
        "Free round the drill outside the bone (engineering choice)",
        ge=0.0,
        le=2.0,
    )
    sleeve_standoff_mm: float = setting(
        6.0,
        "mm",
        "Height over the entry up to which bone may stand beside the drill, under the sleeve; "
        "above it the whole sleeve must be free (engineering choice: 8 mm let feet start 9 mm "
        "over the entry, 5 mm costs screws half a millimetre)",
        ge=0.0,
        le=20.0,
    )
    high_foot_mm: float = setting(
        5.0,
        "mm",
        "Bone beside the drill higher than this over the entry is warned of: the sleeve's foot "
        "stands as high, and a drill that runs free on a slope may slip (engineering choice: "
        "less than two diameters of the drill)",
        ge=0.0,
        le=20.0,
    )
    sleeve_reach_mm: float = setting(
        45.0,
        "mm",
        "How far from the entry the sleeve's cylinder must be free: standoff, sleeve of 20 mm "
        "and the hand piece's nose (engineering choice)",
        ge=20.0,
        le=120.0,
    )
    low_density_hu: float = setting(
        120.0,
        "HU",
        "Mean HU along the path below which a screw may loosen; 117 HU in L1 was the cut-off in "
        "198 patients (Sci Rep 2023, doi 10.1038/s41598-023-28555-7)",
        ge=0.0,
        le=400.0,
    )
    rod_line_mm: float = setting(
        6.0,
        "mm",
        "Entry farther than this beside the line of its two neighbours on the side: the rod "
        "needs a bend there (engineering choice)",
        ge=1.0,
        le=30.0,
    )

    @model_validator(mode="after")
    def _ordered(self) -> ScrewSettings:
        pairs = ("thoracic_axial_deg", "lumbar_axial_deg", "sacral_axial_deg", "unnamed_axial_deg")
        for name in (*pairs, "sagittal_deg", "depth_share"):
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"{name}: the first value must be below the second")
        return self


class PedicleSettings(Settings):
    """Settings of the procedure ``pedicle-screws``."""

    screw: ScrewSettings = Field(default_factory=ScrewSettings)
    guide: GuideSettings = Field(default_factory=GuideSettings)
