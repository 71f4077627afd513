"""Settings of knee planning: every target with unit, reason and source."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from guidegen.cad.cut_model import CutModelSettings
from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.settings import Settings, setting


class FemurSettings(Settings):
    """Cuts of the femur."""

    resection_mm: float = setting(
        9.0,
        "mm",
        "Bone and cartilage taken off the more prominent distal condyle: what a femoral component "
        "puts back (engineering choice: components in use are 8 to 10 mm thick there)",
        ge=5.0,
        le=14.0,
    )
    frontal_deg: float = setting(
        90.0,
        "deg",
        "FFC: medial angle between the distal cut and the mechanical axis; less than 90 is varus "
        "(engineering choice: mechanical alignment)",
        ge=84.0,
        le=96.0,
    )
    valgus_deg: float = setting(
        6.0,
        "deg",
        "Where the hip is out of view and the anatomical axis is accepted: the mechanical axis is "
        "taken to lean so far to medial of the shaft (engineering choice: 4 to 9 deg in five "
        "femora)",
        ge=0.0,
        le=10.0,
    )
    flexion_deg: float = setting(
        0.0,
        "deg",
        "LFC: flexion of the distal cut against the mechanical axis, seen from the side; 0 to 3 is "
        "usual (engineering choice)",
        ge=-3.0,
        le=10.0,
    )
    rotation: Literal["pca", "tea"] = setting(
        "pca",
        "1",
        "What the anterior and posterior cuts are turned by: the posterior condyles or the "
        "epicondylar axis, the surgical one where the medial sulcus can be told, else the clinical "
        "one (engineering choice: the posterior condyles are found more exactly)",
    )
    rotation_deg: float = setting(
        3.0,
        "deg",
        "External rotation against the posterior condyles; against the epicondyles it is 0 "
        "(engineering choice: the usual difference of the two)",
        ge=-3.0,
        le=9.0,
    )
    posterior_mm: float = setting(
        9.0,
        "mm",
        "Bone and cartilage taken off the more prominent posterior condyle (engineering choice)",
        ge=5.0,
        le=14.0,
    )
    anterior_mm: float = setting(
        0.0,
        "mm",
        "The anterior cut lies so far in front of the anterior cortex above the trochlea; less "
        "than 0 notches it, which is warned of in red (engineering choice)",
        ge=-5.0,
        le=10.0,
    )


class TibiaSettings(Settings):
    """Cut of the tibia."""

    resection_mm: float = setting(
        8.0,
        "mm",
        "Bone taken off the higher plateau, at its middle; 8 to 10 is usual, less where cartilage "
        "lies on it, which a CT does not show (engineering choice)",
        ge=2.0,
        le=14.0,
    )
    frontal_deg: float = setting(
        90.0,
        "deg",
        "FTC: medial angle between the cut and the mechanical axis; less than 90 is varus, the "
        "medial end lower (engineering choice: mechanical alignment)",
        ge=84.0,
        le=96.0,
    )
    slope_deg: float = setting(
        5.0,
        "deg",
        "Slope down to the back; LTC is 90 less it; 3 to 7 is usual, 0 to 3 where the posterior "
        "cruciate is replaced (engineering choice)",
        ge=-2.0,
        le=12.0,
    )


class KneeSettings(Settings):
    """All settings of the knee."""

    cartilage_mm: float = setting(
        2.0,
        "mm",
        "Cartilage on the femur, which a CT does not show: that much less bone is taken (fixed in "
        "the design; engineering choice)",
        ge=0.0,
        le=5.0,
    )
    kerf_mm: float = setting(
        1.3,
        "mm",
        "What the saw takes: a blade of 1.27 mm (engineering choice)",
        ge=0.5,
        le=2.5,
    )
    femur: FemurSettings = Field(FemurSettings())
    tibia: TibiaSettings = Field(TibiaSettings())
    guide: KneeGuideSettings = Field(KneeGuideSettings())
    model: CutModelSettings = Field(CutModelSettings())
