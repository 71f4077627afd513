"""Settings of a guide's geometry; a procedure embeds them in its own settings."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_MM: dict[str, Any] = {"unit": "mm"}
_DEG: dict[str, Any] = {"unit": "deg"}


class GuideSettings(BaseModel):
    """Sizes of a bone-seated drill guide; every default says why and where it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fit_gap_mm: float = Field(
        0.2,
        ge=0.05,
        le=1.0,
        description="Gap between contact and bone; 0.2 (SLA) to 0.5 mm (FDM) in use "
        "(engineering choice: what the printers need)",
        json_schema_extra=_MM,
    )
    neighbour_clearance_mm: float = Field(
        0.8,
        ge=0.0,
        le=5.0,
        description="Further gap to every bone that the guide does not sit on, so that a "
        "neighbour moved by positioning does not lift it (engineering choice)",
        json_schema_extra=_MM,
    )
    relief_mm: float = Field(
        1.0,
        ge=0.3,
        le=3.0,
        description="Underside lifted this much between the contacts, so that it seats on "
        "separate contacts and soft tissue there does not lift it (engineering choice)",
        json_schema_extra=_MM,
    )
    contact_radius_mm: float = Field(
        4.0,
        ge=2.5,
        le=8.0,
        description="Radius of one contact; about 50 mm2 each (engineering choice)",
        json_schema_extra=_MM,
    )
    body_thickness_mm: float = Field(
        4.0,
        ge=3.0,
        le=8.0,
        description="Thickness of arms and bridge; walls of 2 to 4 mm are in use and the upper "
        "end is stiffer (engineering choice)",
        json_schema_extra=_MM,
    )
    min_wall_mm: float = Field(
        2.0,
        ge=0.8,
        le=4.0,
        description="Smallest wall anywhere: the largest sphere that fits inside at each surface "
        "point (engineering choice: walls of 2 to 4 mm are in use)",
        json_schema_extra=_MM,
    )
    bore_clearance_mm: float = Field(
        0.2,
        ge=0.0,
        le=0.6,
        description="Bore diameter over instrument diameter; 0.2 over 20 mm lets the drill tilt "
        "by atan(0.2/20) = 0.57 deg",
        json_schema_extra=_MM,
    )
    sleeve_length_mm: float = Field(
        20.0,
        ge=10.0,
        le=40.0,
        description="Guided length from the highest point of the sleeve's foot to its top; "
        "tilt is atan(clearance / length) (engineering choice: 0.57 deg at a clearance of 0.2)",
        json_schema_extra=_MM,
    )
    sleeve_outer_mm: float = Field(
        8.4,
        ge=6.0,
        le=14.0,
        description="Outer diameter of a sleeve; bore 2.9 + 2 walls of 2.0 needs 6.9, at least "
        "8.0 asked for, 0.4 in hand for the isosurface's grid (engineering choice)",
        json_schema_extra=_MM,
    )
    sleeve_closed_mm: float = Field(
        4.0,
        ge=4.0,
        le=10.0,
        description="Bore closed all round for at least this length at each end (case contract)",
        json_schema_extra=_MM,
    )
    window_width_mm: float = Field(
        3.3,
        ge=2.0,
        le=6.0,
        description="Width of the sleeve's open side: wider than the bore, so that the drill is "
        "seen and debris leaves (engineering choice)",
        json_schema_extra=_MM,
    )
    bridge_width_mm: float = Field(
        10.0,
        ge=6.0,
        le=20.0,
        description="Width of the bridge, head to foot (engineering choice: stiff by hand)",
        json_schema_extra=_MM,
    )
    bridge_clearance_mm: float = Field(
        1.5,
        ge=0.5,
        le=5.0,
        description="Bridge and grip stay this far from every bone's shadow (engineering choice)",
        json_schema_extra=_MM,
    )
    insertion_cone_deg: float = Field(
        20.0,
        ge=0.0,
        le=35.0,
        description="Largest angle between the insertion direction and the mean of the drill "
        "directions that the search tries (engineering choice)",
        json_schema_extra=_DEG,
    )
    text_height_mm: float = Field(
        3.2,
        ge=1.5,
        le=6.0,
        description="Height of capitals in the label where there is room (engineering choice: "
        "read at arm's length)",
        json_schema_extra=_MM,
    )
    text_min_height_mm: float = Field(
        2.0,
        ge=1.2,
        le=4.0,
        description="Smallest height of capitals that still prints and reads (engineering choice)",
        json_schema_extra=_MM,
    )
    text_depth_mm: float = Field(
        0.6,
        ge=0.3,
        le=1.2,
        description="Depth of the engraving: two to six layers of common printers "
        "(engineering choice)",
        json_schema_extra=_MM,
    )
    grid_mm: float = Field(
        0.4,
        ge=0.2,
        le=0.6,
        description="Grid of the distance fields (dependencies.md, trap 11: the gap came out "
        "0.03 mm off at 0.3 mm)",
        json_schema_extra=_MM,
    )
