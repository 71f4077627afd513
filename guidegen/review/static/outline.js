// What a plane cuts of a cylinder and of a saw cut, in mm right and down from the plane's middle.

import { along, cross, dot, norm, sub, unit } from "./vec.js";

const TURNS = 48;

/** Put a point into a plane's own two coordinates. */
export function flat(plane, middle, point) {
  const away = sub(point, middle);
  return [dot(away, plane.right), dot(away, plane.down)];
}

/** How far a point lies behind the plane; negative: before it. */
export const behind = (plane, middle, point) => dot(sub(point, middle), plane.normal);

/** The outline of a cylinder with flat ends: a convex polygon, or [] where it is not met. */
export function cylinder(plane, middle, entry, tip, diameter) {
  const d = unit(sub(tip, entry));
  const u = unit(cross(d, Math.abs(d[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0]));
  const v = cross(d, u);
  const found = [];
  const near = [];
  const far = [];
  for (let n = 0; n < TURNS; n++) {
    const t = (2 * Math.PI * n) / TURNS;
    const spoke = [0, 1, 2].map((i) => u[i] * Math.cos(t) + v[i] * Math.sin(t));
    near.push(along(entry, spoke, diameter / 2));
    far.push(along(tip, spoke, diameter / 2));
    meet(plane, middle, near[n], far[n], found);
  }
  for (const ring of [near, far]) {
    ring.forEach((p, n) => meet(plane, middle, p, ring[(n + 1) % TURNS], found));
  }
  return convex(found.map((p) => flat(plane, middle, p)));
}

/** Add the point where the edge from `a` to `b` goes through the plane. */
function meet(plane, middle, a, b, found) {
  const da = behind(plane, middle, a);
  const db = behind(plane, middle, b);
  if (da === db || da > 0 === db > 0) return;
  found.push(a.map((x, i) => x + ((b[i] - x) * da) / (da - db)));
}

/** Points of a convex outline in their order. */
function convex(points) {
  if (points.length < 3) return [];
  const c = [0, 1].map((i) => points.reduce((sum, p) => sum + p[i], 0) / points.length);
  const turn = (p) => Math.atan2(p[1] - c[1], p[0] - c[0]);
  return points.sort((a, b) => turn(a) - turn(b));
}

/** The line in which a plane meets another: a point and a direction in mm; null where parallel. */
export function meeting(plane, middle, point, normal) {
  const n = [dot(normal, plane.right), dot(normal, plane.down)];
  const size = Math.hypot(...n);
  if (size < 0.02) return null;
  const offset = dot(sub(point, middle), normal) / (size * size);
  return { point: [n[0] * offset, n[1] * offset], way: [-n[1] / size, n[0] / size], normal: n };
}

/** The stretch of a line inside polygons [x, y, x, y, ...]: [from, to] along it, or null. */
export function stretch(line, polygons) {
  const hits = [];
  for (const polygon of polygons) {
    for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
      const a = side(line, polygon[j], polygon[j + 1]);
      const b = side(line, polygon[i], polygon[i + 1]);
      if (a.off > 0 !== b.off > 0) hits.push(a.at + ((b.at - a.at) * a.off) / (a.off - b.off));
    }
  }
  return hits.length ? [Math.min(...hits), Math.max(...hits)] : null;
}

function side(line, x, y) {
  const [dx, dy] = [x - line.point[0], y - line.point[1]];
  const [wx, wy] = line.way;
  return { at: dx * wx + dy * wy, off: dx * wy - dy * wx };
}

/** Where a line through two points goes through the plane; null where it runs beside it. */
export function through(plane, middle, a, b) {
  const d = sub(b, a);
  const slope = dot(d, plane.normal) / norm(d);
  if (Math.abs(slope) < 0.05) return null;
  const share = -behind(plane, middle, a) / dot(d, plane.normal);
  return { share, point: flat(plane, middle, along(a, d, share)) };
}
