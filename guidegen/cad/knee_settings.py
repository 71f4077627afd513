"""Settings of the knee's cutting guides; the procedure embeds them in its own."""

from __future__ import annotations

from pydantic import model_validator

from guidegen.cad.part_settings import PartSettings
from guidegen.settings import setting


class PinSettings(PartSettings):
    """Pins that hold a guide, and where they go."""

    pin_diameter_mm: float = setting(
        3.2, "mm", "Diameter of the pins (engineering choice: a usual size)", ge=2.0, le=5.0
    )
    pin_depth_mm: float = setting(
        30.0,
        "mm",
        "Pin in the bone, entry to tip; through the far cortex is not needed (engineering choice)",
        ge=15.0,
        le=60.0,
    )
    pin_offset_mm: float = setting(
        14.0,
        "mm",
        "Axes of the two parallel pins from the middle of the cut, on the bone that stays. Pins "
        "only: exactly this, so that a standard cutting block goes on; with a slot: at least this "
        "(engineering choice; enter your block's)",
        ge=8.0,
        le=30.0,
    )
    pin_spacing_mm: float = setting(
        26.0,
        "mm",
        "Between the axes of the two parallel pins. Pins only: exactly this; with a slot: at most "
        "this (engineering choice; enter your block's)",
        ge=14.0,
        le=50.0,
    )
    pin_oblique_deg: float = setting(
        22.0,
        "deg",
        "Angle of the third pin to the parallel ones, which keeps the guide from sliding off along "
        "them (engineering choice)",
        ge=8.0,
        le=40.0,
    )
    pin_clear_mm: float = setting(
        5.0,
        "mm",
        "Side of every pin from the cut at least (required)",
        ge=2.0,
        le=15.0,
    )
    pin_bone_mm: float = setting(
        2.0,
        "mm",
        "Bone round every pin at least, from 8 mm under its entry to its tip (engineering choice)",
        ge=0.5,
        le=6.0,
    )
    tibia_turn_deg: float = setting(
        30.0,
        "deg",
        "Saw and pins come to the tibia this far from the medial side of straight in front, past "
        "the patellar tendon (engineering choice)",
        ge=0.0,
        le=60.0,
    )
    tendon_mm: float = setting(
        6.0,
        "mm",
        "Nothing of the guide lies lateral of this distance medially of the tubercle's medial "
        "third: there the patellar tendon is (engineering choice)",
        ge=0.0,
        le=20.0,
    )
    sleeve_outer_mm: float = setting(
        10.0,
        "mm",
        "Outer diameter of a pin's sleeve: bore and two walls with 0.4 mm in hand for the "
        "isosurface's grid (engineering choice)",
        ge=7.0,
        le=16.0,
    )


