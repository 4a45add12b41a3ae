// The viewer. Everything a hand moves (zoom, pan, window, opacity) is drawn here without asking the server.

const EXPERT = "#35e0c8";
const MASK = "#ffffff";
const SPECKLED = 200; // a mask of more outlines than this is drawn thinly, or its lines would hide everything
const STORED = "shamsul-viewer";
const DEFAULTS = { heatmap: true, mask: true, expert: true, opacity: 0.6 };

// ---------------------------------------------------------------------------------------------- colours

// Two sequential scales that meet in black: lightness grows evenly with |relevance| on either side, orange speaks
// for the pathology, blue against it, a pair that every colour-blind reader tells apart.
const TOWARDS = [[0, 0, 0], [92, 38, 0], [176, 82, 0], [243, 140, 28], [255, 224, 140]];
const AGAINST = [[0, 0, 0], [0, 40, 110], [14, 86, 184], [64, 148, 240], [186, 222, 255]];

function colourOf(value) {
  const scale = value < 0 ? AGAINST : TOWARDS;
  const place = Math.min(1, Math.abs(value)) * (scale.length - 1);
  const low = Math.min(scale.length - 2, Math.floor(place));
  return scale[low].map((channel, i) => channel + (scale[low + 1][i] - channel) * (place - low));
}

// Little relevance veils little of the radiograph: opacity grows with |relevance| and reaches the whole at half.
const alphaOf = (value) => Math.min(1, Math.abs(value) * 2);

const PALETTE = new Uint8ClampedArray(256 * 4);
for (let value = -128; value < 128; value++) {
  PALETTE.set([...colourOf(value / 127), 255 * alphaOf(value / 127)], (value & 255) * 4);
}

// ---------------------------------------------------------------------------------------------- the packed scene

function unpack(block) {
  const bytes = block instanceof Uint8Array ? block : new Uint8Array(block);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  header.part = ({ offset, length: size }) => bytes.slice(4 + length + offset, 4 + length + offset + size);
  return header;
}

function pathOf(scene, outlines) {
  const points = new Float32Array(scene.part(outlines).buffer);
  const path = new Path2D();
  let at = 0;
  for (const count of outlines.counts) {
    // A pixel's outline passes through its middle
    path.moveTo(points[at] + 0.5, points[at + 1] + 0.5);
    for (let i = 1; i < count; i++) path.lineTo(points[at + 2 * i] + 0.5, points[at + 2 * i + 1] + 0.5);
    path.closePath();
    at += 2 * count;
  }
  return path;
}

function heatOf(scene, relevance) {
  const values = new Int8Array(scene.part(relevance).buffer);
  const [height, width] = relevance.shape;
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const palette = new Uint32Array(PALETTE.buffer);
  for (let i = 0; i < values.length; i++) pixels[i] = palette[values[i] & 255];
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return { canvas, values, width, height, largest: relevance.largest };
}

// ---------------------------------------------------------------------------------------------- the radiograph

// Grey values once, and again at half size for the time a hand changes the window.
class Radiograph {
  static async decode(scene) {
    const bitmap = await createImageBitmap(new Blob([scene.part(scene.radiograph)], { type: "image/jpeg" }));
    const radiograph = new Radiograph();
    radiograph.levels = [1, 0.5].map((scale) => Radiograph.#grey(bitmap, scale));
    bitmap.close();
    return radiograph;
  }

  static #grey(bitmap, scale) {
    const width = Math.max(1, Math.round(bitmap.width * scale));
    const height = Math.max(1, Math.round(bitmap.height * scale));
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0, width, height);
    const image = context.getImageData(0, 0, width, height);
    const grey = new Uint8Array(width * height);
    for (let i = 0; i < grey.length; i++) grey[i] = image.data[4 * i];
    return { canvas, context, image, grey, shown: null };
  }

  // The radiograph through a window: centre and width of the grey values that become black to white.
  windowed({ centre, width, inverted }, moving) {
    const level = this.levels[moving ? 1 : 0];
    const wanted = `${centre} ${width} ${inverted}`;
    if (level.shown !== wanted) {
      const table = new Uint32Array(256);
      for (let value = 0; value < 256; value++) {
        const share = Math.min(1, Math.max(0, (value - centre) / width + 0.5));
        const grey = Math.round(255 * (inverted ? 1 - share : share));
        table[value] = (255 << 24) | (grey << 16) | (grey << 8) | grey;
      }
      const pixels = new Uint32Array(level.image.data.buffer);
      for (let i = 0; i < pixels.length; i++) pixels[i] = table[level.grey[i]];
      level.context.putImageData(level.image, 0, 0);
      level.shown = wanted;
    }
    return level.canvas;
  }
}

