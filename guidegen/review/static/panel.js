// The chosen item: what it is, what is wrong with it, and its numbers to change.

import { leftOut } from "./advice.js";
import { $, enable, fill, h } from "./dom.js";
import { able, isSettling, keep, settle, stepped } from "./edits.js";
import { warningsOf } from "./ranking.js";
import { chosenItem, itemNamed, on, shown, state } from "./store.js";
import { gradeChip, warningLine } from "./table.js";
import { gradeWords, heading, number, plainName, sentence, shortLabel, sizeWords, withUnit } from "./words.js";

let rebuild = null;

export function startPanel(rebuilder) {
  rebuild = rebuilder;
  on("told tried chosen", drawPanel);
  on("told chosen", drawFields);
  on("tried", freshenFields);
  on("told work chosen", drawActions);
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
    parts.push(gradeChip(measured.grade), h("span", { class: "gives" }, gradeWords(measured)),
      h("span", {}, `clearance ${withUnit(measured.clearance_mm, "mm", 2)}`),
      h("span", {}, sizeWords(measured)),
      h("span", {}, count ? `${count} warning${count > 1 ? "s" : ""}` : "no warnings"));
  } else if (found.is === "cut") {
    const item = shown().items.find((i) => i.name === found.item.name);
    for (const f of item?.fields ?? []) parts.push(h("span", {}, `${shortLabel(f)} ${withUnit(f.value, f.unit)}`));
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
  fill($("panel-kind"), `${is === "cut" ? "saw cut" : item.kind ?? "no path"} in ${plainName(item.bone)}${edited}`);
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
    [item.front_mm, (v) => `tip ${number(v)} mm from the front wall`],
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

// ---- numbers

const offered = () => shown().items.find((i) => i.name === state.chosen);

/** A row a number: label, less, value, more, unit. */
function drawFields() {
  const item = offered();
  const found = chosenItem();
  if (!found) return;
  const fields = found.is === "skipped" ? [] : item?.fields ?? [];
  $("drag-hint").hidden = found.is !== "path" || !able(found.item);
  $("left-out-hint").hidden = found.is !== "skipped" || !item?.can_switch;
  $("no-change").hidden = found.is === "skipped" || fields.length > 0;
  const key = JSON.stringify([state.chosen, fields.map((f) => f.name)]);
  if (key === drawFields.key) {
    freshenFields();
    return;
  }
  drawFields.key = key;
  fill($("fields"), fields.map(fieldRow));
}

function fieldRow(field) {
  const id = `field-${field.name}`;
  const message = h("p", { class: "refusal", id: `${id}-why`, role: "alert" });
  const refused = (text) => {
    fill(message, text ? sentence(worded(text, field)) : "");
    input.setAttribute("aria-invalid", String(Boolean(text)));
    if (text) freshen(field.name);
  };
  const input = h("input", {
    id, type: "number", "data-field": field.name, "aria-describedby": `${id}-why ${id}-range`,
    onchange: () => { refused(""); entered(field.name, input, refused); },
    onkeydown: (event) => event.stopPropagation(),
  });
  const bump = (way) => h("button", {
    class: "step", "aria-label": `${way < 0 ? "Less" : "More"} ${field.label}`,
    onclick: () => { refused(""); bumped(field.name, way, input, refused); },
  }, way < 0 ? "−" : "+");
  const range = h("span", { class: "unseen", id: `${id}-range` });
  const made = h("div", { class: "field" }, h("label", { for: id }, heading(field.label)), bump(-1), input, bump(1),
    h("span", { class: "unit" }, field.unit === "deg" ? "°" : field.unit), range, message);
  window.queueMicrotask(() => freshen(field.name));
  return made;
}

/** The server's sentence with the label in place of the names of item and field. */
const worded = (text, field) => text.replace(`${state.chosen}: `, "").replaceAll(field.name, field.label);

const digitsOf = (step) => (step >= 1 ? 1 : Math.min(3, Math.ceil(-Math.log10(step) - 1e-9)));

/** The values as they are now, but for the one being typed. */
function freshenFields() {
  for (const field of offered()?.fields ?? []) freshen(field.name);
}

function freshen(name) {
  const field = offered()?.fields.find((f) => f.name === name);
  const input = $(`field-${name}`);
  if (!field || !input) return;
  Object.assign(input, { min: field.min, max: field.max, step: "any" });
  const range = `from ${number(field.min)} to ${number(field.max)} ${field.unit}`;
  fill($(`field-${name}-range`), range);
  input.title = range;
  if (input.dataset.bumping) return;
  const text = field.value === null ? "" : field.value.toFixed(digitsOf(field.step));
  if (document.activeElement !== input || input.getAttribute("aria-invalid") === "true") input.value = text;
  else if (input.dataset.sent) input.value = text;
  delete input.dataset.sent;
}

function entered(name, input, refused) {
  const field = offered().fields.find((f) => f.name === name);
  const value = Number(input.value);
  if (input.value.trim() === "" || !Number.isFinite(value)) {
    refused(`${field.label} wants a number from ${number(field.min)} to ${number(field.max)}`);
    return;
  }
  settle();
  if (value === field.value) return;
  input.dataset.sent = "yes";
  keep(state.chosen, { [name]: value }, refused);
}

/** A step button: tried at once, kept when the clicking rests. */
function bumped(name, way, input, refused) {
  const field = offered().fields.find((f) => f.name === name);
  const from = input.dataset.bumping ? Number(input.value) : field.value ?? field.min;
  const value = Math.min(field.max, Math.max(field.min, from + way * field.step));
  if (value === from) return;
  input.value = value.toFixed(digitsOf(field.step));
  input.dataset.bumping = "yes";
  window.clearTimeout(bumped.timer);
  bumped.timer = window.setTimeout(() => delete input.dataset.bumping, 400);
  stepped(state.chosen, { [name]: Number(value.toFixed(6)) }, refused);
}

// ---- what else can be done with it

const action = (text, title, onclick, attributes = {}) => h("button", { title, onclick, ...attributes }, text);

function drawActions() {
  const found = chosenItem();
  if (!found) return;
  const item = state.told.items.find((i) => i.name === state.chosen);
  const failed = (text) => fill($("action-why"), sentence(text));
  fill($("action-why"), "");
  const change = (what) => () => { settle(); fill($("action-why"), ""); keep(state.chosen, what, failed); };
  const back = action("Back to the automatic plan", "Undo every change of this item", change({ automatic: true }), { id: "automatic" });
  enable(back, Boolean(item?.edited), "This item is as it was planned");
  const parts = [back];
  if (found.is === "skipped") {
    const on_ = action("Give it a path", "Start on the pedicle's own axis", change({ on: true }), { id: "switch-on" });
    enable(on_, Boolean(item?.can_switch), "A path can't be given here");
    parts.push(on_);
  } else if (item?.can_switch) {
    parts.push(action("Switch off", "Leave this path out of the plan and of the guide", change({ on: false }), { id: "switch-off" }));
  }
  if (item?.places?.length) parts.push(places(item, failed));
  if (found.is !== "skipped") {
    const again = action("Rebuild this guide", "Make the guide of this bone from the present plan, to look at", () => rebuild(found.item.bone), { id: "rebuild" });
    enable(again, !state.work?.running, "Something is being built: wait for it");
    parts.push(again);
  }
  fill($("actions"), parts);
}

/** A pedicle that has a path already can be read, but not chosen. */
function placeOption(bone, side) {
  const taken = state.told.paths.some((p) => p.bone === bone && p.side === side);
  return h("option", { value: JSON.stringify([bone, side]), disabled: taken },
    `${plainName(bone)} ${side}${taken ? " (has a path)" : ""}`);
}

/** Where a path can be moved to: another pedicle. */
function places(item, failed) {
  const select = h("select", {
    id: "place", "aria-label": "Move to another pedicle",
    onchange: () => {
      const [bone, side] = JSON.parse(select.value);
      keep(state.chosen, { bone, side }, failed);
    },
  }, h("option", { value: "" }, "Move to another pedicle …"),
  item.places.map(([bone, side]) => placeOption(bone, side)));
  return select;
}
