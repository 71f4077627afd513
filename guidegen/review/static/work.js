// Long work: the approved guides, or one guide to look at; its progress, and what comes of it.

import { getJson, postJson } from "./api.js";
import { note, unnote } from "./bars.js";
import { fetchParts } from "./body3d.js";
import { $, fill } from "./dom.js";
import { settle, take } from "./edits.js";
import { askName } from "./name.js";
import { on, set, state } from "./store.js";
import { counted } from "./words.js";

const EVERY_MS = 500;
const KINDS = {
  build: "Building guides",
  preview: "Rebuilding the guide",
  report: "Drawing the report",
};

let renew = null;
let watching = false;

export function startWork(renewSlices) {
  renew = renewSlices;
  on("told work", drawWork);
  on("told", () => {
    if (state.work?.running) watch();
  });
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
    await new Promise((resolve) => {
      window.setTimeout(resolve, EVERY_MS);
    });
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
  else if (work.kind === "preview")
    note(
      "done",
      "The guide was rebuilt from the present plan, to look at: " +
        "nothing was exported. Its outline is dashed in the slices.",
    );
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
  note(
    bad ? "failed" : "done",
    bad
      ? `${counted(bad, "check")} failed: parts that failed are not exported; see Files on the right.`
      : `${counted(guides.length, "guide")} built, all ${checks?.length ?? 0} checks passed. See Files on the right.`,
  );
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
