// ---------------------------------------------------------------- viewer.js
// The viewer: keeps the reader's view and choices, and draws a frame when something changed.

import { Asking } from "../asking.js";
import { element } from "../element.js";
import { mounting } from "../mounting.js";
import { pixelRatio, textScale } from "../screen.js";
import { recalledChoices, rememberChoices } from "./choices.js";
import { displayOf, linkedView, linkToView } from "./display.js";
import { buildFindings, describeFindings, describeThreshold, drawAgreement, revealChosen } from "./findings.js";
import { Gestures } from "./gestures.js";
import { listenToKeys } from "./keys.js";
import { Backdrop, drawPanel, EXPERT_LINE, strokeOutline } from "./layers.js";
import { layOut } from "./layout.js";
import { buildPanel, describePanel, drawCaption, drawCursor, drawReadings } from "./panel.js";
import { highestIou } from "./readings.js";
import { readScene } from "./scene.js";
import { Telling } from "./telling.js";
import { buildToolbar, copyLink, describeToolbar, drawToolbar } from "./toolbar.js";
import { clampedView, fitted, movedBy, pinched, toRadiograph, transformOf, zoomedAt } from "./view.js";
import { Waiting } from "./waiting.js";
import { draggedWindow, FIRST_WINDOW } from "./windowing.js";

class Viewer {
  constructor(parent) {
    this.asking = new Asking((pathology) => this.send("pathology", pathology), (pathology) => pathology);
    this.telling = new Telling((display) => this.report("display", display));
    this.awaited = null; // the radiograph that the reader chose in the list
    this.choices = recalledChoices();
    this.window = FIRST_WINDOW;
    this.view = { zoom: 1, x: 0, y: 0 };
    this.scene = null;
    this.panels = new Map();
    this.enlarged = null;
    this.stage = { width: 1, height: 1 };
    this.mode = null; // what dragging does instead of moving the picture: "draw" a contour or change the "window"
    this.backdrop = new Backdrop();
    this.listeners = new AbortController();
    this.#build(parent);
    this.#listen();
  }

  #build(parent) {
    const { signal } = this.listeners;
    this.toolbar = buildToolbar({
      toggle: (name) => this.choose({ [name]: !this.choices[name] }),
      choose: (changes) => this.choose(changes),
      reset: () => this.reset(),
      link: () => this.scene && copyLink(this.toolbar, linkToView(location.href, this)),
      window: () => this.toggleMode("window"),
      draw: () => this.toggleMode("draw"),
      undo: () => this.send("contour", { pathology: this.scene.pathology, points: null }),
    }, signal);
    this.findings = buildFindings((pathology) => this.#askFor(pathology), signal);
    this.facts = element("dl", { class: "facts", "data-testid": "facts" });
    this.phrase = element("p", { class: "phrase", "data-testid": "phrase" });
    this.banner = element("p", { class: "banner", role: "note", "data-testid": "viewer-banner" });
    this.grid = element("div", { class: "panels" });
    this.problem = element("p", { class: "problem", role: "alert", "data-testid": "viewer-problem" });
    this.root = element("div", { class: "viewer", "data-testid": "viewer", "aria-busy": "true" });
    this.waiting = new Waiting(this.root);
    this.root.append(element("div", { class: "heading" }, this.facts, this.banner, this.phrase), this.toolbar.root, this.problem,
      this.waiting.line, this.grid);
    parent.append(this.root);
  }

  #listen() {
    const { signal } = this.listeners;
    this.gestures = new Gestures(this, signal);
    listenToKeys(this, signal);
    this.observer = new ResizeObserver(() => {
      if (this.root.clientWidth !== this.laidOutFor) this.layOut();
    });
    this.observer.observe(this.root);
    window.addEventListener("resize", () => this.layOut(), { signal });
    const awaiting = ({ detail: { radiograph } }) => { this.awaited = radiograph; this.#tellBusy(); };
    document.addEventListener("shamsul:asked", (event) => {
      this.asking.stop(); // the list's row decides what is shown of another radiograph
      awaiting(event);
    }, { signal });
    document.addEventListener("shamsul:answered", awaiting, { signal });
  }

