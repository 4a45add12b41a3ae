// ---------------------------------------------------------------- elements.js
// Builds the toolbar and the panels. Words from the data enter as text only, never as markup.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// ---- Toolbar

const TOGGLES = [
  { name: "heatmap", text: "Heatmap", help: "Show each method's heatmap" },
  { name: "mask", text: "Mask", help: "Dashed outline: each method's mask at the chosen threshold" },
  { name: "expert", text: "Contour", help: "Solid outline: the contour that the masks are compared with" },
  { name: "invert", text: "Invert", help: "Invert black and white (I)" },
];

const KEYS = [
  ["Wheel, + −", "zoom"],
  ["Drag", "move"],
  ["Right drag", "window width (across) and level (up and down)"],
  ["W", "turn window mode on or off, for a plain drag or one finger"],
  ["Two fingers", "zoom and move"],
  ["Double click, Enter", "enlarge one panel; Esc to go back"],
  ["Arrows", "move a zoomed picture"],
  ["I", "invert"],
  ["N, Page Down", "next radiograph in the worklist"],
  ["P, Page Up", "previous radiograph"],
  ["0, Home", "reset zoom and window"],
  ["S", "hide or show the sidebar"],
];

// `on` holds what is called: toggle(name), choose(changes), reset(), link(), window(), draw(), undo().
function buildToolbar(on, signal) {
  const listen = (node, event, call) => node.addEventListener(event, call, { signal });
  const toggles = {};
  for (const { name, text, help } of TOGGLES) {
    const swatch = element("span", { class: `swatch ${name}`, "aria-hidden": "true" });
    toggles[name] = element("button", { type: "button", role: "switch", class: name, title: help, "data-testid": `toggle-${name}` }, swatch, element("span", {}, text));
    listen(toggles[name], "click", () => on.toggle(name));
  }
  const opacity = element("input", {
    type: "range", min: "0", max: "100", step: "1", "aria-label": "Opacity of the heatmap", "data-testid": "opacity",
  });
  listen(opacity, "input", () => on.choose({ opacity: opacity.valueAsNumber / 100 }));
  const percent = element("output", { class: "percent" });
  const colours = element("select", { "aria-label": "Colours of the heatmap", "data-testid": "colours" });
  listen(colours, "change", () => on.choose({ colours: colours.value }));
  const bar = element("canvas", { width: "96", height: "10", "aria-hidden": "true" });
  const [low, high] = [element("span"), element("span", {}, "for")];
  const zero = element("span", { class: "zero", "aria-hidden": "true" }, "0");
  const scale = element("span", { class: "scale", title: "Evidence for and against the pathology, relative to each map's own maximum; no colour where it is zero" },
    low, element("span", { class: "bar" }, bar, zero), high);
  const threshold = element("select", { "aria-label": "Threshold of the masks",
    title: "Otsu's method divides a map's values into the two groups that differ most; Fixed uses one threshold for all methods",
    "data-testid": "threshold" });
  const level = element("input", {
    type: "range", min: "0", max: String(HIGHEST_LEVEL), step: "1", "aria-label": "Fixed threshold for all masks",
    title: "One threshold for all methods; each map is scaled to 0 to 1", "data-testid": "level",
  });
  listen(threshold, "change", () => on.choose({ threshold: threshold.value }));
  listen(level, "input", () => on.choose({ threshold: FIXED, level: level.valueAsNumber }));
  const levelText = element("output", { class: "percent", "data-testid": "level-text" });
  const reset = element("button", { type: "button", title: "Reset zoom and window (0)", "data-testid": "reset" },
    "Reset");
  listen(reset, "click", on.reset);
  const link = element("button", { type: "button", title: "Copy a link to exactly this view: case, pathology, zoom, window, threshold",
    "data-testid": "link" }, "Copy link");
  listen(link, "click", on.link);
  const window_ = element("button", { type: "button", role: "switch", "data-testid": "window",
    title: "Dragging, or one finger, changes the window: across for width, up and down for level (W). The right mouse button always does" }, "Window");
  listen(window_, "click", on.window);
  const draw = element("button", { type: "button", role: "switch", "data-testid": "draw",
    title: "Draw around the finding on any picture with the left mouse button (D); the middle button moves the picture" }, "Draw contour");
  listen(draw, "click", on.draw);
  const undo = element("button", { type: "button", title: "Remove the last contour", "data-testid": "undo" }, "Undo");
  listen(undo, "click", on.undo);
  const status = element("span", { class: "status", title: "Zoom, window width and level", "data-testid": "view-status" });
  const root = element("div", { class: "toolbar", role: "group", "aria-label": "Display settings" },
    element("span", { class: "together" }, toggles.heatmap, element("label", { class: "opacity" }, element("span", {}, "Opacity"), opacity, percent), scale, colours),
    element("span", { class: "together" }, toggles.mask, element("label", { class: "opacity" }, element("span", {}, "Threshold"), threshold), level, levelText),
    toggles.expert, draw, undo, toggles.invert, window_, reset, link, status, buildKeys());
  return { root, toggles, opacity, percent, colours, bar, low, zero, threshold, level, levelText, link, window: window_, draw, undo, status };
}

