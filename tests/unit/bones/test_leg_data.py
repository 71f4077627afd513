"""Leg bones in real scans, and in a scan of real surfaces whose truth is known."""

from pathlib import Path

import numpy as np
import pytest

from guidegen.bones.leg import find_legs
from guidegen.bones.leg_surface import extract_leg_bones
from guidegen.ct.reader import read_ct
from guidegen.mesh.sdf import signed_distance
from guidegen.model.bone import Bone
from guidegen.model.leg import Legs
from guidegen.model.volume import CTVolume
from guidegen.phantoms.meshes import MeshBone, load_bones, render_meshes
from guidegen.phantoms.scan import ScanOptions


def _knee(shared_data: Path, name: str) -> tuple[CTVolume, Legs]:
    volume = read_ct(shared_data / "ct" / "ibsi_sts" / name)
    return volume, find_legs(volume)


def test_distal_femur_patella_and_plateau_of_a_real_knee(shared_data: Path) -> None:
    volume, legs = _knee(shared_data, "STS_047")
    assert {"femur_a", "tibia_a", "patella_a"} <= set(legs.names)
    assert legs.bone("femur_a").cut_at == ("above",)
    assert legs.bone("tibia_a").cut_at == ("below",)
    femur, tibia = extract_leg_bones(volume, legs, ("femur_a", "tibia_a"))
    assert 75 < np.ptp(femur.vertices_mm[:, 0]) < 95
    apart = signed_distance(tibia.vertices_mm[::20], femur.vertices_mm, femur.faces)
    assert apart.min() > -0.1
    assert _volume_ml(femur) > 0.9 * _hull_share(femur)


def test_proximal_tibia_and_fibula_of_a_real_knee(shared_data: Path) -> None:
    _, legs = _knee(shared_data, "STS_028")
    assert legs.names == ("femur_a", "tibia_a", "fibula_a")
    assert legs.bone("tibia_a").cut_at == ("below",)
    assert "side" in legs.bone("femur_a").cut_at


def test_a_real_knee_cut_off_on_one_side(shared_data: Path) -> None:
    _, legs = _knee(shared_data, "STS_042")
    assert "side" in legs.bone("femur_a").cut_at
    assert [n.red for n in legs.notices if n.subject == "femur_a"] == [True]


def _volume_ml(bone: Bone) -> float:
    a, b, c = (bone.vertices_mm[bone.faces[:, n]] for n in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6000)


def _hull_share(bone: Bone) -> float:
    """Volume (ml) of a stack of the outlines' boxes, less what boxes hold beyond a bone."""
    z = bone.vertices_mm[:, 2]
    total = 0.0
    for low in np.arange(z.min(), z.max() - 4, 4.0):
        ring = bone.vertices_mm[(z >= low) & (z < low + 4), :2]
        total += float(np.prod(np.ptp(ring, axis=0))) * 4.0
    return 0.6 * total / 1000


@pytest.mark.slow
def test_surfaces_of_a_whole_leg_lie_on_the_truth(shared_data: Path) -> None:
    folder = shared_data / "mesh" / "vsd_z027"
    kinds = ("Femur", "Tibia", "Fibula", "Patella", "Talus")
    truth = {b.name: b for b in load_bones([folder / f"{kind}_L.stl" for kind in kinds])}
    hu, scan = render_meshes(tuple(truth.values()), ScanOptions(1.0, 1.5), seed=3)
    volume = CTVolume(hu, scan.grid())
    legs = find_legs(volume)
    assert legs.names == tuple(f"{kind.lower()}_a" for kind in kinds)
    assert all(bone.complete for bone in legs.bones)
    for bone, kind in zip(extract_leg_bones(volume, legs), kinds, strict=True):
        mean, p95 = _away(bone, truth[f"{kind}_L"])
        assert mean < (0.2 if kind in ("Femur", "Tibia") else 0.35), (kind, mean)
        assert p95 < 1.2, (kind, p95)
        assert _volume_ml(bone) == pytest.approx(truth[f"{kind}_L"].volume_mm3 / 1000, rel=0.03)


def _away(bone: Bone, truth: MeshBone) -> tuple[float, float]:
    away = np.abs(truth.surface.nearest(bone.vertices_mm[::9])[0])
    return float(away.mean()), float(np.percentile(away, 95))
