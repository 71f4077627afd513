// Which planes the three slices show, and how they follow what is chosen.

import { $, fill, h } from "./dom.js";
import { frameOf, ofCut, ofPath, orthogonal } from "./planes.js";
import { SliceView } from "./slice_view.js";
import { chosenItem, on, set, shown, state, tell } from "./store.js";
import { along, mid, norm, sub, unit } from "./vec.js";

const ORTHOGONAL = ["axial", "coronal", "sagittal"];
const OBLIQUE = ["flat", "side", "across"];
const PATH_FIELD_MM = 78;
const CROSS_FIELD_MM = 44;
const CUT_FIELD_MM = 120;

let views = [];
let touched = null;

/** The plane that slice number `n` shows now. */
function planeOf(n) {
  const found = chosenItem();
  if (state.layout === "whole" || !found || found.is === "skipped") {
    return { ...orthogonal(ORTHOGONAL[n], state.cursor), name: ORTHOGONAL[n], meets: true };
  }
  const { item } = found;
  const frame = frameOf(shown(), item.bone);
  const name = OBLIQUE[n];
  if (found.is === "cut") return { ...ofCut(name, item, frame), name };
  return { ...ofPath(name, item, frame, state.depth), name, onPath: true };
}

/** How much a slice shows at first, in mm. */
function fieldOf(n) {
  const found = chosenItem();
  const bounds = shown().bounds_mm;
  if (!found) return Math.min(260, norm(sub(bounds[1], bounds[0])));
  if (found.is === "cut") return CUT_FIELD_MM;
  if (found.is === "skipped" || state.layout === "whole") return 110;
  const { entry_mm, tip_mm } = found.item;
  return n === 2 ? CROSS_FIELD_MM : Math.max(PATH_FIELD_MM, norm(sub(tip_mm, entry_mm)) + 36);
}

/** The point that a slice has in its middle at first. */
function focusOf(n) {
  const found = chosenItem();
  if (!found) return state.cursor;
  if (found.is === "cut") return found.item.origin_mm;
  if (found.is === "skipped") return state.cursor;
  const { entry_mm, tip_mm } = found.item;
  if (state.layout === "item" && n === 2) {
    return along(entry_mm, unit(sub(tip_mm, entry_mm)), state.depth);
  }
  return mid(entry_mm, tip_mm);
}

/** Make the three slices. */
export function startViews(change) {
  views = ["slice0", "slice1", "slice2"].map(
    (id, n) =>
      new SliceView($(id), {
        plane: () => planeOf(n),
        field: () => fieldOf(n),
        focus: () => focusOf(n),
        change,
      }),
  );
  for (const view of views)
    view.canvas.addEventListener("focus", () => {
      touched = view;
    });
  on("chosen layout", home);
  on("cursor depth outlines draft told tried", refresh);
  on("grey", () => views.forEach((view) => view.regrey()));
  on("shape", () => window.requestAnimationFrame(() => views.forEach((view) => view.resize())));
  $("depth").addEventListener("input", () => set("depth", { depth: Number($("depth").value) }));
  on("depth chosen layout told tried draft", showDepth);
}

/** Put every slice on what is chosen, at its first size. */
export function home() {
  views.forEach((view) => view.home());
}

function refresh() {
  views.forEach((view) => view.refresh());
}

/** Choose an item and look at it. */
export function choose(name, layout = state.layout) {
  state.draft = null;
  Object.assign(state, { chosen: name, layout });
  const found = chosenItem();
  if (found?.is === "path") {
    const { entry_mm, tip_mm } = found.item;
    const length = norm(sub(tip_mm, entry_mm));
    state.depth =
      found.item.kind === "screw" || found.item.kind === "needle"
        ? Math.round(found.item.isthmus_depth_mm ?? length * 0.33)
        : Math.round(length / 2);
    state.cursor = mid(entry_mm, tip_mm);
  } else if (found) {
    state.cursor = found.is === "cut" ? found.item.origin_mm : placeOf(found.item);
  }
  tell("chosen");
}

/** Where to look for a pedicle without a path: its own, else its bone's middle. */
function placeOf(item) {
  if (item.path?.entry_mm) return mid(item.path.entry_mm, item.path.tip_mm);
  const frame = shown().frames[item.bone];
  return frame ? frame.origin_mm : shown().centre_mm;
}

/** The slider of the cross-section: only where there is one. */
function showDepth() {
  const found = chosenItem();
  const is = found?.is === "path" && state.layout === "item";
  $("depth-row").hidden = !is;
  $("slice2").classList.toggle("with-row", is);
  if (!is) return;
  const length = norm(sub(found.item.tip_mm, found.item.entry_mm));
  $("depth").max = String(Math.ceil(length + 5));
  $("depth").value = String(state.depth);
  fill($("depth-text"), `${state.depth.toFixed(1)} of ${length.toFixed(0)} mm`);
}

/** The slice that the keys act on: the one last touched. */
export const activeView = () => touched ?? views[0];

/** One picture large, or all four. */
export function enlarge(id) {
  const box = $("pictures");
  const now = box.dataset.large === id ? "" : id;
  box.dataset.large = now;
  for (const figure of box.children) figure.classList.toggle("large", figure.id === now);
  box.classList.toggle("one", Boolean(now));
  tell("shape");
}

/** The buttons in the corner of a picture. */
export function corner(id, extra = []) {
  return h(
    "div",
    { class: "corner" },
    extra,
    h(
      "button",
      {
        class: "small",
        title: "This picture large, or all four",
        "aria-label": "Enlarge",
        onclick: () => enlarge(id),
      },
      "⤢",
    ),
  );
}

/** Ask for every slice again: a guide's outline is new. */
export function renewAll() {
  views.forEach((view) => view.renew());
}
