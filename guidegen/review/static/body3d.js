// Fills the 3D picture, or the still picture where the browser has no WebGL, and its switches.

import { getMesh } from "./api.js";
import { $, fill, h } from "./dom.js";
import { startStill, still } from "./still.js";
import { chosenItem, on, shown, state } from "./store.js";
import { dot, mid, norm, sub, unit } from "./vec.js";
import { plainName } from "./words.js";

const SIDES = {
  Front: [0, -1, 0],
  Back: [0, 1, 0],
  Left: [1, 0, 0],
  Right: [-1, 0, 0],
  Head: [0, 0.02, 1],
  Foot: [0, -0.02, -1],
};

let scene = null;
let side = "Back";
const hidden = new Set();
const shows = {
  seeThrough: true,
  neighbours: true,
  paths: true,
  cuts: true,
  guides: true,
  resected: true,
};

/** Start 3D, or say that there is none. */
export async function startBody(change) {
  try {
    const { Scene } = await import("./scene.js");
    scene = new Scene($("body3d"), $("axes"), change);
    scene.renderer.domElement.addEventListener("webglcontextlost", () => fallBack());
  } catch {
    fallBack();
  }
  new ResizeObserver(resized).observe($("body3d"));
  on("shape", resized);
  makeSwitches();
  on("draft tried", items);
  on("told", retold);
  on("chosen", () => {
    items();
    aim();
  });
}

/** The first view: from where the paths go in. */
export function firstLook() {
  const [path] = shown().paths;
  const frontal = path ? dot(sub(path.tip_mm, path.entry_mm), [0, 1, 0]) > 0 : true;
  side = frontal && shown().procedure !== "kyphoplasty" ? "Front" : "Back";
  drawSwitches();
  items();
  lookFrom(side);
}

function resized() {
  if (scene) scene.resize();
  else if (state.told) still(side, SIDES[side]);
}

/** The point that the 3D picture has in its middle, and how much it shows. */
function target() {
  const found = chosenItem();
  const [low, high] = shown().bounds_mm;
  const size = norm(sub(high, low));
  if (found?.is === "path")
    return [mid(found.item.entry_mm, found.item.tip_mm), Math.min(size, 130)];
  if (found?.is === "cut") return [found.item.origin_mm, Math.min(size, 190)];
  return [shown().centre_mm, size];
}

function aim() {
  if (scene) scene.aim(target()[0]);
  else still(side, SIDES[side]);
}

function lookFrom(name) {
  side = name;
  if (scene) scene.look(unit(SIDES[name]), ...target());
  else still(side, SIDES[side]);
}

// ---- surfaces

let shownPreviews = "";

/** The case has changed: parts that were built from an older plan go. */
function retold() {
  items();
  if (!scene) {
    still(side, SIDES[side]);
    return;
  }
  const kept = new Set([
    ...shown().guides.map((part) => `part/${part.file}`),
    ...(state.work?.previews ?? []).map((name) => `preview/${name}`),
  ]);
  for (const name of scene.names()) {
    if (!name.startsWith("bone/") && !kept.has(name)) scene.take(name);
  }
}

const kindOf = (bone) => (bone.planned ? "bone" : "neighbour");

/** Fetch the bones, those that are planned on first, then guides. */
export async function fetchSurfaces() {
  if (!scene) return;
  const bones = [...shown().bones].sort((a, b) => Number(b.planned) - Number(a.planned));
  for (const bone of bones) await put(`bone/${bone.name}`, kindOf(bone));
  await fetchParts();
}

/** Fetch guides that were built, and those that are being tried. */
export async function fetchParts(fresh = false) {
  if (!scene) {
    still(side, SIDES[side]);
    return;
  }
  for (const part of shown().guides) await put(`part/${part.file}`, "guides", fresh);
  const previews = state.work?.previews ?? [];
  if (fresh || previews.join() !== shownPreviews) {
    shownPreviews = previews.join();
    for (const name of previews) await put(`preview/${name}`, "preview", true);
  }
}

async function put(name, kind, fresh = true) {
  if (!fresh && scene.has(name)) return;
  try {
    scene.put(name, await getMesh(`/api/mesh/${name}`), kind, false);
    arrange();
  } catch {
    scene.take(name); // not built, or there is none: nothing to show
  }
}

// ---- switches

const WORDS = {
  seeThrough: "See through bones",
  neighbours: "Other bones",
  paths: "Paths",
  cuts: "Cuts",
  guides: "Guides",
  resected: "Removed bone",
};

function makeSwitches() {
  on("told", drawSwitches);
  fill(
    $("sides"),
    Object.keys(SIDES).map((name) =>
      h(
        "button",
        {
          class: "small",
          title: `Look from the patient's ${name.toLowerCase()}`,
          onclick: () => lookFrom(name),
        },
        name,
      ),
    ),
  );
}

function drawSwitches() {
  const { bones, cuts, guides } = shown();
  const key = JSON.stringify([bones, cuts.length, guides.length, state.work?.previews]);
  if (drawSwitches.key === key) return;
  drawSwitches.key = key;
  const wanted = Object.keys(WORDS).filter(
    (name) =>
      (cuts.length || !["cuts", "resected"].includes(name)) &&
      (bones.some((b) => !b.planned) || name !== "neighbours"),
  );
  const tick = (text, on_, set_) =>
    h(
      "label",
      {},
      h("input", { type: "checkbox", checked: on_, onchange: (e) => set_(e.target.checked) }),
      text,
    );
  fill(
    $("switches"),
    wanted.map((name) =>
      tick(WORDS[name], shows[name], (yes) => {
        shows[name] = yes;
        arrange();
        items();
      }),
    ),
    h("hr"),
    bones.map((bone) =>
      tick(plainName(bone.name), !hidden.has(bone.name), (yes) => {
        if (yes) hidden.delete(bone.name);
        else hidden.add(bone.name);
        arrange();
      }),
    ),
  );
}

function arrange() {
  if (!scene) return;
  scene.arrange(
    (name, kind) => {
      if (hidden.has(name.split("/").pop())) return false;
      if (kind === "neighbour") return shows.neighbours;
      if (kind === "guides")
        return (
          shows.guides && !scene.has(name.replace("part/guides/", "preview/").replace(".stl", ""))
        );
      if (kind === "preview") return shows.guides;
      return true;
    },
    (kind) => !shows.seeThrough && (kind === "bone" || kind === "neighbour"),
  );
}

function items() {
  if (scene && state.told) scene.drawItems(shows);
}

function fallBack() {
  scene = null;
  startStill();
  if (state.told) still(side, SIDES[side]);
}
