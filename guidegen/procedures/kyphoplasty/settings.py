"""Settings of kyphoplasty: every limit with unit, reason and source."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from guidegen.cad.model_settings import ModelSettings
from guidegen.cad.template_settings import TemplateSettings
from guidegen.procedures.kyphoplasty.fracture import FractureSettings
from guidegen.settings import Settings, setting

_PAIR = tuple[float, float]


class NeedleSettings(Settings):
    """Limits of a needle's path."""

    approach: Literal["two-sided", "one-sided", "extrapedicular"] = setting(
        "two-sided",
        "1",
        "Way into the body: through both pedicles, through one to the midline, or beside the "
        "pedicle (thoracic levels only); --approach wins over it (engineering choice: two-sided "
        "is possible at every level whose pedicles let a needle pass)",
    )
    thoracic_axial_deg: _PAIR = setting(
        (0.0, 35.0),
        "deg",
        "Convergence towards the midline, T1 to T12, two-sided (engineering choice: the range of "
        "pedicle axes and some degrees more, as a needle is thinner than a screw)",
    )
    lumbar_axial_deg: _PAIR = setting(
        (3.0, 35.0),
        "deg",
        "Convergence towards the midline from L1, two-sided (engineering choice, as above)",
    )
    one_sided_axial_deg: _PAIR = setting(
        (10.0, 50.0),
        "deg",
        "Convergence towards the midline, one-sided: 19.5 to 48.9 deg were found safe in lumbar "
        "vertebrae (the project's design notes; not verified), wider at the lower end because the "
        "wall is measured here",
    )
    extrapedicular_axial_deg: _PAIR = setting(
        (22.0, 50.0),
        "deg",
        "Convergence towards the midline beside the pedicle: steep enough to pass the pedicle "
        "outside and to end near the midline (engineering choice)",
    )
    sagittal_deg: _PAIR = setting(
        (-20.0, 20.0),
        "deg",
        "Angle to the head in the vertebra's own frame (engineering choice: from pedicle height "
        "to anywhere in the front third)",
    )
    level_sagittal_deg: _PAIR = setting(
        (-6.0, 6.0),
        "deg",
        "The same where needles of neighbouring levels would meet over the skin: nearly level with "
        "the endplates they stay apart (engineering choice)",
    )
    entry_height_mm: float = setting(
        6.0,
        "mm",
        "Entry at most this far above the isthmus' centre: the upper outer corner of the pedicle's "
        "ring is the usual start (engineering choice)",
        ge=-8.0,
        le=15.0,
    )
    min_diameter_mm: float = setting(
        3.0,
        "mm",
        "Thinnest needle (issued range 3.0 to 4.5 mm: 11 gauge access needles measure 3.05 mm)",
        ge=2.0,
        le=4.5,
    )
    max_diameter_mm: float = setting(
        4.5,
        "mm",
        "Thickest needle (8 gauge working cannulas measure 4.2 mm; engineering choice)",
        ge=2.5,
        le=6.0,
    )
    diameter_step_mm: float = setting(
        0.5, "mm", "Steps of the needle set (engineering choice)", ge=0.1, le=1.5
    )
    min_corridor_mm: float = setting(
        4.5,
        "mm",
        "Smallest half-maximum corridor that a needle is planned through: the thinnest needle and "
        "0.75 mm to each wall (engineering choice: what bending and the sleeve's play take)",
        ge=3.0,
        le=8.0,
    )
    corridor_share: float = setting(
        0.9,
        "1",
        "Largest diameter as a share of the corridor (engineering choice: a needle is taken out "
        "again, a screw fills the pedicle for good, for which 0.8 is usual)",
        gt=0.3,
        le=1.0,
    )
    one_sided_midline_share: float = setting(
        0.167,
        "1",
        "One-sided: the tip lies within this share of the body's width from the midline: the "
        "middle third (project's definition)",
        gt=0.0,
        le=0.5,
    )
    front_share: float = setting(
        0.333,
        "1",
        "The tip lies within this share of the body's depth from its front wall: the front third "
        "(project's definition)",
        gt=0.1,
        le=0.6,
    )
    deepest_share: float = setting(
        0.92,
        "1",
        "Deepest tip, share of the body's depth along the axis (engineering choice: the front "
        "margin usually decides first)",
        gt=0.5,
        lt=1.0,
    )
    front_margin_mm: float = setting(
        5.0,
        "mm",
        "Smallest distance of the tip from the front cortex (project's definition: vessels lie in "
        "front of it)",
        ge=3.0,
        le=15.0,
    )
    side_margin_mm: float = setting(
        2.0,
        "mm",
        "Two-sided: the tip stays this far on its own side of the midline, so that the two "
        "needles never meet (engineering choice)",
        ge=0.0,
        le=10.0,
    )
    length_step_mm: float = setting(
        1.0, "mm", "Depths are multiples of it (engineering choice: marks on needles)", ge=0.5, le=5
    )
    cap_mm: float = setting(
        3.0,
        "mm",
        "Corridor and breach are measured from this far under the entry (definition of breach_mm "
        "in plan.json)",
        ge=0.0,
        le=8.0,
    )
    canal_bias_mm: float = setting(
        0.4,
        "mm",
        "The canal's wall counts this much nearer where the corridor is wide (engineering choice: "
        "a breach into the canal is worse than one to the side)",
        ge=0.0,
        le=1.0,
    )
    free_mm: float = setting(
        0.3,
        "mm",
        "Free round the needle outside the bone, from neighbours and processes (engineering "
        "choice)",
        ge=0.0,
        le=2.0,
    )
    entry_share: float = setting(
        0.3,
        "1",
        "Extrapedicular: the needle enters the body within this share of its depth from the back "
        "wall, beside the pedicle's root, where the rib's head lies and not the pleura "
        "(engineering choice)",
        gt=0.05,
        le=0.6,
    )
    canal_margin_mm: float = setting(
        2.0,
        "mm",
        "Extrapedicular: bone or tissue between needle and canal (engineering choice: more than "
        "the error of surface, template and needle together)",
        ge=1.0,
        le=6.0,
    )
    pedicle_share: float = setting(
        0.2,
        "1",
        "Extrapedicular: beside the canal the axis runs above this share of the pedicle's height, "
        "from its lower edge, and not above its upper one: the nerve leaves under the pedicle "
        "(engineering choice: a needle of 3 mm stays above the edge of one 8 mm high)",
        ge=0.0,
        le=0.8,
    )
    lung_hu: float = setting(
        -400.0,
        "HU",
        "Extrapedicular: darker than this along the way is lung, and the way is refused "
        "(engineering choice: half way between air and soft tissue)",
        ge=-900.0,
        le=-150.0,
    )
    skin_reach_mm: float = setting(
        200.0,
        "mm",
        "A skin entry farther from the bone is not believed (engineering choice: longer than any "
        "needle of the sets)",
        ge=50.0,
        le=400.0,
    )

    @model_validator(mode="after")
    def _ordered(self) -> NeedleSettings:
        ways = ("thoracic", "lumbar", "one_sided", "extrapedicular")
        for name in (*(f"{way}_axial_deg" for way in ways), "sagittal_deg", "level_sagittal_deg"):
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"{name}: the first value must be below the second")
        if not self.min_diameter_mm <= self.max_diameter_mm:
            raise ValueError("min_diameter_mm must not be above max_diameter_mm")
        return self


