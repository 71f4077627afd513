// What the keys do. In fields for numbers and in dialogues they do what they always do.

import { $ } from "./dom.js";
import { able, nudged, redo, stepped, undo } from "./edits.js";
import { neighbour } from "./table.js";
import { chosenItem, set, shown, state } from "./store.js";
import { add, sub, times, turned, unit } from "./vec.js";
import { activeView, choose, home } from "./views.js";

const NUDGE_MM = 0.5;
const TURN_DEG = 1;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
export const PRESETS = { bone: { centre: 400, width: 1800 }, soft: { centre: 50, width: 400 } };

export function startKeys() {
  window.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), select, textarea, dialog");
    if (typing || event.altKey) return;
    if (press(event)) event.preventDefault();
  });
  $("help").addEventListener("click", showHelp);
  $("help-close").addEventListener("click", () => $("help-dialog").close());
}

const showHelp = () => $("help-dialog").showModal();

const ACTIONS = {
  z: undo,
  y: redo,
  n: () => go(1),
  p: () => go(-1),
  "?": showHelp,
  "[": () => bump("length_mm", -1),
  "]": () => bump("length_mm", 1),
  b: () => set("grey", { grey: { ...PRESETS.bone } }),
  s: () => set("grey", { grey: { ...PRESETS.soft } }),
  o: () => set("outlines", { outlines: !state.outlines }),
  f: home,
  "+": () => activeView().scale(1 / 1.2),
  "-": () => activeView().scale(1.2),
  PageDown: () => activeView().scroll(1),
  PageUp: () => activeView().scroll(-1),
};

function press(event) {
  const arrow = ARROWS[event.key];
  if (event.ctrlKey || event.metaKey) {
    const key = event.key.toLowerCase();
    if (key === "z") (event.shiftKey ? redo : undo)();
    else if (key === "y") redo();
    else return false;
    return true;
  }
  if (arrow && event.target.closest("#left")) return arrow[1] ? walk(arrow[1]) : false;
  if (arrow) return event.shiftKey ? turn(arrow) : nudge(arrow);
  const action = ACTIONS[event.key] ?? ACTIONS[event.key.toLowerCase()];
  if (!action) return false;
  action();
  return true;
}

function go(step) {
  const name = neighbour(step);
  if (name) choose(name);
}

/** In the table the arrows go from row to row, and change nothing. */
function walk(step) {
  go(step);
  $("items").querySelector("tr.chosen")?.focus();
  return true;
}

/** The chosen path, where it can be moved. */
function path() {
  const found = chosenItem();
  return found?.is === "path" && able(found.item) ? found.item : null;
}

/** Half a millimetre in the picture that was last touched; a cut up or down. */
function nudge([x, y]) {
  const item = path();
  if (!item) return bump("resection_mm", -y);
  const { plane } = activeView().look();
  const way = add(times(plane.right, x * NUDGE_MM), times(plane.down, y * NUDGE_MM));
  nudged(item.name, add(item.entry_mm, way), add(item.tip_mm, way));
  return true;
}

/** One degree about the entry, in the picture; a cut in the frontal plane or in the side view. */
function turn([x, y]) {
  const item = path();
  if (!item) return x ? bump("frontal_deg", x) : bump("slope_deg", -y) || bump("flexion_deg", -y);
  const { plane } = activeView().look();
  const d = sub(item.tip_mm, item.entry_mm);
  const axis = x ? plane.down : plane.right;
  const flatOn = Math.abs(plane.normal.reduce((sum, n, i) => sum + n * unit(d)[i], 0)) < 0.5;
  const about = flatOn ? plane.normal : axis;
  const sign = flatOn ? x || y : x ? -x : y;
  nudged(item.name, item.entry_mm, add(item.entry_mm, turned(d, about, sign * TURN_DEG)));
  return true;
}

/** Step a number of the chosen item. */
function bump(name, way) {
  const item = shown().items.find((i) => i.name === state.chosen);
  const field = item?.fields.find((f) => f.name === name);
  if (!field) return false;
  const value = Math.min(field.max, Math.max(field.min, field.value + way * field.step));
  if (value === field.value) return true;
  stepped(item.name, { [name]: Number(value.toFixed(6)) });
  return true;
}
