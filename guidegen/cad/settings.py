"""Settings of a guide's geometry; a procedure embeds them in its own settings."""

from __future__ import annotations

from guidegen.cad.part_settings import PartSettings
from guidegen.settings import setting


class GuideSettings(PartSettings):
    """Sizes of a bone-seated drill guide; every default says why and where it comes from."""

    fit_gap_mm: float = setting(
        0.2,
        "mm",
        "Gap between contact and bone; 0.2 (SLA) to 0.5 mm (FDM) in use (engineering choice: "
        "what the printers need)",
        ge=0.05,
        le=1.0,
    )
    neighbour_clearance_mm: float = setting(
        0.8,
        "mm",
        "Further gap to every bone that the guide does not sit on, so that a neighbour moved by "
        "positioning does not lift it (engineering choice)",
        ge=0.0,
        le=5.0,
    )
    relief_mm: float = setting(
        1.0,
        "mm",
        "Underside lifted this much between the contacts, so that it seats on separate contacts "
        "and soft tissue there does not lift it (engineering choice)",
        ge=0.3,
        le=3.0,
    )
    contact_radius_mm: float = setting(
        4.0,
        "mm",
        "Radius of one contact; about 50 mm2 each (engineering choice)",
        ge=2.5,
        le=8.0,
    )
    body_thickness_mm: float = setting(
        4.0,
        "mm",
        "Thickness of arms and bridge; walls of 2 to 4 mm are in use and the upper end is "
        "stiffer (engineering choice)",
        ge=3.0,
        le=8.0,
    )
    bore_clearance_mm: float = setting(
        0.2,
        "mm",
        "Bore diameter over instrument diameter; 0.2 over 20 mm lets the drill tilt by "
        "atan(0.2/20) = 0.57 deg",
        ge=0.0,
        le=0.6,
    )
    sleeve_length_mm: float = setting(
        20.0,
        "mm",
        "Guided length from the highest point of the sleeve's foot to its top; tilt is "
        "atan(clearance / length) (engineering choice: 0.57 deg at a clearance of 0.2)",
        ge=10.0,
        le=40.0,
    )
    sleeve_outer_mm: float = setting(
        8.4,
        "mm",
        "Outer diameter of a sleeve; bore 2.9 + 2 walls of 2.0 needs 6.9, at least 8.0 asked "
        "for, 0.4 in hand for the isosurface's grid (engineering choice)",
        ge=6.0,
        le=14.0,
    )
    sleeve_closed_mm: float = setting(
        4.0,
        "mm",
        "Bore closed all round for at least this length at each end (case contract)",
        ge=4.0,
        le=10.0,
    )
    window_width_mm: float = setting(
        3.3,
        "mm",
        "Width of the sleeve's open side: wider than the bore, so that the drill is seen and "
        "debris leaves (engineering choice)",
        ge=2.0,
        le=6.0,
    )
    bridge_width_mm: float = setting(
        10.0,
        "mm",
        "Width of the bridge, head to foot (engineering choice: stiff by hand)",
        ge=6.0,
        le=20.0,
    )
    bridge_clearance_mm: float = setting(
        1.5,
        "mm",
        "Bridge and grip stay this far from every bone's shadow (engineering choice)",
        ge=0.5,
        le=5.0,
    )
    insertion_cone_deg: float = setting(
        20.0,
        "deg",
        "Largest angle between the insertion direction and the mean of the drill directions that "
        "the search tries (engineering choice)",
        ge=0.0,
        le=35.0,
    )
    grid_mm: float = setting(
        0.4,
        "mm",
        "Grid of the distance fields (engineering choice: the gap comes out 0.03 mm off at 0.3 mm, "
        "and each halving takes eight times the memory)",
        ge=0.2,
        le=0.6,
    )
