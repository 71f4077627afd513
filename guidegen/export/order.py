"""What the engineer asked for, as it came from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Order:
    """One plan to be made.

    Args:
        procedure: ``pedicle-screws``, ...
        source: DICOM folder, zip, DICOM, NIfTI or NRRD file.
        out: The case folder to make.
        levels: ``T10-L2`` or ``L1,L3``.
        side: ``left``, ``right`` or ``both``.
        lowest_level: Name of the lowest complete vertebra in view.
        labels: Label map file.
        label_scheme: ``totalseg-v1``, ``totalseg-v2`` or ``verse``.
        label_names: TOML file with the names of the label values.
        series: UIDs of the series to use; several are put together.
        config: TOML file with settings.
        approach: ``two-sided``, ``one-sided`` or ``extrapedicular``.
        accept_posture: Make a skin template though the patient was not scanned prone.
        axis: ``anatomical`` where a leg is planned on its shafts' axes.
        force: Replace an existing case.
    """

    procedure: str
    source: Path
    out: Path
    levels: str | None = None
    side: str = "both"
    lowest_level: str | None = None
    labels: Path | None = None
    label_scheme: str | None = None
    label_names: Path | None = None
    series: Sequence[str] | None = None
    config: Path | None = None
    approach: str | None = None
    accept_posture: bool = False
    axis: str | None = None
    force: bool = False

    def recorded(self) -> dict[str, Any]:
        """The options that case.toml keeps: those that a plan can be repeated with."""
        kept = {"levels": self.levels, "side": self.side, "lowest_level": self.lowest_level}
        kept |= {"approach": self.approach, "axis": self.axis}
        given = {name: value for name, value in kept.items() if value is not None}
        return given | ({"accept_posture": True} if self.accept_posture else {})
