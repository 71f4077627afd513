"""Which levels of a spine to plan on."""

from __future__ import annotations

from guidegen.errors import AnatomyError
from guidegen.model.level import Spine


def _optional(name: str) -> bool:
    """True for levels that are planned only when asked for by name: the sacrum and the neck."""
    return name == "S1" or name.startswith("C")


def _in_view(spine: Spine) -> str:
    shells = {notice.subject for notice in spine.notices if notice.code == "open_shell"}
    why = dict.fromkeys(shells, " (not solid)")
    return ", ".join(
        level.name + ("" if level.complete else why.get(level.name, " (cut off)"))
        for level in spine.levels
    )


def _index(name: str, spine: Spine) -> int:
    """Find a level by name, upper or lower case."""
    names = [level.name.upper() for level in spine.levels]
    wanted = name.strip().upper()
    if wanted in names:
        return names.index(wanted)
    hint = ""
    if not spine.anchored:
        hint = "; the count is not anchored: name the lowest complete one with --lowest-level"
    raise AnatomyError(
        f"level {name.strip() or '(empty)'} was asked for but is not in view; "
        f"in view: {_in_view(spine)}{hint}"
    )


def _asked(spec: str, spine: Spine) -> list[int]:
    """Expand ``T10-L2`` and ``L1,L3`` to indices, head to foot, each once."""
    chosen: set[int] = set()
    for part in spec.split(","):
        first, dash, last = part.partition("-")
        start = _index(first, spine)
        stop = _index(last, spine) if dash else start
        chosen.update(range(min(start, stop), max(start, stop) + 1))
    return sorted(chosen)


def choose_levels(spec: str | None, spine: Spine) -> tuple[str, ...]:
    """Choose the levels to plan on.

    Args:
        spec: ``T10-L2`` or ``L1,L3`` (or both mixed; case does not matter); None for every
            complete vertebra in view but S1 and the neck's, which are planned only when named.
        spine: Levels in view.

    Returns:
        Names from head to foot.

    Raises:
        AnatomyError: A level is not in view, is cut off or not solid, or none is complete.
    """
    if spec is None:
        whole = [v.name for v in spine.levels if v.complete and not _optional(v.name)]
        if not whole:
            raise AnatomyError(
                f"no complete vertebra is in view (in view: {_in_view(spine) or 'none'}): "
                "a scan of the spine with whole vertebrae in view is needed"
            )
        return tuple(whole)
    chosen = [spine.levels[n] for n in _asked(spec, spine)]
    cut = [level.name for level in chosen if not level.complete]
    shells = [n for n in spine.notices if n.code == "open_shell" and n.subject in cut]
    if shells:
        raise AnatomyError(shells[0].message)
    if cut:
        raise AnatomyError(
            f"{', '.join(cut)} was asked for but is cut off by the field of view; "
            f"in view: {_in_view(spine)}; choose complete levels with --levels"
        )
    return tuple(level.name for level in chosen)
