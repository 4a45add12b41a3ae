// ---------------------------------------------------------------- viewer.js
// The viewer: keeps the reader's view and choices, listens, and draws a frame when something changed.

const STORED = "shamsul.viewer";
const FIRST_CHOICES = { heatmap: true, mask: true, expert: true, invert: false, opacity: 0.65 };
const FIRST_WINDOW = { width: 256, centre: 128 };
const DRAG_SHARE = 1.2; // grey levels of window or level a CSS pixel of dragging
const KEY_STEP_PX = 40;

class Viewer {
  constructor(parent) {
    this.calls = 0;
    this.choices = recalledChoices();
    this.window = { ...FIRST_WINDOW };
    this.view = { zoom: 1, x: 0, y: 0 };
    this.scene = null;
    this.panels = new Map();
    this.enlarged = null;
    this.stage = { width: 1, height: 1 };
    this.cursor = null; // { key, x, y }: the panel under the pointer and the radiograph's pixel there
    this.drag = null;
    this.backdrop = new Backdrop();
    this.listeners = new AbortController();
    this.#build(parent);
    this.#listen();
  }

  #build(parent) {
    const { signal } = this.listeners;
    this.toolbar = buildToolbar((name) => this.choose({ [name]: !this.choices[name] }),
      (opacity) => this.choose({ opacity }), () => this.reset(), signal);
    this.banner = element("p", { class: "banner", role: "note", "data-testid": "viewer-banner" });
    this.grid = element("div", { class: "panels" });
    this.problem = element("p", { class: "problem", role: "alert", "data-testid": "viewer-problem" });
    this.root = element("div", { class: "viewer", "data-testid": "viewer", "aria-busy": "true" },
      this.banner, this.toolbar.root, this.problem, this.grid);
    parent.append(this.root);
  }

  destroy() {
    this.listeners.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    this.root.remove();
  }

  // ---- New data

  async show(block) {
    const call = this.calls;
    this.root.setAttribute("aria-busy", "true");
    try {
      const scene = await readScene(block, this.scene?.decoded ?? new Map());
      if (call === this.calls) this.#take(scene);
    } catch (error) {
      if (call !== this.calls) return;
      // The former picture goes: it must not stand beside choices that it does not show.
      this.scene = null;
      this.grid.replaceChildren();
      this.panels.clear();
      this.problem.textContent = `The radiograph cannot be shown: ${error.message}.`;
    }
    this.root.setAttribute("aria-busy", "false");
  }

  #take(scene) {
    const isNew = this.scene?.id !== scene.id || this.scene?.radiographHash !== scene.radiographHash;
    this.scene = scene;
    this.problem.textContent = "";
    this.banner.textContent = scene.banner ?? "";
    if (isNew) {
      this.view = fitted(scene.size);
      this.window = { ...FIRST_WINDOW };
      this.cursor = null;
    }
    this.#matchPanels(scene.panels);
    this.root.dataset.image = scene.id;
    this.root.dataset.pathology = scene.pathology;
    this.layOut();
  }

  #matchPanels(wanted) {
    const { signal } = this.listeners;
    const keys = wanted.map((panel) => panel.key);
    if (keys.join("\n") !== [...this.panels.keys()].join("\n")) {
      this.panels = new Map(keys.map((key) => [key, buildPanel(key, (name) => this.enlarge(name), signal)]));
      this.grid.replaceChildren(...[...this.panels.values()].map((parts) => parts.root));
      if (!this.panels.has(this.enlarged)) this.enlarged = null;
    }
    for (const panel of wanted) describePanel(this.panels.get(panel.key), panel, this.scene.sideMarkers);
  }

  // ---- The reader's choices

  choose(changes) {
    Object.assign(this.choices, changes);
    try {
      localStorage.setItem(STORED, JSON.stringify(this.choices));
    } catch { /* private windows may refuse; the choice then lasts as long as the page */ }
    this.invalidate();
  }

  reset() {
    if (!this.scene) return;
    this.view = fitted(this.scene.size);
    this.window = { ...FIRST_WINDOW };
    this.invalidate();
  }

  enlarge(key) {
    this.enlarged = this.enlarged === key ? null : key;
    this.cursor = null;
    this.layOut();
    this.panels.get(key)?.canvas.focus({ preventScroll: true });
  }

  // ---- Layout

  layOut() {
    const width = this.root.clientWidth;
    if (!this.scene || width === 0) return;
    this.laidOutFor = width;
    this.grid.classList.toggle("is-enlarged", this.enlarged !== null);
    for (const [key, { root, enlarge }] of this.panels) {
      root.hidden = this.enlarged !== null && this.enlarged !== key;
      const isLarge = this.enlarged === key;
      enlarge.textContent = isLarge ? "All panels" : "⤢";
      enlarge.setAttribute("aria-label", isLarge ? "Show all panels" : "Enlarge this panel");
      enlarge.title = isLarge ? "Esc or double click" : "Enlarge (double click)";
    }
    // How high a caption is depends on how wide its panel is, hence twice.
    for (let pass = 0; pass < 2; pass++) this.#arrange(width);
    this.view = clampedView(this.view, this.scene.size, this.stage);
    this.invalidate();
  }

  #arrange(width) {
    const shown = [...this.panels.values()].filter(({ root }) => !root.hidden);
    const chrome = Math.max(...shown.map(({ header, caption }) => header.offsetHeight + caption.offsetHeight));
    const space = {
      count: shown.length, width, windowHeight: window.innerHeight, chrome,
      toolbar: this.grid.offsetTop - this.root.offsetTop, aspect: this.scene.size.width / this.scene.size.height,
    };
    const place = this.enlarged === null ? arranged(space) : this.#wholeWidth(space);
    this.stage = { width: place.width, height: place.height };
    this.grid.style.gridTemplateColumns = `repeat(${place.columns}, ${place.width}px)`;
    const ratio = this.#ratio();
    for (const { canvas, stage } of shown) {
      stage.style.height = `${place.height}px`;
      const size = { width: Math.round(place.width * ratio), height: Math.round(place.height * ratio) };
      if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    }
  }

  #wholeWidth({ width, windowHeight, chrome, toolbar }) {
    // Down to the window's lower edge from where the panels begin, as far as that leaves room for a picture.
    const above = Math.max(toolbar, this.grid.getBoundingClientRect().top);
    const height = Math.max(0.6 * windowHeight, windowHeight - above - chrome - GAP_PX);
    return { columns: 1, width, height: Math.floor(height) };
  }

  #ratio() {
    return Math.min(2, window.devicePixelRatio || 1);
  }

  // ---- Drawing

  invalidate() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.scene) this.#draw();
    });
  }

  #draw() {
    const { scene, view, stage, choices } = this;
    const ratio = this.#ratio();
    const scale = scaleOf(view, scene.size, stage) * ratio;
    const corner = toPicture({ x: 0, y: 0 }, view, scene.size, stage);
    const transform = { scale, x: corner.x * ratio, y: corner.y * ratio };
    const shades = { ...this.window, isInverted: choices.invert };
    const [width, height] = [Math.round(stage.width * ratio), Math.round(stage.height * ratio)];
    this.backdrop.draw(scene, transform, width, height, shades, this.drag?.kind === "window");
    for (const panel of scene.panels) {
      const parts = this.panels.get(panel.key);
      if (parts.root.hidden) continue;
      drawPanel(parts.context, panel, scene, this.backdrop.canvas, transform, choices, ratio);
      Object.assign(parts.canvas.dataset, { zoom: view.zoom.toFixed(3), x: view.x.toFixed(2), y: view.y.toFixed(2) });
      this.#drawCursor(parts, panel);
    }
    this.#drawToolbar();
  }

  #drawCursor(parts, panel) {
    const isOn = this.cursor !== null;
    const isOther = isOn && this.cursor.key !== panel.key;
    parts.across.hidden = parts.down.hidden = !isOther;
    parts.readout.textContent = isOn && panel.heat ? relevanceAt(panel.heat, this.cursor, this.scene.size) : "";
    if (!isOther) return;
    const { x, y } = toPicture(this.cursor, this.view, this.scene.size, this.stage);
    parts.across.style.transform = `translateY(${Math.round(y)}px)`;
    parts.down.style.transform = `translateX(${Math.round(x)}px)`;
  }

  #drawToolbar() {
    const { toggles, opacity, percent, status, bar } = this.toolbar;
    for (const name of Object.keys(toggles)) toggles[name].setAttribute("aria-checked", this.choices[name]);
    const share = Math.round(100 * this.choices.opacity);
    if (opacity.valueAsNumber !== share) opacity.value = share;
    percent.textContent = `${share} %`;
    status.textContent = `${this.view.zoom.toFixed(1)}×  W ${Math.round(this.window.width)}  L ${Math.round(this.window.centre)}`;
    if (this.barDrawnFor !== share) {
      drawColourBar(bar, this.scene.colours, this.choices.opacity);
      this.barDrawnFor = share;
    }
  }

  // ---- Mouse and keys

  #listen() {
    const { signal } = this.listeners;
    this.observer = new ResizeObserver(() => {
      if (this.root.clientWidth !== this.laidOutFor) this.layOut();
    });
    this.observer.observe(this.root);
    window.addEventListener("resize", () => this.layOut(), { signal });
    this.grid.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false, signal });
    this.grid.addEventListener("pointerdown", (event) => this.#onPress(event), { signal });
    this.grid.addEventListener("pointermove", (event) => this.#onMove(event), { signal });
    for (const name of ["pointerup", "pointercancel"]) {
      this.grid.addEventListener(name, () => { this.drag = null; this.invalidate(); }, { signal });
    }
    this.grid.addEventListener("pointerleave", () => { this.cursor = null; this.invalidate(); }, { signal });
    this.grid.addEventListener("dblclick", (event) => {
      const parts = this.#panelOf(event);
      if (parts) this.enlarge(parts.key);
    }, { signal });
    this.grid.addEventListener("contextmenu", (event) => this.#panelOf(event) && event.preventDefault(), { signal });
    document.addEventListener("keydown", (event) => this.#onKey(event), { signal });
  }

  #panelOf(event) {
    if (!this.scene) return null;
    for (const parts of this.panels.values()) if (parts.stage.contains(event.target)) return parts;
    return null;
  }

  #pointIn(parts, event) {
    const box = parts.stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #onWheel(event) {
    const parts = this.#panelOf(event);
    if (!parts || event.ctrlKey) return; // ctrl and wheel is the browser's own zoom
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 32 : 1;
    const factor = Math.exp(-0.0016 * lines * event.deltaY);
    this.view = zoomedAt(this.view, factor, this.#pointIn(parts, event), this.scene.size, this.stage);
    this.invalidate();
  }

  #onPress(event) {
    const parts = this.#panelOf(event);
    if (!parts || this.drag) return;
    if (event.button === 1) event.preventDefault(); // no automatic scrolling
    parts.stage.setPointerCapture(event.pointerId);
    this.drag = { kind: event.button === 2 ? "window" : "pan", x: event.clientX, y: event.clientY };
  }

  #onMove(event) {
    const parts = this.#panelOf(event);
    this.cursor = parts && {
      key: parts.key, ...toRadiograph(this.#pointIn(parts, event), this.view, this.scene.size, this.stage),
    };
    if (this.drag) {
      const [dx, dy] = [event.clientX - this.drag.x, event.clientY - this.drag.y];
      Object.assign(this.drag, { x: event.clientX, y: event.clientY });
      if (this.drag.kind === "pan") this.view = movedBy(this.view, dx, dy, this.scene.size, this.stage);
      else this.#moveWindow(dx, dy);
    }
    this.invalidate();
  }

  #moveWindow(dx, dy) {
    const within = (value, low, high) => Math.min(high, Math.max(low, value));
    this.window.width = within(this.window.width + DRAG_SHARE * dx, 2, 512);
    this.window.centre = within(this.window.centre + DRAG_SHARE * dy, 0, 255);
  }

  #onKey(event) {
    const target = event.composedPath()[0];
    if (!this.scene || event.ctrlKey || event.metaKey || event.altKey || target.closest?.("input, textarea, select")) return;
    if (!this.root.matches(":hover") && !this.root.contains(target)) return;
    if (this.#act(event.key, target)) event.preventDefault();
  }

  // Returns whether the key means something here.
  #act(key, target) {
    const focused = [...this.panels.values()].find(({ canvas }) => canvas === target);
    const middle = { x: this.stage.width / 2, y: this.stage.height / 2 };
    const zoom = (factor) => { this.view = zoomedAt(this.view, factor, middle, this.scene.size, this.stage); };
    const pan = (dx, dy) => { this.view = movedBy(this.view, dx, dy, this.scene.size, this.stage); };
    const actions = { "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: () => this.reset(),
      Home: () => this.reset(), i: () => this.choose({ invert: !this.choices.invert }) };
    if (this.enlarged !== null) actions.Escape = () => this.enlarge(this.enlarged);
    if (focused) actions.Enter = () => this.enlarge(focused.key);
    if (focused && this.view.zoom > 1) {
      Object.assign(actions, { ArrowLeft: () => pan(KEY_STEP_PX, 0), ArrowRight: () => pan(-KEY_STEP_PX, 0),
        ArrowUp: () => pan(0, KEY_STEP_PX), ArrowDown: () => pan(0, -KEY_STEP_PX) });
    }
    const action = Object.hasOwn(actions, key) ? actions[key] : null;
    action?.();
    if (action) this.invalidate();
    return action !== null;
  }
}

function recalledChoices() {
  const choices = { ...FIRST_CHOICES };
  try {
    const stored = JSON.parse(localStorage.getItem(STORED)) ?? {};
    for (const name of Object.keys(choices)) if (typeof stored[name] === typeof choices[name]) choices[name] = stored[name];
    choices.opacity = Math.min(1, Math.max(0, choices.opacity));
  } catch { /* not readable or not ours: as at first */ }
  return choices;
}

// ---- Mounting. Streamlit calls this again with each new data, and calls only the last returned function when the
// component goes, or at once where a call was overtaken by the next (BidiComponent in its frontend, 1.67).

const viewers = new WeakMap();

export default function ({ parentElement, data }) {
  let viewer = viewers.get(parentElement);
  if (!viewer) viewers.set(parentElement, (viewer = new Viewer(parentElement)));
  const call = ++viewer.calls;
  viewer.show(data);
  return () => {
    if (viewer.calls !== call) return;
    viewer.calls++;
    viewer.destroy();
    viewers.delete(parentElement);
  };
}