function describeToolbar(toolbar, scene) {
  toolbar.colours.replaceChildren(...scene.colours.map(({ key, title, help }) => element("option", { value: key, title: help }, title)));
  toolbar.threshold.replaceChildren(element("option", { value: RUN }, scene.thresholdRule), element("option", { value: FIXED }, "Fixed"));
  toolbar.draw.hidden = !scene.canDraw;
  toolbar.undo.hidden = !scene.canDraw || !scene.expert;
  toolbar.link.hidden = scene.canDraw; // what is drawn on has no address
  const isBare = scene.panels.every(({ key }) => key === "expert") && !scene.expert && !scene.canDraw;
  for (const node of toolbar.root.querySelectorAll(".together")) node.hidden = isBare; // there is nothing over the radiograph
  toolbar.toggles.expert.hidden = isBare;
  toolbar.toggles.expert.lastChild.textContent = scene.canDraw ? "Your contour" : "Contour";
}

function buildKeys() {
  const rows = KEYS.map(([key, does]) => element("tr", {}, element("th", { scope: "row" }, key), element("td", {}, does)));
  return element("details", { class: "keys" }, element("summary", { title: "Mouse, touch and keyboard" }, "Keys"), element("table", {}, ...rows));
}

// ---- Panels

function buildPanel(key, onEnlarge, signal) {
  const title = element("h2", { id: `title-${key}` });
  const readout = element("span", { class: "readout", "data-testid": `readout-${key}` });
  const enlarge = element("button", { type: "button", class: "enlarge", "data-testid": `enlarge-${key}` });
  enlarge.addEventListener("click", () => onEnlarge(key), { signal });
  const canvas = element("canvas", { role: "img", tabindex: "0", "data-testid": `canvas-${key}` });
  const left = element("span", { class: "marker left", "aria-hidden": "true" });
  const right = element("span", { class: "marker right", "aria-hidden": "true" });
  const across = element("span", { class: "cross across", "aria-hidden": "true" });
  const down = element("span", { class: "cross down", "aria-hidden": "true" });
  const message = element("p", { class: "message" });
  const stage = element("div", { class: "stage" }, canvas, left, right, across, down, message);
  const metrics = element("dl", { class: "metrics" });
  const note = element("p", { class: "note" });
  const curve = element("canvas", { class: "curve", role: "img", "data-testid": `curve-${key}` });
  const byThreshold = element("figure", { class: "by-threshold" }, element("figcaption", {}, "IoU by threshold"), curve);
  const caption = element("div", { class: "caption" }, metrics, note);
  const header = element("header", {}, title, readout, byThreshold, enlarge);
  const root = element("section", { class: "panel", "data-testid": `panel-${key}`, "aria-labelledby": `title-${key}` },
    header, stage, caption);
  const context = canvas.getContext("2d", { alpha: false });
  return { key, root, header, title, readout, enlarge, stage, canvas, context, left, right, across, down, message,
    metrics, note, caption, curve };
}

function describePanel(parts, panel, sideMarkers) {
  const [left, right] = sideMarkers ?? ["", ""];
  parts.title.textContent = panel.title;
  parts.title.title = panel.full_name ?? "";
  parts.canvas.setAttribute("aria-label", panel.label);
  parts.left.textContent = left;
  parts.right.textContent = right;
  parts.message.textContent = panel.message ?? "";
  parts.message.classList.toggle("failed", panel.is_failed);
  // The reason of a failure is its panel's note, which stands on the picture.
  parts.message.dataset.testid = `${panel.is_failed ? "note" : "message"}-${panel.key}`;
  parts.note.hidden = !panel.note;
  parts.curve.parentElement.hidden = !hasCurve(panel);
  parts.note.dataset.testid = panel.is_failed && !panel.note ? `remark-${panel.key}` : `note-${panel.key}`;
  parts.root.classList.toggle("is-failed", panel.is_failed);
  parts.note.textContent = panel.note ?? "";
  parts.readings = {};
  parts.metrics.replaceChildren(...panel.metrics.map(({ name, value, help }) => {
    const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
    parts.readings[slug] = element("dd", { "data-testid": `metric-${panel.key}-${slug}` }, value);
    return element("div", { title: help || null }, element("dt", {}, name), parts.readings[slug]);
  }));
  parts.caption.hidden = !panel.metrics.length && !panel.levels && !panel.note;
  if (panel.levels) {
    parts.readings.threshold = element("dd", { "data-testid": `metric-${panel.key}-threshold` });
    parts.metrics.append(element("div", { title: "Threshold of the mask; the map is scaled to 0 to 1" },
      element("dt", {}, "Threshold"), parts.readings.threshold));
  }
}

// The figures at the threshold chosen, and the curve that they lie on.
function drawReadings(parts, panel, scene, choices, ratio) {
  const reading = readingAt(panel, scene, choices) ?? {};
  const asScored = Object.fromEntries(panel.metrics.map(({ name, value }) => [name.toLowerCase(), value]));
  for (const [slug, node] of Object.entries(parts.readings)) node.textContent = reading[slug] ?? asScored[slug] ?? "–";
  drawCurve(parts.curve, panel, scene, choices, ratio);
}

// ---- Relevance in words

function relevanceAt(heat, point, size) {
  const column = Math.floor((point.x / size.width) * heat.width);
  const row = Math.floor((point.y / size.height) * heat.height);
  if (column < 0 || row < 0 || column >= heat.width || row >= heat.height) return "";
  const share = heat.levels[row * heat.width + column] / 127;
  if (share === 0) return "relevance 0";
  const sign = share < 0 ? "−" : "+";
  return `${sign}${Math.abs(share).toFixed(2)} of max, ${share < 0 ? "against" : "for"}`;
}
