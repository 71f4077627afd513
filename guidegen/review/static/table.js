// The table of paths or cuts, what was left out, and the warnings of the whole case.

import { leftOut } from "./advice.js";
import { $, fill, h } from "./dom.js";
import { warningsOf, worstFirst } from "./ranking.js";
import { on, shown, state } from "./store.js";
import { heading, lengthWords, number, plainName } from "./words.js";

const COLUMNS = {
  flexion_deg: "Flex.",
  frontal_deg: "Front.",
  rotation_deg: "Rot.",
  slope_deg: "Slope",
  resection_mm: "Res.",
};

let sorted = false;
let choose = null;

export function startTable(chooser) {
  choose = chooser;
  $("worst-first").addEventListener("click", () => {
    sorted = !sorted;
    $("worst-first").setAttribute("aria-pressed", String(sorted));
    drawTable();
  });
  on("told tried", drawTable);
  on("chosen", mark);
}

/** Where the table's order goes on from the chosen item. */
export function neighbour(step) {
  const rows = [...$("items").querySelectorAll("tr[data-item]")];
  if (!rows.length) return null;
  const now = rows.findIndex((row) => row.dataset.item === state.chosen);
  return rows[(now + step + rows.length) % rows.length].dataset.item;
}

function drawTable() {
  const told = shown();
  const focused = document.activeElement?.closest("tr[data-item]")?.dataset.item;
  fill(
    $("items"),
    ...[
      told.cuts.length ? cutTable(told) : null,
      told.paths.length || told.skipped.length ? pathTable(told) : null,
    ],
  );
  mark();
  if (focused)
    $("items")
      .querySelector(`tr[data-item="${CSS.escape(focused)}"]`)
      ?.focus();
}

const order = (items) => (sorted ? worstFirst(items) : items);

function pathTable(told) {
  const graded = told.paths.some((p) => p.grade || p.axial_angle_deg !== null);
  const kind = told.paths[0]?.kind ?? "path";
  const columns = graded
    ? ["Grade", "Clear mm", "Ø × l mm", "Axial°", "Sagit.°", "HU", "!"]
    : ["Clear mm", "Ø × l mm", "!"];
  const titles = {
    "Clear mm": "Clearance: from the surface to the nearest border of the bone",
    "Axial°": "Axial angle: positive towards the midline",
    "!": "Warnings",
    "Sagit.°": "Sagittal angle: positive towards the head",
    HU: "Mean HU along the path",
    "Ø × l mm": "Diameter × length",
    Grade: "Gertzbein-Robbins: A is fully inside the bone",
  };
  return h(
    "table",
    { class: "items" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, kind === "pin" ? "Pin" : plainKind(kind)),
        columns.map((c) => h("th", { scope: "col", class: "n", title: titles[c] }, c)),
      ),
    ),
    h(
      "tbody",
      {},
      order(told.paths).map((path) => pathRow(told, path, graded)),
      told.skipped.map((item) => skippedRow(item, columns.length)),
    ),
  );
}

const plainKind = (kind) => kind.charAt(0).toUpperCase() + kind.slice(1);

function pathRow(told, path, graded) {
  const warnings = warningsOf(told, path.name);
  const tight = path.clearance_mm !== null && path.clearance_mm < 0.3;
  const cells = [
    h("td", { class: `n${tight ? " tight" : ""}` }, number(path.clearance_mm, 2)),
    h("td", { class: "n" }, `${number(path.diameter_mm)} × ${lengthWords(path)}`),
  ];
  if (graded) {
    cells.unshift(h("td", { class: "n" }, gradeChip(path.grade)));
    cells.push(
      h("td", { class: "n" }, number(path.axial_angle_deg)),
      h("td", { class: "n" }, number(path.sagittal_angle_deg)),
      h("td", { class: "n" }, number(path.mean_hu, 0)),
    );
  }
  return row(path, warnings, [...cells, warningCell(warnings)]);
}

/** A grade in its colour; the letter says it too. */
export function gradeChip(grade) {
  return h("span", { class: `grade g${grade ?? "none"}` }, grade ?? "–");
}

function warningCell(warnings) {
  const red = warnings.filter((w) => w.red).length;
  const words = warnings.map((w) => `${w.red ? "Red: " : ""}${w.message}`).join("\n");
  return h(
    "td",
    { class: "n", title: words || "No warnings" },
    red
      ? h("span", { class: "mark red" }, `▲${warnings.length}`)
      : warnings.length
        ? h("span", { class: "mark" }, `△${warnings.length}`)
        : "",
  );
}

function row(item, warnings, cells) {
  const red = warnings.some((w) => w.red);
  const made = h(
    "tr",
    {
      "data-item": item.name,
      tabindex: "0",
      class: red ? "red" : "",
      onclick: () => choose(item.name),
      onkeydown: (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(item.name);
      },
    },
    h(
      "th",
      { scope: "row" },
      plainName(item.name),
      item.edited ? h("span", { class: "edited", title: "Changed by hand" }, " ✎") : null,
    ),
    cells,
  );
  return made;
}

function skippedRow(item, columns) {
  const made = row(
    item,
    [],
    [
      h(
        "td",
        { colspan: columns, class: "reason", title: leftOut(item) },
        h("div", {}, leftOut(item)),
      ),
    ],
  );
  made.classList.add("skipped");
  return made;
}

function cutTable(told) {
  const fields = [];
  for (const item of told.items.filter((i) => i.kind === "cut")) {
    for (const field of item.fields)
      if (!fields.some((f) => f.name === field.name)) fields.push(field);
  }
  const columnName = (f) =>
    (COLUMNS[f.name] ?? heading(f.label)) + (f.unit === "deg" ? "°" : ` ${f.unit}`);
  const value = (cut, name) =>
    told.items.find((i) => i.name === cut.name)?.fields.find((f) => f.name === name)?.value;
  return h(
    "table",
    { class: "items" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Cut"),
        fields.map((f) => h("th", { scope: "col", class: "n", title: f.label }, columnName(f))),
        h("th", { scope: "col", class: "n" }, "!"),
      ),
    ),
    h(
      "tbody",
      {},
      order(told.cuts).map((cut) => {
        const warnings = warningsOf(told, cut.name);
        return row(cut, warnings, [
          ...fields.map((f) => h("td", { class: "n" }, number(value(cut, f.name)))),
          warningCell(warnings),
        ]);
      }),
    ),
  );
}

function mark() {
  for (const line of $("items").querySelectorAll("tr[data-item]")) {
    const is = line.dataset.item === state.chosen;
    line.classList.toggle("chosen", is);
    if (is) line.setAttribute("aria-current", "true");
    else line.removeAttribute("aria-current");
    if (is) line.scrollIntoView({ block: "nearest" });
  }
}
