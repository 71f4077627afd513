"""What the TOML file of a phantom of legs says."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from guidegen.phantoms.definition import Expectation


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LegShape(_Strict):
    """One leg: its bones, how they stand to each other, and how it lies; mm and degrees."""

    femur_mm: float = Field(
        default=420.0, gt=200, lt=700, description="head's centre to knee's centre"
    )
    head_mm: float = Field(default=24.0, gt=15, description="radius of the femoral head")
    shaft_deg: float = Field(default=6.0, description="femoral shaft to mechanical axis")
    medial_condyle_mm: float = Field(default=15.0, description="below the knee's centre")
    lateral_condyle_mm: float = Field(default=12.5, description="below the knee's centre")
    epicondyles_deg: float = Field(
        default=4.0, description="epicondyles turned out against the posterior condyles"
    )
    tibia_mm: float = Field(
        default=360.0, gt=150, lt=700, description="plateaus' centre to plafond"
    )
    lateral_plateau_mm: float = Field(
        default=3.0, description="below the plateaus' centre; the medial one follows"
    )
    varus_deg: float = Field(default=0.0, description="180 less HKA; valgus is negative")
    medial_gap_mm: float = Field(default=4.0, description="joint space of the straight knee")
    lateral_gap_mm: float = Field(default=4.5, description="joint space of the straight knee")
    flexion_deg: float = Field(
        default=5.0, ge=0, lt=60, description="of the knee, about the epicondylar axis"
    )
    aside_mm: float = Field(default=0.0, description="the tibia stands so far to lateral")
    lean_deg: float = Field(default=3.0, description="the thigh's mechanical axis, to the midline")
    out_deg: float = Field(default=8.0, description="the foot turned out")
    turned_deg: tuple[float, float, float] = Field(
        default=(0.0, 0.0, 0.0), description="the whole leg about the patient's x, y and z"
    )
    metal: tuple[Literal["hip_stem", "knee"], ...] = Field(default=(), description="implants")


class LegsView(_Strict):
    """What the scan shows."""

    spans_mm: tuple[tuple[float, float], ...] = Field(
        default=(), description="heights over the knees, from foot to head; none shows all"
    )
    series: bool = Field(default=False, description="each span is a series of its own")
    margin_mm: float = Field(
        default=62.0, ge=0, le=300, description="round the bones, left-right, front-back"
    )


class LegsExpectation(Expectation):
    """What a correct program answers of legs."""

    anatomical_warnings: tuple[str, ...] = Field(
        default=(), description="with --axis anatomical; none where it changes nothing"
    )


class LegsDefinition(_Strict):
    """A phantom of one leg or two; ``name`` is the file's name."""

    kind: Literal["legs"] = "legs"
    name: str
    description: str
    seed: int = Field(ge=0)
    left: LegShape | None = None
    right: LegShape | None = None
    view: LegsView = LegsView()
    cancellous_hu: float = Field(default=250.0, description="between cortex and marrow")
    expect: LegsExpectation = LegsExpectation()

    @model_validator(mode="after")
    def _has_a_leg(self) -> LegsDefinition:
        if self.left is None and self.right is None:
            raise ValueError("a phantom of legs has at least one of [left] and [right]")
        return self

    @property
    def prone(self) -> bool:
        """Legs are scanned lying on the back."""
        return False

    @property
    def legs(self) -> dict[str, LegShape]:
        """Side to leg, those that there are."""
        both = {"left": self.left, "right": self.right}
        return {side: leg for side, leg in both.items() if leg is not None}

    def mirrored(self) -> LegsDefinition:
        """The same legs, left and right swapped."""
        return self.model_copy(update={"left": self.right, "right": self.left})