// ---------------------------------------------------------------------------------------------- elements

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null)); // texts stay texts
  return made;
}

function checkbox(name, text, title) {
  const input = element("input", { type: "checkbox", "data-testid": `toggle-${name}` });
  return { input, label: element("label", { title }, input, text) };
}

// ---------------------------------------------------------------------------------------------- the viewer

class Viewer {
  constructor(root) {
    this.root = root;
    this.overlay = { ...DEFAULTS, ...recall() };
    this.panels = [];
    this.resetView();
    this.resetWindow();
    this.banner = element("div", { class: "banner", role: "status" });
    this.toolbar = this.makeToolbar();
    this.grid = element("div", { class: "panels" });
    this.legend = makeLegend();
    root.replaceChildren(this.banner, this.toolbar, this.grid);
    this.attach();
  }

  attach() {
    this.detach?.();
    const stop = new AbortController();
    const observer = new ResizeObserver(() => this.layOut());
    observer.observe(this.root);
    window.addEventListener("resize", () => this.layOut(), { signal: stop.signal });
    this.grid.addEventListener("keydown", (event) => this.onKey(event), { signal: stop.signal });
    this.detach = () => { observer.disconnect(); stop.abort(); };
  }

  // -- what is shown

  async update(block) {
    const scene = unpack(block);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const known = this.scene?.radiograph.hash === scene.radiograph.hash;
    const radiograph = known ? this.radiograph : await Radiograph.decode(scene);
    if (turn !== this.turn) return; // a later scene has come meanwhile
    this.scene = scene;
    this.radiograph = radiograph;
    if (!known) { this.resetView(); this.resetWindow(); this.enlarged = null; }
    this.expert = pathOf(scene, scene.expert);
    this.banner.textContent = scene.banner ?? "";
    this.banner.hidden = !scene.banner;
    const focused = this.root.getRootNode().activeElement?.dataset?.key;
    this.panels = scene.panels.map((panel) => this.makePanel(panel));
    this.grid.replaceChildren(...this.panels.map((panel) => panel.box), this.legend);
    this.panels.find((panel) => panel.key === focused)?.canvas.focus();
    this.layOut();
  }

  makePanel(about) {
    const canvas = element("canvas", {
      role: "img", tabindex: "0", "aria-label": about.label, "data-testid": `canvas-${about.key}`,
    });
    canvas.dataset.key = about.key;
    const readout = element("span", { class: "readout" });
    const metrics = about.metrics.map(({ name, value, help }) => element("div", { title: help },
      element("dt", {}, name),
      element("dd", { "data-testid": `metric-${about.key}-${name.toLowerCase().replaceAll(" ", "-")}` }, value)));
    const box = element("section", { class: "panel", "data-testid": `panel-${about.key}` },
      element("header", {}, element("h3", {}, about.title), readout),
      canvas,
      element("footer", {},
        element("dl", { class: "metrics" }, ...metrics),
        about.note ? element("p", { class: "note", "data-testid": `note-${about.key}` }, about.note) : null));
    const panel = {
      key: about.key, box, canvas, readout, about,
      heat: about.relevance ? heatOf(this.scene, about.relevance) : null,
      mask: pathOf(this.scene, about.outlines),
    };
    this.listen(panel);
    return panel;
  }

