// Which item wants to be looked at first, and why, in a few words.

import { number, plainName } from "./words.js";

const GRADES = "ABCDE";

/** Warnings of an item, heaviest first as the server sorts them. */
export const warningsOf = (told, name) => told.warnings.filter((w) => w.subject === name);

/** Warnings of nothing in the table: of the scan, of bones, of the plan. */
export function otherWarnings(told) {
  const names = new Set([...told.paths, ...told.cuts, ...told.skipped].map((item) => item.name));
  return told.warnings.filter((w) => !names.has(w.subject));
}

/** Items, the worst first: by weight, then grade, then clearance; a cut before its pins. */
export function worstFirst(items) {
  const rank = (item) => [
    -(item.weight ?? 0),
    -GRADES.indexOf(item.grade ?? "A"),
    item.normal ? -99 : (item.clearance_mm ?? 99),
  ];
  return [...items].sort((a, b) => {
    const [ra, rb] = [rank(a), rank(b)];
    const n = ra.findIndex((x, i) => x !== rb[i]);
    return n < 0 ? 0 : ra[n] - rb[n];
  });
}

/** The item that wants to be looked at first, and why; null where there is none. */
export function worst(told) {
  const [item] = worstFirst([...told.cuts, ...told.paths]);
  if (!item) return null;
  const [first] = warningsOf(told, item.name);
  const clear =
    item.clearance_mm === null || item.clearance_mm === undefined
      ? ""
      : `clearance ${number(item.clearance_mm, 2)} mm`;
  const why = [item.grade ? `grade ${item.grade}` : "", clear, first ? plainName(first.code) : ""];
  return { item, why: why.filter(Boolean).join(", ") };
}
