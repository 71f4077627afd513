// The 3D picture: bones, paths, cuts and guides. Drawn only when something changed, because
// without a graphics card a picture takes a tenth of a second.

import * as THREE from "./vendor/three/three.module.min.js";
import { OrbitControls } from "./vendor/three/OrbitControls.js";
import { cutSheet, discard, dress, pathGroup, removedBone, surface } from "./scene_parts.js";
import { drawAxes } from "./axes.js";
import { chosenItem, shown, shownPaths, state } from "./store.js";
import { norm, sub } from "./vec.js";

const SLOW_MS = 60;
const STILL = 4;
const REACH = 12;
const UP = new THREE.Vector3(0, 0, 1);

export class Scene {
  /** Raises an error where the browser has no WebGL. */
  constructor(root, axes, change) {
    this.root = root;
    this.axes = axes;
    this.change = change;
    this.renderer = new THREE.WebGLRenderer({
      antialias: true,
      powerPreference: "high-performance",
    });
    this.renderer.setClearColor(0x0e1319);
    this.renderer.localClippingEnabled = true;
    this.renderer.domElement.setAttribute("tabindex", "0");
    this.renderer.domElement.setAttribute(
      "aria-label",
      "3D picture: drag to turn, wheel to come nearer, right drag to shift",
    );
    root.prepend(this.renderer.domElement);
    this.scene = new THREE.Scene();
    this.camera = new THREE.PerspectiveCamera(28, 1, 1, 5000);
    this.camera.up.copy(UP);
    this.light();
    this.controls = new OrbitControls(this.camera, this.renderer.domElement);
    this.controls.addEventListener("change", () => this.soon(true));
    this.surfaces = new Map();
    this.items = new THREE.Group();
    this.scene.add(this.items);
    this.listen();
  }

  light() {
    this.scene.add(new THREE.HemisphereLight(0xffffff, 0x556070, 1.6));
    const lamp = new THREE.DirectionalLight(0xffffff, 1.6);
    lamp.position.set(0.4, 0.6, 1);
    this.camera.add(lamp);
    this.scene.add(this.camera);
  }

  resize() {
    const { clientWidth: w, clientHeight: h } = this.root;
    if (!w || !h) return;
    this.camera.aspect = w / h;
    this.camera.updateProjectionMatrix();
    this.renderer.setSize(w, h);
    this.soon();
  }

  // ---- surfaces

  /** Put a surface in, or in place of the one of that name. */
  put(name, mesh, kind, solid) {
    this.take(name);
    const made = surface(mesh, kind, solid);
    this.surfaces.set(name, made);
    this.scene.add(made);
    this.soon();
  }

  take(name) {
    const old = this.surfaces.get(name);
    if (!old) return;
    discard(old);
    this.surfaces.delete(name);
    this.soon();
  }

  names() {
    return [...this.surfaces.keys()];
  }

  has(name) {
    return this.surfaces.has(name);
  }

  /** `seen(name, kind)` says whether a surface is shown, `solid(kind)` whether it is opaque. */
  arrange(seen, solid) {
    for (const [name, mesh] of this.surfaces) {
      mesh.visible = seen(name, mesh.userData.kind);
      dress(mesh, solid(mesh.userData.kind));
    }
    this.soon();
  }

  /** Paths and cuts as they are now; `shows` says what of them. */
  drawItems(shows) {
    for (const old of [...this.items.children]) discard(old);
    const is = (item) => item.name === state.chosen;
    if (shows.paths) for (const path of shownPaths()) this.items.add(pathGroup(path, is(path)));
    for (const cut of shown().cuts) {
      if (shows.cuts) this.items.add(cutSheet(cut, is(cut)));
      const bone = this.surfaces.get(`bone/${cut.bone}`);
      if (shows.resected && bone) this.items.add(removedBone(bone, cut));
    }
    this.soon();
  }

  // ---- looking

  /** Look from a direction at a point, so that `size` mm are seen. */
  look(from, target, size) {
    const far = size / 2 / Math.tan((this.camera.fov * Math.PI) / 360);
    this.controls.target.set(...target);
    this.camera.position.set(...target.map((x, n) => x + from[n] * far));
    this.camera.near = far / 50;
    this.camera.far = far * 10;
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.soon();
  }

