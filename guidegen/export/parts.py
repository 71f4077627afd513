"""Printable parts: written aside, read back, and moved into the case only when they passed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from guidegen.errors import GeometryError, InputError
from guidegen.export.atomic import sha256_of, unwritable, write_bytes
from guidegen.export.folder import CaseFolder
from guidegen.mesh.io import read_stl, stl_bytes, threemf_bytes
from guidegen.model.bone import Bone
from guidegen.model.findings import CheckReport, Finding
from guidegen.model.guide import Guide
from guidegen.model.plan import BoneRecord, Plan


@contextmanager
def staging(folder: CaseFolder) -> Iterator[Path]:
    """Give a folder inside the case for parts that are not checked yet; it always goes again."""
    for old in folder.root.glob(".staging-*"):
        shutil.rmtree(old, ignore_errors=True)
    try:
        aside = tempfile.TemporaryDirectory(prefix=".staging-", dir=folder.root)
    except OSError as error:
        raise unwritable(folder.root, error) from error
    with aside as name:
        yield Path(name)


def write_part(stage: Path, guide: Guide, plan: Plan) -> Guide | Finding:
    """Write a part as STL and 3MF and read the STL back.

    Returns:
        The part with the surface that its file holds, or the failed finding if the file does
        not hold one closed surface.
    """
    path = stage / guide.file
    try:
        head = f"guidegen {guide.name} {guide.role} SPACE=LPS UNIT=mm"[:80]
        write_bytes(path, stl_bytes(guide.vertices_mm, guide.faces, head))
        vertices, faces = read_stl(path)
        part = replace(guide, vertices_mm=vertices, faces=faces)
        if guide.role == "guide":
            metadata = {
                "name": guide.name,
                "part_number": f"{plan.case_id}-{guide.name}",
                "plan_sha256": str(plan.extra.get("plan_sha256", "")),
            }
            write_bytes(path.with_suffix(".3mf"), threemf_bytes(vertices, faces, metadata))
        return part
    except GeometryError as error:
        return Finding("closed", guide.file, 0.0, 1.0, "equal", "count", str(error))


def publish(stage: Path, folder: CaseFolder, parts: tuple[Guide, ...], report: CheckReport) -> None:
    """Move the parts whose checks passed into the case; nothing of an earlier build stays.

    Raises:
        InputError: The folder can't be written.
    """
    folder.remove_built()
    for part in parts:
        if not report.of(part.file).passed:
            continue
        for name in (part.file, str(Path(part.file).with_suffix(".3mf"))):
            if (stage / name).is_file():
                (folder.root / name).parent.mkdir(exist_ok=True)
                (stage / name).replace(folder.root / name)


def publish_folder(stage: Path, root: Path) -> None:
    """Move all that was written aside into its folder; what has the same name goes.

    Raises:
        InputError: The folder can't be written.
    """
    try:
        for made in sorted(stage.iterdir()):
            place = root / made.name
            if place.is_dir():
                shutil.rmtree(place)
            made.replace(place)
    except OSError as error:
        raise unwritable(root, error) from error


def write_bones(
    stage: Path, bones: tuple[Bone, ...]
) -> tuple[tuple[Bone, ...], tuple[BoneRecord, ...]]:
    """Write bones aside as STL; what is planned on are the surfaces as the files hold them."""
    read, records = [], []
    for bone in bones:
        file = f"bones/{bone.name}.stl"
        head = f"guidegen {bone.name} SPACE=LPS UNIT=mm"[:80]
        data = stl_bytes(bone.vertices_mm, bone.faces, head)
        write_bytes(stage / file, data)
        vertices, faces = read_stl(stage / file)
        read.append(replace(bone, vertices_mm=vertices, faces=faces))
        records.append(BoneRecord(bone.name, file, sha256_of(data), bone.side, bone.complete))
    return tuple(read), tuple(records)


def publish_bones(stage: Path, folder: CaseFolder, records: tuple[BoneRecord, ...]) -> None:
    """Move the bones that were planned on into the case."""
    for record in records:
        (folder.root / record.file).parent.mkdir(exist_ok=True)
        (stage / record.file).replace(folder.root / record.file)


def read_bone(folder: CaseFolder, record: BoneRecord) -> Bone:
    """Read a bone of the plan.

    Raises:
        InputError: The file is absent or outside the case.
    """
    path = folder.root / record.file
    if not path.resolve().is_relative_to(folder.root.resolve()):
        raise InputError(f"plan.json names {record.file}, which lies outside the case")
    vertices, faces = read_stl(path)
    return Bone(record.name, vertices, faces, record.side, record.complete)