  makeToolbar() {
    const boxes = [
      ["heatmap", "Heatmap", "Relevance as colour"],
      ["mask", "Mask outline", "What the method marks at its threshold"],
      ["expert", "Expert outline", "What the radiologists marked"],
    ].map(([name, text, title]) => {
      const { input, label } = checkbox(name, text, title);
      input.checked = this.overlay[name];
      input.addEventListener("change", () => this.setOverlay({ [name]: input.checked }));
      return label;
    });
    const opacity = element("input", { type: "range", min: 0, max: 1, step: 0.01, "data-testid": "opacity" });
    opacity.value = this.overlay.opacity;
    opacity.addEventListener("input", () => this.setOverlay({ opacity: Number(opacity.value) }));
    const button = (text, title, act) => {
      const made = element("button", { type: "button", title }, text);
      made.addEventListener("click", act);
      return made;
    };
    this.windowText = element("span", { class: "window", title: "Drag with the right button to change" });
    return element("div", { class: "toolbar", role: "toolbar", "aria-label": "Overlays and view" },
      ...boxes, element("label", {}, "Opacity", opacity),
      button("Invert", "Key I", () => this.invert()),
      button("Reset view", "Key 0", () => this.reset()),
      this.windowText);
  }

  // -- choices

  setOverlay(change) {
    Object.assign(this.overlay, change);
    remember(this.overlay);
    this.redraw();
  }

  resetView() { this.view = { zoom: 1, x: 0.5, y: 0.5 }; }
  resetWindow() { this.window = { centre: 127.5, width: 255, inverted: false }; }
  reset() { this.resetView(); this.resetWindow(); this.redraw(); }
  invert() { this.window = { ...this.window, inverted: !this.window.inverted }; this.redraw(); }

  enlarge(key) {
    this.enlarged = this.enlarged === key ? null : key;
    this.layOut();
    this.panels.find((panel) => panel.key === key)?.canvas.focus({ preventScroll: true });
  }

  onKey(event) {
    const panel = event.target.dataset?.key;
    const step = 0.1 / this.view.zoom;
    const act = {
      "0": () => this.reset(), Home: () => this.reset(), i: () => this.invert(),
      "+": () => this.zoomAt(1.25, 0.5, 0.5), "=": () => this.zoomAt(1.25, 0.5, 0.5),
      "-": () => this.zoomAt(0.8, 0.5, 0.5),
      Enter: () => this.enlarge(panel), Escape: () => this.enlarged && this.enlarge(this.enlarged),
      ArrowLeft: () => this.moveBy(-step, 0), ArrowRight: () => this.moveBy(step, 0),
      ArrowUp: () => this.moveBy(0, -step), ArrowDown: () => this.moveBy(0, step),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  // -- the hand

  listen(panel) {
    const { canvas } = panel;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [u, v] = this.placeOf(canvas, event);
      this.zoomAt(Math.exp(-event.deltaY * 0.0015), u, v);
    }, { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", () => this.enlarge(panel.key));
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.drag = { button: event.button, x: event.clientX, y: event.clientY };
      if (event.button === 1) event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => this.onMove(panel, event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => { this.drag = null; this.redraw(); });
    }
    canvas.addEventListener("pointerleave", () => { this.cursor = null; this.redraw(); });
  }

  onMove(panel, event) {
    if (this.drag) {
      const dx = event.clientX - this.drag.x;
      const dy = event.clientY - this.drag.y;
      Object.assign(this.drag, { x: event.clientX, y: event.clientY });
      if (this.drag.button === 2) {
        const { centre, width, inverted } = this.window;
        this.window = { centre: centre + dy * 0.5, width: Math.max(2, width + dx), inverted };
      } else {
        this.moveBy(-dx / (panel.canvas.clientWidth * this.view.zoom), -dy / (panel.canvas.clientHeight * this.view.zoom));
      }
    }
    const [u, v] = this.placeOf(panel.canvas, event);
    this.cursor = { key: panel.key, ...this.imagePlace(u, v) };
    this.redraw();
  }

  // Of the canvas, 0 to 1
  placeOf(canvas, event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  // Of the radiograph, 0 to 1, that lies at a place of the canvas
  imagePlace(u, v) {
    return { x: this.view.x + (u - 0.5) / this.view.zoom, y: this.view.y + (v - 0.5) / this.view.zoom };
  }

  zoomAt(factor, u, v) {
    const under = this.imagePlace(u, v);
    const zoom = Math.min(32, Math.max(1, this.view.zoom * factor));
    this.view = { zoom, x: under.x - (u - 0.5) / zoom, y: under.y - (v - 0.5) / zoom };
    this.moveBy(0, 0);
  }

  moveBy(dx, dy) {
    const half = 0.5 / this.view.zoom; // the radiograph always fills the canvas
    const inside = (value) => Math.min(1 - half, Math.max(half, value));
    this.view = { zoom: this.view.zoom, x: inside(this.view.x + dx), y: inside(this.view.y + dy) };
    this.redraw();
  }

  // -- layout: as many columns as make the pictures largest

  layOut() {
    if (!this.scene || !this.root.clientWidth) return;
    const [height, width] = this.scene.size;
    const shown = this.panels.filter((panel) => !this.enlarged || panel.key === this.enlarged);
    const gap = 10;
    const words = 66; // header and footer of a panel
    const top = this.grid.getBoundingClientRect().top + this.scrolled();
    const room = Math.max(360, window.innerHeight - top - 12);
    let best = { side: 0 };
    for (let columns = 1; columns <= shown.length; columns++) {
      const rows = Math.ceil(shown.length / columns);
      const across = (this.root.clientWidth - gap * (columns - 1)) / columns;
      const down = (room - gap * (rows - 1)) / rows - words;
      const side = Math.min(across, (down * width) / height);
      if (side > best.side + 1) best = { side, columns };
    }
    const side = Math.floor(Math.max(160, best.side));
    this.grid.style.gridTemplateColumns = `repeat(${best.columns ?? 1}, ${side}px)`;
    const free = (best.columns ?? 1) > 1 && shown.length % best.columns !== 0;
    this.legend.style.gridColumn = free ? "" : "1 / -1";
    this.legend.classList.toggle("wide", !free);
    for (const panel of this.panels) {
      panel.box.hidden = !shown.includes(panel);
      panel.canvas.style.width = `${side}px`;
      panel.canvas.style.height = `${Math.round((side * height) / width)}px`;
    }
    this.redraw();
  }

  // How far the page is scrolled, which must not change the pictures' size
  scrolled() {
    let total = window.scrollY;
    for (let at = this.root.getRootNode().host?.parentElement; at; at = at.parentElement) total += at.scrollTop;
    return total;
  }

  // -- drawing

  redraw() {
    if (this.asked || !this.scene) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = null;
      for (const panel of this.panels) if (!panel.box.hidden) this.draw(panel);
      const { centre, width } = this.window;
      this.windowText.textContent = `Window ${Math.round(width)} / level ${Math.round(centre)}`;
    });
  }