  /** The same view with another point in the middle. */
  aim(target) {
    const shift = new THREE.Vector3(...target).sub(this.controls.target);
    this.controls.target.add(shift);
    this.camera.position.add(shift);
    this.controls.update();
    this.soon();
  }

  /** Draw in the next frame; coarser while the view moves, if pictures take long. */
  soon(moving = false) {
    this.moving = moving;
    if (this.waiting) return;
    this.waiting = true;
    window.requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  paint() {
    if (!this.root.clientWidth || !state.told) return;
    const coarse = this.moving && this.took > SLOW_MS;
    const ratio = coarse ? 0.5 : Math.min(2, window.devicePixelRatio || 1);
    if (this.renderer.getPixelRatio() !== ratio) this.renderer.setPixelRatio(ratio);
    const start = performance.now();
    this.renderer.render(this.scene, this.camera);
    if (!coarse) this.took = performance.now() - start;
    drawAxes(this.axes, this.camera.matrixWorldInverse.elements);
    this.root.dataset.ready = "yes";
    window.clearTimeout(this.fine);
    if (coarse) this.fine = window.setTimeout(() => this.soon(), 200);
  }

  // ---- the pointer

  listen() {
    const { domElement } = this.renderer;
    domElement.addEventListener("pointerdown", (event) => this.down(event), { capture: true });
    domElement.addEventListener("pointermove", (event) => this.move(event));
    domElement.addEventListener("pointerup", (event) => this.up(event));
  }

  rayAt(event) {
    const { clientWidth: w, clientHeight: h } = this.renderer.domElement;
    const at = new THREE.Vector2((event.offsetX / w) * 2 - 1, 1 - (event.offsetY / h) * 2);
    const ray = new THREE.Raycaster();
    ray.setFromCamera(at, this.camera);
    return ray;
  }

  /** The ball of the chosen path under the pointer, if the path can be moved. */
  ballAt([x, y]) {
    const found = chosenItem();
    if (found?.is !== "path" || !this.change.able(found.item)) return null;
    const { clientWidth: w, clientHeight: h } = this.renderer.domElement;
    const far = (ball) => {
      const at = ball.position.clone().project(this.camera);
      return Math.hypot(((at.x + 1) / 2) * w - x, ((1 - at.y) / 2) * h - y);
    };
    const balls = [];
    this.items.traverse((part) => part.userData.handle && balls.push(part));
    const [best] = balls.sort((a, b) => far(a) - far(b));
    return best && far(best) <= REACH ? best : null;
  }

  down(event) {
    this.start = [event.offsetX, event.offsetY];
    if (event.button !== 0) return;
    const ball = this.ballAt(this.start);
    if (!ball) return;
    this.controls.enabled = false;
    this.renderer.domElement.setPointerCapture(event.pointerId);
    const normal = this.camera.getWorldDirection(new THREE.Vector3());
    const plane = new THREE.Plane().setFromNormalAndCoplanarPoint(normal, ball.position);
    this.held = { what: ball.userData.handle, plane, from: chosenItem().item };
  }

  move(event) {
    if (this.held) this.pull(event, false);
  }

  /** Move the ball in the plane that faces the camera. */
  pull(event, last) {
    const { what, plane, from } = this.held;
    const point = this.rayAt(event).ray.intersectPlane(plane, new THREE.Vector3());
    if (!point) return;
    const entry_mm = what === "entry" ? point.toArray() : from.entry_mm;
    const tip_mm = what === "tip" ? point.toArray() : from.tip_mm;
    if (norm(sub(tip_mm, entry_mm)) > 2) this.change.moved(from.name, what, entry_mm, tip_mm, last);
  }

  up(event) {
    const still =
      this.start &&
      Math.hypot(event.offsetX - this.start[0], event.offsetY - this.start[1]) < STILL;
    if (this.held) {
      if (!still) this.pull(event, true);
      this.held = null;
      this.controls.enabled = true;
    } else if (still && event.button === 0) {
      const hits = this.rayAt(event).intersectObjects(this.items.children);
      const hit = hits.find(({ object }) => object.userData.name);
      if (hit) this.change.choose(hit.object.userData.name);
    }
  }
}
