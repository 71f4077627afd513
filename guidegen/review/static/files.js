// Files of the case: guides and models to download, how their checks ended, and markups to take up.

import { note } from "./bars.js";
import { $, fill, h } from "./dom.js";
import { order, settle } from "./edits.js";
import { on, state } from "./store.js";
import { number, plainName, sentence, withUnit } from "./words.js";

export function startFiles() {
  on("told", drawParts);
  $("import-file").addEventListener("change", importMarkups);
}

function drawParts() {
  const { told } = state;
  fill($("parts"), [...told.guides, ...told.models].map(partLine));
  const report = (file) => h("li", {}, link(file, "Report (opens in a new tab)"));
  fill($("reports"), told.reports.map(report));
  fill($("files-note"), filesNote(told));
  failures();
}

/** A page opens beside this one, everything else is downloaded. */
function link(file, text) {
  const isPage = file.endsWith(".html");
  const target = isPage ? "_blank" : null;
  return h("a", { href: `/file/${file}`, target, rel: "noopener", download: !isPage }, text);
}

function partLine(part) {
  const isGuide = part.role === "guide";
  const links = [link(part.file, "STL")];
  if (isGuide) links.push(link(part.file.replace(/\.stl$/, ".3mf"), "3MF"));
  const name = h("strong", {}, `${plainName(part.name)} ${isGuide ? "guide" : "bone model"}`);
  return h("li", {}, name, h("span", { class: "links" }, links), verdict(part));
}

function filesNote(told) {
  if (!told.guides.length && failed().length)
    return "No part passed its checks, so none was exported. What failed:";
  if (!told.guides.length)
    return "No guide has been built yet: approve the plan, then press Build.";
  if (told.approval?.state === "valid") return "";
  return "These parts were built from an earlier plan: approve and build again.";
}

/** How the checks of a part ended. */
function verdict(part) {
  const own = (state.told.checks ?? []).filter((check) => check.subject === part.file);
  if (!own.length) return null;
  const bad = own.filter((check) => !check.passed);
  return h(
    "span",
    { class: bad.length ? "result fail" : "result pass" },
    bad.length ? `✗ ${bad.length} of ${own.length} checks failed` : `✓ ${own.length} checks passed`,
  );
}

const failed = () => (state.told.checks ?? []).filter((check) => !check.passed);

/** Checks that failed, each with what was found and what was wanted, or why there is no number. */
function failures() {
  fill(
    $("failed-checks"),
    failed().map((check) => h("li", {}, `✗ ${plainName(check.subject ?? "")}: ${found(check)}`)),
  );
}

function found({ code, value, limit, sense, unit, reason }) {
  const what = plainName(code);
  if (value === null || value === undefined) return `${what}: ${reason || "could not be measured"}`;
  const wanted = `${plainName(sense ?? "limit")} ${number(limit, 2)}`;
  const why = reason ? ` (${reason})` : "";
  return `${what} is ${withUnit(value, unit ?? "", 2)}, wanted ${wanted}${why}`;
}

/** Take up a line or plane that was changed in 3D Slicer. */
async function importMarkups(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  let content;
  try {
    content = JSON.parse(await file.text());
  } catch {
    note("refused", `${file.name} is no markups file of 3D Slicer`);
    return;
  }
  settle();
  order(
    "/api/import",
    { file: file.name, content },
    (text) => note("refused", sentence(text)),
    () => note("done", `${file.name} was taken up: check it, then approve again.`),
  );
}
