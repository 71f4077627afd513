"""What a phantom's TOML file says."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PedicleChange(_Strict):
    """What differs from the level's usual pedicle; mm and degrees."""

    width_mm: float | None = Field(default=None, description="narrowest width of the pedicle's rod")
    height_mm: float | None = Field(
        default=None, description="narrowest height of the pedicle's rod"
    )
    convergence_deg: float | None = Field(default=None, description="towards the midline, going in")
    sagittal_deg: float | None = Field(default=None, description="towards the head, going in")
    tube: bool = Field(
        default=False,
        description="a long rod of even thickness, clear of canal and endplates: its axis is known",
    )


class LevelChange(_Strict):
    """What differs at one level."""

    left: PedicleChange = PedicleChange()
    right: PedicleChange = PedicleChange()
    wedge_deg: float | None = Field(default=None, description="front lower than back: positive")
    height_mm: float | None = Field(
        default=None, gt=0, description="the body's height at its centre, dents left out"
    )
    dent_mm: float = Field(
        default=0.0, ge=0, description="depth of a round dent in the middle of each endplate"
    )
    fragment_mm: float = Field(
        default=0.0, ge=0, description="the body's upper back reaches this far into the canal"
    )

    @property
    def fractured(self) -> bool:
        """True if the body has another shape than is usual at its level."""
        new = (self.wedge_deg, self.height_mm)
        return any(value is not None for value in new) or self.dent_mm + self.fragment_mm > 0


class Posture(_Strict):
    """How the vertebrae stand, one number a level, degrees."""

    flexion_deg: tuple[float, ...] = Field(description="top leans to the front: positive")
    bend_deg: tuple[float, ...] = Field(default=(), description="top leans to the left: positive")
    turn_deg: tuple[float, ...] = Field(default=(), description="front turns to the left: positive")


class View(_Strict):
    """What the scan shows."""

    size_mm: tuple[float, float] = Field(
        default=(160.0, 160.0), description="left-right, front-back"
    )
    centre_mm: tuple[float, float] = Field(default=(0.0, 28.0), description="x, y of its middle")
    below_mm: float = Field(default=14.0, description="from the lowest body's centre downwards")
    above_mm: float = Field(default=20.0, description="from the highest body's centre upwards")


class Expectation(_Strict):
    """What a correct program answers."""

    exit: int = 0
    warnings: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    levels: tuple[str, ...] = Field(default=(), description="complete levels in view, head to foot")


class Definition(_Strict):
    """A phantom's parameters; ``name`` is the file's name."""

    name: str
    description: str
    seed: int
    levels: tuple[str, ...] = Field(description="head to foot; S1 stands for the sacrum")
    posture: Posture
    ribs: bool = False
    fused: bool = False
    facet_gap_mm: float = 1.5
    change: dict[str, LevelChange] = {}
    view: View = View()
    cobb: tuple[tuple[str, str], ...] = ()
    prone: bool = Field(default=False, description="scanned lying on the belly")
    table_gap_mm: float = Field(default=2.0, ge=0, description="air between patient and table")
    skin_mm: float = Field(
        default=0.0, ge=0, description="thickness of the skin itself; its outer edge is then exact"
    )
    gown: bool = Field(default=False, description="cloth on the back, partly lifted in folds")
    wire: bool = Field(default=False, description="a metal lead on the skin beside the midline")
    cancellous_hu: float | None = Field(default=None, description="osteoporotic bone: lower")
    expect: Expectation = Expectation()
