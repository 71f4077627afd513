// The header: case, approval, buttons; and the line that says what to do next.

import { openApproval } from "./approve.js";
import { $, enable, fill, h } from "./dom.js";
import { redo, undo } from "./edits.js";
import { worst } from "./ranking.js";
import { on, state } from "./store.js";
import { counted, moment, plainName } from "./words.js";
import { build } from "./work.js";

const PROCEDURES = { "pedicle-screws": "Pedicle screws", kyphoplasty: "Kyphoplasty", knee: "Knee" };

let choose = null;

export function startHeader(chooser) {
  choose = chooser;
  $("undo").addEventListener("click", undo);
  $("redo").addEventListener("click", redo);
  $("approve").addEventListener("click", openApproval);
  $("build").addEventListener("click", build);
  on("told work", drawHeader);
  on("told work", drawNext);
  on("told", drawHistory);
}

function drawHeader() {
  const { told, work } = state;
  document.title = `${told.case_id} – guidegen review`;
  fill($("case"), told.case_id);
  fill($("procedure"), PROCEDURES[told.procedure] ?? told.title);
  drawApproval(told.approval);
  enable($("undo"), told.undo > 0, "There is nothing to undo");
  enable($("redo"), told.redo > 0, "There is nothing to redo");
  const valid = told.approval.state === "valid";
  $("build").classList.toggle("main", valid);
  $("approve").classList.toggle("main", !valid);
  fill($("approve"), valid ? "Approve again …" : "Approve …");
  enable(
    $("build"),
    valid && !work?.running,
    work?.running
      ? "Something is being built: wait for it"
      : "Only an approved plan is built: approve it first",
  );
}

function drawApproval(approval) {
  const pill = $("approval");
  const words = {
    none: "○ Not approved",
    stale: "▲ Approval is stale: approve again",
    valid: `✓ Approved by ${approval.by ?? ""}`,
  };
  pill.className = `pill ${approval.state}`;
  pill.title =
    approval.state === "valid"
      ? `${moment(approval.at)}${approval.unattended ? ", unattended" : ""}`
      : (approval.why ?? "");
  fill(pill, words[approval.state] ?? approval.state);
}

/** One sentence on what to do now, and the button for it. */
function drawNext() {
  const { told, work } = state;
  const { step, text, button } = nextStep(told, work);
  for (const li of $("steps").children)
    li.toggleAttribute("aria-current", li.dataset.step === step);
  fill(
    $("next"),
    text,
    button ? h("button", { class: "small", id: "next-go", onclick: button.go }, button.text) : null,
  );
}

function nextStep(told, work) {
  const { state: approval } = told.approval;
  if (work?.running)
    return {
      step: approval === "valid" ? "build" : "look",
      text: "Working; you may go on looking meanwhile.",
    };
  if (approval === "valid") return afterApproval(told);
  if (approval === "stale") {
    return {
      step: "approve",
      text: "The plan was changed after its approval: look at the change, then approve again.",
      button: { text: "Approve …", go: openApproval },
    };
  }
  const first = worst(told);
  const reds = told.warnings.filter((w) => w.red).length;
  const red = reds ? `${counted(reds, "red warning")} must be ticked at approval. ` : "";
  if (!first) return { step: "look", text: `${red}Nothing is planned; see the warnings.` };
  return {
    step: "look",
    text: `${red}Begin with the worst: ${plainName(first.item.name)} (${first.why || "no warnings"}). When all are right: Approve.`,
    button: { text: "Show the worst", go: () => choose(first.item.name) },
  };
}

function afterApproval(told) {
  const bad = (told.checks ?? []).filter((check) => !check.passed).length;
  if (!told.guides.length && !bad) {
    return {
      step: "build",
      text: "The plan is approved. Now build the guides.",
      button: { text: "Build", go: build },
    };
  }
  return {
    step: "build",
    text: bad
      ? `Built; ${counted(bad, "check")} failed, those parts are not exported: see Files on the right.`
      : `Approved; ${counted(told.guides.length, "guide")} ready: see Files on the right.`,
    button: {
      text: "Show files",
      go: () => {
        $("files-box").open = true;
        $("files-box").scrollIntoView();
      },
    },
  };
}

function drawHistory() {
  const rows = [...state.told.history]
    .reverse()
    .map((entry) =>
      h(
        "li",
        {},
        h("span", { class: "when" }, moment(entry.at)),
        h("strong", {}, entry.by || "–"),
        h("span", {}, [
          entry.item ? `${plainName(entry.item)}: ` : "",
          plainName(entry.what ?? ""),
        ]),
      ),
    );
  fill($("history"), rows.length ? rows : h("li", {}, "Nothing was changed yet."));
}
