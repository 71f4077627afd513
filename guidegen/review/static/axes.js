// A small cross of axes: which way the patient lies in the 3D picture.

import { INK } from "./colours.js";
import { FONT } from "./pen.js";

const ENDS = [
  ["L", 0, 1],
  ["R", 0, -1],
  ["P", 1, 1],
  ["A", 1, -1],
  ["S", 2, 1],
  ["I", 2, -1],
];

/** Draw it for a camera, given its view matrix (column by column). */
export function drawAxes(canvas, matrix) {
  const size = canvas.clientWidth;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = size * ratio;
  canvas.height = size * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.translate(size / 2, size / 2);
  context.font = `700 13px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const ends = ENDS.map(([letter, axis, sign]) => ({
    letter,
    x: sign * matrix[axis * 4],
    y: -sign * matrix[axis * 4 + 1],
    z: sign * matrix[axis * 4 + 2],
  })).sort((a, b) => a.z - b.z);
  for (const end of ends) drawEnd(context, end, size / 2 - 11);
}

function drawEnd(context, { letter, x, y, z }, reach) {
  context.globalAlpha = z < -0.3 ? 0.45 : 1;
  context.strokeStyle = INK;
  context.beginPath();
  context.moveTo(0, 0);
  context.lineTo(x * (reach - 8), y * (reach - 8));
  context.stroke();
  if (Math.hypot(x, y) < 0.25 && z < 0) return;
  context.lineWidth = 3;
  context.strokeStyle = "#000";
  context.strokeText(letter, x * reach, y * reach);
  context.lineWidth = 1;
  context.fillStyle = INK;
  context.fillText(letter, x * reach, y * reach);
}
