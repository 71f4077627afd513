"""Write docs/validation/*.md from measures on phantoms: ``python -m docs.make_validation``.

Every case is scanned, planned and built in ``--work DIR`` (kept, so that a second run measures
only); name pages to write only these. The measures and limits are those of ``tests/validation``.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from docs.phantom_page import phantoms, ran
from guidegen.anatomy.femur import find_femur
from guidegen.model.landmarks import Landmarks
from guidegen.phantoms.scan import ScanOptions
from tests.conftest import SHARED
from tests.validation import leg_poses, leg_scans, measures, needles, parts, punctured, raters
from tests.validation import legs as whole_legs
from tests.validation.cases import Case, Wish, built, planned
from tests.validation.legs import LegWish

FOLDER = Path(__file__).with_name("validation")
MADE = (
    "Made by `python -m docs.make_validation`. Phantoms: point spread 0.5 mm in the slice, slice "
    "profile 1.0 mm, cortex 1.0 mm, endplates 0.5 mm, noise 25 HU, voxels 0.5 x 0.5 x 1.0 mm."
)
CASES = (
    Wish("demo", "L3"),
    Wish("lumbar", "L2-L3"),
    Wish("round", "L3"),
    Wish("scoliosis", "L1-L2"),
    Wish("thoracic", "T8-T9"),
    Wish("narrow", "T5-T8", lowest_level="T8"),
    Wish("fused", "T11-T12"),
)
POSITIONS = tuple(
    Wish("demo", "L3", options)
    for options in (
        ScanOptions(oblique_deg=15.0),
        ScanOptions(tilt_deg=12.0),
        ScanOptions(flip="slices"),
        ScanOptions(flip="feet_first"),
    )
)
NEEDLES = tuple(
    Wish(f"fracture_{phantom}", level, procedure="kyphoplasty", **further)
    for phantom, level, further in (
        ("wedge", "L1", {}),
        ("wedge", "L1", {"options": ScanOptions(oblique_deg=15.0)}),
        ("wedge", "L1", {"options": ScanOptions(flip="slices")}),
        ("wedge", "L1", {"options": ScanOptions(flip="feet_first")}),
        ("supine", "L1", {"accept_posture": True}),
        ("biconcave", "L2", {}),
        ("thoracic", "T8", {}),
        ("thoracic", "T8", {"approach": "extrapedicular"}),
        ("onesided", "L1", {"approach": "one-sided"}),
        ("onesided", "L3", {"approach": "one-sided"}),
    )
)
PUNCTURED = tuple(w for w in NEEDLES if w.options == ScanOptions())
Plan = Callable[[Wish], Case]


def table(*columns: str) -> list[str]:
    """The head of a table."""
    return ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]


def line(*cells: object) -> str:
    """One row; numbers with two digits."""
    texts = (f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells)
    return "| " + " | ".join(texts) + " |"


def over(value: float, limit: float, digits: int = 2) -> str:
    """A value, in bold where it is over its limit."""
    text = f"{value:.{digits}f}"
    return f"**{text}**" if abs(value) > limit else text


def under(value: float, limit: float, digits: int = 2) -> str:
    """A value, in bold where it is under its limit."""
    text = f"{value:.{digits}f}"
    return f"**{text}**" if value < limit else text


def corridors(plan: Plan) -> Iterator[str]:
    """Planned paths on the analytic bones."""
    yield "# Corridors on the analytic surface"
    yield ""
    yield (
        "`true` is the planned line's corridor on the phantom's own function, `best` the widest "
        "that the default settings allow there (convergence, entry height, depth, drill and "
        "sleeve), found by another search. Limits: best - true <= 0.5 mm, direction within 2 deg "
        "of the axis in a round pedicle (phantom `round`; elsewhere a pedicle leaves room, so "
        "that the direction is not tested). Over a limit: **bold**."
    )
    yield ""
    head = ("phantom", "path", "planned mm", "true mm", "best mm", "best - true", "entry off mm")
    yield from table(*head, "off the axis deg")
    for wish in CASES:
        case = plan(wish)
        for row in measures.path_rows(case):
            turn = over(row.turn_deg, 2.0, 1) if wish.phantom == "round" else ""
            loss = over(row.loss_mm, 0.5)
            yield line(wish.phantom, row.name, row.planned_mm, row.true_mm, row.best_mm, loss,
                       row.entry_off_mm, turn)  # fmt: skip
        for item in case.plan["skipped"]:
            width = item["corridor_diameter_mm"]
            yield line(wish.phantom, item["name"], item["code"], "", "", "", "", f"{width} mm")


def surfaces(plan: Plan) -> Iterator[str]:
    """Found surfaces against the analytic ones."""
    yield "# Surfaces against the analytic bones"
    yield ""
    yield (
        "Symmetric distance, weighted by area. Limits: mean <= 0.10 mm and 95th percentile "
        "<= 0.30 mm over all but the endplates (0.5 mm thick) and 2 mm round the cuts through "
        "fused bone, which are apart. Over a limit: **bold**."
    )
    yield ""
    yield from table("phantom", "bone", "region", "mean mm", "95 % mm", "largest mm")
    for wish in CASES:
        case = plan(wish)
        for bone in measures.measured_bones(case):
            for n, row in enumerate(measures.surface_rows(case, bone)):
                mean, high = (over(row.mean_mm, 0.1), over(row.p95_mm, 0.3)) if n == 0 else (
                    row.mean_mm, row.p95_mm)  # fmt: skip
                yield line(wish.phantom, bone, row.region, mean, high, row.largest_mm)


def positions(plan: Plan) -> Iterator[str]:
    """The same phantom scanned otherwise."""
    yield "# The same patient scanned oblique, tilted or flipped"
    yield ""
    yield (
        "L3 of the demo phantom against its straight scan (another noise each). Limits: corridor "
        "+-0.2 mm, entry and tip 0.5 mm. Over a limit: **bold**."
    )
    yield ""
    yield from table("scan", "path", "corridor mm", "entry mm", "tip mm", "turn deg", "length mm")
    straight = plan(CASES[0])
    for wish in POSITIONS:
        for row in measures.shift_rows(straight, plan(wish)):
            corridor = over(row.corridor_mm, 0.2)
            entry, tip = over(row.entry_mm, 0.5), over(row.tip_mm, 0.5)
            scan = wish.name.split("_", 2)[2].replace("_", " ")
            yield line(scan, row.name, corridor, entry, tip, row.turn_deg, row.length_mm)


def files(plan: Plan) -> Iterator[str]:
    """Guides as they are in their files."""
    yield "# Guides read back from their files"
    yield ""
    yield (
        "Bores fitted to the STL's own triangles; overlap and straight removal by exact booleans "
        "with every bone of the case; smallest wall as in checks.json. Limits: 0.05 mm, 0.1 deg, "
        "diameter 2.9 mm +- 0.05, overlap 0, wall 2.0 mm. Over a limit: **bold**."
    )
    yield ""
    head = ("phantom", "path", "axis off mm", "angle deg", "diameter mm", "overlap mm3")
    yield from table(*head, "removal mm3", "smallest wall mm")
    for wish in CASES:
        case = built(plan(wish))
        for path in case.plan["paths"]:
            yield line(wish.phantom, path["name"], *_in_file(case, path["name"], path["bone"]))


def _in_file(case: Case, path: str, bone: str) -> list[str]:
    """Bore, overlap, removal and wall of a path's guide; or why there is no guide."""
    part = f"guides/{bone}.stl"
    checks = [c for c in case.json("checks.json")["checks"] if c["subject"].startswith(part)]
    if not (case.root / part).is_file():
        return ["**not exported**: " + ", ".join(c["code"] for c in checks if not c["passed"])]
    row = measures.bore_row(case, path)
    wall = min(c["value"] for c in checks if c["code"] == "min_wall")
    return [
        over(row.offset_mm, 0.05, 4),
        over(row.angle_deg, 0.1, 4),
        f"{row.diameter_mm:.3f}",
        over(parts.overlap_mm3(case, bone), 0.0),
        over(parts.removal_mm3(case, bone), 0.0),
        f"{wall:.2f}",
    ]


