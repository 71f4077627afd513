// The approval: by name, each red warning ticked, the case's name typed.

import { keepUserName, userName } from "./api.js";
import { $, fill, h } from "./dom.js";
import { isSettling, order, settle } from "./edits.js";
import { advice } from "./advice.js";
import { on, state } from "./store.js";
import { counted, heading, plainName, sentence } from "./words.js";

/** What the server lets nobody accept. */
const NEVER = ["canal_breach"];

/** Key of each red warning that was ticked, with the sentence that was read. */
let ticked = new Map();
/** Fingerprint of the plan that the dialogue shows. */
let seen = null;

export function startApproval() {
  $("approve-name").addEventListener("input", judge);
  $("approve-word").addEventListener("input", judge);
  $("approve-ok").addEventListener("click", send);
  on("told", () => $("approve-dialog").open && drawPlan());
  $("approve-cancel").addEventListener("click", () => $("approve-dialog").close());
}

/** Open the dialogue on the plan as the server keeps it. */
export function openApproval() {
  settle();
  ticked = new Map();
  const { told } = state;
  $("approve-name").value = userName();
  $("approve-word").value = "";
  fill($("approve-case"), told.case_id);
  fill($("approve-error"), "");
  seen = null;
  drawPlan();
  $("approve-dialog").showModal();
}

/** What would be approved; drawn anew if the plan changes while the dialogue is open. */
function drawPlan() {
  const { told } = state;
  if (seen && seen !== told.plan_sha256) {
    $("approve-word").value = "";
    fill($("approve-error"), "The plan has changed while this was open: look at it again first.");
  }
  seen = told.plan_sha256;
  fill($("approve-what"), whatWords(told));
  const now = new Map(told.warnings.map((w) => [w.key, w.message]));
  ticked = new Map([...ticked].filter(([key, message]) => now.get(key) === message));
  drawReds(told);
  judge();
}

function whatWords(told) {
  const kinds = [...new Set(told.paths.map((p) => p.kind))].map((kind) =>
    counted(told.paths.filter((p) => p.kind === kind).length, kind),
  );
  const parts = [...(told.cuts.length ? [counted(told.cuts.length, "cut")] : []), ...kinds];
  const left = told.skipped.length
    ? ` ${counted(told.skipped.length, "pedicle")} without a path.`
    : "";
  return [
    `You approve exactly this plan: ${parts.join(", ") || "no path"}.${left} Its fingerprint is `,
    h(
      "code",
      {},
      String(told.plan_sha256 ?? "")
        .replace("sha256:", "")
        .slice(0, 8),
    ),
    ". Any later change makes the approval stale.",
  ];
}

function drawReds(told) {
  const reds = told.warnings.filter((w) => w.red);
  const rows = reds.map((warning, n) =>
    h(
      "li",
      {},
      h("input", {
        type: "checkbox",
        id: `red-${n}`,
        checked: ticked.has(warning.key),
        "data-key": warning.key,
        onchange: (event) => {
          if (event.target.checked) ticked.set(warning.key, warning.message);
          else ticked.delete(warning.key);
          judge();
        },
      }),
      h(
        "label",
        { for: `red-${n}` },
        h("strong", {}, `${heading(warning.subject)}: `),
        sentence(warning.message),
        advice(warning.code) ? h("em", {}, ` ${advice(warning.code)}`) : null,
      ),
    ),
  );
  fill($("approve-reds"), rows);
  fill(
    $("approve-reds-title"),
    reds.length
      ? `${counted(reds.length, "red warning")}: tick each one that you have looked at and accept`
      : "There is no red warning.",
  );
}

/** Why the plan can't be approved yet; "" if it can. */
function missing() {
  const { told } = state;
  const open = told.warnings.filter((w) => w.red && !ticked.has(w.key)).length;
  if (isSettling()) return "The last change is still being worked out: wait a moment.";
  const never = told.warnings.find((w) => NEVER.includes(w.code));
  if (never) return `${plainName(never.subject)} reaches into the canal: nobody can approve that.`;
  if (!$("approve-name").value.trim()) return "Enter your name.";
  if (open) return `${counted(open, "red warning")} still to be ticked.`;
  if ($("approve-word").value.trim() !== told.case_id)
    return `Type the case's name: ${told.case_id}`;
  return "";
}

function judge() {
  const why = missing();
  $("approve-ok").disabled = Boolean(why);
  fill($("approve-why"), why || "Everything is there.");
  $("approve-why").classList.toggle("good", !why);
}

function send() {
  keepUserName($("approve-name").value);
  $("name-shown").textContent = userName();
  const body = {
    revision: state.told.revision, // of the plan that was read, whatever comes before the answer
    accepted: [...ticked.keys()],
    confirm: $("approve-word").value.trim(),
  };
  $("approve-ok").disabled = true;
  order(
    "/api/approve",
    body,
    (text) => {
      fill($("approve-error"), sentence(text));
      judge();
    },
    () => $("approve-dialog").close(),
  );
}
