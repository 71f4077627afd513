// Changes: tried while something moves, kept when it rests. One question at a time; of changes that
// are only tried the newest wins, of those that are to be kept none is lost.

import { Refused, getJson, postJson } from "./api.js";
import { note } from "./bars.js";
import { askName } from "./name.js";
import { itemNamed, set, state, tell } from "./store.js";
import { add, along, norm, sub, unit } from "./vec.js";

const REST_MS = 450;
const SETTLE_MS = 500;

let busy = false;
let trial = null;
let orders = [];
let rest = null;
let resting = null;

/** Tell whether a path can be moved by hand: whatever has numbers to set can be. */
export function able(path) {
  return Boolean(state.told.items.find((item) => item.name === path.name && item.fields.length));
}

/**
 * A path was moved by pointer or key: `what` of it, "entry", "tip" or "both"; `last` when it is let
 * go. The whole path keeps its length; with one end moved it gets the nearest length that there is,
 * measured from where it goes into the bone, which the server knows.
 */
export function moved(item, what, entry_mm, tip_mm, last) {
  const path = itemNamed(item, state.told)?.item;
  const change = changeOf(path, what, entry_mm, tip_mm);
  const draft = { item, entry_mm: path.entry_mm, tip_mm: path.tip_mm, ...change };
  if (change.in_set) draft.tip_mm = offeredTip(item, draft);
  set("draft", { draft });
  if (last) keep(item, change);
  else attempt(item, change);
}

function changeOf(path, what, entry_mm, tip_mm) {
  const length_mm = offeredLength(path.name, path.length_mm, true);
  if (what === "both") return { entry_mm, tip_mm, length_mm };
  if (path.role !== "parallel")
    return { ...(what === "entry" ? { entry_mm } : { tip_mm }), in_set: true };
  // of two parallel pins each keeps its direction: the other end goes along
  const shift = what === "entry" ? sub(entry_mm, path.entry_mm) : sub(tip_mm, path.tip_mm);
  const [entry, tip] = [add(path.entry_mm, shift), add(path.tip_mm, shift)];
  return { entry_mm: entry, tip_mm: tip, length_mm };
}

/** Where the tip is about to be, until the server has measured it. */
function offeredTip(item, { entry_mm, tip_mm }) {
  const way = sub(tip_mm, entry_mm);
  return along(entry_mm, unit(way), offeredLength(item, norm(way)));
}

/** The nearest length that an item is offered in; with `free`, any between the limits. */
function offeredLength(item, length, free = false) {
  const field = state.told.items
    .find((i) => i.name === item)
    ?.fields.find((f) => f.name === "length_mm");
  if (!field) return length;
  const nearest = free ? length : Math.round(length / field.step) * field.step;
  return Math.min(field.max, Math.max(field.min, nearest));
}

/** The whole path by small steps: kept as one change once the keys rest. */
export function nudged(item, entry_mm, tip_mm) {
  moved(item, "both", entry_mm, tip_mm, false);
  later(() => moved(item, "both", entry_mm, tip_mm, true));
}

/** Try a change of a number, and keep it once it rests. */
export function stepped(item, change, failed) {
  attempt(item, change);
  later(() => keep(item, change, failed));
}

function later(back) {
  window.clearTimeout(rest);
  resting = back;
  rest = window.setTimeout(settle, REST_MS);
}

/** Keep at once what still waits for the keys to rest. */
export function settle() {
  window.clearTimeout(rest);
  const back = resting;
  resting = null;
  back?.();
}

/** Ask what a change would do. */
function attempt(item, change) {
  trial = { item, change };
  pump();
}

/** Make a change. `failed(sentence)` shows a refusal where the change was made. */
export function keep(item, change, failed) {
  order("/api/edit", { item, change }, failed);
}

/** Any order that answers with the whole case: undo, redo, approve, import. */
export function order(path, body, failed, done) {
  trial = null;
  orders.push({ path, body, failed, done, draft: state.draft });
  pump();
}

async function pump() {
  if (busy) return;
  const next = orders.shift();
  if (!next && !trial) return;
  busy = true;
  set("measuring", { measuring: true });
  try {
    if (next) await make(next);
    else await tryIt();
  } finally {
    busy = false;
    set("measuring", { measuring: orders.length > 0 || trial !== null });
  }
  pump();
}

async function tryIt() {
  const asked = trial;
  trial = null;
  try {
    const tried = await postJson("/api/edit", {
      revision: state.told.revision,
      keep: false,
      ...asked,
    });
    if (state.draft || resting) set("tried", { tried, refusal: "" });
  } catch (error) {
    if (error.status === 409) await conflict(error);
    else set("tried", { tried: null, refusal: error.message });
  }
}

async function make({ path, body, failed, done, draft }) {
  if (!(await askName())) {
    letGo(draft);
    failed?.("Nothing was changed: a change needs a name.");
    return;
  }
  try {
    const told = await postJson(path, { revision: state.told.revision, ...body });
    take(told, draft);
    done?.(told);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    letGo(draft);
    if (error.status === 409) await conflict(error);
    else if (!failed) note("refused", error.message);
    failed?.(error.message);
  }
}

/** Show the case as the server has it. */
export function take(told, draft = state.draft) {
  Object.assign(state, { told, work: told.work, tried: null, refusal: "" });
  if (state.draft === draft) state.draft = null;
  if (state.chosen && !itemNamed(state.chosen)) moveOn(told);
  tell("told");
  awaitSettled();
}

/** Something of the plan is still being worked out beside the page: look until it is there. */
function awaitSettled() {
  window.clearTimeout(awaitSettled.timer);
  if (!isSettling()) return;
  awaitSettled.timer = window.setTimeout(async () => {
    const { revision } = state.told;
    try {
      const told = await getJson("/api/case");
      const mine = revision === state.told.revision && !busy && !state.draft && !resting;
      if (mine && told.revision !== revision) take(told);
      else awaitSettled();
    } catch (error) {
      note("failed", error.message);
    }
  }, SETTLE_MS);
}

/** Whether something is on its way to the server, or waits for the keys to rest. */
export const isBusy = () => busy || orders.length > 0 || resting !== null;

/** Whether a part of the plan still belongs to the plan before the last change. */
export const isSettling = () => state.told.items.some((item) => item.waiting);

/** The chosen item has gone, perhaps to another pedicle: go to the one that is new. */
function moveOn(told) {
  state.chosen = told.paths.find((path) => path.edited)?.name ?? told.paths[0]?.name ?? null;
  window.setTimeout(() => tell("chosen"));
}

function letGo(draft) {
  Object.assign(state, { tried: null });
  if (state.draft === draft) state.draft = null;
  tell("told");
}

/** Somebody else changed the plan: show theirs, and say that ours was not made. */
async function conflict(error) {
  orders = [];
  trial = null;
  state.draft = null;
  take(await getJson("/api/case"));
  note("conflict", error.message);
}

export const undo = () => {
  settle();
  order("/api/undo", {});
};
export const redo = () => {
  settle();
  order("/api/redo", {});
};
