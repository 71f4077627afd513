"""Measurements, landmarks, settings, and what the case was made from."""

from __future__ import annotations

from guidegen.model.case import Case, SettingRow
from guidegen.model.landmarks import Landmarks
from guidegen.model.volume import CTVolume
from guidegen.report.head import plan_sha256
from guidegen.report.section import Section
from guidegen.report.wording import MINUS, number, plain, point, short_hash

UNITS = {"1": "", "hu": "HU", "deg": "°", "mm2": "mm²", "mm3": "mm³"}


def measurements_section(case: Case) -> Section | None:
    """Angles and distances of the plan that are no paths, with their notes."""
    rows = [
        (
            plain(m.name),
            number(m.value, 2 if m.unit == "1" else 1),
            UNITS.get(m.unit, m.unit),
            m.note,
        )
        for m in case.plan.measurements
    ]
    if not rows:
        return None
    return Section("measurements", "Measurements", "measurements.html.j2", {"rows": rows})


def landmarks_section(case: Case) -> Section | None:
    """Every landmark with its uncertainty and how it was found."""
    bones = [_bone_rows(marks) for marks in case.landmarks if marks.points]
    if not bones:
        return None
    return Section("landmarks", "Landmarks", "landmarks.html.j2", {"bones": bones})


def _bone_rows(marks: Landmarks) -> tuple[str, list[dict[str, str]]]:
    rows = []
    for mark in marks.points:
        values = [
            f"{plain(key.removesuffix('_mm'))} {_length(value)}"
            for key, value in mark.values.items()
            if key.endswith("_mm")
        ]
        rows.append(
            {
                "name": plain(mark.name),
                "position": point(mark.position_mm),
                "spread": number(mark.spread_mm),
                "values": ", ".join(values),
                "method": mark.method,
            }
        )
    return plain(marks.bone), rows


def _length(value: float | tuple[float, ...]) -> str:
    """A length in mm, or a place."""
    return f"at {point(value)}" if isinstance(value, tuple) else f"{number(value)} mm"


def settings_section(case: Case) -> Section | None:
    """Every setting with the source of its value."""
    if not case.settings:
        return None
    own = [_setting(row) for row in case.settings if row.differs]
    content = {"differing": own, "rows": [_setting(row) for row in case.settings]}
    return Section("settings", "Settings", "settings.html.j2", content)


def _setting(row: SettingRow) -> dict[str, str]:
    return {
        "name": plain(row.name.removesuffix(f"_{row.unit}")),
        "value": row.value.replace("-", MINUS),
        "default": row.default.replace("-", MINUS),
        "unit": UNITS.get(row.unit, row.unit),
        "source": row.source,
    }


def methods_section(case: Case) -> Section | None:
    """How the plan is made, in words, with references."""
    if not case.methods:
        return None
    return Section("methods", "Methods", "methods.html.j2", {"paragraphs": case.methods})


def input_section(case: Case) -> Section:
    """The scan, the hashes and the versions."""
    rows = [
        ("Plan", short_hash(plan_sha256(case)) or "not yet written"),
        ("Input", short_hash(case.plan.input_sha256)),
        ("Settings", short_hash(case.plan.settings_sha256)),
        ("Frame of reference", short_hash(case.plan.frame_of_reference) or "unknown"),
    ]
    content = {
        "scan": _scan_rows(case.volume) if case.volume is not None else [],
        "hashes": [*rows, *((b.file, short_hash(b.sha256)) for b in case.plan.bones)],
        "versions": sorted(case.versions.items()),
    }
    return Section("input", "Input and versions", "input.html.j2", content)


def _scan_rows(volume: CTVolume) -> list[tuple[str, str]]:
    shape, spacing = volume.grid.shape_kji, volume.grid.spacing_kji_mm
    thickness = volume.info.slice_thickness_mm
    return [
        ("Source", volume.info.source),
        ("Voxels (slices × rows × columns)", " × ".join(str(n) for n in shape)),
        ("Voxel size", " × ".join(number(float(s), 3) for s in spacing) + " mm"),
        ("Slice thickness stated", f"{number(thickness, 2)} mm" if thickness else "unknown"),
        ("Patient position", volume.info.patient_position or "unknown"),
        ("Series", short_hash(volume.info.series) or "unknown"),
    ]
