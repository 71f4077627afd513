"""How far a plan is from the truth of its phantom, and how far it may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from guidegen.batch.knee_errors import knee_errors
from guidegen.batch.limits import LIMITS, Error, Told, made, number
from guidegen.batch.spine_errors import spine_errors
from guidegen.phantoms.recipe import Recipe

__all__ = ["LIMITS", "Error", "errors_of"]
_PREFIXES = ("cobb", "height", "compression", "local_kyphosis", "HKA", "FTA")


def errors_of(
    plan: Told, landmarks: Told, truth: Told, recipe: Recipe | None = None
) -> tuple[Error, ...]:
    """Compare a plan with what is known of its phantom.

    Args:
        plan: plan.json.
        landmarks: landmarks.json.
        truth: truth.json. It may hold limits of its own (``expect.limits``).
        recipe: The case's definition, with which paths and cuts are measured on the phantom's own
            functions too; None leaves it at what truth.json says.

    Returns:
        All that can be compared; nothing where there is no plan.
    """
    if not plan:
        return ()
    found = list(_all(plan, landmarks, truth, recipe))
    own = truth.get("expect", {}).get("limits", {})
    return tuple(replace(e, limit=own[e.quantity]) if e.quantity in own else e for e in found)


def _all(plan: Told, landmarks: Told, truth: Told, recipe: Recipe | None) -> Iterator[Error]:
    yield from _measured(plan, truth)
    if plan["procedure"] == "knee":
        yield from knee_errors(plan, landmarks, truth, recipe)
    else:
        yield from spine_errors(plan, landmarks, truth, recipe)


def _measured(plan: Told, truth: Told) -> Iterator[Error]:
    """Compare the plan's measurements with the truth's of the same name."""
    true = truth.get("measurements", {})
    for item in plan.get("measurements", ()):
        name = item["name"]
        kind = next((p for p in _PREFIXES if name.startswith(p + "_")), None)
        if kind is not None and name in true:
            yield made(kind, name, number(item.get("value")) - true[name])
