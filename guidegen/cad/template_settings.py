"""Settings of puncture templates: plates with needle sleeves that lie on skin or stand on wires."""

from __future__ import annotations

from guidegen.cad.part_settings import PartSettings
from guidegen.settings import setting


class TemplateSettings(PartSettings):
    """Sizes of both puncture templates; every default says why and where it comes from."""

    fit_gap_mm: float = setting(
        0.5,
        "mm",
        "Gap between the plate and the skin: skin gives way and a CT shows it to about half a "
        "voxel, so a tighter fit is no better (engineering choice)",
        ge=0.1,
        le=2.0,
    )
    thickness_mm: float = setting(
        3.6,
        "mm",
        "Thickness of the plate on the skin; 2.0 is the smallest wall, the rest makes 12 cm stiff "
        "by hand (engineering choice)",
        ge=3.0,
        le=8.0,
    )
    margin_mm: float = setting(
        9.0,
        "mm",
        "Plate round each sleeve, so that it can't rock about it (engineering choice)",
        ge=4.0,
        le=25.0,
    )
    band_mm: float = setting(
        20.0,
        "mm",
        "Plate beyond the windows of the first and the last level, head and foot: holds label, "
        "side marks and notches, and lays the plate along the spine (engineering choice)",
        ge=16.0,
        le=40.0,
    )
    min_half_width_mm: float = setting(
        32.0,
        "mm",
        "The plate reaches at least this far to both sides of the spinous-process line, also "
        "where only one side is punctured (engineering choice: it must not tip over the line)",
        ge=24.0,
        le=70.0,
    )
    sleeve_length_mm: float = setting(
        25.0,
        "mm",
        "Guided length; the needle may tilt by atan(clearance / length), 0.57 deg at 0.25 mm "
        "(engineering choice: longer costs needle length)",
        ge=15.0,
        le=50.0,
    )
    bore_clearance_mm: float = setting(
        0.25,
        "mm",
        "Bore diameter over the needle's or wire's: a needle still slides at 0.2 to 0.3 mm "
        "(engineering choice)",
        ge=0.05,
        le=0.6,
    )
    bore_wall_mm: float = setting(
        2.8,
        "mm",
        "Wall round a bore: a ball of 2.6, the smallest wall and 0.6 in hand for the grid, is "
        "rolled through the part, and what it can't reach is taken away (engineering choice)",
        ge=2.7,
        le=5.0,
    )
    window_width_mm: float = setting(
        18.0,
        "mm",
        "Largest width of the opening between a sleeve and the midline, through which the skin is "
        "seen (engineering choice: a finger's breadth)",
        ge=8.0,
        le=40.0,
    )
    window_height_mm: float = setting(
        14.0,
        "mm",
        "Largest height, head to foot, of the same opening (engineering choice)",
        ge=8.0,
        le=40.0,
    )
    notch_width_mm: float = setting(
        7.0,
        "mm",
        "Width of the notches over the spinous-process line: wider than a skin marker's line "
        "(engineering choice)",
        ge=4.0,
        le=15.0,
    )
    notch_depth_mm: float = setting(
        7.0,
        "mm",
        "Depth of the notches (engineering choice)",
        ge=4.0,
        le=15.0,
    )
    sight_mm: float = setting(
        6.0,
        "mm",
        "Diameter of the hole over each spinous process: its mark on the skin is seen in it "
        "(engineering choice)",
        ge=3.0,
        le=10.0,
    )
    contact_radius_mm: float = setting(
        7.0,
        "mm",
        "Radius of the circles under the plate in which its fit is measured (engineering choice)",
        ge=4.0,
        le=10.0,
    )
    kwire_diameter_mm: float = setting(
        1.8,
        "mm",
        "Diameter of the K-wires that hold the bone-anchored template; 1.6 to 2.0 are common "
        "(engineering choice)",
        ge=1.0,
        le=3.0,
    )
    bar_clearance_mm: float = setting(
        8.0,
        "mm",
        "The bone-anchored template stands this far off the skin: soft tissue under it swells and "
        "the skin must be seen (engineering choice)",
        ge=3.0,
        le=30.0,
    )
    bar_thickness_mm: float = setting(
        6.0,
        "mm",
        "Thickness of its bar: it carries the needles' weight on two wires (engineering choice)",
        ge=4.0,
        le=12.0,
    )
    max_climb_mm: float = setting(
        12.0,
        "mm",
        "Longest way of a needle from its sleeve's foot to the skin, over the clearance: beyond it "
        "the skin is too steep for a sleeve (engineering choice)",
        ge=4.0,
        le=30.0,
    )
    text_height_mm: float = setting(
        3.6,
        "mm",
        "Height of capitals in the label where there is room (engineering choice: read at arm's "
        "length)",
        ge=1.5,
        le=8.0,
    )
    mark_height_mm: float = setting(
        5.0,
        "mm",
        "Height of the side marks L and R (engineering choice: read at arm's length)",
        ge=3.0,
        le=8.0,
    )
    grid_mm: float = setting(
        0.55,
        "mm",
        "Grid of the distance fields: skin is smooth, so a coarser grid than a bone's does "
        "(engineering choice: the gap is measured on the file)",
        ge=0.3,
        le=0.8,
    )
