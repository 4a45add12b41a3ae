// ---------------------------------------------------------------- viewer.js
// The viewer: keeps the reader's view and choices, listens, and draws a frame when something changed.

const DRAG_SHARE = 1.2; // grey levels of window or level a CSS pixel of dragging
const KEY_STEP_PX = 40;
const BESIDE_PX = 400; // for the figures beside an enlarged picture
const REST_MS = 400; // a hand that has not moved for so long rests
const LATE_MS = 500; // an answer that takes longer is waited for

class Viewer {
  constructor(parent) {
    this.reported = this.displayStamp = ""; // as at first
    this.asking = new Asking((pathology) => this.send("pathology", pathology), (pathology) => pathology);
    this.late = null; // the timer that says that an answer is late
    this.awaited = null; // the radiograph that the reader chose in the list
    this.choices = recalledChoices();
    this.window = { ...FIRST_WINDOW };
    this.view = { zoom: 1, x: 0, y: 0 };
    this.scene = null;
    this.panels = new Map();
    this.enlarged = null;
    this.stage = { width: 1, height: 1 };
    this.cursor = null; // { key, x, y }: the panel under the pointer and the radiograph's pixel there
    this.drag = null;
    this.isDrawing = false; // whether dragging draws a contour
    this.isWindowing = false; // whether dragging moves the window, for a hand without a right button
    this.fingers = new Map(); // on the glass, by pointer
    this.stroke = null; // being drawn, or on its way to the server
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
      link: () => this.#copyLink(),
      window: () => this.#setWindowing(!this.isWindowing),
      draw: () => this.#setDrawing(!this.isDrawing),
      undo: () => this.send("contour", { pathology: this.scene.pathology, points: null }),
    }, signal);
    this.findings = buildFindings((pathology) => this.#askFor(pathology), signal);
    this.facts = element("dl", { class: "facts", "data-testid": "facts" });
    this.banner = element("p", { class: "banner", role: "note", "data-testid": "viewer-banner" });
    this.grid = element("div", { class: "panels" });
    this.loading = element("p", { class: "loading", role: "status" });
    this.problem = element("p", { class: "problem", role: "alert", "data-testid": "viewer-problem" });
    this.root = element("div", { class: "viewer", "data-testid": "viewer", "aria-busy": "true" },
      element("div", { class: "heading" }, this.facts, this.banner), this.toolbar.root, this.problem, this.loading, this.grid);
    parent.append(this.root);
  }

  destroy() {
    this.asking.stop();
    clearTimeout(this.reporting);
    clearTimeout(this.late);
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
      // The former picture goes: it must not stand beside choices that it does not show.
      this.scene = null;
      this.awaited = null;
      this.facts.replaceChildren();
      this.grid.replaceChildren();
      this.panels.clear();
      this.problem.textContent = `The radiograph cannot be shown: ${error.message}.`;
    }
    this.isReading = false;
    this.#tellBusy();
  }

  // Old pictures are dimmed while newer ones are on their way, but not at each quick answer.
  #tellBusy() {
    const isWaiting = this.asking.key !== null || (this.awaited !== null && this.awaited !== this.scene?.id);
    const isBusy = this.isReading || isWaiting;
    this.root.setAttribute("aria-busy", isBusy);
    if (isBusy) {
      this.late ??= setTimeout(() => this.#tellLate(true), LATE_MS);
      return;
    }
    clearTimeout(this.late);
    this.late = null;
    if (this.loading.textContent) this.#tellLate(false);
  }

  #tellLate(isLate) {
    this.root.classList.toggle("late", isLate);
    this.loading.textContent = isLate ? "Loading" : "";
  }

  #take(scene) {
    const isFirstScene = !this.hasShown;
    this.hasShown = true;
    const isNew = this.scene?.id !== scene.id || this.scene?.radiographHash !== scene.radiographHash;
    this.scene = scene;
    this.asking.hear(scene.pathology);
    this.problem.textContent = "";
    this.banner.textContent = scene.banner ?? "";
    if (!this.drag) this.stroke = null;
    if (!scene.canDraw) this.isDrawing = false;
    if (isNew) {
      this.view = fitted(scene.size);
      this.window = { ...FIRST_WINDOW };
      this.cursor = null;
    }
    if (isFirstScene) this.#followLink();
    scene.highestIou = highestIou(scene);
    this.facts.replaceChildren(...[{ name: scene.id, value: scene.pathology }, ...scene.facts].map(({ name, value, help }) =>
      element("div", { title: help ?? null }, element("dt", {}, name), element("dd", {}, value))));
    describeToolbar(this.toolbar, scene);
    this.#matchPanels(scene.panels);
    describeFindings(this.findings, scene);
    this.readingsDrawnFor = null;
    this.root.dataset.image = scene.id;
    this.root.dataset.pathology = scene.pathology;
    this.layOut();
  }

  #matchPanels(wanted) {
    const { signal } = this.listeners;
    const keys = wanted.map((panel) => panel.key);
    if (keys.join("\n") !== [...this.panels.keys()].join("\n")) {
      this.panels = new Map(keys.map((key) => [key, buildPanel(key, (name) => this.enlarge(name), signal)]));
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

  // The server answers with another scene.
  #askFor(pathology) {
    if (pathology === (this.asking.key ?? this.scene?.pathology)) return;
    this.asking.ask(pathology);
    this.#tellBusy();
  }

  #setDrawing(isDrawing) {
    this.isDrawing = isDrawing;
    this.isWindowing &&= !isDrawing;
    this.choose({ expert: isDrawing || this.choices.expert });
  }

  #setWindowing(isWindowing) {
    this.isWindowing = isWindowing;
    this.isDrawing &&= !isWindowing;
    this.invalidate();
  }

  #followLink() {
    const asked = linkedView(this.scene);
    if (!asked) return;
    const { choices, ...rest } = asked;
    Object.assign(this, rest); // the view is clamped when laid out
    Object.assign(this.choices, choices); // for this visit: what the reader had before is not forgotten for a link
  }

  async #copyLink() {
    if (!this.scene) return;
    const link = linkToView(this);
    try {
      await navigator.clipboard.writeText(link);
      this.toolbar.link.textContent = "Link copied";
    } catch { // a browser allows it on https and on this machine only
      window.prompt("Link to this view", link);
    }
    setTimeout(() => { this.toolbar.link.textContent = "Copy link"; }, 2000);
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
    this.#drawToolbar(); // how many lines it takes depends on what it says
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
    const cells = shown.length + (this.findings.root.hidden ? 0 : 1);
    const chrome = Math.max(...shown.map(({ header, caption }) => header.offsetHeight + caption.offsetHeight));
    const top = this.grid.getBoundingClientRect().top + this.scrolled();
    const space = {
      count: cells, width, windowHeight: this.scene.isAboveForm ? top + window.innerHeight / 2 : window.innerHeight, chrome,
      above: top, aspect: this.scene.size.width / this.scene.size.height, unit: textScale(),
    };
    const place = this.enlarged === null ? arranged(space) : this.#wholeWidth(space);
    this.stage = { width: place.width, height: place.height };
    this.grid.style.gridTemplateColumns = this.enlarged === null ? `repeat(${place.columns}, ${place.width}px)`
      : `${place.width}px ${place.beside}px`;
    this.findings.root.style.maxHeight = `${place.height + chrome}px`;
    const ratio = this.#ratio();
    for (const { canvas, stage } of shown) {
      stage.style.height = `${place.height}px`;
      const size = { width: Math.round(place.width * ratio), height: Math.round(place.height * ratio) };
      if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    }
  }

  // How far the page is scrolled, whatever element scrolls: where the panels begin counts from the page's top.
  scrolled() {
    let node = this.root.parentNode;
    let top = 0;
    for (; node; node = node.parentNode ?? node.host) top += node.scrollTop ?? 0;
    return top;
  }

  #wholeWidth({ width, windowHeight, chrome, above, unit }) {
    // Down to the window's lower edge from where the panels begin, as far as that leaves room for a picture.
    const height = Math.max(0.6 * windowHeight, windowHeight - above - chrome - GAP_PX * unit);
    const beside = this.findings.root.hidden || width < 2 * BESIDE_PX * unit ? 0 : BESIDE_PX * unit;
    return { width: Math.floor(width - (beside && beside + GAP_PX * unit)), height: Math.floor(height), beside };
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
    const lines = ratio * textScale(); // of lines and letters on the canvas
    const scale = scaleOf(view, scene.size, stage) * ratio;
    const corner = toPicture({ x: 0, y: 0 }, view, scene.size, stage);
    const transform = { scale, x: corner.x * ratio, y: corner.y * ratio };
    const shades = { ...this.window, isInverted: choices.invert };
    const [width, height] = [Math.round(stage.width * ratio), Math.round(stage.height * ratio)];
    this.backdrop.draw(scene, transform, width, height, shades, this.drag?.kind === "window");
    for (const panel of scene.panels) {
      const parts = this.panels.get(panel.key);
      if (parts.root.hidden) continue;
      drawPanel(parts.context, panel, scene, this.backdrop.canvas, transform, choices, lines);
      Object.assign(parts.canvas.dataset, { zoom: view.zoom.toFixed(3), x: view.x.toFixed(2), y: view.y.toFixed(2) });
      if (this.stroke) strokeOutline(parts.context, this.stroke.path, EXPERT_LINE, lines / scale);
      this.#drawCursor(parts, panel);
    }
    this.#drawToolbar();
    this.#drawReadings(lines);
    this.#reportDisplay();
  }

  // Files are made on the server as the screen shows the case; it hears of that once the hand rests.
  #reportDisplay() {
    if (this.scene.isAboveForm) return;
    const display = displayOf(this);
    const stamp = isFirst(display) ? "" : JSON.stringify(display);
    if (stamp === this.displayStamp) return;
    this.displayStamp = stamp;
    clearTimeout(this.reporting);
    this.reporting = setTimeout(() => {
      if (this.reported === stamp) return;
      this.reported = stamp;
      this.report("display", display);
    }, REST_MS);
  }

  // Only where the threshold or the layout changed: zooming and panning leave the figures as they are.
  #drawReadings(ratio) {
    const { choices, scene } = this;
    const stamp = `${choices.threshold} ${choices.level} ${this.stage.width} ${this.enlarged}`;
    if (this.readingsDrawnFor === stamp) return;
    this.readingsDrawnFor = stamp;
    for (const panel of scene.panels) {
      const parts = this.panels.get(panel.key);
      if (parts.root.hidden) continue;
      drawReadings(parts, panel, scene, choices, ratio);
      parts.curve.title = curveInWords(panel, scene);
      parts.curve.setAttribute("aria-label", parts.curve.title);
    }
    describeThreshold(this.findings, scene, choices);
    drawAgreement(this.findings, scene, choices);
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
    const { toolbar, choices, scene } = this;
    for (const name of Object.keys(toolbar.toggles)) toolbar.toggles[name].setAttribute("aria-checked", choices[name]);
    const share = Math.round(100 * choices.opacity);
    if (toolbar.opacity.valueAsNumber !== share) toolbar.opacity.value = share;
    toolbar.percent.textContent = `${share} %`;
    toolbar.threshold.value = choices.threshold;
    if (toolbar.level.valueAsNumber !== choices.level) toolbar.level.value = choices.level;
    toolbar.level.classList.toggle("idle", choices.threshold !== FIXED);
    toolbar.levelText.textContent = choices.threshold === FIXED ? thresholdText(choices.level) : "";
    toolbar.draw.setAttribute("aria-checked", this.isDrawing);
    toolbar.window.setAttribute("aria-checked", this.isWindowing);
    this.grid.classList.toggle("is-drawing", this.isDrawing);
    toolbar.status.textContent =
      `${this.view.zoom.toFixed(1)}×  W ${Math.round(this.window.width)}  L ${Math.round(this.window.centre)}`;
    const colours = chosenColours(scene, choices);
    if (this.barDrawnFor !== `${share} ${colours.key}`) {
      toolbar.colours.value = colours.key;
      toolbar.low.textContent = colours.is_signed ? "against" : "0";
      toolbar.zero.hidden = !colours.is_signed;
      drawColourBar(toolbar.bar, colours, choices.opacity);
      this.barDrawnFor = `${share} ${colours.key}`;
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
    const awaiting = ({ detail: { radiograph } }) => { this.awaited = radiograph; this.#tellBusy(); };
    document.addEventListener("shamsul:asked", (event) => {
      this.asking.stop(); // the list's row decides what is shown of another radiograph
      awaiting(event);
    }, { signal });
    document.addEventListener("shamsul:answered", awaiting, { signal });
    this.grid.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false, signal });
    this.grid.addEventListener("pointerdown", (event) => this.#onPress(event), { signal });
    this.grid.addEventListener("pointermove", (event) => this.#onMove(event), { signal });
    for (const name of ["pointerup", "pointercancel"]) {
      this.grid.addEventListener(name, (event) => this.#onRelease(event), { signal });
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
    if (!parts) return;
    if (event.pointerType === "touch" && this.fingers.size < 2) {
      this.fingers.set(event.pointerId, this.#pointIn(parts, event));
      if (this.fingers.size === 2) this.#beginPinch();
    }
    if (this.drag) return;
    if (event.button === 1) event.preventDefault(); // no automatic scrolling
    parts.stage.setPointerCapture(event.pointerId);
    this.drag = { kind: this.#kindOfDrag(event), pointer: event.pointerId, x: event.clientX, y: event.clientY };
    if (this.drag.kind === "draw") {
      this.stroke = new Stroke(this.scene.pathology);
      this.#continueStroke(parts, event);
    }
  }

  #kindOfDrag({ button }) {
    if (button === 2) return "window";
    if (button === 0 && this.isDrawing) return "draw";
    return button === 0 && this.isWindowing ? "window" : "pan";
  }

  // ---- Two fingers zoom and move, whatever one finger does.

  #beginPinch() {
    if (this.drag?.kind === "draw") this.stroke = null;
    this.drag = { kind: "pinch" };
  }

  #pinch(parts, event) {
    const [other] = [...this.fingers].filter(([pointer]) => pointer !== event.pointerId).map(([, point]) => point);
    const [before, now] = [this.fingers.get(event.pointerId), this.#pointIn(parts, event)];
    this.fingers.set(event.pointerId, now);
    const apart = (point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    const moved = movedBy(this.view, (now.x - before.x) / 2, (now.y - before.y) / 2, this.scene.size, this.stage);
    this.view = zoomedAt(moved, apart(now) / apart(before), middle, this.scene.size, this.stage);
  }

  #continueStroke(parts, event) {
    const point = toRadiograph(this.#pointIn(parts, event), this.view, this.scene.size, this.stage);
    this.stroke.add(point, this.scene.size, STEP_PX / scaleOf(this.view, this.scene.size, this.stage));
  }

  #onRelease(event) {
    this.fingers.delete(event.pointerId);
    if (this.drag?.kind === "draw" && this.stroke) {
      const points = this.stroke.close();
      if (points) this.send("contour", { pathology: this.stroke.pathology, points });
      else this.stroke = null;
    }
    if (this.drag?.kind !== "pinch" || this.fingers.size === 0) this.drag = null;
    this.invalidate();
  }

  #onMove(event) {
    const parts = this.#panelOf(event);
    this.cursor = parts && {
      key: parts.key, ...toRadiograph(this.#pointIn(parts, event), this.view, this.scene.size, this.stage),
    };
    if (this.drag?.kind === "pinch") {
      if (parts && this.fingers.size === 2 && this.fingers.has(event.pointerId)) this.#pinch(parts, event);
    } else if (this.drag?.pointer === event.pointerId) this.#onDrag(parts, event);
    this.invalidate();
  }

  #onDrag(parts, event) {
    const [dx, dy] = [event.clientX - this.drag.x, event.clientY - this.drag.y];
    Object.assign(this.drag, { x: event.clientX, y: event.clientY });
    if (this.drag.kind === "draw") {
      if (parts) this.#continueStroke(parts, event);
    } else if (this.drag.kind === "pan") this.view = movedBy(this.view, dx, dy, this.scene.size, this.stage);
    else this.#moveWindow(dx, dy);
  }

  #moveWindow(dx, dy) {
    this.window.width = within(this.window.width + DRAG_SHARE * dx, 2, 512);
    this.window.centre = within(this.window.centre + DRAG_SHARE * dy, 0, 255);
  }

  #onKey(event) {
    const target = event.composedPath()[0];
    if (!this.scene || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest?.("input, textarea, select, [contenteditable], [role=dialog]")) return;
    if (event.key === "s" || event.key === "S") foldSidebar();
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
    actions.w = () => this.#setWindowing(!this.isWindowing);
    if (this.scene.canDraw) actions.d = () => this.#setDrawing(!this.isDrawing);
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

// Gives the panels the sidebar's room, and back.
function foldSidebar() {
  document.querySelector("[data-testid=stSidebarCollapseButton] button, [data-testid=stExpandSidebarButton]")?.click();
}

export default mounting(Viewer);
