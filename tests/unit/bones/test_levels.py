"""Foramina in a profile of the canal's side walls."""

import numpy as np

from guidegen.bones.levels import _foramina


def _profile(spacings: list[float], noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    lows = 10 + np.concatenate([[0], np.cumsum(spacings)])
    s = np.arange(lows[-1] + 12)
    phase = np.interp(s, lows, np.arange(len(lows)), left=-0.4, right=len(lows) - 0.6)
    clean = 250 - 200 * np.cos(2 * np.pi * phase)
    return clean + noise * np.sin(2 * np.pi * s / 6.5), lows


def test_foramina_are_the_minima() -> None:
    profile, lows = _profile([20, 21, 23, 24, 26, 29])
    assert np.abs(_foramina(profile) - lows).max() <= 1.0


def test_two_peaks_in_a_pedicle_do_not_make_two_levels() -> None:
    profile, lows = _profile([32, 33, 34, 35])
    s = np.arange(len(profile))
    profile = profile - 90 * np.exp(-(((s - lows[1] - 16) / 2.0) ** 2))
    assert len(_foramina(profile)) == len(lows)
