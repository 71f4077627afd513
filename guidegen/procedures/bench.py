"""Measuring a plan anew after somebody changed it by hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from guidegen.errors import PlanError
from guidegen.model.plan import Plan

EDITED = "edited_by_hand"
"""Code of the notice that an item is not as it was planned."""
SWITCHED_OFF = "switched_off"
"""Code in ``skipped`` of a path that somebody left out; ``extra["path"]`` keeps it."""


@dataclass(frozen=True)
class Field:
    """A number of an item that can be set.

    Args:
        name: As in a change, e.g. ``diameter_mm``.
        label: For people.
        unit: ``mm`` or ``deg``.
        value: At present; None where the item has none yet (a pedicle without a path).
        min: Smallest value that is taken.
        max: Largest value that is taken.
        step: Of a spin button.
    """

    name: str
    label: str
    unit: str
    value: float | None
    min: float
    max: float
    step: float


@dataclass(frozen=True)
class Item:
    """A path or a cut that can be changed.

    A path also takes ``entry_mm`` and ``tip_mm`` (LPS), and everything takes ``automatic: true``
    once it was edited.

    Args:
        name: Of the path, of the pedicle without one, or of the cut.
        kind: ``path`` or ``cut``.
        bone: That it stands on.
        fields: Numbers that can be set.
        on: False for a pedicle without a path: ``{"on": true}`` or an entry and a tip give it one.
        can_switch: ``on`` can be set.
        edited: It is not as it was planned.
        waiting: It belongs to a plan before the last change; ``Bench.settle`` makes it anew.
        places: Pedicles that it can be moved to, as (bone, side).
    """

    name: str
    kind: str
    bone: str
    fields: tuple[Field, ...] = ()
    on: bool = True
    can_switch: bool = False
    edited: bool = False
    waiting: bool = False
    places: tuple[tuple[str, str], ...] = ()

    def told(self) -> dict[str, Any]:
        """The item as the page is told of it, in JSON's types."""
        return asdict(self)


class Bench(ABC):
    """A case opened for changes: what is slow is prepared once and kept between them.

    Plans go in and come out, nothing is written. Every number and warning that the planner gives is
    measured anew for what was changed. What the item was automatically stands in its
    ``extra["automatic"]``, and ``extra["edited"]`` is true.
    """

    @abstractmethod
    def items(self, plan: Plan) -> tuple[Item, ...]:
        """List what can be changed, in the plan's order."""

    @abstractmethod
    def changed(self, plan: Plan, item: str, change: Mapping[str, Any]) -> Plan:
        """Change one item and measure it anew.

        Args:
            plan: The plan as it is; not changed itself.
            item: Name of an item.
            change: By name: ``entry_mm``, ``tip_mm`` (three numbers, LPS), the names of the
                item's fields, ``bone`` with ``side``, ``on``, or ``automatic: true``.

        Raises:
            PlanError: It can't be; one sentence says why, and the plan stays as it is.
        """

    def prepare(self, plan: Plan) -> Iterator[str]:
        """Make ready, item by item, what the first change of each would wait for.

        Yields:
            The name of an item that is ready.
        """
        yield from ()

    def settle(self, plan: Plan) -> Plan:
        """Make anew what takes longer than an answer may and still waits; quick if nothing does."""
        return plan


class NoBench(Bench):
    """Of a procedure whose plans can't be changed by hand."""

    def items(self, plan: Plan) -> tuple[Item, ...]:
        """Nothing can be changed."""
        return ()

    def changed(self, plan: Plan, item: str, change: Mapping[str, Any]) -> Plan:
        """Refuse: nothing can be changed."""
        raise PlanError(
            f"plans of {plan.procedure} can't be changed by hand: change the settings and plan the "
            "case again"
        )
