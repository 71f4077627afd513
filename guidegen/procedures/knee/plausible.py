"""Plans that can't be right, or mean little, are said to be so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Notice
from guidegen.planning.alignment import Alignment
from guidegen.procedures.knee.cuts import Cutting

HKA_DEG = 20.0
"""Knees off straight by more are rare: before replacement 95 knees were off by 7.7 deg (women,
standard deviation 5.9; PMC6521394), two deviations above which are 19.6."""
BENT_DEG = 25.0
"""In a knee bent more an epicondylar axis that is 2.5 deg off, which is what landmarks are held to,
turns HKA and FTA by more than 1 deg (2.5 x sin 25; engineering choice)."""
OVERSTRETCHED_DEG = 15.0
"""Knees do not bend farther to the front (engineering choice)."""
TWIST_DEG = (-2.0, 12.5)
"""Epicondylar axis to posterior condyles, external positive: 0 to 12 deg in 50 femora, mean 5.2,
standard deviation 2.4 (van der Linden-van der Zwaag et al. 2015, doi 10.4236/act.2015.41002);
three deviations about the mean."""
SIZES_MM = {
    "distal_ml": (50.0, 100.0),
    "component_ap": (40.0, 80.0),
    "tibial_ml": (50.0, 100.0),
    "tibial_ap": (32.0, 75.0),
}
"""Sizes of cut surfaces (engineering choice: resected femora of 200 knees measured 70.2 mm across,
standard deviation 5.5, and 53.9 front to back, 3.8, PMC3015043; larger people are known)."""
GAP_MM = (3.0, 60.0)
"""The plateaus' centre lies so far from the notch in a leg whose bones belong together (engineering
choice: 11 to 12 mm in the legs of one person; worn and bent knees differ)."""


def leg_warnings(
    side: str, found: Alignment | None, marks: Mapping[str, Landmarks]
) -> Iterator[Notice]:
    """Warn of axes that stand to each other as those of no leg do.

    Args:
        side: ``left`` or ``right``.
        found: The leg's angles; None without femur or tibia.
        marks: Landmarks by bone.
    """
    if found is None:
        return
    leg = f"leg_{side}"
    off = found.hka - 180.0
    if abs(off) > HKA_DEG:
        kind = "varus" if off < 0 else "valgus"
        text = (
            f"HKA of the {side} leg is {abs(off):.0f} deg of {kind}, over {HKA_DEG:.0f} is rare: "
            "look at the hip's, knee's and ankle's centres, and whether both bones are of one leg"
        )
        yield Notice("implausible_hka", text, leg, red=True)
    if found.flexion > BENT_DEG:
        text = (
            f"the {side} knee lay bent by {found.flexion:.0f} deg: over {BENT_DEG:.0f} its HKA and "
            "FTA mean little; the cuts do not depend on them"
        )
        yield Notice("bent_knee", text, leg)
    elif found.flexion < -OVERSTRETCHED_DEG:
        text = (
            f"the {side} knee is overstretched by {-found.flexion:.0f} deg, knees do not reach "
            f"{OVERSTRETCHED_DEG:.0f}: look at the axes, and whether both bones are of one leg"
        )
        yield Notice("implausible_flexion", text, leg, red=True)
    ends = marks[f"femur_{side}"]["knee_centre"], marks[f"tibia_{side}"]["plateau_centre"]
    gap = float(np.linalg.norm(ends[0].position_mm - ends[1].position_mm))
    if not GAP_MM[0] < gap < GAP_MM[1]:
        text = (
            f"femur and tibia of the {side} leg lie {gap:.0f} mm apart, notch to plateaus, "
            f"{GAP_MM[0]:.0f} to {GAP_MM[1]:.0f} belong to one knee: look at both bones"
        )
        yield Notice("implausible_joint", text, leg, red=True)


def bone_warnings(name: str, cutting: Cutting, marks: Landmarks) -> Iterator[Notice]:
    """Warn of sizes and of a twist that no bone has, and of landmarks that could not be told.

    Args:
        name: Of the bone.
        cutting: Its cuts.
        marks: Its landmarks.
    """
    twist = cutting.angles_deg.get("twist", 0.0)
    if not TWIST_DEG[0] <= twist <= TWIST_DEG[1]:
        text = (
            f"the epicondyles are turned by {twist:.1f} deg against the posterior condyles, "
            f"{TWIST_DEG[0]:.0f} to {TWIST_DEG[1]:.1f} are known: look at these four landmarks"
        )
        yield Notice("implausible_twist", text, name, red=True)
    for size, (low, high) in SIZES_MM.items():
        value = cutting.sizes_mm.get(size, low)
        if not low <= value <= high:
            text = (
                f"size {size} is {value:.0f} mm, {low:.0f} to {high:.0f} belong to a knee of an "
                "adult: look at the cut and at the scan's scale"
            )
            yield Notice("implausible_size", text, name, red=True)
    if name.startswith("femur"):
        yield from _untold(name, marks)
    elif "ankle_centre" in marks and "malleolus_lateral" not in marks:
        text = (
            "the lateral malleolus can't be told: the fibula's lower end is out of view, or was "
            "not told apart; no angle depends on it"
        )
        yield Notice("no_lateral_malleolus", text, name)


def uncut_warnings(cutting: Cutting) -> Iterator[Notice]:
    """Warn of a cut that passes over a condyle or the middle of a plateau.

    Args:
        cutting: Of one bone; in red where the guide would be made for such a cut.
    """
    cut = cutting.cut
    for part, lost in cutting.removed_mm.items():
        if lost >= 0:
            continue
        which, _, side = part.rpartition("_")
        guided = which != "posterior"
        name = cut.name if guided else f"{which}_{cut.bone}"
        text = (
            f"{name.replace('_', ' ')}: it takes nothing off the {side} side, which stays "
            f"{-lost:.1f} mm below it: cut deeper or turn it, or be ready to fill the defect"
        )
        yield Notice("part_uncut" if guided else "posterior_uncut", text, cut.name, red=guided)


def _untold(name: str, marks: Landmarks) -> Iterator[Notice]:
    """Landmarks that this femur does not show."""
    if "medial_sulcus" not in marks:
        text = (
            "no sulcus can be told on the medial epicondyle: the epicondylar axis is the clinical "
            "one, to the epicondyle's highest point"
        )
        yield Notice("no_medial_sulcus", text, name)
    if "trochlear_groove" not in marks:
        text = "no trochlear groove can be told: the trochlea is flat, worn or out of view"
        yield Notice("no_trochlear_groove", text, name)
    if "anterior_cortex" not in marks:
        text = (
            "the anterior cortex above the trochlea is out of view: no anterior cut and no size "
            "are planned, and notching can't be judged"
        )
        yield Notice("no_anterior_cortex", text, name, red=True)
