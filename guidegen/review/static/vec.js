// Vectors of three numbers, patient LPS mm.

export const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const sub = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const times = (a, s) => [a[0] * s, a[1] * s, a[2] * s];
export const along = (a, d, s) => [a[0] + d[0] * s, a[1] + d[1] * s, a[2] + d[2] * s];
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const norm = (a) => Math.hypot(a[0], a[1], a[2]);
export const mid = (a, b) => times(add(a, b), 0.5);

/** The vector with length 1; the fallback where it has none. */
export function unit(a, fallback = [1, 0, 0]) {
  const n = norm(a);
  return n > 1e-9 ? times(a, 1 / n) : fallback;
}

/** What of `a` is square to the unit vector `d`. */
export const square = (a, d) => along(a, d, -dot(a, d));

/** Turn `a` about the unit vector `axis`, by degrees. */
export function turned(a, axis, degrees) {
  const t = (degrees * Math.PI) / 180;
  const flat = times(a, Math.cos(t));
  const side = times(cross(axis, a), Math.sin(t));
  return along(add(flat, side), axis, dot(axis, a) * (1 - Math.cos(t)));
}
