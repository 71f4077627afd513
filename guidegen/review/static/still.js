// A still picture in place of 3D, drawn by the server, where the browser has no WebGL.

import { getPicture } from "./api.js";
import { drawAxes } from "./axes.js";
import { $, fill } from "./dom.js";
import { shown, state } from "./store.js";
import { cross, unit } from "./vec.js";

const MARGIN = 86; // pixels above and below the picture
const NO_WEBGL =
  "No 3D in this browser (WebGL is off or missing): a still picture stands here " +
  "instead. Slices, changes and approval work as always.";

let asking = false;
let wanted = null;
let drawn = "";

/** Say that there is no 3D, and make room for the picture. */
export function startStill() {
  $("body3d").querySelector("canvas:not(#axes)")?.remove();
  fill($("no-webgl"), NO_WEBGL);
  $("no-webgl").hidden = false;
  $("still").hidden = false;
  $("body3d").classList.add("still");
  $("switch-box").hidden = true;
}

/** Show the case from a side; one picture is asked for at a time, the newest wins. */
export async function still(side, from) {
  wanted = { side, from };
  if (asking || state.tried) return;
  asking = true;
  while (wanted) {
    const next = wanted;
    wanted = null;
    await picture(next);
  }
  asking = false;
}

async function picture({ side, from }) {
  const { clientWidth: w, clientHeight: high } = $("body3d");
  const key = [side, w, high, shown().revision, state.work?.previews ?? []].join();
  if (key === drawn || !w) return;
  drawn = key;
  const forward = unit(from).map((x) => -x);
  const up = Math.abs(forward[2]) > 0.9 ? [0, -1, 0] : [0, 0, 1];
  const way = forward.map((x) => x.toFixed(4));
  const size = `w=${w}&h=${Math.max(40, high - MARGIN)}`;
  try {
    const address = await getPicture(`/api/picture?forward=${way}&up=${up}&${size}`);
    URL.revokeObjectURL($("still").src);
    $("still").src = address;
    $("still").alt = `Bones and paths, seen from the patient's ${side.toLowerCase()}`;
    drawAxes($("axes"), viewMatrix(forward, up));
    $("body3d").dataset.ready = "yes";
  } catch (error) {
    drawn = "";
    fill($("no-webgl"), `${NO_WEBGL} The picture did not come: ${error.message}`);
  }
}

/** What a camera that looks forward would be told: right, up and back, for each axis. */
function viewMatrix(forward, up) {
  const right = unit(cross(forward, up));
  const above = cross(right, forward);
  return [0, 1, 2].flatMap((n) => [right[n], above[n], -forward[n], 0]);
}
