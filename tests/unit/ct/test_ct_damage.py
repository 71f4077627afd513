"""Random damage to any file gives a volume or one sentence, never a traceback."""

import os
import zipfile
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guidegen.ct.inspect import list_series
from guidegen.ct.labels import read_label_map
from guidegen.ct.reader import read_ct
from guidegen.errors import GuidegenError
from guidegen.model.volume import CTVolume, LabelMap

GRID = np.array([[-1.0, 0, 0, 9], [0, -1, 0, 9], [0, 0, 1.5, 0], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def sound(tmp_path_factory, plain_folder):
    """One small sound file of each kind."""
    folder = tmp_path_factory.mktemp("sound")
    values = (np.indices((20, 20, 12)).sum(axis=0) * 60 - 1000).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, GRID), folder / "a.nii")
    nibabel.save(nibabel.Nifti1Image(values, GRID), folder / "a.nii.gz")
    nibabel.save(nibabel.Nifti2Image(values, GRID), folder / "b.nii")
    lps = np.diag([-1, -1, 1]) @ GRID[:3]
    header = {"space": "LPS", "space directions": lps[:, :3].T, "space origin": lps[:, 3]}
    nrrd.write(str(folder / "a.nrrd"), values, {**header, "encoding": "raw"})
    nrrd.write(str(folder / "b.nrrd"), values, {**header, "encoding": "gzip"})
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as out:
        for n, file in enumerate(sorted(plain_folder.iterdir())[20:34]):
            out.write(file, f"{n}")
    return folder


def damaged(content: bytes, where: float, junk: bytes, cut: float) -> bytes:
    """Overwrite a stretch and cut the end off."""
    at = int(where * len(content))
    changed = content[:at] + junk + content[at + len(junk) :]
    return changed[: max(1, int(cut * len(changed)))]


shares = st.one_of(st.floats(0, 1), st.floats(0, 0.02))
cuts = st.one_of(st.just(1.0), st.floats(0, 1))
QUICK = settings(
    max_examples=int(os.environ.get("CT_EXAMPLES", "30")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "b.nii", "a.nrrd", "b.nrrd", "a.zip"])
@QUICK
@given(where=shares, junk=st.binary(min_size=1, max_size=12), cut=cuts)
def test_damaged_volume(name, sound, tmp_path, where, junk, cut):
    path = tmp_path / name
    path.write_bytes(damaged((sound / name).read_bytes(), where, junk, cut))
    try:
        volume = read_ct(path)
        assert isinstance(volume, CTVolume)
        assert isinstance(read_label_map(path, volume, scheme="verse"), LabelMap)
    except GuidegenError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000


@QUICK
@given(where=shares, junk=st.binary(min_size=1, max_size=12), cut=cuts, many=st.booleans())
def test_damaged_dicom(plain_folder, tmp_path, where, junk, cut, many):
    files = sorted(plain_folder.iterdir())[20:34]
    for n, file in enumerate(files):
        content = file.read_bytes()
        if n == 5 or many:
            content = damaged(content, where, junk, cut)
        Path(tmp_path / f"{n}").write_bytes(content)
    for read in (read_ct, list_series):
        try:
            read(tmp_path)
        except GuidegenError as error:
            assert "\n" not in str(error) and "Secret" not in str(error)


def test_sound_files_are_read(sound):
    shapes = {name: read_ct(sound / name).hu.shape for name in ("a.nii", "a.nii.gz", "b.nii")}
    assert set(shapes.values()) == {(12, 20, 20)}
    assert read_ct(sound / "a.nrrd").sha256() == read_ct(sound / "a.nii").sha256()
    assert read_ct(sound / "b.nrrd").sha256() == read_ct(sound / "a.nii").sha256()
    assert read_ct(sound / "a.zip").hu.shape[0] == 14
