"""Closed surfaces of a leg's bones."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from guidegen.bones.surface import Known, bone_surface
from guidegen.bones.threshold import cortical_hu
from guidegen.errors import AnatomyError
from guidegen.model.bone import Bone
from guidegen.model.leg import LegBone, Legs
from guidegen.model.notice import Progress, silent
from guidegen.model.volume import CTVolume
from guidegen.workers import side_by_side

SURE_MM, SURE_VOXELS = 1.0, 0.7
"""So deep inside its label all is bone, in mm and in the finest voxel size, however thick the
slices are: labels of legs are filled to their walls and smooth. Deeper, thin cortex over dark
marrow tears; less deep, the label shows in the surface (engineering choice, least error of
phantoms with voxels of 0.8 to 1.5 mm)."""


def extract_leg_bones(
    volume: CTVolume,
    legs: Legs,
    names: tuple[str, ...] | None = None,
    progress: Progress = silent,
) -> tuple[Bone, ...]:
    """Make one closed, solid surface a bone; the marrow is filled, that of the shaft too.

    Args:
        volume: The CT that the labels were made on.
        legs: Labels and bones.
        names: Which bones; None for all.
        progress: Told the share done.

    Returns:
        In the order of ``legs.bones``. A bone of which two blocks of slices show parts is two.

    Raises:
        AnatomyError: A name is not among the legs' bones.
    """
    for name in names or ():
        legs.bone(name)
    wanted = [bone for bone in legs.bones if names is None or bone.name in names]
    labels = legs.labels
    values = {name: value for value, name in labels.names.items()}
    boxes = ndimage.find_objects(labels.labels, max_label=max(values.values(), default=0))
    start = np.rint(volume.grid.kji(labels.grid.patient((0, 0, 0)))).astype(int)
    part = volume.crop(start, start + np.array(labels.grid.shape_kji))
    same = part.grid.same_as(labels.grid)
    named = (labels.labels > 0) & (labels.labels <= len(legs.bones)) if same else None
    sure = SURE_MM + SURE_VOXELS * float(volume.grid.spacing_kji_mm.min())
    known = Known(None if named is None else cortical_hu(part.hu, named), sure)

    def make(bone: LegBone) -> Bone:
        box = boxes[values[bone.name] - 1]
        if box is None:
            raise AnatomyError(f"{bone.name} has no voxels in the label map: find the legs again")
        whole = part if same else volume
        return bone_surface(whole, labels, values[bone.name], box, bone.complete, known)

    def starting(n: int) -> None:
        progress(f"surface of {wanted[n].name}", n / len(wanted))

    return tuple(side_by_side(make, wanted, starting))
