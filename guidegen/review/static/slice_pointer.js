// What the pointer does on a slice: handles, shifting, window and level, clicks, the wheel.

import { handlesOf } from "./path_draw.js";
import { chosenItem, set, shownPaths, state } from "./store.js";
import { add, along, dot, norm, sub, unit } from "./vec.js";

const REACH = 12;
const STILL = 4;

export class SlicePointer {
  constructor(view) {
    this.view = view;
    this.listen();
  }

  listen() {
    const { canvas } = this.view;
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.up(event));
  }

  wheel(event) {
    event.preventDefault();
    const way = Math.sign(event.deltaY);
    if (event.ctrlKey || event.metaKey) this.view.scale(way > 0 ? 1.12 : 1 / 1.12);
    else this.view.scroll(way * (event.shiftKey ? 5 : 1));
  }

  down(event) {
    this.view.canvas.focus();
    this.view.canvas.setPointerCapture(event.pointerId);
    const at = [event.offsetX, event.offsetY];
    const held = event.button === 0 ? this.handleAt(at) : null;
    const start = { at, focus: this.view.focus, grey: { ...state.grey }, moved: false };
    const what = { 0: held ? "handle" : "pan", 1: "pan", 2: "grey" }[event.button] ?? "pan";
    this.drag = { ...start, what, held };
    if (held) {
      this.view.frozen = this.view.look().plane;
      this.drag.from = chosenItem().item;
    }
  }

  /** The handle of the chosen path under the pointer. */
  handleAt(at) {
    const found = chosenItem();
    if (found?.is !== "path" || !this.view.source.change.able(found.item)) return null;
    const far = (handle) => Math.hypot(handle.at[0] - at[0], handle.at[1] - at[1]);
    const [best] = handlesOf(this.view.look(), found.item).sort((a, b) => far(a) - far(b));
    return best && far(best) <= REACH ? best.what : null;
  }

  move(event) {
    const at = [event.offsetX, event.offsetY];
    if (!this.drag) {
      this.view.canvas.dataset.over = this.handleAt(at) ?? "";
      return;
    }
    const { drag } = this;
    const [dx, dy] = [at[0] - drag.at[0], at[1] - drag.at[1]];
    drag.moved ||= Math.hypot(dx, dy) >= STILL;
    if (!drag.moved) return;
    if (drag.what === "handle") this.pull(dx, dy, false);
    else if (drag.what === "grey") this.window(dx, dy);
    else {
      this.view.focus = sub(drag.focus, this.view.inPlane(dx, dy));
      this.view.refresh();
    }
  }

  pull(dx, dy, last) {
    const { held, from } = this.drag;
    const way = this.view.inPlane(dx, dy);
    const entry_mm = held === "tip" ? from.entry_mm : add(from.entry_mm, way);
    const tip_mm = held === "entry" ? from.tip_mm : add(from.tip_mm, way);
    if (norm(sub(tip_mm, entry_mm)) > 2)
      this.view.source.change.moved(from.name, held, entry_mm, tip_mm, last);
  }

  window(dx, dy) {
    const { grey } = this.drag;
    const width = Math.max(50, Math.min(5000, grey.width + dx * 6));
    const centre = Math.max(-1000, Math.min(3000, grey.centre + dy * 4));
    set("grey", { grey: { centre, width } });
  }

  up(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    if (drag.what === "handle") {
      this.drag = drag;
      if (drag.moved) this.pull(event.offsetX - drag.at[0], event.offsetY - drag.at[1], true);
      this.drag = null;
      this.view.frozen = null;
      this.view.refresh();
    } else if (!drag.moved && drag.what === "pan" && event.button === 0) {
      this.click([event.offsetX, event.offsetY]);
    }
  }

  /** A click chooses the path under it, sets the crosshair, or the depth along the path. */
  click(at) {
    const point = this.view.pointAt(at);
    const hit = shownPaths().find((path) => path.name !== state.chosen && hits(path, point));
    if (hit) {
      this.view.source.change.choose(hit.name);
      return;
    }
    const { plane } = this.view.look();
    if (plane.meets) set("cursor", { cursor: point });
    else if (plane.onPath && plane.name !== "across") {
      const { entry_mm, tip_mm } = chosenItem().item;
      const length = norm(sub(tip_mm, entry_mm));
      const depth = dot(sub(point, entry_mm), unit(sub(tip_mm, entry_mm)));
      set("depth", { depth: Math.round(2 * Math.max(0, Math.min(length + 5, depth))) / 2 });
    }
  }
}

/** Whether a point lies inside a path's cylinder. */
function hits(path, point) {
  const d = unit(sub(path.tip_mm, path.entry_mm));
  const away = sub(point, path.entry_mm);
  const depth = dot(away, d);
  const inside = depth > 0 && depth < norm(sub(path.tip_mm, path.entry_mm));
  return inside && norm(along(away, d, -depth)) < path.diameter_mm / 2;
}