def kyphoplasty(plan: Plan) -> Iterator[str]:
    """Fractures, needles, models and templates of kyphoplasty."""
    yield "# Kyphoplasty on fractured phantoms"
    yield ""
    yield (
        "The phantoms' skin is an elliptic cylinder, their bodies, canals and frames are the "
        "definition's; every value is compared with that of the same planned axis in closed form. "
        "Over a limit: **bold**."
    )
    yield from _fractures(plan)
    yield from _from_the_skin(plan)
    yield from _in_the_bone(plan)
    yield from _punctured(plan)


def _case_name(wish: Wish) -> str:
    return wish.name.removeprefix("fracture_").replace("_", " ")


def _fractures(plan: Plan) -> Iterator[str]:
    yield from ("", "## Fracture measures", "")
    yield "Found less true. Limits: heights 0.5 mm, kyphosis 2 deg. Compression as found and true."
    yield ""
    head = ("case", "front mm", "middle mm", "back mm", "kyphosis deg", "compression")
    yield from table(*head, "true", "class")
    for wish in NEEDLES:
        case = plan(wish)
        rows = {row.name.rsplit("_", 1)[0]: row for row in needles.fracture_rows(case)}
        heights = [over(rows[f"height_{p}"].off, 0.5) for p in ("front", "middle", "back")]
        angle, share = rows["local_kyphosis"], rows["compression"]
        name = share.note.split(" (")[0].split(", against")[0]
        yield line(_case_name(wish), *heights, over(angle.off, 2.0), share.found, share.true, name)


