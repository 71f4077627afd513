"""Pins of a cutting guide changed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.model.arrays import Floats
from guidegen.model.notice import Notice
from guidegen.model.plan import Cut, Path
from guidegen.planning.given_pins import (
    GivenPin,
    PinBone,
    block_misfit_mm,
    hold_a_guide,
    measure_pin,
    stand_apart,
)
from guidegen.procedures.bench import Field
from guidegen.procedures.drawn import IN_SET, Drawn, at_length, redrawn
from guidegen.procedures.edits import automatic_path, edited_notice, is_edited, marked

PIN_FURTHER = ("entry_mm", "tip_mm", "automatic", IN_SET)
_SMALL_MM = 1e-3
_BLOCK_MM = 0.05
"""Guides are checked for twice this (engineering choice)."""


class PinMeter:
    """Measures pins on one bone and its cut, each once.

    Args:
        ready: The bone.
        cut: Of the bone.
        settings: Of the guide.
    """

    def __init__(self, ready: PinBone, cut: Cut, settings: KneeGuideSettings) -> None:
        self.cut, self.settings = cut, settings
        self._ready = ready
        self._known: dict[bytes, GivenPin] = {}

    @property
    def bone(self) -> str:
        """Name of the bone."""
        return self._ready.bone.name

    def measure(self, entry_mm: Floats, tip_mm: Floats) -> GivenPin:
        """Measure a pin; see ``measure_pin``."""
        key = np.concatenate([entry_mm, tip_mm]).tobytes()
        if key not in self._known:
            ends = entry_mm, tip_mm
            self._known[key] = measure_pin(self._ready, self.cut, ends, self.settings)
        return self._known[key]


def pin_fields(pin: Path) -> tuple[Field, ...]:
    """What of a pin can be set by a number."""
    return (Field("length_mm", "depth in the bone", "mm", pin.length_mm, 15.0, 90.0, 1.0),)


def changed_pin(pin: Path, wish: Mapping[str, Any], meter: PinMeter) -> Path:
    """Draw a pin anew and measure it.

    One of the parallel pins keeps its direction where only its entry or only its tip is moved: a
    guide needs two that are parallel.

    Raises:
        PlanError: Its line does not meet the bone.
    """
    automatic = automatic_path(pin)
    before = automatic if wish.get("automatic") else pin
    change = _shifted(pin, wish)
    drawn = redrawn(Drawn.of(before or pin), change, None)
    found = meter.measure(drawn.entry_mm, drawn.tip_mm)
    if not wish.get("automatic"):
        drawn = at_length(drawn, found.entry_mm, change, pin_fields(pin))
        found = meter.measure(drawn.entry_mm, drawn.tip_mm)
    new = marked(
        replace(pin, entry_mm=found.entry_mm, tip_mm=drawn.tip_mm, clearance_mm=found.bone_mm), pin
    )
    return new if is_edited(new) or automatic is None else automatic


def _shifted(pin: Path, wish: Mapping[str, Any]) -> Mapping[str, Any]:
    ends = {"entry_mm": pin.entry_mm, "tip_mm": pin.tip_mm}
    given = [name for name in ends if name in wish]
    if pin.extra.get("role") != "parallel" or len(given) != 1:
        return wish
    shift = wish[given[0]] - ends[given[0]]
    moved = {name: end + shift for name, end in ends.items()}
    return {"length_mm": pin.length_mm, **wish, **moved}


def pin_notices(pins: Sequence[Path], meter: PinMeter) -> Iterator[Notice]:
    """What is to be said of the drawn ones among a bone's pins."""
    drawn = [pin for pin in pins if is_edited(pin)]
    for pin in drawn:
        yield edited_notice(pin)
        for code, text in _red(pin, pins, meter):
            yield Notice(code, f"{pin.name.replace('_', ' ')}: {text}", pin.name, red=True)
    if drawn and not hold_a_guide(pins, meter.cut):
        bone = meter.bone
        text = (
            f"{bone.replace('_', ' ')}: a guide needs three pins, two of them parallel to each "
            "other and to the cut and one oblique; as they were drawn they are not: take them "
            "back to the automatic plan or draw two of one direction"
        )
        yield Notice("pins_not_parallel", text, bone, red=True)
    off = block_misfit_mm(pins, meter.cut, meter.settings) if drawn else 0.0
    if off > _BLOCK_MM:
        settings = meter.settings
        text = (
            f"{meter.bone.replace('_', ' ')}: the parallel pins as drawn are {off:.1f} mm off a "
            f"standard block's holes ({settings.pin_spacing_mm:g} mm apart, "
            f"{settings.pin_offset_mm:g} mm from the cut): take them back to the automatic plan"
        )
        yield Notice("pins_unlike_block", text, meter.bone, red=True)


def _red(pin: Path, pins: Sequence[Path], meter: PinMeter) -> Iterator[tuple[str, str]]:
    found, settings = meter.measure(pin.entry_mm, pin.tip_mm), meter.settings
    if found.bone_mm < settings.pin_bone_mm - _SMALL_MM:
        yield (
            "pin_out_of_bone",
            f"{max(found.bone_mm, 0.0):.1f} mm of bone are round it, {settings.pin_bone_mm:g} mm "
            "are asked for: move it",
        )
    if found.cut_mm < settings.pin_clear_mm - _SMALL_MM:
        yield (
            "pin_near_cut",
            f"it comes within {found.cut_mm:.1f} mm of the cut, {settings.pin_clear_mm:g} mm must "
            "stay: move it away from the saw",
        )
    if found.tendon_mm is not None and found.tendon_mm < -_SMALL_MM:
        yield (
            "pin_near_tendon",
            f"its sleeve stands {-found.tendon_mm:.1f} mm over the patellar tendon's edge: move it "
            "to medial",
        )
    if not found.free:
        yield "pin_blocked", "bone stands in the way of its sleeve: move or turn it"
    others = [other for other in pins if other.name != pin.name]
    if not stand_apart(pin, others, settings):
        yield "pins_meet", "it or its sleeve runs into another pin's: move one of them"
