// Draws one slice: the CT, outlines, paths, cuts, handles, sides and a scale.

import { BONE, GUIDE, INK } from "./colours.js";
import { drawCut, drawPlane } from "./cut_draw.js";
import { flat } from "./outline.js";
import { drawPath } from "./path_draw.js";
import { FONT, onScreen, trace, written } from "./pen.js";
import { dot } from "./vec.js";

const STILL_COSINE = 0.99;

/** Turn HU into grey levels on a canvas of the slice's own size. */
export function greyed(slice, grey) {
  const canvas = document.createElement("canvas");
  canvas.width = slice.w;
  canvas.height = slice.h;
  const context = canvas.getContext("2d");
  const image = context.createImageData(slice.w, slice.h);
  const pixels = new Uint32Array(image.data.buffer);
  const low = grey.centre - grey.width / 2;
  const scale = 255 / grey.width;
  for (let n = 0; n < pixels.length; n++) {
    const level = Math.max(0, Math.min(255, (slice.hu[n] - low) * scale)) | 0;
    pixels[n] = 0xff000000 | (level << 16) | (level << 8) | level;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Everything of one picture; `view` has plane, middle, zoom (mm a pixel), width and height. */
export function draw(context, view, scene) {
  context.fillStyle = "#000";
  context.fillRect(0, 0, view.width, view.height);
  const lines = drawCt(context, view, scene);
  for (const cut of scene.cuts) drawCut(context, view, cut, lines, cut.name === scene.chosen);
  for (const plane of scene.planes) drawPlane(context, view, plane, lines);
  for (const path of scene.paths) drawPath(context, view, path, path.name === scene.chosen);
  if (scene.cross) drawCross(context, view, scene.cross);
  if (scene.depthLine) drawDepthLine(context, view, scene.depthLine);
  if (scene.marks && !isTurned(scene.slice, view.plane)) drawMarks(context, view, scene.marks);
  drawScale(context, view);
}

/** The CT where it belongs now, though it may have been asked for a moment ago. */
function drawCt(context, view, { slice, picture, outlines }) {
  if (!slice || isTurned(slice, view.plane)) return [];
  const scale = slice.step / view.zoom;
  const [x, y] = onScreen(view, flat(view.plane, view.middle, slice.centre));
  const [left, top] = [x - (slice.w / 2) * scale, y - (slice.h / 2) * scale];
  context.imageSmoothingEnabled = true;
  context.drawImage(picture, left, top, slice.w * scale, slice.h * scale);
  const moved = slice.contours.map((one) => ({
    ...one,
    lines: one.lines.map((line) => line.map((p, n) => p * scale + (n % 2 ? top : left))),
  }));
  if (outlines) for (const one of moved) drawOutline(context, one);
  return moved;
}

/** A slice that was asked for on planes of another direction is of no use on this one. */
const isTurned = (slice, { right, down }) =>
  Math.min(dot(slice.right, right), dot(slice.down, down)) < STILL_COSINE;

function drawOutline(context, { kind, planned, lines }) {
  context.strokeStyle = kind === "bone" ? BONE : GUIDE;
  context.globalAlpha = kind === "bone" && !planned ? 0.5 : 0.9;
  context.lineWidth = kind === "bone" && !planned ? 1 : 1.3;
  context.setLineDash(kind === "preview" ? [5, 3] : []);
  trace(context, lines);
  context.stroke();
  if (kind !== "bone") {
    context.globalAlpha = 0.16;
    context.fillStyle = GUIDE;
    context.fill("evenodd");
  }
  context.globalAlpha = 1;
  context.setLineDash([]);
}

/** Where the other two slices lie; open in the middle so that nothing is hidden. */
function drawCross(context, view, point) {
  const [x, y] = onScreen(view, flat(view.plane, view.middle, point));
  context.strokeStyle = "rgba(255, 255, 255, .38)";
  context.lineWidth = 1;
  context.beginPath();
  for (const [x1, y1, x2, y2] of [
    [0, y, x - 14, y],
    [x + 14, y, view.width, y],
    [x, 0, x, y - 14],
    [x, y + 14, x, view.height],
  ]) {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
  }
  context.stroke();
}

/** Where the cross-section lies on the path. */
function drawDepthLine(context, view, { point, direction, reach }) {
  const d = [dot(direction, view.plane.right), dot(direction, view.plane.down)];
  const size = Math.hypot(...d);
  if (size < 0.5) return;
  const across = [-d[1] / size, d[0] / size];
  const [x, y] = flat(view.plane, view.middle, point);
  context.strokeStyle = "#fff";
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  context.beginPath();
  for (const s of [-reach, reach]) {
    context.lineTo(...onScreen(view, [x + across[0] * s, y + across[1] * s]));
  }
  context.stroke();
  context.setLineDash([]);
}

/** The patient's side at each edge. */
function drawMarks(context, view, marks) {
  const { width: w, height: h } = view;
  const places = {
    left: [12, h / 2],
    right: [w - 12, h / 2],
    top: [w / 2, 30],
    bottom: [w / 2, h - 11],
  };
  context.font = `700 15px ${FONT}`;
  context.textBaseline = "middle";
  for (const [edge, text] of Object.entries(marks)) {
    if (!places[edge]) continue;
    context.textAlign = { left: "left", right: "right" }[edge] ?? "center";
    const x = edge === "left" ? 6 : edge === "right" ? w - 6 : places[edge][0];
    written(context, text, x, places[edge][1]);
  }
}

function drawScale(context, view) {
  const size = [5, 10, 20, 50, 100].find((mm) => mm / view.zoom > 36) ?? 100;
  const [x, y] = [10, view.height - 10];
  context.fillStyle = INK;
  context.fillRect(x, y, size / view.zoom, 2);
  context.font = `11px ${FONT}`;
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  written(context, `${size} mm`, x, y - 4);
}