def _from_the_skin(plan: Plan) -> Iterator[str]:
    yield from ("", "## From the skin", "")
    yield (
        "Found less true. Limits: 1 mm, 1 deg. `midline`: distance from the spinous-process line, "
        "measured on the skin; `axial`, `sagittal` in the vertebra's true frame, `medial`, "
        "`cranial` in the scanner's."
    )
    yield ""
    head = ("case", "needle", "skin entry mm", "skin to bone mm", "skin to tip mm", "midline mm")
    yield from table(*head, "axial deg", "sagittal deg", "medial deg", "cranial deg")
    for wish in NEEDLES:
        for row in needles.needle_rows(plan(wish)):
            lengths = (row.skin_off_mm, row.to_bone_off_mm, row.to_tip_off_mm, row.midline_off_mm)
            angles = (row.axial_off_deg, row.sagittal_off_deg)
            angles += (row.medial_off_deg, row.cranial_off_deg)
            cells = (over(value + 0.0, 1.0) for value in (*lengths, *angles))
            yield line(_case_name(wish), row.name, *cells)


def _in_the_bone(plan: Plan) -> Iterator[str]:
    yield from ("", "## In the bone", "")
    yield (
        "`bone`: least true bone round the needle from 3 mm under the entry to the tip (negative: "
        "breach; beside the pedicle not asked for); `ahead`: true bone ahead of the tip, at least "
        "5 mm; `depth`: the tip's place from the true front wall (0) to the back wall (1), at most "
        "0.333; `aside`: the tip from the true mid-plane to its own side; `canal`: needle to the "
        "true canal, beside the pedicle at least 1.5 mm."
    )
    yield ""
    head = ("case", "needle", "route", "needle mm", "bone mm", "ahead mm", "depth", "aside mm")
    yield from table(*head, "canal mm")
    for wish in NEEDLES:
        case = plan(wish)
        for row in needles.needle_rows(case):
            path = case.path(row.name)
            beside = path["route"] == "extrapedicular"
            bone = "" if beside else under(row.wall_mm, 0.0)
            canal = under(row.canal_mm, 1.5 if beside else 0.0)
            yield line(_case_name(wish), row.name, path["route"], path["diameter_mm"], bone,
                       under(row.front_mm, 5.0), over(row.front_share, 1 / 3, 3), row.aside_mm,
                       canal)  # fmt: skip
        for item in case.plan["skipped"]:
            yield line(_case_name(wish), item["name"], item["code"], *[""] * 6)


