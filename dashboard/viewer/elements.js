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
  { name: "heatmap", text: "Heatmap", help: "Show what the methods marked" },
  { name: "mask", text: "Mask", help: "Dashed outline of each method's mask" },
  { name: "expert", text: "Expert", help: "Solid outline of the expert's contour" },
  { name: "invert", text: "Invert", help: "Black to white (I)" },
];

const KEYS = [
  ["Wheel, + −", "zoom"],
  ["Drag", "move"],
  ["Right drag", "window (across), level (up and down)"],
  ["Double click, Enter", "one panel large, and back (Esc)"],
  ["Arrows", "move, on a zoomed picture"],
  ["I", "invert"],
  ["0, Home", "reset zoom and window"],
];

function buildToolbar(onToggle, onOpacity, onReset, signal) {
  const toggles = {};
  for (const { name, text, help } of TOGGLES) {
    const swatch = element("span", { class: `swatch ${name}`, "aria-hidden": "true" });
    toggles[name] = element("button", { type: "button", role: "switch", title: help, "data-testid": `toggle-${name}` }, swatch, text);
    toggles[name].addEventListener("click", () => onToggle(name), { signal });
  }
  const opacity = element("input", {
    type: "range", min: "0", max: "100", step: "1", "aria-label": "Opacity of the heatmap", "data-testid": "opacity",
  });
  opacity.addEventListener("input", () => onOpacity(opacity.valueAsNumber / 100), { signal });
  const percent = element("output", { class: "percent" });
  const reset = element("button", { type: "button", title: "Zoom and window as at first (0)", "data-testid": "reset" },
    "Reset view");
  reset.addEventListener("click", onReset, { signal });
  const bar = element("canvas", { width: "128", height: "10", "aria-hidden": "true" });
  const status = element("span", { class: "status", "data-testid": "view-status" });
  const root = element("div", { class: "toolbar", role: "group", "aria-label": "What the pictures show" },
    toggles.heatmap,
    element("label", { class: "opacity" }, "Opacity", opacity, percent),
    element("span", { class: "scale", title: "Relevance for the pathology; nothing is drawn where it is zero" },
      "against", element("span", { class: "bar" }, bar, element("span", { class: "zero" }, "0")), "towards"),
    toggles.mask, toggles.expert, toggles.invert, reset, status, buildKeys());
  return { root, toggles, opacity, percent, bar, status };
}

function buildKeys() {
  const rows = KEYS.map(([key, does]) => element("tr", {}, element("th", { scope: "row" }, key), element("td", {}, does)));
  return element("details", { class: "keys" }, element("summary", {}, "Mouse and keys"), element("table", {}, ...rows));
}

// ---- Panels

function buildPanel(key, onEnlarge, signal) {
  const title = element("h3", { id: `title-${key}` });
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
  const caption = element("div", { class: "caption" }, metrics, note);
  const header = element("header", {}, title, readout, enlarge);
  const root = element("section", { class: "panel", "data-testid": `panel-${key}`, "aria-labelledby": `title-${key}` },
    header, stage, caption);
  const context = canvas.getContext("2d", { alpha: false });
  return { key, root, header, title, readout, enlarge, stage, canvas, context, left, right, across, down, message,
    metrics, note, caption };
}

function describePanel(parts, panel, sideMarkers) {
  const [left, right] = sideMarkers ?? ["", ""];
  parts.title.textContent = panel.title;
  parts.canvas.setAttribute("aria-label", panel.label);
  parts.left.textContent = left;
  parts.right.textContent = right;
  parts.message.textContent = panel.message ?? "";
  parts.message.classList.toggle("failed", panel.is_failed);
  // The reason of a failure is its panel's note, which stands on the picture.
  parts.message.dataset.testid = `${panel.is_failed ? "note" : "message"}-${panel.key}`;
  parts.note.hidden = !panel.note;
  parts.note.dataset.testid = panel.is_failed && !panel.note ? `remark-${panel.key}` : `note-${panel.key}`;
  parts.root.classList.toggle("is-failed", panel.is_failed);
  parts.note.textContent = panel.note ?? "";
  parts.metrics.replaceChildren(...panel.metrics.map(({ name, value, help }) => {
    const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
    return element("div", { title: help || null }, element("dt", {}, name),
      element("dd", { "data-testid": `metric-${panel.key}-${slug}` }, value));
  }));
}

// ---- Relevance in words

function relevanceAt(heat, point, size) {
  const column = Math.floor((point.x / size.width) * heat.width);
  const row = Math.floor((point.y / size.height) * heat.height);
  if (column < 0 || row < 0 || column >= heat.width || row >= heat.height) return "";
  const share = heat.levels[row * heat.width + column] / 127;
  if (share === 0) return "relevance 0";
  const sign = share < 0 ? "−" : "+";
  return `${sign}${Math.abs(share).toFixed(2)} of max, ${share < 0 ? "against" : "towards"}`;
}
