// Bars over the pictures for what must not be overlooked, and how they go away.

import { $, h } from "./dom.js";
import { sentence } from "./words.js";

const GOOD_NEWS_MS = 12_000;
const shown = new Map();

/** Put a bar up, in place of the one of the same kind. */
export function note(kind, text, button = null) {
  unnote(kind);
  const close = h(
    "button",
    { class: "small", "aria-label": "Close this message", onclick: () => unnote(kind) },
    "✕",
  );
  const bar = h(
    "div",
    { class: `bar ${kind}`, role: "alert" },
    h("span", {}, sentence(text)),
    button,
    close,
  );
  shown.set(kind, bar);
  $("bars").append(bar);
  if (kind === "done")
    window.setTimeout(() => shown.get(kind) === bar && unnote(kind), GOOD_NEWS_MS);
}

export function unnote(kind) {
  shown.get(kind)?.remove();
  shown.delete(kind);
}
