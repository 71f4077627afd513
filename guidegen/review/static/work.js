// Long work: the approved guides, or one guide to look at; its progress, and what comes of it.

import { getJson, postJson } from "./api.js";
import { note, unnote } from "./bars.js";
import { fetchParts } from "./body3d.js";
import { $, fill, h } from "./dom.js";
import { settle, take } from "./edits.js";
import { askName } from "./name.js";
import { on, set, state } from "./store.js";
import { counted, number, plainName, sentence } from "./words.js";

const EVERY_MS = 500;
const KINDS = { build: "Building guides", preview: "Rebuilding the guide", report: "Drawing the report" };

let renew = null;
let watching = false;

export function startWork(renewSlices) {
  renew = renewSlices;
  on("told work", drawWork);
  on("told", drawParts);
  on("told", () => { if (state.work?.running) watch(); });
  $("import-file").addEventListener("change", importMarkups);
}

/** Begin, and look how far it is until it has ended. */
async function begin(path, body) {
  settle();
  if (!(await askName())) return;
  try {
    const work = await postJson(path, { revision: state.told.revision, ...body });
    set("work", { work: { ...work, running: true } });
    watch();
  } catch (error) {
    note("refused", error.message);
  }
}

export const build = () => begin("/api/build", {});
export const rebuild = (bone) => begin("/api/preview", { bone });

/** Follow work that runs, whoever began it. */
export async function watch() {
  if (watching) return;
  watching = true;
  let work = { running: true };
  while (work.running) {
    await new Promise((resolve) => { window.setTimeout(resolve, EVERY_MS); });
    try {
      work = await getJson("/api/work");
    } catch (error) {
      work = { running: false, error: error.message, kind: state.work?.kind, previews: [] };
    }
    set("work", { work });
  }
  watching = false;
  await ended(work);
}

async function ended(work) {
  if (work.error) note("failed", `${KINDS[work.kind] ?? "The work"} failed: ${work.error}`);
  else if (work.kind === "preview") note("done", "The guide was rebuilt from the present plan, to look at: "
    + "nothing was exported. Its outline is dashed in the slices.");
  try {
    take(await getJson("/api/case"));
  } catch (error) {
    note("failed", error.message);
  }
  if (work.kind === "build" && !work.error) finished();
  await fetchParts(true);
  renew();
}

/** Say in one bar what the build came to. */
function finished() {
  const { guides, checks } = state.told;
  const bad = (checks ?? []).filter((check) => !check.passed).length;
  unnote("failed");
  note(bad ? "failed" : "done", bad
    ? `${counted(bad, "check")} failed: parts that failed are not exported; see Files on the right.`
    : `${counted(guides.length, "guide")} built, all ${checks?.length ?? 0} checks passed. See Files on the right.`);
  $("files-box").open = true;
}

function drawWork() {
  const { work } = state;
  const running = Boolean(work?.running);
  $("work").hidden = !running;
  if (!running) return;
  fill($("work-text"), `${KINDS[work.kind] ?? "Working"}: ${work.text || "starting"} …`);
  $("work-share").value = work.share ?? 0;
}

// ---- files

function drawParts() {
  const { told } = state;
  const stale = told.approval?.state !== "valid" && told.guides.length > 0;
  const link = (file, text) => h("a", { href: `/file/${file}`, target: file.endsWith(".html") ? "_blank" : null,
    rel: "noopener", download: file.endsWith(".html") ? null : true }, text);
  const part = (one) => h("li", {}, h("strong", {}, `${plainName(one.name)} ${one.role === "guide" ? "guide" : "bone model"}`),
    h("span", { class: "links" }, link(one.file, "STL"),
      one.role === "guide" ? link(one.file.replace(/\.stl$/, ".3mf"), "3MF") : null), verdict(one));
  fill($("parts"), told.guides.map(part), told.models.map((one) => part(one)));
  fill($("reports"), told.reports.map((file) => h("li", {}, link(file, "Report (opens in a new tab)"))));
  fill($("files-note"), stale ? "These parts were built from an earlier plan: approve and build again."
    : told.guides.length ? "" : "No guide has been built yet: approve the plan, then press Build.");
  failures();
}

/** How the checks of a part ended. */
function verdict(part) {
  const own = (state.told.checks ?? []).filter((check) => check.subject === part.file);
  if (!own.length) return null;
  const bad = own.filter((check) => !check.passed);
  return h("span", { class: bad.length ? "result fail" : "result pass" }, bad.length
    ? `✗ ${bad.length} of ${own.length} checks failed` : `✓ ${own.length} checks passed`);
}

/** Checks that failed, each with what was found and what was wanted. */
function failures() {
  const bad = (state.told.checks ?? []).filter((check) => !check.passed);
  fill($("failed-checks"), bad.map((check) => h("li", {}, `✗ ${plainName(check.subject ?? "")}: `
    + `${plainName(check.code)} is ${number(check.value, 2)} ${check.unit ?? ""}, limit ${number(check.limit, 2)}`)));
}

/** Take up a line or plane that was changed in 3D Slicer. */
async function importMarkups(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file || !(await askName())) return;
  try {
    const content = JSON.parse(await file.text());
    take(await postJson("/api/import", { revision: state.told.revision, file: file.name, content }));
    note("done", `${file.name} was taken up: check it, then approve again.`);
  } catch (error) {
    note("refused", error instanceof SyntaxError ? `${file.name} is no markups file of 3D Slicer` : sentence(error.message));
  }
}