def _punctured(plan: Plan) -> Iterator[str]:
    yield from ("", "## Parts read back from their files", "")
    yield (
        "Bores fitted to the STL's own triangles: 0.05 mm, 0.1 deg; a template's smallest wall as "
        "in checks.json, and the least way between facing surfaces by rays: 2.0 mm; `rod`: volume "
        "met by a rod of the needle's diameter through the whole part; `gap`: least and median "
        "distance of the template's underside from the found skin (0.5 mm is set) and the least "
        "from the true one."
    )
    yield ""
    head = ("case", "part", "needle", "axis off mm", "angle deg", "rod mm3", "bodies")
    yield from table(*head, "wall mm", "facing mm", "gap mm")
    for wish in PUNCTURED:
        case = built(plan(wish))
        for part, clearance in ((punctured.TEMPLATE, 0.25), (f"models/{wish.levels}.stl", 0.3)):
            if (case.root / part).is_file():
                yield from _part_lines(case, part, clearance)
                continue
            failed = [c for c in case.json("checks.json")["checks"] if not c["passed"]]
            codes = [c["code"] for c in failed if c["subject"].startswith(part)]
            if codes:
                said = "**not exported**: " + ", ".join(codes)
                yield line(_case_name(wish), part, said, *[""] * 7)


def _part_lines(case: Case, part: str, clearance_mm: float) -> Iterator[str]:
    """One line a needle of one part."""
    checks = case.json("checks.json")["checks"]
    walls = [c["value"] for c in checks if c["code"] == "min_wall" and c["subject"] == part]
    wall = under(min(walls), 2.0) if walls else ""
    facing, bodies = punctured.thinnest_facing_mm(case, part), punctured.n_bodies(case, part)
    gap = ""
    if part == punctured.TEMPLATE:
        found, true = punctured.gaps_to_found_skin_mm(case), punctured.gaps_to_skin_mm(case)
        gap = f"{found.min():.2f}, {np.median(found):.2f}; {true.min():.2f}"
    for path in case.plan["paths"]:
        name = path["name"]
        row = measures.bore_row(
            case, name, part, path["diameter_mm"] + clearance_mm, punctured.SPANS_MM[part[:6]]
        )
        yield line(_case_name(case.wish), part, name, over(row.offset_mm, 0.05, 4),
                   over(row.angle_deg, 0.1, 4), over(punctured.met_by_rod_mm3(case, part, name), 0),
                   bodies, wall, under(facing, 2.0), gap)  # fmt: skip


def femora(plan: Plan) -> Iterator[str]:
    """Landmarks of real femora against raters, from the surface and through a CT."""
    del plan
    yield "# Femoral landmarks against five raters"
    yield ""
    yield (
        "Three femora of VSDFullBodyBoneModels v2.0 (Fischer 2023, CC BY-NC-SA 4.0), each point "
        "picked by five raters four times. `surface`: distance of the landmark found on the given "
        "surface from the mean of the 20 picks; `CT`: of that found in a CT made of the surface "
        "(`guidegen phantom --from-meshes`, one femur alone, 0.7 x 0.7 x 1.0 mm, noise 25 HU), "
        "read, separated and surfaced again; `spread`: root mean square distance of the picks from "
        "their mean. Asked for: at least 80 % of the landmarks within the spread; mechanical axis "
        "0.5 deg, PCA 1.5 deg, TEA 2.5 deg. Over a limit: **bold**."
    )
    if not SHARED.is_dir():
        yield ""
        yield "Not measured: the surfaces are not on this machine."
        return
    with tempfile.TemporaryDirectory() as name:
        scanned = {s: leg_scans.femur_in_scan(SHARED, s, Path(name))[0] for s in raters.FEMORA}
    ways = {
        subject: (raters.judge(SHARED, subject), raters.judge(SHARED, subject, marks))
        for subject, marks in scanned.items()
    }
    yield from _against_raters(ways)
    yield from _unrated(scanned)


