"""Needles beside the pedicle and the lung: seen from the bone to the skin, and out of view."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.model.plan import Path, Skipped
from guidegen.model.volume import CTVolume, Grid
from guidegen.procedures.kyphoplasty.extrapedicular import past_the_lung

from .test_kyphoplasty import needle

LUNG_HU = -400.0


def scan(lung_at=None, cut_mm=np.inf):
    """Tissue in 2 mm voxels; a ball of lung of 6 mm; air from y = 60 (the skin is at 50)."""
    grid = Grid(
        np.array([[0, 0, 2, -60], [0, 2, 0, -60], [2, 0, 0, -60], [0, 0, 0, 1.0]]), (60,) * 3
    )
    kji = np.stack(np.meshgrid(*(np.arange(60),) * 3, indexing="ij"), axis=-1)
    points = grid.patient(kji)
    hu = np.full((60,) * 3, 40, np.int16)
    hu[points[..., 1] > 51] = -1000
    if lung_at is not None:
        hu[np.linalg.norm(points - lung_at, axis=-1) < 6] = -850
    volume = CTVolume(hu, grid)
    return volume.crop((0, 0, 0), (60, 60, int(min((cut_mm + 60) / 2, 60))))


def beside():
    return replace(needle(), route="extrapedicular")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_lung_anywhere_between_bone_and_skin_is_a_no(share):
    path = beside()
    spot = path.entry_mm + share * (path.skin_mm - path.entry_mm)
    found = past_the_lung(scan(spot), path, LUNG_HU)
    assert isinstance(found, Skipped) and found.code == "lung_in_the_way"
    assert (found.name, found.side) == (path.name, path.side)


def test_lung_beside_the_way_and_air_behind_the_skin_are_none():
    path = beside()
    away = path.entry_mm + 0.5 * (path.skin_mm - path.entry_mm) + np.array([0.0, 0.0, 12.0])
    assert past_the_lung(scan(away), path, LUNG_HU) is path
    assert past_the_lung(scan(), path, LUNG_HU) is path


def test_a_way_that_leaves_the_view_is_not_taken_to_be_clear():
    assert isinstance(past_the_lung(scan(cut_mm=25.0), beside(), LUNG_HU), Skipped)


def test_needles_through_the_pedicle_are_not_asked():
    path = needle()
    spot = path.entry_mm + 0.5 * (path.skin_mm - path.entry_mm)
    assert isinstance(past_the_lung(scan(spot), path, LUNG_HU), Path)
