"""Phantoms of legs: where their bones lie, what their truth says, how they are written."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pydantic import ValidationError

from guidegen.errors import InputError
from guidegen.model.arrays import unit
from guidegen.phantoms.catalog import load_definition, phantom_names, spine_definition
from guidegen.phantoms.leg import PosedLeg, moved
from guidegen.phantoms.leg_bones import leg_solids
from guidegen.phantoms.leg_definition import LegsDefinition, LegShape, LegsView
from guidegen.phantoms.leg_render import NOTHING_HU, legs_volume
from guidegen.phantoms.leg_truth import legs_truth, measurements, posed_legs
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.write import write_phantom

LEGS = [name for name in phantom_names() if name.startswith("leg_")]
WANTED = {"straight", "varus", "valgus", "touching", "turned", "blocks", "series", "hipless"}
COARSE = ScanOptions(spacing_mm=3.0, slice_mm=4.0, noise_hu=0.0)
BENT = {"varus_deg": 4.0, "flexion_deg": 20.0}


def one(side: str = "right", **changes) -> LegsDefinition:
    """A phantom of one leg."""
    return LegsDefinition(name="one", description="", seed=1, **{side: LegShape(**changes)})


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(unit(a, "a") @ unit(b, "b"), -1.0, 1.0))))


def gap_mm(leg: PosedLeg, x_mm: tuple[float, float]) -> float:
    """Narrowest way between femur and tibia along the tibia, over a stretch across the knee."""
    across, along = np.meshgrid(np.arange(*x_mm, 0.5), np.arange(-16.0, 16.0, 0.5))
    top = -leg.tibia.medial_mm if x_mm[0] > 0 else -leg.tibia.lateral_mm
    plateau = np.stack([across.ravel(), along.ravel(), np.full(across.size, top)], axis=1)
    rise = np.arange(-4.0, 12.0, 0.05)
    least = np.inf
    for height in rise:
        points = moved(leg.femur_from_tibia, plateau + np.array([0.0, 0.0, height]))
        if (leg.femur.distance(np.ascontiguousarray(points.T)) < 0).any():
            least = min(least, float(height))
    return least


def test_the_wanted_legs_are_there_and_load():
    assert {name.removeprefix("leg_") for name in LEGS} >= WANTED
    for name in LEGS:
        found = load_definition(name)
        assert isinstance(found, LegsDefinition)
        assert legs_truth(found)["measurements"]


def test_legs_are_no_spine():
    with pytest.raises(InputError, match="one of legs"):
        spine_definition("leg_varus")


def test_a_definition_without_a_leg_or_with_a_wrong_word_is_refused():
    with pytest.raises(ValidationError, match="at least one"):
        LegsDefinition(name="none", description="", seed=1)
    with pytest.raises(ValidationError, match="varus"):
        one(varus=3)


@pytest.mark.parametrize("varus", [-7.0, 0.0, 8.0])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_straight_leg_has_the_angle_it_is_made_with(varus, side):
    (leg,) = posed_legs(one(side, varus_deg=varus, flexion_deg=0.0)).values()
    found = measurements(leg)
    assert found["HKA"] == pytest.approx(180.0 - varus, abs=1e-9)
    assert found["knee_flexion"] == pytest.approx(0.0, abs=1e-9)
    axes = [leg.patient_from_femur[:3, 2], leg.patient_from_tibia[:3, 2]]
    assert angle_deg(*axes) == pytest.approx(abs(varus), abs=1e-6)


def test_a_varus_knee_lies_outside_of_the_line_from_hip_to_ankle():
    for side, outwards in (("left", 1.0), ("right", -1.0)):
        (leg,) = posed_legs(one(side, varus_deg=8.0)).values()
        hip, knee = (leg.patient_from_femur @ p for p in ((0, 0, 420, 1), (0, 0, 0, 1)))
        ankle = leg.patient_from_tibia @ (0, 0, -360, 1)
        share = (hip[2] - knee[2]) / (hip[2] - ankle[2])
        assert (knee[0] - (hip + share * (ankle - hip))[0]) * outwards > 20.0


def test_the_knee_bends_to_the_back_and_about_its_hinge():
    straight, bent = (
        posed_legs(one(varus_deg=4.0, flexion_deg=angle))["right"] for angle in (0, 20)
    )
    assert measurements(bent)["knee_flexion"] == pytest.approx(20.0, abs=1e-9)
    foot = (0.0, 0.0, -360.0)
    ankles = [moved(leg.femur_from_tibia, foot) for leg in (straight, bent)]
    assert ankles[1][1] - ankles[0][1] > 100.0
    flat = unit(straight.hinge * (1.0, 1.0, 0.0), "hinge")
    slants = [float(leg.femur_from_tibia[:3, 2] @ flat) for leg in (straight, bent)]
    assert slants[0] == pytest.approx(slants[1], abs=1e-9)


@pytest.mark.parametrize("medial,lateral", [(4.0, 4.5), (2.0, 6.0), (-0.4, 5.5)])
def test_joint_spaces_are_as_defined(medial, lateral):
    own = {"medial_gap_mm": medial, "lateral_gap_mm": lateral, "varus_deg": 5.0}
    leg = posed_legs(one(flexion_deg=0.0, **own))["right"]
    assert gap_mm(leg, (16.0, 32.0)) == pytest.approx(medial, abs=0.35)
    assert gap_mm(leg, (-32.0, -16.0)) == pytest.approx(lateral, abs=0.35)


def test_the_narrower_joint_space_stays_when_the_knee_bends():
    leg = posed_legs(one(medial_gap_mm=2.0, lateral_gap_mm=4.0, **BENT))["right"]
    assert gap_mm(leg, (16.0, 32.0)) == pytest.approx(2.0, abs=0.6)


def test_mirrored_legs_are_mirrored():
    shape = LegShape(varus_deg=5.0, turned_deg=(10.0, -5.0, 15.0), out_deg=20.0)
    known = LegsDefinition(name="m", description="", seed=1, right=shape)
    here, there = (legs_truth(d) for d in (known, known.mirrored()))
    for bone in ("femur", "tibia"):
        one_side = here["landmarks"]["bones"][f"{bone}_right"]
        other = there["landmarks"]["bones"][f"{bone}_left"]
        assert set(one_side) == set(other)
        for name, mark in one_side.items():
            flipped = np.array(mark["position_mm"]) * (-1.0, 1.0, 1.0)
            assert np.allclose(flipped, other[name]["position_mm"], atol=1e-3), name
    for name, value in here["measurements"].items():
        assert there["measurements"][name.replace("right", "left")] == pytest.approx(value)


def test_a_mirrored_scan_is_the_mirror_image():
    known = LegsDefinition(
        name="m",
        description="",
        seed=1,
        right=LegShape(varus_deg=5.0),
        view=LegsView(spans_mm=((-60.0, 60.0),)),
    )
    here, there = (legs_volume(d, COARSE) for d in (known, known.mirrored()))
    off = np.abs(here.hu.astype(float) - there.hu[:, :, ::-1])
    assert (off > 2).mean() < 1e-3
    assert not np.allclose(here.hu, there.hu, atol=100)


def test_left_and_right_of_one_scan_are_not_alike():
    found = legs_truth(load_definition("leg_varus"))["measurements"]
    assert found["HKA_left"] == pytest.approx(172.0, abs=0.1)
    assert found["HKA_right"] == pytest.approx(181.0, abs=0.1)


@pytest.mark.parametrize("turned", [(20.0, 0, 0), (0, 20.0, 0), (0, 0, 20.0)])
def test_truth_turns_with_the_leg(turned):
    plain, other = (
        posed_legs(one(varus_deg=3.0, turned_deg=t))["right"] for t in ((0, 0, 0), turned)
    )
    a, b = measurements(plain), measurements(other)
    assert a == pytest.approx(b, abs=1e-9)
    n = next(k for k in range(3) if turned[k])
    axes = [leg.patient_from_femur[:3, (n + 1) % 3] for leg in (plain, other)]
    assert angle_deg(*axes) > 15.0
    for bone in ("femur", "tibia"):
        rigid = other.place(bone) @ np.linalg.inv(plain.place(bone))
        femur = other.patient_from_femur @ np.linalg.inv(plain.patient_from_femur)
        assert np.allclose(rigid, femur, atol=1e-9)


def test_femur_and_tibia_are_clear_of_all_bones_round_them():
    leg = posed_legs(one(varus_deg=6.0))["right"]
    solids = {s.name.removesuffix("_right"): s for s in leg_solids(leg)}
    for name, other, least in (
        ("fibula", "tibia", 1.3),
        ("patella", "femur", 2.5),
        ("talus", "tibia", 2.0),
        ("talus", "fibula", 2.0),
        ("calcaneus", "talus", 2.0),
        ("pelvis", "femur", 3.0),
    ):
        low, high = solids[name].corners_mm.min(axis=0), solids[name].corners_mm.max(axis=0)
        axes = [np.arange(a, b, 2.0) for a, b in zip(low, high, strict=True)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1).astype(np.float32)
        inside = solids[name].measure(grid)[0] < 0
        assert inside.sum() > 200, name
        away = solids[other].measure(np.ascontiguousarray(grid[:, inside]))[0]
        assert away.min() > least, (name, other)


def test_blocks_leave_gaps_of_nothing():
    known = load_definition("leg_blocks")
    hu = legs_volume(known, COARSE).hu
    empty = np.array([bool((piece == NOTHING_HU).all()) for piece in hu])
    steps = np.flatnonzero(np.diff(empty.astype(int)))
    assert len(steps) == 4
    gaps = np.diff(steps)[[0, 2]] * COARSE.slice_mm
    wanted = [
        b[0] - a[1] for a, b in zip(known.view.spans_mm, known.view.spans_mm[1:], strict=False)
    ]
    assert np.allclose(gaps, wanted, atol=2 * COARSE.slice_mm)


def test_what_is_out_of_view_has_no_landmark():
    truth = legs_truth(load_definition("leg_hipless"))
    assert "femoral_head_centre" not in truth["landmarks"]["bones"]["femur_left"]
    assert "knee_centre" in truth["landmarks"]["bones"]["femur_left"]
    assert truth["expect"]["anatomical_warnings"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The knees alone, as two blocks of one series and as two series."""
    root = tmp_path_factory.mktemp("legs")
    view = LegsView(spans_mm=((-60.0, -20.0), (10.0, 60.0)))
    known = one(varus_deg=5.0).model_copy(update={"view": view})
    apart = known.model_copy(update={"view": replace_view(view)})
    return write_phantom(known, root / "a", COARSE), write_phantom(apart, root / "b", COARSE)


