"""What the validation measures on a kyphoplasty's needles, against the phantom in closed form.

Nothing here uses the planner, the found surfaces or landmarks: the bone, the canal, the skin and
each vertebra's frame are the phantom's own functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from guidegen.batch.needle_paths import NeedleRow
from guidegen.batch.needle_paths import needle_row as measured_needle
from guidegen.phantoms.heights import fracture_measures
from tests.validation.cases import Case


def needle_row(case: Case, name: str) -> NeedleRow:
    """Measure a needle that has a skin entry."""
    return measured_needle(case.scene, case.path(name))


def needle_rows(case: Case) -> list[NeedleRow]:
    """Measure all needles of a case."""
    return [needle_row(case, p["name"]) for p in case.plan["paths"] if p["kind"] == "needle"]


@dataclass(frozen=True)
class FractureRow:
    """One fracture measure against its closed form; mm, degrees or a share."""

    name: str
    found: float
    true: float
    note: str

    @property
    def off(self) -> float:
        """Found less true."""
        return self.found - self.true


def fracture_rows(case: Case) -> list[FractureRow]:
    """Compare heights, compression and kyphosis of the chosen levels with the definition."""
    true, found = fracture_measures(case.scene.definition), measured(case)
    return [
        FractureRow(name, item["value"], true[name], item["note"])
        for name, item in found.items()
        if name in true
    ]


def measured(case: Case) -> dict[str, Any]:
    """The plan's measurements by name."""
    return {item["name"]: item for item in case.plan["measurements"]}
