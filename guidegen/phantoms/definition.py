"""What a phantom's TOML file says."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from guidegen.phantoms.sizes import LEVELS


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_Angle = Annotated[float, Field(ge=-90, le=90)]
_Wide = Annotated[float, Field(ge=20, le=1000)]
_Aside = Annotated[float, Field(ge=-500, le=500)]


class PedicleChange(_Strict):
    """What differs from the level's usual pedicle; mm and degrees."""

    width_mm: float | None = Field(
        default=None, gt=0, lt=40, description="narrowest width of the pedicle's rod"
    )
    height_mm: float | None = Field(
        default=None, gt=0, lt=40, description="narrowest height of the pedicle's rod"
    )
    convergence_deg: float | None = Field(
        default=None, ge=-45, le=45, description="towards the midline, going in"
    )
    sagittal_deg: float | None = Field(
        default=None, ge=-45, le=45, description="towards the head, going in"
    )
    tube: bool = Field(
        default=False,
        description="a long rod of even thickness, clear of canal and endplates: its axis is known",
    )


class LevelChange(_Strict):
    """What differs at one level."""

    left: PedicleChange = PedicleChange()
    right: PedicleChange = PedicleChange()
    wedge_deg: float | None = Field(
        default=None, ge=-45, le=45, description="front lower than back: positive"
    )
    height_mm: float | None = Field(
        default=None, gt=0, lt=60, description="the body's height at its centre, dents left out"
    )
    dent_mm: float = Field(
        default=0.0, ge=0, lt=20, description="depth of a round dent in the middle of each endplate"
    )
    fragment_mm: float = Field(
        default=0.0,
        ge=0,
        lt=15,
        description="the body's upper back reaches this far into the canal",
    )

    @property
    def fractured(self) -> bool:
        """True if the body has another shape than is usual at its level."""
        new = (self.wedge_deg, self.height_mm)
        return any(value is not None for value in new) or self.dent_mm + self.fragment_mm > 0


class Metal(_Strict):
    """A pedicle screw of an earlier operation, on its pedicle's axis."""

    level: str
    side: Literal["left", "right"]
    length_mm: float = Field(default=52.0, gt=10, lt=80, description="head to tip")
    diameter_mm: float = Field(default=6.0, gt=1, lt=12)
    rod_to: str | None = Field(default=None, description="a rod to the screw of this level")
    hu: float = Field(default=3071.0, ge=1500, le=3071)
    streak_hu: float = Field(default=0.0, ge=0, le=1000, description="close to it; 30 mm off a 3rd")


class Posture(_Strict):
    """How the vertebrae stand, one number a level, degrees."""

    flexion_deg: tuple[_Angle, ...] = Field(description="top leans to the front: positive")
    bend_deg: tuple[_Angle, ...] = Field(default=(), description="top leans to the left: positive")
    turn_deg: tuple[_Angle, ...] = Field(
        default=(), description="front turns to the left: positive"
    )


class View(_Strict):
    """What the scan shows."""

    size_mm: tuple[_Wide, _Wide] = Field(
        default=(160.0, 160.0), description="left-right, front-back"
    )
    centre_mm: tuple[_Aside, _Aside] = Field(default=(0.0, 28.0), description="x, y of its middle")
    below_mm: _Aside = Field(default=14.0, description="from the lowest body's centre downwards")
    above_mm: _Aside = Field(default=20.0, description="from the highest body's centre upwards")


class Expectation(_Strict):
    """What a correct program answers."""

    exit: int = Field(default=0, ge=0, le=3)
    warnings: tuple[str, ...] = Field(default=(), description="codes that must be among the plan's")
    red: tuple[str, ...] = Field(
        default=(), description="codes that must be there in red; any other in red is wrong"
    )
    message: str = Field(
        default="", description="words that a refusal's sentence must hold, letters in any case"
    )
    skipped: tuple[str, ...] = Field(default=(), description="all paths that must be left out")
    levels: tuple[str, ...] = Field(default=(), description="complete levels in view, head to foot")
    limits: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        default={}, description="an error's own limit, where this scan can't hold the usual one"
    )


class Definition(_Strict):
    """A phantom's parameters; ``name`` is the file's name."""

    name: str
    description: str
    seed: int = Field(ge=0)
    levels: tuple[str, ...] = Field(description="head to foot; S1 stands for the sacrum")
    posture: Posture
    ribs: bool = False
    fused: bool = False
    facet_gap_mm: float = Field(default=1.5, ge=0, lt=10)
    change: dict[str, LevelChange] = {}
    view: View = View()
    cobb: tuple[tuple[str, str], ...] = ()
    prone: bool = Field(default=False, description="scanned lying on the belly")
    table_gap_mm: float = Field(
        default=2.0, ge=0, lt=500, description="air between patient and table"
    )
    skin_mm: float = Field(
        default=0.0,
        ge=0,
        lt=50,
        description="thickness of the skin itself; its outer edge is then exact",
    )
    gown: bool = Field(default=False, description="cloth on the back, partly lifted in folds")
    wire: bool = Field(default=False, description="a metal lead on the skin beside the midline")
    metal: tuple[Metal, ...] = Field(default=(), description="of an earlier operation")
    cancellous_hu: float | None = Field(
        default=None, ge=-200, le=3071, description="osteoporotic bone: lower"
    )
    expect: Expectation = Expectation()

    @model_validator(mode="after")
    def _fits_together(self) -> Definition:
        n, wanted = len(self.levels), " ".join(LEVELS)
        if n < 2 or f" {' '.join(self.levels)} " not in f" {wanted} ":
            raise ValueError(f"levels must be two or more neighbours of {wanted}")
        angles = self.posture
        further = {len(angles.bend_deg), len(angles.turn_deg)}
        if len(angles.flexion_deg) != n or not further <= {0, n}:
            raise ValueError(f"posture must have one number for each of the {n} levels")
        named = {*self.change, *self.expect.levels, *(name for pair in self.cobb for name in pair)}
        named |= {name for item in self.metal for name in (item.level, item.rod_to) if name}
        if strangers := ", ".join(sorted(named - set(self.levels))):
            raise ValueError(f"{strangers} must be among the levels")
        return self
