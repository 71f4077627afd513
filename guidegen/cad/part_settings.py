"""What the settings of all printed parts have in common: walls and lettering."""

from __future__ import annotations

from guidegen.settings import Settings, setting


class PartSettings(Settings):
    """Smallest wall and engraved label of one kind of part."""

    min_wall_mm: float = setting(
        2.0,
        "mm",
        "Smallest wall anywhere: the largest sphere that fits inside at each surface point "
        "(engineering choice: walls of 2 to 4 mm are in use)",
        ge=0.8,
        le=4.0,
    )
    text_height_mm: float = setting(
        3.2,
        "mm",
        "Height of capitals in the label where there is room (engineering choice: read at arm's "
        "length)",
        ge=1.5,
        le=8.0,
    )
    text_min_height_mm: float = setting(
        2.0,
        "mm",
        "Smallest height of capitals that still prints and reads (engineering choice)",
        ge=1.2,
        le=4.0,
    )
    text_depth_mm: float = setting(
        0.6,
        "mm",
        "Depth of the engraving: two to six layers of common printers (engineering choice)",
        ge=0.3,
        le=1.2,
    )
