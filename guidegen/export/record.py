"""case.toml: the run as it was asked for, so that it can be repeated."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guidegen import __version__
from guidegen.errors import InputError
from guidegen.export.atomic import sha256_of, write_text
from guidegen.export.settings import read_toml
from guidegen.model.notice import Notice
from guidegen.model.volume import CTVolume, ScanInfo, TableSide

SCHEMA = "guidegen.case/1"
PACKAGES = (
    *("numpy", "scipy", "scikit-image", "edt", "manifold3d", "libigl", "embreex"),
    *("pydicom", "python-gdcm", "nibabel", "pynrrd"),
)


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True)


class _Warning(_Strict):
    code: str
    message: str
    subject: str
    red: bool = False


class _Input(_Strict):
    """The ``[input]`` table of case.toml."""

    source: str
    series: str
    patient_position: str
    sha256: str
    frame_of_reference: str
    slice_thickness_mm: float | None = None
    table: TableSide | None = None
    notices: tuple[_Warning, ...] = Field(default=(), strict=False)


class _Options(_Strict):
    """The ``[options]`` table of case.toml; a case says what was given and nothing else."""

    model_config = ConfigDict(extra="forbid")

    levels: str | None = None
    side: str = "both"
    lowest_level: str | None = None
    approach: str | None = None
    accept_posture: bool = False
    axis: str | None = None


class _Content(_Strict):
    """case.toml, as far as it is read back."""

    procedure: str
    input: _Input
    options: _Options
    settings: dict[str, Any]
    versions: dict[str, str]


@dataclass(frozen=True)
class Record:
    """What case.toml holds.

    Args:
        procedure: Its name.
        options: Those of ``Order.recorded`` as given; absent ones are not in it.
        settings: In full.
        scan: Where the volume came from, UIDs hashed.
        input_sha256: Hash of the grey values and grid of the scan as read.
        versions: Of guidegen, Python and the libraries that make numbers.
        frame_of_reference: Hashed, or "".
    """

    procedure: str
    options: Mapping[str, Any]
    settings: Mapping[str, Any]
    scan: ScanInfo
    input_sha256: str
    versions: Mapping[str, str] = field(default_factory=dict)
    frame_of_reference: str = ""

    def volume(self, crop: CTVolume) -> CTVolume:
        """Give the case's own volume the facts of the scan it was cut from."""
        grid = replace(crop.grid, frame_of_reference=self.frame_of_reference)
        return CTVolume(crop.hu, grid, self.scan)


def new_record(
    procedure: str, options: Mapping[str, Any], settings: BaseModel, volume: CTVolume
) -> Record:
    """Write down an order on a scan."""
    return Record(
        procedure,
        options,
        settings.model_dump(mode="json"),
        volume.info,
        volume.sha256(),
        versions(),
        volume.grid.frame_of_reference,
    )


def versions() -> dict[str, str]:
    """List the versions that decide the numbers."""
    found = {"guidegen": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def order_sha256(record: Record) -> str:
    """Hash procedure, options and settings in full, whatever order they are written in."""
    order = {
        "procedure": record.procedure,
        "options": _without_none(dict(record.options)),
        "settings": _without_none(dict(record.settings)),
    }
    return sha256_of(json.dumps(order, sort_keys=True, separators=(",", ":")).encode("utf-8"))


def write_record(path: Path, record: Record) -> None:
    """Write case.toml."""
    scan = record.scan
    content = {
        "schema": SCHEMA,
        "procedure": record.procedure,
        "input": {
            "source": scan.source,
            "series": scan.series,
            "sha256": record.input_sha256,
            "frame_of_reference": record.frame_of_reference,
            "patient_position": scan.patient_position,
            "slice_thickness_mm": scan.slice_thickness_mm,
            "table": scan.table,
            "notices": [
                {"code": n.code, "message": n.message, "subject": n.subject, "red": n.red}
                for n in scan.notices
            ],
        },
        "options": dict(record.options),
        "settings": dict(record.settings),
        "versions": dict(record.versions),
        "seeds": {"all": 0},
    }
    write_text(path, "\n".join(toml_lines(content)) + "\n")


def read_record(path: Path) -> Record:
    """Read case.toml.

    Raises:
        InputError: It is not TOML, or a key is missing.
    """
    try:
        content = _Content.model_validate(read_toml(path))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise InputError(
            f"case.toml lacks or garbles {where} ({problem['msg']}): plan the case again"
        ) from error
    scan = content.input
    info = ScanInfo(
        scan.source,
        scan.series,
        scan.patient_position,
        scan.slice_thickness_mm,
        tuple(Notice(n.code, n.message, n.subject, n.red) for n in scan.notices),
        scan.table,
    )
    return Record(
        content.procedure,
        content.options.model_dump(exclude_unset=True),
        content.settings,
        info,
        scan.sha256,
        content.versions,
        scan.frame_of_reference,
    )


def toml_lines(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Format a table as TOML, one line at a time; keys whose value is None are left out."""
    tables = {k: v for k, v in table.items() if isinstance(v, Mapping)}
    for key, value in table.items():
        if key not in tables and value is not None:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in tables.items():
        yield ""
        yield "[" + ".".join(_key(part) for part in (*path, key)) + "]"
        yield from toml_lines(value, (*path, key))


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return [_without_none(v) for v in value] if isinstance(value, (list, tuple)) else value


def _key(name: str) -> str:
    bare = bool(name) and all(c.isascii() and (c.isalnum() or c in "_-") for c in name)
    return name if bare else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return '"' + "".join(_escaped(c) for c in value) + '"'
    if isinstance(value, Mapping):
        inside = (f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None)
        return "{ " + ", ".join(inside) + " }"
    return "[" + ", ".join(_value(item) for item in value) + "]"


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if ord(character) < 0x20 or ord(character) == 0x7F:
        return f"\\u{ord(character):04x}"
    return character
