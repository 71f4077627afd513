// The numbers of the chosen item: to type, to step, and where a refusal is shown.

import { $, fill, h } from "./dom.js";
import { able, keep, settle, stepped } from "./edits.js";
import { chosenItem, on, shown, state } from "./store.js";
import { heading, number, sentence } from "./words.js";

export function startFields() {
  on("told chosen", drawFields);
  on("tried", freshenFields);
}

const offered = () => shown().items.find((i) => i.name === state.chosen);

/** A row a number: label, less, value, more, unit. */
function drawFields() {
  const item = offered();
  const found = chosenItem();
  if (!found) return;
  const fields = found.is === "skipped" ? [] : (item?.fields ?? []);
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
    id,
    type: "number",
    "data-field": field.name,
    "aria-describedby": `${id}-why ${id}-range`,
    onchange: () => {
      refused("");
      entered(field.name, input, refused);
    },
    onkeydown: (event) => event.stopPropagation(),
  });
  const unit = h("span", { class: "unit" }, field.unit === "deg" ? "°" : field.unit);
  const range = h("span", { class: "unseen", id: `${id}-range` });
  const label = h("label", { for: id }, heading(field.label));
  const [less, more] = [-1, 1].map((way) => stepButton(field, way, input, refused));
  window.queueMicrotask(() => freshen(field.name));
  return h("div", { class: "field" }, label, less, input, more, unit, range, message);
}

function stepButton(field, way, input, refused) {
  const onclick = () => {
    refused("");
    bumped(field.name, way, input, refused);
  };
  const words = `${way < 0 ? "Less" : "More"} ${field.label}`;
  return h("button", { class: "step", "aria-label": words, onclick }, way < 0 ? "−" : "+");
}

/** The server's sentence with the label in place of the names of item and field. */
const worded = (text, field) =>
  text.replace(`${state.chosen}: `, "").replaceAll(field.name, field.label);

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
  if (document.activeElement !== input || input.getAttribute("aria-invalid") === "true")
    input.value = text;
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
  const from = input.dataset.bumping ? Number(input.value) : (field.value ?? field.min);
  const value = Math.min(field.max, Math.max(field.min, from + way * field.step));
  if (value === from) return;
  input.value = value.toFixed(digitsOf(field.step));
  input.dataset.bumping = "yes";
  window.clearTimeout(bumped.timer);
  bumped.timer = window.setTimeout(() => delete input.dataset.bumping, 400);
  stepped(state.chosen, { [name]: Number(value.toFixed(6)) }, refused);
}
