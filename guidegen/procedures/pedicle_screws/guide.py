"""From an approved plan to one drill guide and one bone model a vertebra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from guidegen.cad.assembly import make_solid
from guidegen.cad.design import make_design
from guidegen.cad.features import contact_area, guide_features
from guidegen.cad.settings import GuideSettings
from guidegen.errors import AnatomyError
from guidegen.model.bone import Bone
from guidegen.model.findings import Finding
from guidegen.model.frames import Pose
from guidegen.model.guide import Guide
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Progress
from guidegen.model.plan import Path, Plan
from guidegen.procedures.labels import label_words
from guidegen.procedures.vertebrae import attempt
from guidegen.workers import side_by_side


class HasGuide(Protocol):
    """Settings of a procedure that makes guides."""

    @property
    def guide(self) -> GuideSettings:
        """The guide's settings."""


def build_guides(
    plan: Plan,
    bones: Sequence[Bone],
    landmarks: Sequence[Landmarks],
    settings: HasGuide,
    progress: Progress,
) -> tuple[Guide | Finding, ...]:
    """Make a bilateral guide and a 1:1 model for every vertebra that has a screw path.

    Args:
        plan: With ``extra["plan_sha256"]`` for the label, if it is known, and
            ``extra["unattended"]`` if nobody approved it by hand.
        bones: Every surface of the case; the others are kept clear of.
        landmarks: One set for each vertebra with a path.
        settings: The procedure's, with ``guide``.
        progress: Told before each vertebra.

    Returns:
        Guide and model of each vertebra, in the order of the bones; instead of a guide that can't
        be made a failed finding with the reason. One vertebra never stops the others.
    """
    frames = {marks.bone: marks.patient_from_bone for marks in landmarks}
    planned = [b for b in bones if any(p.bone == b.name for p in plan.paths)]

    def make(bone: Bone) -> tuple[Guide | Finding, Guide]:
        others = [b for b in bones if b.name != bone.name]
        own = _guide_or_reason(plan, (bone, others), frames.get(bone.name), settings.guide)
        return own, bone_model(bone)

    def starting(n: int) -> None:
        progress(f"guide for {planned[n].name}", n / len(planned))

    return tuple(part for pair in side_by_side(make, planned, starting) for part in pair)


def _guide_or_reason(
    plan: Plan,
    anatomy: tuple[Bone, Sequence[Bone]],
    patient_from_bone: Pose | None,
    settings: GuideSettings,
) -> Guide | Finding:
    """Make one vertebra's guide, or say why it can't be made."""
    name = anatomy[0].name
    paths = [p for p in plan.paths if p.bone == name]

    def make() -> Guide:
        if patient_from_bone is None:
            raise AnatomyError(
                f"a guide for {name} needs the vertebra's landmarks, found none; plan again"
            )
        return build_guide(paths, anatomy, patient_from_bone, label_words(plan, name), settings)

    made = attempt(name, make)
    return not_made(name, made) if isinstance(made, str) else made


def not_made(bone: str, reason: str) -> Finding:
    """The failed finding of a guide that does not exist."""
    definition = "every vertebra with a path gets one guide"
    return Finding("made", f"guides/{bone}.stl", 0.0, 1.0, "equal", "count", definition, reason)


def bone_model(bone: Bone) -> Guide:
    """The vertebra 1:1, to try the guide on before surgery."""
    return Guide(
        name=bone.name,
        role="model",
        vertices_mm=bone.vertices_mm,
        faces=bone.faces,
        bones=(bone.name,),
    )


def build_guide(
    paths: Sequence[Path],
    anatomy: tuple[Bone, Sequence[Bone]],
    patient_from_bone: Pose,
    words: Sequence[str],
    settings: GuideSettings,
) -> Guide:
    """Make one guide.

    Args:
        paths: One or two paths of this vertebra.
        anatomy: The vertebra and every other bone.
        patient_from_bone: The vertebra's frame (x left, y back, z head).
        words: Of the label.
        settings: Sizes.
    """
    design = make_design(paths, anatomy, patient_from_bone, words, settings)
    solid = make_solid(design, settings, anatomy[0].name)
    vertices, faces = solid.arrays()
    frame = design.scene.patient_from_guide
    return Guide(
        name=anatomy[0].name,
        role="guide",
        vertices_mm=frame.points(vertices),
        faces=faces,
        bones=(anatomy[0].name,),
        neighbours=design.scene.names,
        features=guide_features(design, settings, " ".join(words)),
        patient_from_guide=frame,
        insertion_direction=-frame.axes[:, 2],
        fit_gap_mm=settings.fit_gap_mm,
        contact_area_mm2=contact_area(vertices, faces, design.scene.own, settings.fit_gap_mm),
        label=" ".join(words),
    )
