// The chosen item: what it is, what is wrong with it, and its numbers to change.

import { leftOut } from "./advice.js";
import { startActions } from "./actions.js";
import { $, fill, h } from "./dom.js";
import { isSettling } from "./edits.js";
import { startFields } from "./fields.js";
import { warningsOf } from "./ranking.js";
import { chosenItem, itemNamed, on, shown, state } from "./store.js";
import { gradeChip } from "./table.js";
import { warningLine } from "./warnings.js";
import {
  gradeWords,
  heading,
  number,
  plainName,
  sentence,
  shortLabel,
  sizeWords,
  withUnit,
} from "./words.js";

export function startPanel(rebuild) {
  startFields();
  startActions(rebuild);
  on("told tried chosen", drawPanel);
  on("told tried draft measuring", drawStrip);
  on("chosen", drawStrip);
}

/** One line over the pictures: the chosen item, live while it is changed. */
function drawStrip() {
  const found = chosenItem();
  $("strip").classList.toggle("measuring", state.measuring);
  if (!found) {
    fill($("strip"), "Choose an item in the table on the left.");
    return;
  }
  const measured = itemNamed(state.chosen)?.item ?? found.item;
  const parts = [h("strong", {}, plainName(found.item.name))];
  if (found.is === "path") {
    const count = warningsOf(shown(), found.item.name).length;
    parts.push(
      gradeChip(measured.grade),
      h("span", { class: "gives" }, gradeWords(measured)),
      h("span", {}, `clearance ${withUnit(measured.clearance_mm, "mm", 2)}`),
      h("span", {}, sizeWords(measured)),
      h("span", {}, count ? `${count} warning${count > 1 ? "s" : ""}` : "no warnings"),
    );
  } else if (found.is === "cut") {
    const item = shown().items.find((i) => i.name === found.item.name);
    for (const f of item?.fields ?? [])
      parts.push(h("span", {}, `${shortLabel(f)} ${withUnit(f.value, f.unit)}`));
  } else parts.push(h("span", {}, `no path: ${leftOut(found.item)}`));
  parts.push(h("span", { class: "busy" }, busyWords()));
  fill($("strip"), parts);
}

function busyWords() {
  if (state.measuring) return "measuring …";
  return isSettling() ? "working out pins and warnings …" : "";
}

function drawPanel() {
  const found = chosenItem();
  $("panel").hidden = !found;
  if (!found) return;
  const { is, item } = found;
  fill($("panel-title"), heading(item.name));
  const edited = item.edited ? " · changed by hand" : "";
  fill(
    $("panel-kind"),
    `${is === "cut" ? "saw cut" : (item.kind ?? "no path")} in ${plainName(item.bone)}${edited}`,
  );
  fill($("facts"), factsOf(found));
  drawWarnings(item);
}

/** What is known of it and not said over the pictures already. */
function factsOf({ is, item }) {
  if (is === "skipped") return [sentence(`No path: ${leftOut(item)}`)];
  if (is === "cut") return [];
  const told = [
    [item.corridor_diameter_mm, (v) => `corridor ${number(v, 2)} mm`],
    [item.mean_hu, (v) => `mean ${number(v, 0)} HU`],
    [item.front_mm, (v) => `front wall ${number(v)} mm straight ahead of the tip`],
    [item.skin_to_bone_mm, (v) => `skin to bone ${number(v)} mm`],
    [item.skin_to_tip_mm, (v) => `skin to tip ${number(v)} mm`],
  ].filter(([value]) => value !== null && value !== undefined);
  return [told.map(([value, words]) => words(value)).join(" · ")];
}

function drawWarnings(item) {
  const warnings = warningsOf(shown(), item.name);
  fill($("own-warnings"), warnings.map(warningLine));
  $("no-warnings").hidden = warnings.length > 0;
}
