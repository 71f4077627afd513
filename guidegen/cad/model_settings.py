"""Settings of the vertebra model to rehearse on; a procedure embeds them in its own settings."""

from __future__ import annotations

from guidegen.cad.part_settings import PartSettings
from guidegen.settings import setting


class ModelSettings(PartSettings):
    """Sizes of a vertebra model with needle channels; every default says why and where from."""

    neighbours: bool = setting(
        True,
        "1",
        "Join the vertebrae above and below in place; without them the model is the level alone "
        "(engineering choice: the needle's way between the neighbours is part of the rehearsal)",
    )
    channel_clearance_mm: float = setting(
        0.3,
        "mm",
        "Channel diameter over needle diameter: printed holes come out narrower than drawn "
        "(engineering choice)",
        ge=0.0,
        le=1.0,
    )
    min_wall_mm: float = setting(
        2.0,
        "mm",
        "Smallest wall anywhere: thinner laminae and processes, and the bone round a channel, are "
        "thickened to it (case contract: the largest sphere that fits inside at each point)",
        ge=0.8,
        le=3.0,
    )
    strut_diameter_mm: float = setting(
        6.0,
        "mm",
        "Diameter of the bars that bridge a disc and of the foot's columns, down to 3 mm where "
        "bodies are small; three bear a hand's pressure on a needle (engineering choice)",
        ge=3.0,
        le=10.0,
    )
    strut_depth_mm: float = setting(
        4.0,
        "mm",
        "How deep each bar stands in the bone at both ends (engineering choice)",
        ge=2.0,
        le=8.0,
    )
    foot_thickness_mm: float = setting(
        4.0,
        "mm",
        "Thickness of the plate that the model stands on (engineering choice: flat after printing)",
        ge=3.0,
        le=10.0,
    )
    foot_clearance_mm: float = setting(
        3.0,
        "mm",
        "Room between the lowest bone and the plate (engineering choice: supports come off)",
        ge=0.5,
        le=20.0,
    )
    foot_margin_mm: float = setting(
        6.0,
        "mm",
        "The plate stands out this far round the lowest body (engineering choice)",
        ge=2.0,
        le=20.0,
    )
    stable_deg: float = setting(
        15.0,
        "deg",
        "Tilt in any direction at which the model still falls back on its foot (engineering "
        "choice: a hand that pushes a needle, 10 deg is checked)",
        ge=10.0,
        le=30.0,
    )
    text_height_mm: float = setting(
        4.5,
        "mm",
        "Height of capitals in the label where there is room (engineering choice: read at arm's "
        "length)",
        ge=1.5,
        le=8.0,
    )
    text_depth_mm: float = setting(
        0.8,
        "mm",
        "Depth of the engraving: three to eight layers of common printers (engineering choice)",
        ge=0.3,
        le=1.2,
    )