  draw(panel) {
    const { canvas, heat } = panel;
    const ratio = window.devicePixelRatio || 1;
    const across = Math.round(canvas.clientWidth * ratio);
    const down = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, { width: across, height: down });
    const [height, width] = this.scene.size;
    const { zoom, x, y } = this.view;
    const context = canvas.getContext("2d", { alpha: false });
    const scale = (across / width) * zoom;
    context.setTransform(scale, 0, 0, scale, across / 2 - x * width * scale, down / 2 - y * height * scale);
    context.imageSmoothingQuality = "high";
    const broken = panel.key !== "expert" && !heat;
    context.globalAlpha = 1;
    context.drawImage(this.radiograph.windowed(this.window, this.drag?.button === 2), 0, 0, width, height);
    if (broken) { context.fillStyle = "rgba(0, 0, 0, 0.65)"; context.fillRect(0, 0, width, height); }
    if (heat && this.overlay.heatmap) {
      context.globalAlpha = this.overlay.opacity;
      context.drawImage(heat.canvas, 0, 0, width, height);
      context.globalAlpha = 1;
    }
    const line = ratio / scale;
    if (this.overlay.mask && panel.about.outlines.counts.length > SPECKLED) this.strokeThinly(context, panel.mask, line);
    else if (this.overlay.mask) this.stroke(context, panel.mask, MASK, line, [6 * line, 4 * line]);
    if (this.overlay.expert) this.stroke(context, this.expert, EXPERT, line, []);
    this.drawCrosshair(context, panel, line);
    this.drawSides(context, across, down, ratio);
    this.readOut(panel);
    Object.assign(canvas.dataset, { zoom: zoom.toFixed(3), x: x.toFixed(4), y: y.toFixed(4) });
  }

  stroke(context, path, colour, line, dashes) {
    context.lineJoin = "round";
    context.setLineDash([]);
    context.strokeStyle = "rgba(0, 0, 0, 0.55)"; // a dark rim keeps the line visible on bone
    context.lineWidth = 3.4 * line;
    context.stroke(path);
    context.setLineDash(dashes);
    context.strokeStyle = colour;
    context.lineWidth = 1.8 * line;
    context.stroke(path);
    context.setLineDash([]);
  }

  strokeThinly(context, path, line) {
    context.strokeStyle = "rgba(255, 255, 255, 0.55)";
    context.lineWidth = 0.5 * line;
    context.stroke(path);
  }

  drawCrosshair(context, panel, line) {
    if (!this.cursor || this.cursor.key === panel.key) return;
    const [height, width] = this.scene.size;
    const [x, y] = [this.cursor.x * width, this.cursor.y * height];
    context.strokeStyle = "rgba(255, 255, 255, 0.8)";
    context.lineWidth = line;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 4 * dx * line, y + 4 * dy * line);
      context.lineTo(x + 14 * dx * line, y + 14 * dy * line);
    }
    context.stroke();
  }

  drawSides(context, across, down, ratio) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.font = `600 ${13 * ratio}px sans-serif`;
    context.textBaseline = "middle";
    context.fillStyle = "#c3cad0";
    context.shadowColor = "#000";
    context.shadowBlur = 4 * ratio;
    context.textAlign = "left";
    context.fillText("R", 6 * ratio, down / 2);
    context.textAlign = "right";
    context.fillText("L", across - 6 * ratio, down / 2);
    context.shadowBlur = 0;
  }

  readOut(panel) {
    const { heat, readout } = panel;
    if (!heat || !this.cursor) { readout.textContent = ""; return; }
    const column = Math.min(heat.width - 1, Math.max(0, Math.floor(this.cursor.x * heat.width)));
    const row = Math.min(heat.height - 1, Math.max(0, Math.floor(this.cursor.y * heat.height)));
    const share = Math.round((heat.values[row * heat.width + column] / 127) * 100);
    const meaning = share > 0 ? "towards" : share < 0 ? "against" : "neither";
    readout.textContent = heat.largest === 0 ? "no relevance" : `${share > 0 ? "+" : ""}${share} % ${meaning}`;
  }
}

