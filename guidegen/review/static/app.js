// Starts the page.

import { getJson, postJson } from "./api.js";
import { startApproval } from "./approve.js";
import { note, unnote } from "./bars.js";
import { fetchSurfaces, firstLook, startBody } from "./body3d.js";
import { $, fill, h } from "./dom.js";
import { able, isBusy, moved, take } from "./edits.js";
import { startFiles } from "./files.js";
import { startHeader } from "./header.js";
import { PRESETS, startKeys } from "./keys.js";
import { startName } from "./name.js";
import { startPanel } from "./panel.js";
import { worst } from "./ranking.js";
import { on, set, state, tell } from "./store.js";
import { neighbour, startTable } from "./table.js";
import { choose, corner, home, renewAll, startViews } from "./views.js";
import { startWarnings } from "./warnings.js";
import { rebuild, startWork } from "./work.js";

const CHANGE = { able, moved, choose: (name) => choose(name) };

async function start() {
  startName();
  startHeader(choose);
  startTable(choose);
  startWarnings();
  startPanel(rebuild);
  startApproval();
  startWork(renewAll);
  startFiles();
  startKeys();
  startToolbar();
  const body = startBody(CHANGE);
  try {
    const told = await getJson("/api/case");
    state.told = told;
    state.work = told.work;
    state.cursor = told.centre_mm;
  } catch (error) {
    $("loading").hidden = true;
    note("failed", `The case can't be shown: ${error.message}`);
    return;
  }
  $("loading").hidden = true;
  document.body.classList.add("ready");
  startViews(CHANGE);
  tell("told");
  const first = worst(state.told);
  choose(first?.item.name ?? state.told.skipped[0]?.name ?? null);
  await body;
  firstLook();
  await fetchSurfaces();
  document.body.dataset.loaded = "yes";
}

/** Layout, window, hints: the line over the pictures. */
function startToolbar() {
  for (const id of ["body3d", "slice0", "slice1", "slice2"]) $(id).append(corner(id));
  for (const layout of ["item", "whole"]) {
    $(`layout-${layout}`).addEventListener("click", () => set("layout", { layout }));
  }
  on("layout told chosen", () => {
    for (const name of ["item", "whole"])
      $(`layout-${name}`).setAttribute("aria-pressed", String(state.layout === name));
  });
  for (const [name, grey] of Object.entries(PRESETS)) {
    $(`grey-${name}`).addEventListener("click", () => set("grey", { grey: { ...grey } }));
  }
  on("grey told", () =>
    fill($("grey-text"), `W ${state.grey.width.toFixed(0)} · L ${state.grey.centre.toFixed(0)} HU`),
  );
  $("fit").addEventListener("click", home);
  $("outlines").addEventListener("change", () =>
    set("outlines", { outlines: $("outlines").checked }),
  );
  on("outlines", () => {
    $("outlines").checked = state.outlines;
  });
  for (const [id, step] of [
    ["previous", -1],
    ["following", 1],
  ]) {
    $(id).addEventListener("click", () => choose(neighbour(step)));
  }
  $("stop").addEventListener("click", stop);
  on("told", folderBar);
  on("told", () => state.told.refused && note("failed", state.told.refused));
  on("told tried", () => (state.refusal ? note("refused", state.refusal) : unnote("refused")));
}

/** Somebody changed the files while the page was open. */
function folderBar() {
  if (!state.told.folder_changed || folderBar.told) return;
  folderBar.told = true;
  note(
    "conflict",
    "The plan in the case folder was changed outside this page; the page shows it as it is now",
    h("button", { class: "small", onclick: () => window.location.reload() }, "Reload the page"),
  );
}

async function stop() {
  try {
    await postJson("/api/stop", { revision: state.told?.revision ?? 0 });
  } catch {
    // it has gone already: that is what was wanted
  }
  fill(
    $("loading"),
    h(
      "p",
      {},
      "The review has ended. Everything is kept in the case folder. You may close this tab.",
    ),
  );
  $("loading").hidden = false;
  document.body.classList.add("ended");
}

window.addEventListener("focus", async () => {
  if (!state.told || state.draft || isBusy() || document.body.classList.contains("ended"))
    return;
  try {
    const told = await getJson("/api/case");
    if (told.revision !== state.told.revision && !state.draft && !isBusy()) take(told);
  } catch {
    note("failed", "The program does not answer: it was stopped or closed; start it again");
  }
});

start();
