"""Thin places: filled where they can be, left to the check of the walls where they can't."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.cad import mending
from guidegen.cad.body import main_body
from guidegen.cad.mending import mended
from guidegen.cad.parts import carve, empty, join, slab
from guidegen.cad.settings import GuideSettings
from guidegen.checks.part import label_patch
from guidegen.checks.printable import check_printable
from guidegen.mesh import wall
from guidegen.mesh.grid import Lattice
from guidegen.mesh.solid import Solid
from guidegen.mesh.wall import thin_walls, thinnest_wall
from guidegen.model.notice import silent
from guidegen.procedures.pedicle_screws.guide import build_guides

from .conftest import Settings, make_patient

LEAST_MM = 2.0
LATTICE = Lattice.around((-10, -6, -6), (10, 6, 6), 0.4)
BLOCKS = [slab(np.array([s * 5.0, 0, 0]), np.eye(3), np.array([4.0, 5, 5]), 1.0) for s in (-1, 1)]


def wall_of(vertices, faces, patches=()):
    """The printable check's own finding, as on a file that is read back."""
    found = check_printable(vertices, faces, "part.stl", LEAST_MM, label_patches=patches)
    return next(f for f in found if f.code == "min_wall")


def neck(thick_mm):
    """Two blocks 2 mm apart, joined by a flat bar 3 mm wide."""
    bar = slab(np.zeros(3), np.eye(3), np.array([3.0, 1.5, thick_mm / 2]), 0.0)
    return join(LATTICE, empty(LATTICE), [*BLOCKS, bar], 0.0)


def carver(calls, away=()):
    def carved(outer):
        calls.append(outer)
        return main_body(LATTICE, carve(LATTICE, outer, away), "part")

    return carved


def test_a_thin_neck_is_filled():
    calls, outer = [], neck(1.4)
    assert not wall_of(*carver([])(outer).arrays()).passed
    whole = mended(LATTICE, outer, carver(calls), LEAST_MM)
    assert wall_of(*whole.arrays()).passed
    assert len(calls) == 2 and len(whole.bodies()) == 1


def test_what_the_coarse_look_misses_is_filled_where_it_is_judged_closely(monkeypatch):
    """A neck whose thin place lies between the coarse samples is seen by the close ones."""
    calls, outer = [], neck(1.7)
    seen = thin_walls(*carver([])(outer).arrays(), (), LEAST_MM + mending._CLOSE_SPARE_MM)
    assert len(seen)
    monkeypatch.setattr(mending, "_SPARE_MM", -1.0)  # the coarse look sees nothing
    coarse = mending.thinnest_wall

    def blind(*given):
        found = coarse(*given)
        return replace(found, thickness_mm=9.0)

    monkeypatch.setattr(mending, "thinnest_wall", blind)
    assert mended(LATTICE, outer, carver(calls), LEAST_MM) and len(calls) == 1
    body = mended(LATTICE, outer, carver(calls), LEAST_MM, texts=())
    assert len(calls) > 2 and wall_of(*body.arrays()).passed
    assert not len(thin_walls(*body.arrays(), (), LEAST_MM + mending._CLOSE_SPARE_MM))


@pytest.mark.parametrize("shift", np.linspace(0.0, 1.25, 6))
def test_the_close_look_sees_what_the_check_sees(shift, monkeypatch):
    """Two pits in a thick part, which the first samples may step over."""
    monkeypatch.setattr(wall, "SPACING_MM", 1.2)
    corners = np.array([[x, y, z] for x in (-8.0, 8.0) for y in (-6.0, 6.0) for z in (-1, 1)])
    corners[:, 2] *= np.where(corners[:, 0] < 0, 1.8, 2.4)
    high = 1.94 + (2 + shift) * 0.6 / 16
    pits = [Solid.ball(np.array([shift - 6, 0.1, side * high]), 0.9) for side in (-1, 1)]
    mesh = Solid.hull(corners).minus(pits, "part").arrays()
    thinnest = thinnest_wall(*mesh, spacing_mm=1.2).thickness_mm
    assert len(thin_walls(*mesh, (), thinnest + 0.05))
    assert not len(thin_walls(*mesh, (), thinnest - 0.05))


def test_what_is_thick_enough_is_carved_once():
    calls = []
    body = mended(LATTICE, neck(2.6), carver(calls), LEAST_MM)
    assert len(calls) == 1
    assert wall_of(*body.arrays()).passed


def test_what_is_known_already_is_not_carved_nor_looked_at_again():
    calls, outer = [], neck(1.4)
    body = carver([])(neck(2.6))
    whole = mended(LATTICE, outer, carver(calls), LEAST_MM, start=(body, np.empty((0, 3))))
    assert whole is body and calls == []
    body = carver([])(outer)
    thin = mending.thin_spots(body, LEAST_MM, None)
    whole = mended(LATTICE, outer, carver(calls), LEAST_MM, start=(body, thin))
    assert len(calls) == 1 and wall_of(*whole.arrays()).passed


def test_where_the_fill_is_cut_away_again_the_body_stays_thin():
    calls = []
    over = [slab(np.array([0, 0, z]), np.eye(3), np.array([0.9, 5, 2.0]), 0.0) for z in (-2.7, 2.7)]
    body = mended(LATTICE, neck(1.4), carver(calls, over), LEAST_MM)
    assert len(calls) == 4 and len(body.bodies()) == 1
    wall = wall_of(*body.arrays())
    assert not wall.passed and 1.2 < wall.value < 1.6


def walls(patient, monkeypatch, **sizes):
    """A whole guide's wall as made and without mending, and how often a thin place was filled."""
    found, filled, find = [], [], mending.thin_spots

    def told(body, least_mm, texts):
        filled.append(find(body, least_mm, texts))
        return filled[-1]

    monkeypatch.setattr(mending, "thin_spots", told)
    settings = Settings(GuideSettings(window_width_mm=2.0, body_thickness_mm=3.5, **sizes))
    for n_mends in (mending._MENDS, 0):
        monkeypatch.setattr(mending, "_MENDS", n_mends)
        guide, _ = build_guides(patient.plan, patient.bones, (patient.landmarks,), settings, silent)
        labels = tuple(label_patch(f) for f in guide.features if f.kind == "label")
        found.append(wall_of(guide.vertices_mm, guide.faces, labels))
    return *found, sum(len(places) > 0 for places in filled)


# The sizes below are such that the lips of a window come out thin: a coarse grid, a thin sleeve.
# If a change of the parts makes them thick, look for other sizes: without one the loop is unproved.


def test_a_guide_that_comes_out_thin_is_mended(mesh, monkeypatch):
    patient = make_patient(mesh, (-14.0, 10.0, 6.0))
    wall, bare, n_filled = walls(patient, monkeypatch, grid_mm=0.6, sleeve_outer_mm=8.0)
    assert not bare.passed
    assert wall.passed and n_filled == 2


def test_a_guide_that_can_not_be_mended_fails_its_walls(mesh, monkeypatch):
    patient = make_patient(mesh, (-23.0, -22.0, -25.0))
    sizes = {"grid_mm": 0.6, "sleeve_outer_mm": 8.2, "contact_radius_mm": 2.5}
    wall, bare, n_filled = walls(patient, monkeypatch, **sizes)
    assert n_filled == 3
    assert not wall.passed and not bare.passed