def replace_view(view: LegsView) -> LegsView:
    return view.model_copy(update={"series": True})


def headers(folder):
    return [pydicom.dcmread(p, stop_before_pixels=True) for p in sorted(folder.rglob("*.dcm"))]


def test_blocks_are_one_series_and_numbered_through(written):
    found = headers(written[0])
    assert len({h.SeriesInstanceUID for h in found}) == 1
    assert len({h.SOPInstanceUID for h in found}) == len(found)
    assert [h.InstanceNumber for h in found] == list(range(1, len(found) + 1))
    heights = np.array([float(h.ImagePositionPatient[2]) for h in found])
    steps = np.diff(heights)
    assert (np.abs(steps - COARSE.slice_mm) > 0.01).sum() == 1
    assert (steps / COARSE.slice_mm) == pytest.approx(np.round(steps / COARSE.slice_mm), abs=1e-3)
    assert {h.BodyPartExamined for h in found} == {"LEG"}


def test_series_share_frame_and_study(written):
    found = headers(written[1])
    assert len({h.SeriesInstanceUID for h in found}) == 2
    assert len({h.SOPInstanceUID for h in found}) == len(found)
    assert len({h.FrameOfReferenceUID for h in found}) == 1
    assert len({h.StudyInstanceUID for h in found}) == 1


def test_the_same_definition_gives_the_same_bytes(written, tmp_path):
    again = write_phantom(
        one(varus_deg=5.0).model_copy(
            update={"view": LegsView(spans_mm=((-60.0, -20.0), (10.0, 60.0)))}
        ),
        tmp_path / "again",
        replace(COARSE),
    )
    for path in sorted(written[0].glob("*.dcm")):
        assert path.read_bytes() == (again / path.name).read_bytes()
    truths = [json.loads((d / "truth.json").read_text()) for d in (written[0], again)]
    assert truths[0] == truths[1]
    assert truths[0]["schema"] == "guidegen.truth/1"


def test_metal_is_brighter_than_bone():
    view = LegsView(spans_mm=((-60.0, 40.0),))
    fine = ScanOptions(spacing_mm=2.0, slice_mm=2.0, noise_hu=0.0)
    plain, metal = (
        legs_volume(one(metal=m).model_copy(update={"view": view}), fine) for m in ((), ("knee",))
    )
    assert (metal.hu > 2500).sum() * 8 / 1000 > 5.0
    assert not (plain.hu > 2500).any()
