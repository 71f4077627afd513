"""Names of scans that may tell who the patient is are replaced."""

import re
from pathlib import Path

import pydicom
import pytest

from guidegen.batch.naming import like_a_person, name_of, plain_name
from guidegen.ct.identity import identifying_words
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.write import write_phantom

COARSE = ScanOptions(spacing_mm=4.0, slice_mm=10.0)
NUMBER = re.compile(r"scan_[0-9a-f]{8}")


@pytest.fixture(scope="module")
def header(tmp_path_factory):
    """One slice of a phantom."""
    folder = tmp_path_factory.mktemp("one")
    write_phantom("demo", folder, COARSE)
    return next(path for path in sorted(folder.iterdir()) if path.suffix != ".json")


@pytest.fixture
def scan(header, tmp_path):
    """Make a folder with one slice whose header says who it is."""

    def make(name, **told):
        folder = tmp_path / name
        (folder / "deep").mkdir(parents=True)
        (folder / "aaa.txt").write_text("no image")
        data = pydicom.dcmread(header)
        for tag, value in told.items():
            setattr(data, tag, value)
        data.save_as(folder / "deep" / "1")
        return folder

    return make


def test_a_name_that_is_too_long_or_a_device_becomes_a_number(tmp_path):
    """The batch could not write its result, and would end for all."""
    for name in ("x" * 101, "nul.nii.gz", "com1"):
        assert NUMBER.fullmatch(name_of(tmp_path / name)), name
    assert name_of(tmp_path / ("x" * 100)) == "x" * 100
    assert name_of(tmp_path / "com12") == "com12"


def test_words_of_a_header(scan):
    told = {
        "PatientName": "Muster^Eva Maria",
        "PatientID": "PID-77",
        "PatientBirthDate": "19540712",
    }
    words = identifying_words(scan("x", **told))
    assert {"muster", "eva", "maria", "pid77", "19540712", "musterevamaria"} <= words
    assert all(len(word) >= 3 and word == word.lower() and word.isalnum() for word in words)


def test_what_is_no_dicom_names_nobody(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(b"junk")
    assert identifying_words(tmp_path / "a.nii.gz") == frozenset()
    assert identifying_words(tmp_path) == frozenset()
    assert identifying_words(tmp_path / "absent") == frozenset()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("muster_2", {"PatientName": "Muster^Eva"}),
        ("ct_of_eva", {"PatientName": "Muster^Eva"}),
        ("x-pid77", {"PatientID": "PID 77"}),
        ("s_acc991", {"AccessionNumber": "ACC-991"}),
    ],
)
def test_a_name_that_stands_in_the_header_is_replaced(scan, name, told):
    assert NUMBER.fullmatch(name_of(scan(name, **told)))


def test_a_name_that_does_not_stays(scan):
    assert name_of(scan("patient 07", PatientName="Muster^Eva", PatientID="4")) == "patient_07"


@pytest.mark.parametrize(
    "name",
    [
        *("Mustermann, Erika", "Mustermann_Erika.nii.gz", "ErikaM", "MUSTERMANN", "Ünal"),
        *("19540712", "ct_1954-07-12", "12.7.1954", "case 12071954", "1.2.840.113619.2.55.3"),
    ],
)
def test_a_name_that_may_be_a_persons_is_replaced(name):
    found = name_of(Path("nowhere") / name)
    assert NUMBER.fullmatch(found)
    assert found == name_of(Path("elsewhere") / name)
    assert found != name_of(Path("nowhere") / f"{name}2")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("lidc_0314_thorax_1.0mm.zip", "lidc_0314_thorax_1.0mm"),
        ("LIDC-IDRI-0314", "LIDC-IDRI-0314"),
        ("sub-verse004_ct.nii.gz", "sub-verse004_ct"),
        ("CASE 2.NRRD", "CASE_2"),
        ("LumbarSpine", "LumbarSpine"),
        ("missing slices", "missing_slices"),
    ],
)
def test_usual_names_of_scans_stay(name, kept):
    assert name_of(Path("nowhere") / name) == kept


def test_endings():
    assert plain_name(Path("a.b.nii.gz")) == "a.b"
    assert plain_name(Path("a.NII")) == "a"
    assert plain_name(Path("v1.2")) == "v1.2"
    assert NUMBER.fullmatch(name_of(Path("...")))


def test_examples_of_the_docstring():
    names = ("Mustermann, Erika", "lidc_0314", "Case2", "19540712")
    assert [like_a_person(name) for name in names] == [True, False, False, True]