class WireSettings(Settings):
    """K-wires of the template that stands on the bone."""

    depth_mm: float = setting(
        15.0,
        "mm",
        "Depth of a wire in the spinous process (engineering choice: holds, and ends well behind "
        "the canal)",
        ge=8.0,
        le=22.0,
    )
    wall_mm: float = setting(
        1.0, "mm", "Least bone round a wire (engineering choice)", ge=0.5, le=4.0
    )
    apart_mm: float = setting(
        7.0,
        "mm",
        "Least distance of two wires: nearer ones hardly hold against turning, and their sleeves "
        "would touch (engineering choice)",
        ge=5.0,
        le=20.0,
    )


class KyphoplastySettings(Settings):
    """Settings of the procedure ``kyphoplasty``."""

    template_kind: Literal["skin", "bone", "none"] = setting(
        "skin",
        "1",
        "Template: one that lies on the skin of the back (patients scanned prone), one that is "
        "wired to the spinous process of one level, or none (engineering choice)",
    )
    needle: NeedleSettings = Field(default_factory=NeedleSettings)
    fracture: FractureSettings = Field(default_factory=lambda: FractureSettings.model_validate({}))
    wire: WireSettings = Field(default_factory=WireSettings)
    model: ModelSettings = Field(default_factory=lambda: ModelSettings.model_validate({}))
    template: TemplateSettings = Field(default_factory=lambda: TemplateSettings.model_validate({}))
