// Small things that every drawing on a slice needs.

import { INK } from "./colours.js";

export const FONT = "system-ui, 'Segoe UI', Arial, sans-serif";

/** Millimetres in the plane to pixels on the screen. */
export const onScreen = (view, [x, y]) => [
  view.width / 2 + x / view.zoom,
  view.height / 2 + y / view.zoom,
];

/** Lay closed lines [x, y, x, y, ...] down as one path. */
export function trace(context, lines) {
  context.beginPath();
  for (const line of lines) {
    if (!line.length) continue;
    context.moveTo(line[0], line[1]);
    for (let n = 2; n < line.length; n += 2) context.lineTo(line[n], line[n + 1]);
    context.closePath();
  }
}

/** Text that can be read on any grey. */
export function written(context, text, x, y) {
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = "#000";
  context.strokeText(text, x, y);
  context.fillStyle = INK;
  context.fillText(text, x, y);
}
