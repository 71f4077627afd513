// One slice on the screen: asks for it, draws it, and listens to the pointer.

import { getSlice } from "./api.js";
import { fill, h } from "./dom.js";
import { draw, greyed } from "./slice_draw.js";
import { SlicePointer } from "./slice_pointer.js";
import { chosenItem, set, shown, shownPaths, state } from "./store.js";
import { add, along, dot, norm, sub, times, unit } from "./vec.js";

const MOST_PIXELS = 500_000;

export class SliceView {
  /** `source` has plane(), field(), focus(), change (what a drag does) and corner. */
  constructor(root, source) {
    this.root = root;
    this.source = source;
    this.offset = 0; // mm that a plane on an item is shifted behind it
    this.zoom = 0.3;
    this.focus = [0, 0, 0];
    this.width = 0;
    this.height = 0;
    this.title = h("span", { class: "title" });
    this.canvas = h("canvas", { tabindex: "0", "data-view": root.id });
    root.prepend(this.canvas, h("figcaption", {}, this.title));
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    this.pointer = new SlicePointer(this);
  }

  /** Back to the first size, on what is chosen. */
  home() {
    this.offset = 0;
    this.frozen = null;
    this.focus = this.source.focus();
    this.resize();
    this.zoom = this.source.field() / Math.max(60, Math.min(this.width, this.height));
    this.refresh();
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    const ratio = window.devicePixelRatio || 1;
    const [before, after] = [
      Math.min(this.width, this.height),
      Math.min(clientWidth, clientHeight),
    ];
    if (before > 0 && after > 0) this.zoom *= before / after; // the same field on another size
    this.width = clientWidth;
    this.height = clientHeight;
    this.canvas.width = Math.max(1, Math.round(clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    this.ratio = ratio;
    this.refresh();
  }

  /** Plane, middle, zoom and size as they are now. */
  look() {
    const plane = this.frozen ?? this.source.plane();
    const depth = dot(sub(plane.through, this.focus), plane.normal) + this.offset;
    const middle = along(this.focus, plane.normal, depth);
    return { plane, middle, zoom: this.zoom, width: this.width, height: this.height };
  }

  /** Draw at once with what is there, and ask for what should be there. */
  refresh() {
    if (!state.told || !this.width || !this.height) return;
    this.paintSoon();
    this.wanted = this.frame();
    this.fetch();
  }

  paintSoon() {
    if (this.painting) return;
    this.painting = true;
    window.requestAnimationFrame(() => {
      this.painting = false;
      this.paint();
    });
  }

  /** What to ask the server for. */
  frame() {
    const { plane, middle } = this.look();
    const share = Math.min(1, Math.sqrt(MOST_PIXELS / (this.width * this.height)));
    const [w, h_] = [this.width, this.height].map((n) => Math.max(8, Math.round(n * share)));
    const step = (this.zoom * this.width) / w;
    return { centre: middle, right: plane.right, down: plane.down, w, h: h_, step };
  }

  /** One question at a time; the newest wins. */
  async fetch() {
    if (this.asking || !this.wanted) return;
    const frame = this.wanted;
    this.wanted = null;
    const key = JSON.stringify([frame, shown().revision, state.work?.previews?.length]);
    if (key === this.key) return;
    this.asking = true;
    try {
      this.slice = await getSlice(frame);
      this.failure = "";
      this.key = key;
      this.picture = greyed(this.slice, state.grey);
      this.canvas.dataset.ready = "yes";
      this.paintSoon();
    } catch (error) {
      // what was there before is of another place: better nothing than that
      Object.assign(this, { slice: null, key: null, failure: error.message });
      this.paintSoon();
    } finally {
      this.asking = false;
    }
    this.fetch();
  }

  /** Outlines may have changed: ask again for the same plane. */
  renew() {
    this.key = null;
    this.refresh();
  }

  regrey() {
    if (this.slice) this.picture = greyed(this.slice, state.grey);
    this.paintSoon();
  }

  paint() {
    const told = shown();
    if (!told || !this.width) return;
    const context = this.canvas.getContext("2d");
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    const view = this.look();
    const found = chosenItem();
    const ofPath = found?.is === "path" && state.layout === "item" && view.plane.name !== "across";
    draw(context, view, {
      slice: this.slice,
      picture: this.picture,
      outlines: state.outlines,
      paths: shownPaths().map((path) => ({ ...path, fixed: !this.source.change.able(path) })),
      cuts: told.cuts,
      planes: Object.entries(told.planes ?? {}).map(([name, plane]) => ({ name, ...plane })),
      chosen: state.chosen,
      marks: this.slice?.marks,
      cross: view.plane.meets ? state.cursor : null,
      depthLine: ofPath ? depthLine(found.item) : null,
    });
    this.describe(view);
  }

  /** The title, and for those who do not see the picture the whole in words. */
  describe({ plane, middle }) {
    const beside = Math.abs(this.offset) >= 0.05 ? ` · ${this.offset.toFixed(1)} mm beside it` : "";
    const at =
      plane.name === "across" && plane.onPath ? ` · ${state.depth.toFixed(1)} mm deep` : "";
    const text = this.failure ? `No slice: ${this.failure}` : plane.title + at + beside;
    if (this.title.textContent !== text) fill(this.title, text);
    const place = middle.map((x) => x.toFixed(0)).join(", ");
    this.canvas.setAttribute("aria-label", `CT slice: ${text}, middle at ${place} mm`);
  }

  /** The patient's point under a place of the picture. */
  pointAt([x, y]) {
    const { plane, middle, zoom } = this.look();
    const right = times(plane.right, (x - this.width / 2) * zoom);
    const down = times(plane.down, (y - this.height / 2) * zoom);
    return add(middle, add(right, down));
  }

  scale(by) {
    this.zoom = Math.min(2, Math.max(0.02, this.zoom * by));
    this.refresh();
  }

  /** Go deeper by steps of about a voxel. */
  scroll(steps) {
    const { plane } = this.look();
    const spacing = shown().spacing_mm;
    const step = Math.max(0.5, norm(plane.normal.map((n, i) => n * spacing[i])));
    if (plane.meets) {
      set("cursor", { cursor: along(state.cursor, plane.normal, steps * step) });
    } else if (plane.name === "across" && plane.onPath) {
      const { entry_mm, tip_mm } = chosenItem().item;
      const most = norm(sub(tip_mm, entry_mm)) + 5;
      set("depth", { depth: Math.max(0, Math.min(most, state.depth + steps * 0.5)) });
    } else {
      this.offset += steps * step;
      this.refresh();
    }
  }

  /** A way on the screen as a way in the patient. */
  inPlane(dx, dy) {
    const { plane, zoom } = this.look();
    return add(times(plane.right, dx * zoom), times(plane.down, dy * zoom));
  }
}

function depthLine(path) {
  const direction = unit(sub(path.tip_mm, path.entry_mm));
  return {
    point: along(path.entry_mm, direction, state.depth),
    direction,
    reach: path.diameter_mm + 4,
  };
}
