"""The bones of one or two legs, before surfaces are made and sides are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats, frozen_floats
from guidegen.model.level import Level
from guidegen.model.notice import Notice
from guidegen.model.volume import LabelMap

LEG_BONES = ("femur", "tibia", "fibula", "patella", "talus")
OTHER_BONE = "other_bone"
"""Name of the label of bones that are no leg's, or not told apart: neighbours to keep off."""


@dataclass(frozen=True)
class LegBone:
    """One bone of a leg, or what one block of slices shows of it.

    Args:
        name: ``femur_a``, ``patella_b``, ...; ``femur_a_proximal`` and ``tibia_a_distal`` are the
            parts at hip and ankle where slices are missing between them and the knee.
        cut_at: Where the scan cuts it off: ``above`` and ``below`` are its ends (of the block too),
            ``side`` is the field of view's side, where no end belongs.
    """

    name: str
    cut_at: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """True if the whole bone is in view in one piece."""
        return not self.cut_at

    @property
    def kind(self) -> str:
        """``femur``, ``tibia``, ..."""
        return self.name.split("_")[0]

    @property
    def leg(self) -> str:
        """``a`` or ``b``, or after renaming ``left`` or ``right``."""
        return self.name.split("_")[1]


@dataclass(frozen=True, eq=False)
class Legs:
    """What was found of the legs in a scan.

    Args:
        labels: A label a bone, on the CT's grid or a crop of it; all other bone has the name
            ``other_bone``.
        bones: In the labels' order, leg by leg.
        knees_mm: Leg to a point (3,) between femur and tibia, LPS; legs without a knee in view
            are absent.
        notices: Warnings of the search.
    """

    labels: LabelMap
    bones: tuple[LegBone, ...]
    knees_mm: Mapping[str, Floats]
    notices: tuple[Notice, ...] = ()

    def __post_init__(self) -> None:
        known = set(self.labels.names.values())
        missing = [bone.name for bone in self.bones if bone.name not in known]
        if missing:
            raise AnatomyError(f"{missing[0]} has no label in the label map")
        points = {leg: frozen_floats(p, (3,), "knee") for leg, p in self.knees_mm.items()}
        object.__setattr__(self, "knees_mm", points)

    @property
    def levels(self) -> tuple[Level, ...]:
        """Legs have none."""
        return ()

    @property
    def anchored(self) -> bool:
        """True: sides come from shape, and nothing is counted."""
        return True

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all bones found."""
        return tuple(bone.name for bone in self.bones)

    def bone(self, name: str) -> LegBone:
        """The bone of that name.

        Raises:
            AnatomyError: It is not in view.
        """
        for bone in self.bones:
            if bone.name == name:
                return bone
        raise AnatomyError(f"{name} is not in the scan; in view: {', '.join(self.names) or 'none'}")

    def renamed(self, sides: Mapping[str, str]) -> Legs:
        """Give legs other names: ``{"a": "left"}`` makes ``femur_left`` of ``femur_a``.

        Raises:
            AnatomyError: Two legs would have one name.
        """
        legs = sorted({bone.leg for bone in self.bones} | set(self.knees_mm))
        new = [sides.get(leg, leg) for leg in legs]
        if len(set(new)) < len(new):
            raise AnatomyError(
                f"legs {' and '.join(legs)} should get different names, got {new[0]} for both: the "
                "sides found from their shapes are wrong, or the scan shows one side twice"
            )

        def name(old: str) -> str:
            kind, *rest = old.split("_")
            if kind not in LEG_BONES or not rest:
                return old
            return "_".join([kind, sides.get(rest[0], rest[0]), *rest[1:]])

        names = {value: name(old) for value, old in self.labels.names.items()}
        return Legs(
            replace(self.labels, names=names),
            tuple(replace(bone, name=name(bone.name)) for bone in self.bones),
            {sides.get(leg, leg): point for leg, point in self.knees_mm.items()},
            tuple(
                replace(n, subject=name(n.subject), message=_said(n.message, n.subject, name))
                for n in self.notices
            ),
        )


def _said(message: str, subject: str, name: Callable[[str], str]) -> str:
    """The message with its subject's new name."""
    return message.replace(subject, name(subject)) if subject else message
