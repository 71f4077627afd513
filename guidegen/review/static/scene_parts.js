// What stands in the 3D picture, as three.js objects: surfaces, paths, cuts.

import * as THREE from "./vendor/three/three.module.min.js";
import { CUT, GUIDE, ofPath } from "./colours.js";
import { along, cross, norm, sub, unit } from "./vec.js";

const LOOKS = {
  bone: { color: 0xe8dbc2, opacity: 0.38 },
  neighbour: { color: 0xb9b4a8, opacity: 0.22 },
  guides: { color: GUIDE, opacity: 0.4 },
  preview: { color: 0xb48cff, opacity: 0.5 },
};

/** A surface of one kind; `solid` for one that can't be seen through. */
export function surface(mesh, kind, solid) {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(mesh.positions, 3));
  geometry.setIndex(new THREE.BufferAttribute(mesh.indices, 1));
  geometry.computeVertexNormals();
  const made = new THREE.Mesh(geometry, new THREE.MeshLambertMaterial());
  made.userData.kind = kind;
  dress(made, solid);
  return made;
}

/** Set how much can be seen through a surface. */
export function dress(mesh, solid) {
  const { color, opacity } = LOOKS[mesh.userData.kind];
  mesh.material.color.set(color);
  mesh.material.transparent = !solid;
  mesh.material.opacity = solid ? 1 : opacity;
  mesh.material.depthWrite = solid;
  mesh.material.needsUpdate = true;
  mesh.renderOrder = mesh.userData.kind === "bone" || mesh.userData.kind === "neighbour" ? 2 : 1;
}

const vector = (v) => new THREE.Vector3(...v);

/** A path as a cylinder in the colour of its grade; the chosen one with axis and two balls. */
export function pathGroup(path, chosen) {
  const group = new THREE.Group();
  const d = unit(sub(path.tip_mm, path.entry_mm));
  const radius = path.diameter_mm / 2;
  const rod = new THREE.Mesh(
    new THREE.CylinderGeometry(radius, radius, 1, 20, 1),
    new THREE.MeshLambertMaterial({ color: ofPath(path) }),
  );
  place(rod, path.entry_mm, path.tip_mm);
  rod.userData.name = path.name;
  group.add(rod);
  if (chosen) {
    const out = path.skin_mm ?? along(path.entry_mm, d, -25);
    const points = [vector(out), vector(path.entry_mm)];
    const line = new THREE.BufferGeometry().setFromPoints(points);
    group.add(new THREE.Line(line, new THREE.LineBasicMaterial({ color: ofPath(path) })));
    group.add(ball(path, "entry", radius), ball(path, "tip", radius));
  }
  return group;
}

/** Lay a cylinder of length 1 along y from one point to another. */
function place(rod, from, to) {
  const d = unit(sub(to, from));
  rod.position.copy(vector(from).add(vector(to)).multiplyScalar(0.5));
  rod.quaternion.setFromUnitVectors(new THREE.Vector3(0, 1, 0), vector(d));
  rod.scale.set(1, norm(sub(to, from)), 1);
}

function ball(path, what, radius) {
  const size = Math.max(2.2, radius * 0.95);
  const made = new THREE.Mesh(
    new THREE.SphereGeometry(size, 18, 12),
    new THREE.MeshLambertMaterial({
      color: what === "entry" ? 0xffffff : 0xffb000,
      depthTest: false,
      transparent: true,
      opacity: 0.9,
    }),
  );
  made.position.copy(vector(path[`${what}_mm`]));
  made.userData.handle = what;
  made.renderOrder = 5;
  return made;
}

/** A cut as a sheet with a rim, as wide as its bone's end. */
export function cutSheet(cut, chosen) {
  const group = new THREE.Group();
  const x = unit(cross(cut.normal, Math.abs(cut.normal[2]) < 0.9 ? [0, 0, 1] : [0, 1, 0]));
  const y = cross(cut.normal, x);
  const corners = [
    [1, 1],
    [-1, 1],
    [-1, -1],
    [1, -1],
  ].map(([a, b]) => vector(along(along(cut.origin_mm, x, 45 * a), y, 38 * b)));
  const geometry = new THREE.BufferGeometry().setFromPoints(corners);
  geometry.setIndex([0, 1, 2, 0, 2, 3]);
  const sheet = new THREE.Mesh(
    geometry,
    new THREE.MeshBasicMaterial({
      color: CUT,
      opacity: 0.3,
      transparent: true,
      side: THREE.DoubleSide,
      depthWrite: false,
    }),
  );
  sheet.userData.name = cut.name;
  sheet.renderOrder = 3;
  const rim = new THREE.LineLoop(
    new THREE.BufferGeometry().setFromPoints(corners),
    new THREE.LineBasicMaterial({ color: chosen ? 0xffffff : CUT }),
  );
  group.add(sheet, rim);
  return group;
}

/** The piece that a cut takes away: the bone's surface beyond the face that stays. */
export function removedBone(bone, cut) {
  const normal = vector(cut.normal);
  const point = vector(along(cut.origin_mm, cut.normal, -cut.kerf_mm / 2));
  const plane = new THREE.Plane().setFromNormalAndCoplanarPoint(normal, point);
  const made = new THREE.Mesh(
    bone.geometry,
    new THREE.MeshLambertMaterial({ color: CUT, side: THREE.DoubleSide, clippingPlanes: [plane] }),
  );
  made.userData.shared = true;
  return made;
}

/** Give back what the graphics card holds of an object. */
export function discard(object) {
  object.traverse((part) => {
    if (!part.userData.shared) part.geometry?.dispose();
    part.material?.dispose();
  });
  object.removeFromParent();
}
