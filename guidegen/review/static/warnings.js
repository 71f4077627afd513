// Warnings in full sentences with what to do, those of the whole case, and what was measured.

import { advice } from "./advice.js";
import { $, fill, h } from "./dom.js";
import { otherWarnings } from "./ranking.js";
import { itemNamed, on, shown } from "./store.js";
import { plainName, sentence, withUnit } from "./words.js";

export function startWarnings() {
  on("told tried", drawOthers);
}

/** Warnings of the case as a whole, and what was measured. */
function drawOthers() {
  const told = shown();
  const others = otherWarnings(told);
  const red = others.filter((w) => w.red).length;
  fill(
    $("others-title"),
    `Warnings of the whole case (${others.length}${red ? `, ${red} red` : ""})`,
  );
  fill($("others"), others.map(warningLine));
  $("others-box").hidden = others.length === 0;
  $("measures-box").hidden = told.measurements.length === 0;
  fill(
    $("measures"),
    told.measurements.map((m) =>
      h(
        "tr",
        { title: m.note || null },
        h("th", { scope: "row" }, plainName(m.name)),
        h("td", { class: "n" }, withUnit(m.value, m.unit)),
      ),
    ),
  );
}

/** The sentence without the name that it begins with, where that stands over it anyway. */
function unnamed({ subject, message }) {
  const start = `${plainName(subject)}: `;
  return message.startsWith(start) && itemNamed(subject) ? message.slice(start.length) : message;
}

/** A warning in full, with what to do. */
export function warningLine(warning) {
  const what = itemNamed(warning.subject)?.is === "skipped" ? "" : advice(warning.code);
  return h(
    "li",
    { class: warning.red ? "red" : "" },
    h("span", { class: "tag" }, warning.red ? "▲ Red: " : "△ "),
    sentence(unnamed(warning)),
    what ? h("em", {}, ` ${what}`) : null,
  );
}