def _against_raters(ways: dict[str, tuple[raters.Judged, raters.Judged]]) -> Iterator[str]:
    """Landmarks and axes that raters picked: surface and CT, femur by femur."""
    yield ""
    heads = [f"{s} {n} mm" for s in ways for n in ("surface", "CT", "spread")]
    yield from table("landmark", *heads)
    for name in raters.PICKED:
        cells: list[str] = []
        for both in ways.values():
            spread = both[0].spread_mm[name]
            cells += [over(way.errors_mm[name], spread, 1) for way in both] + [f"{spread:.1f}"]
        yield line(name, *cells)
    yield ""
    for n, way in enumerate(("surface", "CT")):
        errors = [(both[n].errors_mm[k], both[n].spread_mm[k]) for both in ways.values()
                  for k in both[n].errors_mm]  # fmt: skip
        yield f"Within the spread, {way}: {sum(e <= s for e, s in errors)} of {len(errors)}."
        yield ""
    yield from table("axis", *(f"{s} {n} deg" for s in ways for n in ("surface", "CT")))
    for axis, limit in raters.LIMITS_DEG.items():
        values = [way.axes_deg[axis] for both in ways.values() for way in both]
        yield line(axis, *(over(value, limit) for value in values))


def _unrated(scanned: dict[str, Landmarks]) -> Iterator[str]:
    """Landmarks that nobody picked: how far the CT's lie from the surface's."""
    whole = {s: find_femur(raters.femur(SHARED, s)) for s in scanned}
    yield ""
    yield (
        "Landmarks that nobody picked, distance of the CT's from the surface's. The medial sulcus "
        "is told where a hollow shows whose surgical axis is turned as such axes are."
    )
    yield ""
    yield from table("landmark", *(f"{s} mm" for s in scanned))
    for name in ("femoral_head_centre", "trochlear_groove", "anterior_cortex", "medial_sulcus"):
        cells: list[object] = []
        for subject, marks in scanned.items():
            both = [found[name].position_mm for found in (marks, whole[subject]) if name in found]
            off = float(np.linalg.norm(both[0] - both[1])) if len(both) == 2 else None
            cells.append(off if off is not None else ("one only" if both else "not told"))
        yield line(name, *cells)


def knee_pose(plan: Plan) -> Iterator[str]:
    """One real leg scanned in other positions."""
    del plan
    yield "# The same leg turned, bent and mirrored"
    yield ""
    yield (
        "The left leg z027 of VSDFullBodyBoneModels v3.0 (Fischer 2023, CC BY-NC-SA 4.0): femur, "
        "tibia, fibula, patella and talus, moved, scanned anew (`guidegen phantom --from-meshes`, "
        "1.0 mm voxels, noise 25 HU), read, separated and planned. Turned by 20 deg about each of "
        "the scanner's axes; bent by 20 deg about the epicondylar axis (tibia, fibula and talus); "
        "mirrored, which makes it a right leg. `HKA` to `knee flexion`: change against the scan of "
        "the leg as it lay, deg, the bend taken off the flexion. Planned angles (FFC, LFC, FTC, "
        "LTC, rotation to the PCA, tibial rotation; the largest change of them) may change by 0.2 "
        "deg, and are 0 by construction: cuts are set to them in the bone's own frame, so that the "
        "columns `cut` say more: turn (deg) and way along the normal (mm) of the same cut on the "
        "bone. HKA and FTA may change by 0.5; rotation to the TEA and condylar twist, which no cut "
        "follows as the settings come, are held to 0.2, too. Over a limit: **bold**."
    )
    yield ""
    if not SHARED.is_dir():
        yield "Not measured: the surfaces are not on this machine."
        return
    told = (*leg_poses.ALIGNED, *leg_poses.TOLD)
    cuts = [f"{kind} cut {unit}" for kind in ("femur", "tibia") for unit in ("deg", "mm")]
    yield from table("position", "planned", *(name.replace("_", " ") for name in told), *cuts)
    with tempfile.TemporaryDirectory() as name:
        found = {
            pose: leg_poses.planned_in_scan(SHARED, "L", pose, Path(name))
            for pose in (leg_poses.LAY, *leg_poses.OTHERS)
        }
    first = found[leg_poses.LAY]
    for pose in leg_poses.OTHERS:
        yield _pose_line(first, found[pose], pose, told)
    yield ""
    text = ", ".join(f"{name.replace('_', ' ')} {first.angles_deg[name]:.2f}" for name in told)
    yield f"As it lay (deg): {text}."


