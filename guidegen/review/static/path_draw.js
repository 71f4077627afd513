// Draws paths on a slice: outline to true scale, axis, and the handles of the chosen one.

import { ofPath } from "./colours.js";
import { behind, cylinder, flat, through } from "./outline.js";
import { onScreen } from "./pen.js";
import { along, dot, sub, unit } from "./vec.js";

const HANDLE = 7;
const NEAR_MM = 3;
const BEYOND_MM = 25;

export function drawPath(context, view, path, chosen) {
  const { plane, middle } = view;
  const outline = cylinder(plane, middle, path.entry_mm, path.tip_mm, path.diameter_mm);
  const colour = ofPath(path);
  if (outline.length) {
    context.beginPath();
    for (const point of outline) context.lineTo(...onScreen(view, point));
    context.closePath();
    context.fillStyle = colour;
    context.globalAlpha = chosen ? 0.18 : 0.1;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = chosen ? 2.2 : 1.2;
    context.stroke();
  }
  if (chosen) drawAxis(context, view, path, colour);
}

/** The axis where it lies near the plane, else the point where it goes through. */
function drawAxis(context, view, path, colour) {
  const { plane, middle } = view;
  const d = unit(sub(path.tip_mm, path.entry_mm));
  const ends = [along(path.entry_mm, d, -BEYOND_MM), path.tip_mm];
  const lies = Math.abs(dot(d, plane.normal)) < 0.35;
  const offset = Math.abs(behind(plane, middle, path.entry_mm));
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.setLineDash([9, 3, 2, 3]);
  if (lies) {
    context.globalAlpha = offset < path.diameter_mm ? 0.95 : 0.4;
    context.beginPath();
    for (const end of ends) context.lineTo(...onScreen(view, flat(plane, middle, end)));
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
  if (!path.fixed) for (const handle of handlesOf(view, path)) drawHandle(context, handle, colour);
}

/** What can be taken hold of in a picture: {what, at (pixels), near: it lies in the plane}. */
export function handlesOf(view, path) {
  const { plane, middle } = view;
  const found = [];
  const d = unit(sub(path.tip_mm, path.entry_mm));
  const cut = through(plane, middle, path.entry_mm, path.tip_mm);
  if (cut && Math.abs(dot(d, plane.normal)) > 0.8) {
    if (cut.share > -0.6 && cut.share < 1.3) {
      const inside = cut.share >= 0 && cut.share <= 1;
      found.push({ what: "both", at: onScreen(view, cut.point), near: inside });
    }
    return found;
  }
  for (const what of ["entry", "tip"]) {
    const point = path[`${what}_mm`];
    const near = Math.abs(behind(plane, middle, point)) < NEAR_MM;
    found.push({ what, at: onScreen(view, flat(plane, middle, point)), near });
  }
  const half = path.entry_mm.map((x, n) => (x + path.tip_mm[n]) / 2);
  const near = Math.abs(behind(plane, middle, half)) < NEAR_MM;
  if (near) found.push({ what: "both", at: onScreen(view, flat(plane, middle, half)), near });
  return found;
}

/** Entry: a ring. Tip: a diamond. Both together: a small cross. Hollow where off the plane. */
function drawHandle(context, { what, at: [x, y], near }, colour) {
  context.beginPath();
  if (what === "entry") context.arc(x, y, HANDLE, 0, 2 * Math.PI);
  if (what === "tip") {
    for (const [dx, dy] of [
      [0, -1],
      [1, 0],
      [0, 1],
      [-1, 0],
    ]) {
      context.lineTo(x + dx * HANDLE * 1.2, y + dy * HANDLE * 1.2);
    }
    context.closePath();
  }
  if (what === "both") {
    for (const [dx, dy] of [
      [1, 0],
      [0, 1],
    ]) {
      context.moveTo(x - dx * HANDLE, y - dy * HANDLE);
      context.lineTo(x + dx * HANDLE, y + dy * HANDLE);
    }
  }
  context.lineWidth = 4;
  context.strokeStyle = "rgba(0, 0, 0, .75)";
  context.stroke();
  context.lineWidth = 2;
  context.strokeStyle = near ? "#fff" : colour;
  context.globalAlpha = near ? 1 : 0.7;
  context.setLineDash(near ? [] : [3, 2]);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}
