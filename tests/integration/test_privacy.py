"""Nothing that names the patient reaches a file, a file's name, the log or the terminal."""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from PIL import Image
from pydicom.uid import generate_uid

from guidegen.cli import main
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.write import write_phantom

PERSONAL = {
    "PatientName": "Mustermann^Erika^Adele",
    "PatientID": "PID-7730915",
    "PatientBirthDate": "19540712",
    "PatientAddress": "Heidestrasse 17",
    "PatientTelephoneNumbers": "0221-5550172",
    "OtherPatientIDs": "KVNR-A123456780",
    "PatientComments": "Zeugin Jehovas",
    "InstitutionName": "Kreiskrankenhaus Musterstadt",
    "InstitutionAddress": "Musterallee 3",
    "ReferringPhysicianName": "Hausarzt^Heinrich",
    "PerformingPhysicianName": "Radiologin^Rosa",
    "OperatorsName": "Assistent^Anton",
    "StudyID": "STUDY-4471",
    "AccessionNumber": "ACC-99120045",
    "StudyDescription": "BWS LWS Mustermann",
    "SeriesDescription": "Untersuchung von Erika",
    "ProtocolName": "Protokoll Erika",
    "DeviceSerialNumber": "SN-5510077",
    "StationName": "CTRAUM9",
    "StudyDate": "20230511",
    "AcquisitionDate": "20230512",
    "StudyTime": "101112.131415",
}
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID")
FOLDER = "Mustermann, Erika 1954"


def words(value: str) -> set[str]:
    return {part for part in re.split(r"[\^, ]", value) if len(part) > 4} | {value}


@pytest.fixture(scope="module")
def named_scan(tmp_path_factory) -> tuple[Path, set[str]]:
    """The demo phantom as it would come from a PACS, and all that must stay in it."""
    folder = tmp_path_factory.mktemp("pacs") / FOLDER
    write_phantom("demo", folder, ScanOptions(spacing_mm=0.7))
    (folder / "truth.json").unlink()
    series = {name: generate_uid() for name in UIDS[:3]}
    secrets = set().union(*map(words, PERSONAL.values()), words(FOLDER), series.values())
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        for name, value in (PERSONAL | series).items():
            setattr(data, name, value)
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        secrets.add(str(data.SOPInstanceUID))
        data.save_as(path, enforce_file_format=True)
    return folder, secrets - {"1954"}


def layers(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """A file's bytes, and all that is packed in it."""
    yield name, content
    if content[:2] == b"\x1f\x8b":
        yield from layers(f"{name}!gz", gzip.decompress(content))
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield f"{name}!names", " ".join(archive.namelist()).encode() + archive.comment
            for member in archive.namelist():
                yield from layers(f"{name}!{member}", archive.read(member))
    if name.endswith(".html"):
        for n, text in enumerate(re.findall(rb"base64,([A-Za-z0-9+/=]+)", content)):
            yield from layers(f"{name}!{n}", base64.b64decode(text))
    if content[:4] == b"\x89PNG":
        yield f"{name}!text", repr(Image.open(io.BytesIO(content)).info).encode()


def leaks(name: str, content: bytes, secrets: set[str]) -> list[tuple[str, str]]:
    found = []
    for place, inner in layers(name, content):
        low = inner.lower()
        for secret in secrets:
            coded = {secret.lower().encode(kind) for kind in ("utf-8", "utf-16-le", "utf-16-be")}
            found += [(place, secret) for code in coded if code in low]
    return found


@pytest.mark.slow
@pytest.mark.ci
def test_nothing_names_the_patient(named_scan, tmp_path, capsys):
    folder, secrets = named_scan
    case = tmp_path / "case1"
    order = ["plan", "pedicle-screws", str(folder), "--out", str(case), "--levels", "L4"]
    assert main([*order, "-v"]) == 0
    assert main(["approve", str(case), "--by", "A. Surgeon"]) == 0
    assert main(["build", str(case), "--json", "-v"]) == 0
    told = capsys.readouterr()
    terminal = f"{told.out}\n{told.err}".encode()
    files = {p.relative_to(case).as_posix(): p for p in case.rglob("*") if p.is_file()}
    assert {"log.txt", "report.html", "guides/L4.3mf", "guides/L4.stl", "ct.nii.gz"} <= set(files)
    found = leaks("terminal", terminal, secrets)
    for name, path in files.items():
        found += leaks(name, name.encode() + b"\n" + path.read_bytes(), secrets)
        found += leaks(name, path.read_bytes(), secrets)
    assert found == []


@pytest.mark.slow
def test_the_search_itself_finds_what_is_hidden(named_scan, tmp_path):
    """Each way of packing, so that the test above can fail."""
    folder, secrets = named_scan
    assert leaks("a.dcm", next(folder.iterdir()).read_bytes(), secrets)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.nii.gz", gzip.compress(b"x ERIKA x"))
    assert leaks("a.zip", packed.getvalue(), secrets)
    page = b'<img src="data:image/png;base64,' + base64.b64encode(b"PID-7730915") + b'">'
    assert leaks("report.html", page, secrets)
    assert leaks("a.stl", "Mustermann".encode("utf-16-le"), secrets)


def test_a_refused_scan_is_not_named_either(tmp_path, capsys):
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "Erika.nii").write_bytes(b"junk" * 200)
    for source in (folder, folder / "Erika.nii"):
        out = str(tmp_path / "case")
        assert main(["plan", "pedicle-screws", str(source), "--out", out, "-q"]) == 1
        assert main(["inspect", str(source), "-q"]) == 1
        told = capsys.readouterr().err
        assert "Erika" not in told and "Mustermann" not in told