class KneeGuideSettings(PinSettings):
    """Sizes of a cutting guide on femur or tibia; every default says why."""

    min_wall_mm: float = setting(
        2.5,
        "mm",
        "Smallest wall anywhere: the largest sphere that fits inside at each surface point "
        "(required)",
        ge=1.5,
        le=5.0,
    )
    fit_gap_mm: float = setting(
        0.2,
        "mm",
        "Gap between contact and bone; 0.2 (SLA) to 0.5 mm (FDM) in use (engineering choice: "
        "what the printers need)",
        ge=0.05,
        le=1.0,
    )
    neighbour_clearance_mm: float = setting(
        1.0,
        "mm",
        "Further gap to a bone that stays where it is when the joint is opened (engineering "
        "choice)",
        ge=0.0,
        le=5.0,
    )
    relief_mm: float = setting(
        1.0,
        "mm",
        "Underside lifted this much between the contacts, so that it seats on separate contacts "
        "(engineering choice)",
        ge=0.3,
        le=4.0,
    )
    contact_radius_mm: float = setting(
        3.5, "mm", "Radius of one contact (engineering choice)", ge=2.5, le=8.0
    )
    n_contacts: int = setting(
        12,
        "1",
        "Contacts where there is room; at least 6 (measured in the project's brief: 6 point "
        "contacts reached 0.18 of full robustness, 12 reached 0.74)",
        ge=6,
        le=20,
    )
    osteophyte_mm: float = setting(
        1.0,
        "mm",
        "Bone that stands this far proud of the smooth shape round it is no contact: it may be an "
        "osteophyte, soft or taken away before the guide is set (engineering choice)",
        ge=0.3,
        le=5.0,
    )
    worn_deg: float = setting(
        40.0,
        "deg",
        "Femur that faces within this angle of distal carries weight in extension: its cartilage "
        "may be worn, no contact there (engineering choice)",
        ge=0.0,
        le=80.0,
    )
    reach_mm: float = setting(
        52.0,
        "mm",
        "Contacts lie at most this far from the cut, on the bone that stays: what the wound shows "
        "(engineering choice)",
        ge=25.0,
        le=90.0,
    )
    body_thickness_mm: float = setting(
        5.0,
        "mm",
        "Thickness of the shell over the bone (engineering choice: stiff by hand)",
        ge=3.5,
        le=10.0,
    )
    bore_clearance_mm: float = setting(
        0.2,
        "mm",
        "Bore over pin diameter; 0.2 over 18 mm lets a pin tilt by 0.64 deg (engineering choice)",
        ge=0.0,
        le=0.6,
    )
    sleeve_length_mm: float = setting(
        18.0,
        "mm",
        "Guided length of a pin (engineering choice)",
        ge=10.0,
        le=40.0,
    )
    slot: bool = setting(
        True,
        "1",
        "A captured slot for the saw; otherwise pins only, and a standard cutting block goes on "
        "the pins (engineering choice)",
    )
    slot_clearance_mm: float = setting(
        0.2,
        "mm",
        "Slot over the plan's kerf (blade) thickness; over 12 mm it lets the blade tilt by 1 deg "
        "(engineering choice)",
        ge=0.05,
        le=0.6,
    )
    capture_mm: float = setting(
        12.0, "mm", "The slot holds the blade over at least this depth (required)", ge=8.0, le=30.0
    )
    slot_max_width_mm: float = setting(
        66.0,
        "mm",
        "Widest slot; narrower where the bone is (engineering choice: the blade is swung for the "
        "rest)",
        ge=25.0,
        le=90.0,
    )
    slot_wall_mm: float = setting(
        4.5, "mm", "Wall on the slot's flat sides (engineering choice)", ge=3.0, le=10.0
    )
    slot_end_mm: float = setting(
        6.0, "mm", "Wall at both ends of the slot (engineering choice)", ge=3.5, le=12.0
    )
    rod_mm: float = setting(
        6.0, "mm", "Diameter of the alignment rod (engineering choice)", ge=3.0, le=10.0
    )
    rod_clearance_mm: float = setting(
        0.3, "mm", "Rod hole over the rod's diameter (engineering choice)", ge=0.05, le=1.0
    )
    rod_length_mm: float = setting(
        16.0,
        "mm",
        "The hole guides the rod over this length: 0.3 mm of play tilt it by 1.1 deg (engineering "
        "choice)",
        ge=8.0,
        le=40.0,
    )
    rod_bone_mm: float = setting(
        8.0,
        "mm",
        "Side of the rod from bone along the whole bone at least (engineering choice)",
        ge=2.0,
        le=40.0,
    )
    window_mm: float = setting(
        8.0,
        "mm",
        "Diameter of the windows through which the seat is seen (engineering choice)",
        ge=4.0,
        le=14.0,
    )
    mark_height_mm: float = setting(
        5.0,
        "mm",
        "Height of the marks M and L (engineering choice: read at arm's length)",
        ge=3.0,
        le=8.0,
    )
    insertion_tilt_deg: float = setting(
        30.0,
        "deg",
        "The guide is pushed on from the front and, by this angle, from the side of the bone that "
        "is removed; with pins only it is pushed along the parallel pins, so that it comes off "
        "over them (engineering choice)",
        ge=0.0,
        le=60.0,
    )
    insertion_cone_deg: float = setting(
        20.0,
        "deg",
        "Largest angle from that direction that the search tries (engineering choice)",
        ge=0.0,
        le=35.0,
    )
    grid_mm: float = setting(
        0.55,
        "mm",
        "Grid of the distance fields (engineering choice: the gap is measured on the file)",
        ge=0.3,
        le=0.8,
    )

    @model_validator(mode="after")
    def _walls(self) -> KneeGuideSettings:
        bore = self.pin_diameter_mm + self.bore_clearance_mm
        least = bore + 2 * self.min_wall_mm
        if self.sleeve_outer_mm < least:
            raise ValueError(
                f"sleeve_outer_mm {self.sleeve_outer_mm:g} leaves a wall of "
                f"{(self.sleeve_outer_mm - bore) / 2:.1f} mm round a bore of {bore:g} mm, "
                f"min_wall_mm is {self.min_wall_mm:g}: set sleeve_outer_mm to {least:g} or more"
            )
        for name in ("slot_wall_mm", "slot_end_mm", "body_thickness_mm"):
            if getattr(self, name) < self.min_wall_mm:
                raise ValueError(
                    f"{name} {getattr(self, name):g} is less than the smallest wall, min_wall_mm "
                    f"{self.min_wall_mm:g}: enlarge it"
                )
        return self