  destroy() {
    this.asking.stop();
    this.telling.stop();
    this.waiting.stop();
    this.listeners.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    this.root.remove();
  }

  // ---- New data

  async show(block) {
    const call = this.calls;
    this.isReading = true;
    this.#tellBusy();
    try {
      const scene = await readScene(block, this.scene?.decoded ?? new Map());
      if (call === this.calls) this.#take(scene);
    } catch (error) {
      if (call !== this.calls) return;
      this.#tellProblem(error);
    }
    this.isReading = false;
    this.#tellBusy();
  }

  // The former picture goes: it must not stand beside choices that it does not show.
  #tellProblem(error) {
    this.scene = this.awaited = null;
    this.facts.replaceChildren();
    this.phrase.textContent = "";
    this.grid.replaceChildren();
    this.panels.clear();
    this.problem.textContent = `The radiograph cannot be shown: ${error.message}.`;
  }

  #tellBusy() {
    const isWaiting = this.asking.key !== null || (this.awaited !== null && this.awaited !== this.scene?.id);
    this.waiting.tell(this.isReading || isWaiting);
  }

  #take(scene) {
    const isFirstScene = !this.hasShown;
    this.hasShown = true;
    const isNew = this.scene?.id !== scene.id || this.scene?.radiographHash !== scene.radiographHash;
    this.scene = scene;
    this.choices.without = false;
    this.asking.hear(scene.pathology);
    this.gestures.takeAnswer();
    if (this.mode === "draw" && !scene.canDraw) this.mode = null;
    if (isNew) {
      Object.assign(this, { view: fitted(scene.size), window: FIRST_WINDOW });
      this.gestures.cursor = null;
    }
    if (isFirstScene) this.#followLink();
    scene.highestIou = highestIou(scene);
    this.#describe(scene);
    this.layOut();
    revealChosen(this.findings);
  }

  #describe(scene) {
    this.problem.textContent = "";
    this.banner.textContent = scene.banner ?? "";
    this.phrase.textContent = scene.phrase && `“${scene.phrase}”`;
    this.phrase.title = "The report's words that the experts' mark belongs to";
    this.facts.replaceChildren(...[{ name: scene.id, value: scene.pathology }, ...scene.facts].map(({ name, value, help }) =>
      element("div", { title: help ?? null }, element("dt", {}, name), element("dd", {}, value))));
    describeToolbar(this.toolbar, scene);
    this.#matchPanels(scene.panels);
    describeFindings(this.findings, scene);
    this.readingsDrawnFor = null;
    this.root.dataset.image = scene.id;
    this.root.dataset.pathology = scene.pathology;
  }

  #matchPanels(wanted) {
    const keys = wanted.map((panel) => panel.key);
    if (keys.join("\n") !== [...this.panels.keys()].join("\n")) {
      this.panels = new Map(keys.map((key) => [key, buildPanel(key, (name) => this.enlarge(name), this.listeners.signal)]));
      this.grid.replaceChildren(...[...this.panels.values()].map((parts) => parts.root), this.findings.root);
      if (!this.panels.has(this.enlarged)) this.enlarged = null;
    }
    for (const panel of wanted) describePanel(this.panels.get(panel.key), panel, this.scene.sideMarkers);
  }

  // ---- The reader's choices

  choose(changes) {
    Object.assign(this.choices, changes);
    rememberChoices(this.choices);
    this.invalidate();
  }

  toggleMode(mode) {
    this.mode = this.mode === mode ? null : mode;
    if (this.mode === "draw") this.choose({ expert: true });
    this.invalidate();
  }

  // The server answers with another scene.
  #askFor(pathology) {
    if (pathology === (this.asking.key ?? this.scene?.pathology)) return;
    this.asking.ask(pathology);
    this.#tellBusy();
  }

  #followLink() {
    const asked = linkedView(location.href, this.scene);
    if (!asked) return;
    const { choices, ...rest } = asked;
    Object.assign(this, rest); // the view is clamped when laid out
    Object.assign(this.choices, choices); // for this visit: what the reader had before is not forgotten for a link
  }

  enlarge(key) {
    this.enlarged = this.enlarged === key ? null : key;
    this.gestures.cursor = null;
    this.layOut();
    this.panels.get(key)?.canvas.focus({ preventScroll: true });
  }

  // ---- What part of the radiograph is seen, and in which window; points in CSS pixels of the picture

  reset() {
    if (!this.scene) return;
    this.window = FIRST_WINDOW;
    this.#look(fitted(this.scene.size));
  }

  zoomAt(point, factor) {
    this.#look(zoomedAt(this.view, factor, point, this.scene.size, this.stage));
  }

  moveBy(dx, dy) {
    this.#look(movedBy(this.view, dx, dy, this.scene.size, this.stage));
  }

  pinch(fingers) {
    this.#look(pinched(this.view, fingers, this.scene.size, this.stage));
  }

  dragWindow(dx, dy) {
    this.window = draggedWindow(this.window, dx, dy);
    this.invalidate();
  }

  radiographAt(point) {
    return toRadiograph(point, this.view, this.scene.size, this.stage);
  }

  #look(view) {
    this.view = view;
    this.invalidate();
  }

  // ---- Drawing

  layOut() {
    const width = this.root.clientWidth;
    if (!this.scene || width === 0) return;
    this.laidOutFor = width;
    drawToolbar(this.toolbar, this); // how many lines it takes depends on what it says
    this.stage = layOut(this);
    this.#look(clampedView(this.view, this.scene.size, this.stage));
  }

  invalidate() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.scene) this.#draw();
    });
  }

  #draw() {
    const { scene, view, stage, choices, gestures: { cursor, stroke, isMovingWindow } } = this;
    const ratio = pixelRatio();
    const lines = ratio * textScale(); // of lines and letters on the canvas
    const transform = transformOf(view, scene.size, stage, ratio);
    const shades = { ...this.window, isInverted: choices.invert };
    const [width, height] = [stage.width, stage.height].map((side) => Math.round(side * ratio));
    const without = choices.without ? scene.without : null;
    this.backdrop.draw(scene, (without ?? scene).radiograph, transform, width, height, shades, isMovingWindow);
    for (const [panel, parts] of this.#shown()) {
      drawPanel(parts.context, panel, scene, this.backdrop.canvas, transform, { ...choices, without }, lines);
      drawCaption(parts, panel, without?.caption);
      Object.assign(parts.canvas.dataset, { zoom: view.zoom.toFixed(3), x: view.x.toFixed(2), y: view.y.toFixed(2) });
      if (stroke) strokeOutline(parts.context, stroke.path, EXPERT_LINE, lines / transform.scale);
      drawCursor(parts, panel, { cursor, scene, view, stage });
    }
    drawToolbar(this.toolbar, this);
    this.grid.classList.toggle("is-drawing", this.mode === "draw");
    this.#drawReadings(lines);
    if (!scene.isAboveForm) this.telling.hear(displayOf(this));
  }

  #shown() {
    return this.scene.panels.map((panel) => [panel, this.panels.get(panel.key)]).filter(([, parts]) => !parts.root.hidden);
  }

  // Only where the threshold or the layout changed: zooming and panning leave the figures as they are.
  #drawReadings(ratio) {
    const { choices, scene } = this;
    const stamp = `${choices.threshold} ${choices.level} ${this.stage.width} ${this.enlarged}`;
    if (this.readingsDrawnFor === stamp) return;
    this.readingsDrawnFor = stamp;
    for (const [panel, parts] of this.#shown()) drawReadings(parts, panel, scene, choices, ratio);
    describeThreshold(this.findings, scene, choices);
    drawAgreement(this.findings, scene, choices);
  }
}

export default mounting(Viewer);
