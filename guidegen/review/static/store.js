// What the page shows at this moment, and who wants to know when it changes.

const listeners = new Map();

export const state = {
  told: null, // the case as the server keeps it
  tried: null, // the same with a change that is only tried, while something is dragged
  chosen: null, // name of the chosen path, cut or left-out pedicle
  draft: null, // {item, entry_mm, tip_mm} where the pointer has put a path, not yet measured
  cursor: [0, 0, 0], // where the three orthogonal slices meet
  depth: 0, // mm under the entry of the chosen path, of the cross-section
  layout: "item", // "item": planes of the chosen item; "whole": axial, coronal, sagittal
  grey: { centre: 400, width: 1800 }, // HU
  outlines: true,
  measuring: false,
};

/** Call `back` whenever one of the named things changed. */
export function on(names, back) {
  for (const name of names.split(" ")) {
    if (!listeners.has(name)) listeners.set(name, []);
    listeners.get(name).push(back);
  }
}

/** Say that something changed. */
export function tell(name) {
  for (const back of listeners.get(name) ?? []) back();
}

/** Change the state and say what changed. */
export function set(name, change) {
  Object.assign(state, change);
  tell(name);
}

/** The case as it is to be shown: with the change that is being tried. */
export const shown = () => state.tried ?? state.told;

/** A path, cut or left-out pedicle by its name. */
export function itemNamed(name, told = shown()) {
  const found = (list, is) => list.filter((i) => i.name === name).map((item) => ({ is, item }))[0];
  return found(told.paths, "path") ?? found(told.cuts, "cut") ?? found(told.skipped, "skipped");
}

/** The chosen item, with where the pointer has put it. */
export function chosenItem() {
  const found = state.told && state.chosen ? itemNamed(state.chosen) : null;
  if (!found || found.is !== "path" || state.draft?.item !== state.chosen) return found;
  const { entry_mm, tip_mm } = state.draft;
  return { is: "path", item: { ...found.item, entry_mm, tip_mm } };
}

/** All paths, the chosen one where the pointer has put it. */
export function shownPaths() {
  const told = shown();
  const { draft } = state;
  if (!draft) return told.paths;
  return told.paths.map((p) =>
    p.name === draft.item ? { ...p, entry_mm: draft.entry_mm, tip_mm: draft.tip_mm } : p,
  );
}

/** Names of everything that can be chosen, in the plan's order. */
export function allNames() {
  const { paths, cuts, skipped } = shown();
  return [...cuts, ...paths, ...skipped].map((item) => item.name);
}
