// ---------------------------------------------------------------- gestures.js
// Mouse, pen and fingers on the pictures: they zoom, move, change the window and draw.

import { STEP_PX, Stroke } from "./drawing.js";
import { scaleOf } from "./view.js";

export class Gestures {
  constructor(viewer, signal) {
    this.viewer = viewer;
    this.cursor = null; // { key, x, y }: the panel under the pointer and the radiograph's pixel there
    this.stroke = null; // being drawn, or on its way to the server
    this.drag = null;
    this.fingers = new Map(); // on the glass, by pointer
    const listen = (name, act, options = {}) => viewer.grid.addEventListener(name, (event) => act(event), { signal, ...options });
    listen("wheel", (event) => this.#onWheel(event), { passive: false });
    listen("pointerdown", (event) => this.#onPress(event));
    listen("pointermove", (event) => this.#onMove(event));
    listen("pointerup", (event) => this.#onRelease(event));
    listen("pointercancel", (event) => this.#onRelease(event));
    listen("pointerleave", () => { this.cursor = null; viewer.invalidate(); });
    listen("dblclick", (event) => {
      const parts = this.#panelOf(event);
      if (parts) viewer.enlarge(parts.key);
    });
    listen("contextmenu", (event) => this.#panelOf(event) && event.preventDefault());
  }

  get isMovingWindow() {
    return this.drag?.kind === "window";
  }

  // The server's answer holds what was drawn.
  takeAnswer() {
    if (!this.drag) this.stroke = null;
  }

  #panelOf({ target }) {
    const panels = this.viewer.scene ? [...this.viewer.panels.values()] : [];
    return panels.find(({ stage }) => stage.contains(target)) ?? null;
  }

  #onWheel(event) {
    const parts = this.#panelOf(event);
    if (!parts || event.ctrlKey) return; // ctrl and wheel is the browser's own zoom
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 32 : 1;
    this.viewer.zoomAt(pointIn(parts, event), Math.exp(-0.0016 * lines * event.deltaY));
  }

  #onPress(event) {
    const parts = this.#panelOf(event);
    if (!parts) return;
    if (event.pointerType === "touch" && this.fingers.size < 2) {
      this.fingers.set(event.pointerId, pointIn(parts, event));
      if (this.fingers.size === 2) this.#beginPinch();
    }
    if (this.drag) return;
    if (event.button === 1) event.preventDefault(); // no automatic scrolling
    parts.stage.setPointerCapture(event.pointerId);
    this.drag = { kind: kindOfDrag(event.button, this.viewer.mode), pointer: event.pointerId, x: event.clientX, y: event.clientY };
    if (this.drag.kind === "draw") {
      this.stroke = new Stroke(this.viewer.scene.pathology);
      this.#continueStroke(parts, event);
    }
  }

  #onMove(event) {
    const parts = this.#panelOf(event);
    this.cursor = parts && { key: parts.key, ...this.viewer.radiographAt(pointIn(parts, event)) };
    if (this.drag?.kind === "pinch") {
      if (parts && this.fingers.size === 2 && this.fingers.has(event.pointerId)) this.#pinch(parts, event);
    } else if (this.drag?.pointer === event.pointerId) this.#onDrag(parts, event);
    this.viewer.invalidate();
  }

  #onDrag(parts, event) {
    const [dx, dy] = [event.clientX - this.drag.x, event.clientY - this.drag.y];
    Object.assign(this.drag, { x: event.clientX, y: event.clientY });
    if (this.drag.kind === "draw") {
      if (parts) this.#continueStroke(parts, event);
    } else if (this.drag.kind === "pan") this.viewer.moveBy(dx, dy);
    else this.viewer.dragWindow(dx, dy);
  }

  #onRelease(event) {
    this.fingers.delete(event.pointerId);
    if (this.drag?.kind === "draw" && this.stroke) {
      const points = this.stroke.close();
      if (points) this.viewer.send("contour", { pathology: this.stroke.pathology, points });
      else this.stroke = null;
    }
    if (this.drag?.kind !== "pinch" || this.fingers.size === 0) this.drag = null;
    this.viewer.invalidate();
  }

  #continueStroke(parts, event) {
    const { view, scene: { size }, stage } = this.viewer;
    this.stroke.add(this.viewer.radiographAt(pointIn(parts, event)), size, STEP_PX / scaleOf(view, size, stage));
  }

  // Two fingers zoom and move, whatever one finger does.
  #beginPinch() {
    if (this.drag?.kind === "draw") this.stroke = null;
    this.drag = { kind: "pinch" };
  }

  #pinch(parts, event) {
    const [[, other]] = [...this.fingers].filter(([pointer]) => pointer !== event.pointerId);
    const [before, now] = [this.fingers.get(event.pointerId), pointIn(parts, event)];
    this.fingers.set(event.pointerId, now);
    this.viewer.pinch({ before, now, other });
  }
}

function pointIn({ stage }, event) {
  const box = stage.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

// The right button always changes the window, and any but the left one moves what the left one draws on.
export function kindOfDrag(button, mode) {
  if (button === 2) return "window";
  return (button === 0 && mode) || "pan";
}