function makeLegend() {
  const bar = element("canvas", { class: "bar", width: 220, height: 12, role: "img",
    "aria-label": "Colour scale: blue against, black neutral, orange towards the pathology" });
  const context = bar.getContext("2d");
  for (let x = 0; x < 220; x++) {
    context.fillStyle = `rgb(${colourOf((x / 219) * 2 - 1).map(Math.round).join(" ")})`;
    context.fillRect(x, 0, 1, 12);
  }
  const key = (name) => element("kbd", {}, name);
  return element("aside", { class: "legend", "aria-label": "How to read the pictures" },
    bar,
    element("div", { class: "ends" }, element("span", {}, "against"), element("span", {}, "0"),
      element("span", {}, "towards")),
    element("p", {}, element("span", { class: "line expert" }), "radiologists’ contour"),
    element("p", {}, element("span", { class: "line mask" }), "the method’s mask"),
    element("p", {}, "Wheel zooms, drag moves, right drag sets the window, double click enlarges. ",
      key("I"), " inverts, ", key("0"), " resets, ", key("Esc"), " goes back."));
}

// ---------------------------------------------------------------------------------------------- memory

function recall() {
  try { return JSON.parse(localStorage.getItem(STORED)) ?? {}; } catch { return {}; }
}

function remember(overlay) {
  try { localStorage.setItem(STORED, JSON.stringify(overlay)); } catch { /* a browser without storage */ }
}

// ---------------------------------------------------------------------------------------------- Streamlit

const viewers = new WeakMap();

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".viewer");
  let viewer = viewers.get(root);
  if (viewer) viewer.attach();
  else viewers.set(root, (viewer = new Viewer(root)));
  if (data) viewer.update(data);
  return () => viewer.detach();
}
