"""What every search for bones hands on, whatever it looked for."""

from __future__ import annotations

from typing import Protocol

from guidegen.model.level import Level
from guidegen.model.notice import Notice
from guidegen.model.volume import LabelMap


class Segmentation(Protocol):
    """Labelled bones in a scan: a ``Spine``, or ``Legs``."""

    @property
    def labels(self) -> LabelMap:
        """A label a bone, on the CT's grid or a crop of it."""

    @property
    def levels(self) -> tuple[Level, ...]:
        """Of a spine, from head to foot; none of legs."""

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Warnings of the search."""

    @property
    def anchored(self) -> bool:
        """True if the bones' names are certain."""
