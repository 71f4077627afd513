"""What a finished case depends on, and what not."""

import os
from dataclasses import replace
from datetime import date

import pytest

from guidegen.batch import key
from guidegen.batch.cases import BatchCase
from guidegen.batch.key import key_of, program_sha256
from guidegen.phantoms.definition import Expectation


@pytest.fixture
def case(tmp_path):
    scan = tmp_path / "scan" / "deep"
    scan.mkdir(parents=True)
    (scan / "1").write_bytes(b"slice")
    (scan / "2").write_bytes(b"x" * (key.SMALL_BYTES + 1))
    return BatchCase("a", "knee", tmp_path / "scan", {"levels": "L3"}, {"a": {"b": 1, "c": 2}})


def test_the_same_case_has_the_same_key(case):
    again = replace(case, settings={"a": {"c": 2, "b": 1}}, name="b", description="other")
    assert key_of(case) == key_of(again)
    assert len(key_of(case)) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"procedure": "kyphoplasty"},
        {"options": {"levels": "L4"}},
        {"options": {}},
        {"settings": {"a": {"b": 1}}},
        {"settings": {"a": {"b": 1, "c": 2.0000001}}},
        {"settings": {"when": date(2020, 1, 1)}},
        {"expect": Expectation(limits={"height": 0.9})},
    ],
)
def test_another_question_has_another(case, change):
    assert key_of(case) != key_of(replace(case, **change))


def test_what_is_expected_is_compared_anew_every_time(case):
    assert key_of(case) == key_of(replace(case, expect=Expectation(exit=1, message="no")))


def test_another_scan_has_another(case):
    first = key_of(case)
    (case.source / "deep" / "1").write_bytes(b"other")
    second = key_of(case)
    large = case.source / "deep" / "2"
    os.utime(large, ns=(1, 1))
    third = key_of(case)
    large.rename(large.with_name("3"))
    fourth = key_of(case)
    (case.source / "4").write_bytes(b"")
    assert len({first, second, third, fourth, key_of(case)}) == 5


def test_small_files_count_by_what_they_hold(case):
    first = key_of(case)
    os.utime(case.source / "deep" / "1", ns=(1, 1))
    assert key_of(case) == first


def test_files_of_options_count_wherever_they_lie(case, tmp_path):
    for place in ("x", "y"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "names.toml").write_text("1 = 'L1'")
    x, y = (replace(case, options={"label_names": tmp_path / p / "names.toml"}) for p in "xy")
    assert key_of(x) == key_of(y) != key_of(case)
    (tmp_path / "y" / "names.toml").write_text("1 = 'L2'")
    assert key_of(x) != key_of(y)


def test_a_scan_that_is_not_there_has_a_key(case, tmp_path):
    absent = key_of(replace(case, source=tmp_path / "absent"))
    (tmp_path / "absent").mkdir()
    assert key_of(replace(case, source=tmp_path / "absent")) != absent


def test_another_program_has_another(case, monkeypatch):
    first = key_of(case)
    monkeypatch.setattr(key, "program_sha256", lambda: "other")
    assert key_of(case) != first


def test_versions_belong_to_the_program(monkeypatch):
    first = program_sha256()
    monkeypatch.setattr(key, "versions", lambda: {"numpy": "0"})
    assert program_sha256.__wrapped__() != first


@pytest.mark.parametrize("field", [b"data file: a.raw", b"datafile:a.raw ", b"Data File: a.raw\r"])
def test_values_beside_a_header_count_too(case, tmp_path, field):
    header, values = tmp_path / "a.nhdr", tmp_path / "a.raw"
    header.write_bytes(b"NRRD0004\ntype: short\n" + field + b"\n\n")
    values.write_bytes(b"x" * (key.SMALL_BYTES + 1))
    asked_of = (replace(case, source=header), replace(case, options={"labels": header}))
    for number, asked in enumerate(asked_of):
        first = key_of(asked)
        os.utime(values, ns=(1, number))
        assert key_of(asked) != first


def test_a_header_that_holds_its_values_names_nothing(case, tmp_path):
    header, other = tmp_path / "a.nrrd", tmp_path / "a.raw"
    header.write_bytes(b"NRRD0004\ntype: short\n\n\ndata file: a.raw\n")
    first = key_of(replace(case, source=header))
    other.write_bytes(b"1")
    assert key_of(replace(case, source=header)) == first


def test_a_dicomdir_counts_with_what_it_lists(case, tmp_path):
    directory = tmp_path / "scan" / "DICOMDIR"
    directory.write_bytes(b"list")
    listed = replace(case, source=directory)
    first = key_of(listed)
    (tmp_path / "scan" / "deep" / "1").write_bytes(b"other")
    assert key_of(listed) != first
