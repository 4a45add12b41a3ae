// ---------------------------------------------------------------- panel.js
// A picture with its heading and caption.

import { element } from "../element.js";
import { drawCurve } from "./curve.js";
import { relevanceAt } from "./heat.js";
import { curveInWords, hasCurve, readingAt } from "./readings.js";
import { toPicture } from "./view.js";

export function buildPanel(key, onEnlarge, signal) {
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

export function describePanel(parts, panel, sideMarkers) {
  const [left, right] = sideMarkers ?? ["", ""];
  parts.title.textContent = panel.title;
  parts.title.title = panel.full_name ?? "";
  parts.canvas.setAttribute("aria-label", panel.label);
  parts.left.textContent = left;
  parts.right.textContent = right;
  // The reason of a failure is its panel's note, which stands on the picture.
  parts.message.dataset.testid = `${panel.is_failed ? "note" : "message"}-${panel.key}`;
  parts.note.hidden = !panel.note;
  parts.curve.parentElement.hidden = !hasCurve(panel);
  parts.note.dataset.testid = panel.is_failed && !panel.note ? `remark-${panel.key}` : `note-${panel.key}`;
  parts.root.classList.toggle("is-failed", panel.is_failed);
  parts.note.textContent = panel.note ?? "";
  parts.readings = {};
  parts.metrics.replaceChildren(...panel.metrics.map(({ name, value, help }) => {
    const slug = slugOf(name);
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

const slugOf = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, "-");

// What stands on the picture: what it shows instead of the radiograph, else why there is no map.
export function drawCaption(parts, panel, caption) {
  const text = caption ?? panel.message ?? "";
  if (parts.message.textContent !== text) parts.message.textContent = text;
  parts.message.classList.toggle("failed", caption === undefined && panel.is_failed);
  parts.message.classList.toggle("without", caption !== undefined);
}

// The figures at the threshold chosen, and the curve that they lie on.
export function drawReadings(parts, panel, scene, choices, ratio) {
  const reading = readingAt(panel, scene, choices) ?? {};
  const asScored = Object.fromEntries(panel.metrics.map(({ name, value }) => [slugOf(name), value]));
  for (const [slug, node] of Object.entries(parts.readings)) {
    node.textContent = (slug === "box-iou" ? reading.iou : reading[slug]) ?? asScored[slug] ?? "–";
  }
  drawCurve(parts.curve, panel, scene, choices, ratio);
  parts.curve.title = curveInWords(panel, scene);
  parts.curve.setAttribute("aria-label", parts.curve.title);
}

// `enlarged` is the key of the only panel shown, null for all.
export function describeSize({ key, root, enlarge }, enlarged) {
  const isLarge = enlarged === key;
  root.hidden = enlarged !== null && !isLarge;
  enlarge.textContent = isLarge ? "All panels" : "⤢";
  enlarge.setAttribute("aria-label", isLarge ? "Show all panels" : "Enlarge this panel");
  enlarge.title = isLarge ? "Esc or double click" : "Enlarge (double click)";
}

// What lies under the pointer, in words, and where that is in the panels that the pointer is not over.
export function drawCursor(parts, panel, { cursor, scene: { size }, view, stage }) {
  const isElsewhere = cursor !== null && cursor.key !== panel.key;
  parts.across.hidden = parts.down.hidden = !isElsewhere;
  parts.readout.textContent = cursor && panel.heat ? relevanceAt(panel.heat, cursor, size) : "";
  if (!isElsewhere) return;
  const { x, y } = toPicture(cursor, view, size, stage);
  parts.across.style.transform = `translateY(${Math.round(y)}px)`;
  parts.down.style.transform = `translateX(${Math.round(x)}px)`;
}
