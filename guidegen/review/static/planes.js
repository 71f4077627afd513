// The planes that pictures are made on. Convention of the radiologist, as in the report: an axial
// picture is seen from the feet, front up; a sagittal one from the patient's left, front to the
// left; a coronal one and a cross-section from the front. The patient's right is on the left.

import { cross, dot, square, sub, times, unit, norm } from "./vec.js";

const PATIENT = { left: [1, 0, 0], back: [0, 1, 0], up: [0, 0, 1] };

/** A plane: `through` a point, `right` and `down` on the screen, `normal` into the screen. */
function plane(through, right, down, title) {
  return { through, right, down, normal: cross(right, down), title };
}

/** The vector or its opposite, whichever points more the way of `way`. */
const towards = (a, way) => (dot(a, way) < 0 ? times(a, -1) : a);

/** The bone's own directions; the patient's where it has none. */
export function frameOf(told, bone) {
  return told.frames?.[bone] ?? PATIENT;
}

export function orthogonal(name, point) {
  const { left, back, up } = PATIENT;
  if (name === "axial") return plane(point, left, back, "Axial");
  if (name === "coronal") return plane(point, left, times(up, -1), "Coronal");
  return plane(point, back, times(up, -1), "Sagittal");
}

/** Three directions of a path: along it, sideways to it, and the third. */
function axesOf(path, frame) {
  const d = unit(sub(path.tip_mm, path.entry_mm));
  const flat = square(frame.left, d);
  const side = unit(norm(flat) > 0.3 ? cross(d, cross(frame.left, d)) : cross(frame.up, d));
  return { d, side, third: cross(d, side) };
}

/** Right and down for a plane spanned by two directions, from where they should point. */
function laid(a, b, right, down) {
  const first = Math.abs(dot(a, right)) + Math.abs(dot(b, down));
  const second = Math.abs(dot(b, right)) + Math.abs(dot(a, down));
  const [r, u] = first >= second ? [a, b] : [b, a];
  return [towards(r, right), towards(u, down)];
}

/** A plane on or across a path: "flat" (oblique axial), "side" (oblique sagittal), "across". */
export function ofPath(name, path, frame, depth) {
  const { d, side, third } = axesOf(path, frame);
  const { left, back, up } = frame;
  const down = times(up, -1);
  const axis = path.kind === "screw" ? "screw" : path.kind;
  if (name === "flat") {
    return plane(path.entry_mm, ...laid(side, d, left, back), `Along the ${axis}, from the feet`);
  }
  if (name === "side") {
    return plane(path.entry_mm, ...laid(d, third, back, down), `Along the ${axis}, from the left`);
  }
  const point = path.entry_mm.map((x, n) => x + d[n] * depth);
  return plane(point, ...laid(side, third, left, down), `Across the ${axis}`);
}

/** A plane on a cut: "flat" (the cut's own), "side" and "across" (frontal) through its middle. */
export function ofCut(name, cut, frame) {
  const down = times(frame.up, -1);
  if (name === "across") {
    const right = unit(square(frame.left, frame.back));
    return plane(
      cut.origin_mm,
      right,
      unit(square(square(down, frame.back), right)),
      "Across the cut, from the front",
    );
  }
  if (name === "side") {
    const right = unit(square(frame.back, frame.left));
    return plane(
      cut.origin_mm,
      right,
      unit(square(square(down, frame.left), right)),
      "Across the cut, from the left",
    );
  }
  const right = unit(square(frame.left, cut.normal), PATIENT.left);
  const below = towards(cross(cut.normal, right), frame.back);
  return plane(cut.origin_mm, right, below, "On the cut");
}
