// Draws saw cuts on a slice: the kerf inside its bone, and what is taken away.

import { CUT, PLANE } from "./colours.js";
import { meeting, stretch } from "./outline.js";
import { onScreen, trace } from "./pen.js";
import { along } from "./vec.js";

/** A cut: both faces of the kerf inside its bone, and the bone that is taken away. */
export function drawCut(context, view, cut, contours, chosen) {
  const lines = contours
    .filter((c) => c.kind === "bone" && c.name === cut.bone)
    .flatMap((c) => c.lines);
  const kept = faceOf(view, cut, -cut.kerf_mm / 2);
  if (!kept) return drawOnCut(context, lines, chosen);
  const normal = [kept.normal[0], kept.normal[1]];
  if (chosen) drawTaken(context, view, kept, normal, lines);
  context.strokeStyle = CUT;
  for (const [face, width] of [
    [kept, chosen ? 2.2 : 1.4],
    [faceOf(view, cut, cut.kerf_mm / 2), 1],
  ]) {
    context.lineWidth = width;
    drawFace(context, face, stretch(face, lines) ?? [-15, 15], chosen ? 12 : 4);
  }
  return undefined;
}

/** A face of a cut in this picture, as a line in pixels. */
function faceOf(view, cut, offset) {
  const point = along(cut.origin_mm, cut.normal, offset);
  const line = meeting(view.plane, view.middle, point, cut.normal);
  return line && { ...line, point: onScreen(view, line.point) };
}

function drawFace(context, line, [from, to], beyond) {
  const at = (s) => [line.point[0] + line.way[0] * s, line.point[1] + line.way[1] * s];
  context.beginPath();
  context.moveTo(...at(from - beyond));
  context.lineTo(...at(to + beyond));
  context.stroke();
}

/** Tint what lies beyond the face that stays. */
function drawTaken(context, view, kept, normal, lines) {
  const far = 4000;
  const size = Math.hypot(...normal);
  const out = [(normal[0] / size) * far, (normal[1] / size) * far];
  const at = (s) => [kept.point[0] + kept.way[0] * s, kept.point[1] + kept.way[1] * s];
  context.save();
  context.beginPath();
  for (const [s, w] of [
    [-far, 0],
    [far, 0],
    [far, 1],
    [-far, 1],
  ]) {
    const [x, y] = at(s);
    context.lineTo(x + out[0] * w, y + out[1] * w);
  }
  context.clip();
  trace(context, lines);
  context.fillStyle = CUT;
  context.globalAlpha = 0.28;
  context.fill("evenodd");
  context.restore();
}

/** The picture lies in the cut: what the saw uncovers. */
function drawOnCut(context, lines, chosen) {
  if (!chosen) return;
  trace(context, lines);
  context.fillStyle = CUT;
  context.globalAlpha = 0.14;
  context.fill("evenodd");
  context.globalAlpha = 1;
}

/** A plane that no guide cuts (of the component): thin and dashed, inside its bone. */
export function drawPlane(context, view, plane, contours) {
  const found = meeting(view.plane, view.middle, plane.point_mm, plane.normal);
  if (!found) return;
  const line = { ...found, point: onScreen(view, found.point) };
  const lines = contours
    .filter((c) => c.kind === "bone" && plane.name.endsWith(c.name))
    .flatMap((c) => c.lines);
  const reach = stretch(line, lines);
  if (!reach) return;
  context.strokeStyle = PLANE;
  context.lineWidth = 1;
  context.setLineDash([4, 4]);
  drawFace(context, line, reach, 2);
  context.setLineDash([]);
}
