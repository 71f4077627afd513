"""How a plan keeps what was changed by hand, and what it was before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from guidegen.errors import PlanError
from guidegen.export.atomic import plain
from guidegen.export.plan_json import (
    path_from_json,
    path_to_json,
    skipped_from_json,
    skipped_to_json,
)
from guidegen.model.notice import Notice
from guidegen.model.plan import Path, Plan, Skipped
from guidegen.procedures.bench import EDITED, SWITCHED_OFF
from guidegen.procedures.drawn import Drawn

_SAME_MM = 1e-4
_MARKS = ("automatic", "edited")


def site_of(plan: Plan, name: str) -> Path | Skipped:
    """The path of that name, or the pedicle without one.

    Raises:
        PlanError: There is none.
    """
    sites: tuple[Path | Skipped, ...] = (*plan.paths, *plan.skipped)
    for site in sites:
        if site.name == name:
            return site
    names = ", ".join(site.name for site in sites) or "none"
    raise PlanError(f"the plan has no path {name!r:.60}; there are: {names}")


def automatic_of(site: Path | Skipped) -> Mapping[str, Any]:
    """What a site was by the automatic plan, as plan.json has it."""
    kept = site.extra.get("automatic")
    if isinstance(kept, Mapping):
        return kept
    told: Mapping[str, Any]
    told = plain(path_to_json(site) if isinstance(site, Path) else skipped_to_json(site))
    return told


def automatic_path(site: Path | Skipped) -> Path | None:
    """The automatic path of a site; None where it got none."""
    kept = automatic_of(site)
    return None if "code" in kept else path_from_json(kept)


def automatic_skipped(site: Path | Skipped) -> Skipped:
    """The automatic reason why a site got no path."""
    return skipped_from_json(automatic_of(site))


def kept_path(site: Skipped) -> Path | None:
    """The path that was switched off here; None if there was none."""
    kept = site.extra.get("path")
    return path_from_json(kept) if isinstance(kept, Mapping) else None


def marked(path: Path, site: Path | Skipped) -> Path:
    """Note on a path that it was changed by hand; not if it is what was planned."""
    own = {key: value for key, value in path.extra.items() if key not in _MARKS}
    before = automatic_path(site)
    if before is not None and _same(path, before):
        return replace(path, extra=own)
    return replace(path, extra={**own, "edited": True, "automatic": automatic_of(site)})


def _same(one: Path, other: Path) -> bool:
    ends = np.abs([one.entry_mm - other.entry_mm, one.tip_mm - other.tip_mm])
    thick = abs(one.diameter_mm - other.diameter_mm)
    return one.name == other.name and bool(ends.max() < _SAME_MM and thick < _SAME_MM)


def switched_off(path: Path) -> Skipped:
    """A path that somebody left out; it keeps itself."""
    return Skipped(
        path.name,
        path.bone,
        path.side,
        SWITCHED_OFF,
        path.extra.get("half_maximum_corridor_mm", path.corridor_diameter_mm),
        "left out by hand",
        {"edited": True, "automatic": automatic_of(path), "path": plain(path_to_json(path))},
    )


def with_sites(
    plan: Plan, gone: Collection[str], new: Sequence[Path | Skipped], levels: Sequence[str]
) -> Plan:
    """Put sites in place of others; levels from head to foot, left before right, then the rest.

    Args:
        plan: The plan.
        gone: Names of the sites that go, with all that is said of them.
        new: Sites that come.
        levels: Names of the levels from head to foot.
    """
    sites: list[Path | Skipped] = [*plan.paths, *plan.skipped]
    sites = [site for site in sites if site.name not in gone] + list(new)
    order = {name: n for n, name in enumerate(levels)}
    sides = {"left": 0, "right": 1}
    sites.sort(key=lambda s: (s.side not in sides, order.get(s.bone, -1), sides.get(s.side, 2)))
    return replace(
        plan,
        paths=tuple(s for s in sites if isinstance(s, Path)),
        skipped=tuple(s for s in sites if isinstance(s, Skipped)),
        warnings=tuple(notice for notice in plan.warnings if notice.subject not in gone),
    )


def is_edited(site: Any) -> bool:
    """Whether somebody changed a path, a pedicle without one, or a cut."""
    return bool(site.extra.get("edited"))


def edited_notice(site: Path | Skipped) -> Notice:
    """Say that a site is not as it was planned, and how it was."""
    name, before = site.name.replace("_", " "), automatic_path(site)
    had = "no path" if before is None else _words(before)
    if isinstance(site, Skipped):
        text = f"{name}: left out by hand; the automatic plan had {had}"
    elif before is None:
        why = automatic_skipped(site)
        text = f"{name}: planned by hand; the automatic plan had none ({why.message or why.code})"
    else:
        moved = [
            f"{end} moved {np.linalg.norm(a - b):.1f} mm"
            for end, a, b in (
                ("entry", site.entry_mm, before.entry_mm),
                ("tip", site.tip_mm, before.tip_mm),
            )
        ]
        text = f"{name}: changed by hand, {', '.join(moved)}; the automatic plan had {had}"
    return Notice(EDITED, text, site.name)


def _words(path: Path) -> str:
    grade = f", grade {path.grade}" if path.grade else ""
    return f"{path.diameter_mm:.1f} x {path.length_mm:.1f} mm{grade}"


def drawn_again(site: Path | Skipped) -> Drawn | None:
    """The path that a site has or had, to draw it anew; None if it never had one."""
    path = site if isinstance(site, Path) else kept_path(site)
    return None if path is None else Drawn.of(path)