def _pose_line(
    first: leg_poses.Posed, other: leg_poses.Posed, pose: str, told: tuple[str, ...]
) -> str:
    changes = {n: leg_poses.change_deg(first, other, n, pose) for n in leg_poses.LIMITS_DEG}
    planned_angles = max((changes[n] for n in leg_poses.PLANNED), key=abs)
    cells = [over(changes[n] + 0.0, leg_poses.LIMITS_DEG[n]) for n in told]
    for kind in ("femur", "tibia"):
        cells.append(over(leg_poses.cut_turn_deg(first, other, kind), leg_poses.CUT_DEG))
        cells.append(over(leg_poses.cut_shift_mm(first, other, kind) + 0.0, leg_poses.CUT_MM))
    return line(pose, over(abs(planned_angles), 0.2), *cells)


def legs(plan: Callable[[LegWish], whole_legs.LegCase]) -> Iterator[str]:
    """Phantoms of whole legs against their definitions."""
    yield "# Whole legs against their definitions"
    yield ""
    yield (
        "Phantoms of data/phantoms, each read from DICOM, separated, measured and planned: voxels "
        "1.5 x 1.5 x 2.0 mm, point spread 0.5 mm, noise 25 HU. Angles are found less true "
        "(HKA and FTA within 0.5 deg), landmarks the distance from the true place. Over a limit: "
        "**bold**."
    )
    wishes = [LegWish(whole_legs.known(n), whole_legs.COARSE) for n in whole_legs.PAGE]
    wishes += [LegWish(whole_legs.posed(p), whole_legs.COARSE) for p in whole_legs.POSES]
    cases = [plan(wish) for wish in wishes]
    yield from ("", "## Angles", "")
    words = ("HKA", "FTA", "knee_flexion", "femoral_rotation_to_TEA")
    yield from table("phantom", "side", *(f"{word} deg" for word in words), "red warnings")
    for case in cases:
        red = {w["code"] for w in case.plan["warnings"] if w.get("red")}
        for side in case.wish.definition.legs:
            off = {n: whole_legs.off_by(case, f"{n}_{side}") for n in words}
            cells = (over(off[n], 0.5) if n in words[:2] else f"{off[n]:.2f}" for n in words)
            yield line(case.wish.definition.name, side, *cells, ", ".join(sorted(red)))
    yield from ("", "## Landmarks, mm", "")
    yield from table("landmark", *(case.wish.definition.name for case in cases))
    found = [whole_legs.landmark_errors(case) for case in cases]
    for name in dict.fromkeys(key.split()[1] for errors in found for key in errors):
        worst = [max((v for k, v in e.items() if k.split()[1] == name), default=0.0) for e in found]
        yield line(name, *(over(value, whole_legs.within_mm(name), 1) for value in worst))


PAGES: dict[str, Callable[..., Iterator[str]]] = {
    "corridors": corridors,
    "surfaces": surfaces,
    "positions": positions,
    "files": files,
    "kyphoplasty": kyphoplasty,
    "femora": femora,
    "knee_pose": knee_pose,
    "legs": legs,
    "phantoms": phantoms,
}
WITHOUT_SCAN = ("femora", "knee_pose", "legs", "phantoms")
"""Pages that are not measured on the usual scans of spines."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m docs.make_validation", description=__doc__)
    parser.add_argument("pages", nargs="*", choices=[*PAGES, []], help="only these")
    parser.add_argument("--work", type=Path, help="keep the cases here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = given.work or Path(name)
        FOLDER.mkdir(exist_ok=True)
        for page in given.pages or PAGES:
            plan = {"legs": whole_legs.planned_leg, "phantoms": ran}.get(page, planned)
            lines = [*PAGES[page](partial(plan, place=place))]
            made = MADE.split(" Phantoms:")[0] if page in WITHOUT_SCAN else MADE
            text = "\n".join([lines[0], "", made, *lines[1:]]) + "\n"
            (FOLDER / f"{page}.md").write_text(text, encoding="utf-8", newline="\n")
            print(f"{page}.md written", flush=True)


if __name__ == "__main__":
    main()
