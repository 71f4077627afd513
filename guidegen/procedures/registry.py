"""The procedures there are: one line each."""

from __future__ import annotations

from typing import Any

from guidegen.procedures.contract import Procedure
from guidegen.procedures.knee import Knee
from guidegen.procedures.kyphoplasty import Kyphoplasty
from guidegen.procedures.pedicle_screws import PedicleScrews

PROCEDURES: dict[str, Procedure[Any]] = {
    PedicleScrews.name: PedicleScrews(),
    Kyphoplasty.name: Kyphoplasty(),
    Knee.name: Knee(),
}
