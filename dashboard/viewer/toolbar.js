// ---------------------------------------------------------------- toolbar.js
// What the reader sets for all panels at once.

import { element } from "../element.js";
import { FIXED, HIGHEST_LEVEL, RUN } from "./choices.js";
import { chosenColours } from "./heat.js";
import { buildKeys } from "./keys.js";
import { decimalText, thresholdText } from "./readings.js";

const TOGGLES = [
  { name: "heatmap", text: "Heatmap", help: "Show each method's heatmap" },
  { name: "mask", text: "Mask", help: "Dashed outline: each method's mask at the chosen threshold" },
  { name: "expert", text: "Contour", help: "" },
  { name: "readers", text: "Each reader", help: "Each reader's own outline, named, instead of all together" },
  { name: "without", text: "Without finding",
    help: "The same simulated patient, exposure and noise without the finding; dotted: where the finding changes the picture (F)" },
  { name: "invert", text: "Invert", help: "Invert black and white (I)" },
];

// `on` holds what is called: toggle(name), choose(changes), reset(), link(), window(), draw(), undo(). Returns the root and
// whatever is described or drawn later, by name.
export function buildToolbar(on, signal) {
  const listen = (node, event, call) => node.addEventListener(event, call, { signal });
  const toggles = Object.fromEntries(TOGGLES.map((toggle) => [toggle.name, buildToggle(toggle)]));
  for (const [name, node] of Object.entries(toggles)) listen(node, "click", () => on.toggle(name));
  const buttons = buildButtons();
  for (const [name, node] of Object.entries(buttons)) listen(node, "click", on[name]);
  const heat = buildHeatSettings();
  listen(heat.opacity, "input", () => on.choose({ opacity: heat.opacity.valueAsNumber / 100 }));
  listen(heat.colours, "change", () => on.choose({ colours: heat.colours.value }));
  const mask = buildMaskSettings();
  listen(mask.threshold, "change", () => on.choose({ threshold: mask.threshold.value }));
  listen(mask.level, "input", () => on.choose({ threshold: FIXED, level: mask.level.valueAsNumber }));
  const status = element("span", { class: "status", title: "Zoom, window width and level", "data-testid": "view-status" });
  const { draw, undo, window: window_, reset, link } = buttons;
  const root = element("div", { class: "toolbar", role: "group", "aria-label": "Display settings" },
    element("span", { class: "together" }, toggles.heatmap, labelled("Opacity", heat.opacity, heat.percent), heat.scale, heat.colours),
    element("span", { class: "together" }, toggles.mask, labelled("Threshold", mask.threshold), mask.level, mask.levelText),
    toggles.expert, toggles.readers, toggles.without, draw, undo, toggles.invert, window_, reset, link, status, buildKeys());
  return { root, toggles, status, ...buttons, ...heat, ...mask };
}

const labelled = (text, ...nodes) => element("label", { class: "opacity" }, element("span", {}, text), ...nodes);

function buildToggle({ name, text, help }) {
  const swatch = element("span", { class: `swatch ${name}`, "aria-hidden": "true" });
  return element("button", { type: "button", role: "switch", class: name, title: help, "data-testid": `toggle-${name}` },
    swatch, element("span", {}, text));
}

function buildHeatSettings() {
  const opacity = element("input", {
    type: "range", min: "0", max: "100", step: "1", "aria-label": "Opacity of the heatmap", "data-testid": "opacity",
  });
  const percent = element("output", { class: "percent" });
  const colours = element("select", { "aria-label": "Colours of the heatmap", "data-testid": "colours" });
  const bar = element("canvas", { width: "96", height: "10", "aria-hidden": "true" });
  const low = element("span");
  const zero = element("span", { class: "zero", "aria-hidden": "true" }, "0");
  const scale = element("span", { class: "scale", title: "Evidence for and against the pathology, relative to each map's own maximum; no colour where it is zero" },
    low, element("span", { class: "bar" }, bar, zero), element("span", {}, "for"));
  return { opacity, percent, colours, bar, low, zero, scale };
}

function buildMaskSettings() {
  const threshold = element("select", { "aria-label": "Threshold of the masks",
    title: "Otsu's method divides a map's values into the two groups that differ most; Fixed uses one threshold for all methods",
    "data-testid": "threshold" });
  const level = element("input", {
    type: "range", min: "0", max: String(HIGHEST_LEVEL), step: "1", "aria-label": "Fixed threshold for all masks",
    title: "One threshold for all methods; each map is scaled to 0 to 1", "data-testid": "level",
  });
  const levelText = element("output", { class: "percent", "data-testid": "level-text" });
  return { threshold, level, levelText };
}

const BUTTONS = [
  { name: "draw", text: "Draw contour", role: "switch",
    help: "Draw around the finding on any picture with the left mouse button (D); the middle button moves the picture" },
  { name: "undo", text: "Undo", help: "Remove the last contour" },
  { name: "window", text: "Window", role: "switch",
    help: "Dragging, or one finger, changes the window: across for width, up and down for level (W). The right mouse button always does" },
  { name: "reset", text: "Reset", help: "Reset zoom and window (0)" },
  { name: "link", text: "Copy link", help: "Copy a link to exactly this view: case, pathology, zoom, window, threshold" },
];

const buildButtons = () => Object.fromEntries(BUTTONS.map(({ name, text, help, role = null }) =>
  [name, element("button", { type: "button", role, title: help, "data-testid": name }, text)]));

export function describeToolbar(toolbar, scene) {
  toolbar.colours.replaceChildren(...scene.colours.map(({ key, title, help }) => element("option", { value: key, title: help }, title)));
  toolbar.threshold.replaceChildren(element("option", { value: RUN }, scene.thresholdRule), element("option", { value: FIXED }, "Fixed"));
  toolbar.toggles.without.hidden = !scene.without;
  toolbar.draw.hidden = !scene.canDraw;
  toolbar.undo.hidden = !scene.canDraw || !scene.expert;
  toolbar.link.hidden = scene.canDraw; // what is drawn on has no address
  const isBare = scene.panels.every(({ key }) => key === "expert") && !scene.expert && !scene.canDraw;
  for (const node of toolbar.root.querySelectorAll(".together")) node.hidden = isBare; // there is nothing over the radiograph
  toolbar.toggles.expert.hidden = isBare;
  toolbar.toggles.expert.lastChild.textContent = scene.canDraw ? "Your contour" : scene.truth.mark;
  toolbar.toggles.expert.title = scene.truth.help;
  toolbar.toggles.readers.hidden = scene.readers.length < 2;
}

export function drawToolbar(toolbar, { scene, choices, mode, view, window }) {
  for (const [name, toggle] of Object.entries(toolbar.toggles)) toggle.setAttribute("aria-checked", choices[name]);
  for (const name of ["draw", "window"]) toolbar[name].setAttribute("aria-checked", mode === name);
  const share = Math.round(100 * choices.opacity);
  if (toolbar.opacity.valueAsNumber !== share) toolbar.opacity.value = share;
  toolbar.percent.textContent = `${share} %`;
  toolbar.threshold.value = choices.threshold;
  if (toolbar.level.valueAsNumber !== choices.level) toolbar.level.value = choices.level;
  toolbar.level.classList.toggle("idle", choices.threshold !== FIXED);
  toolbar.levelText.textContent = choices.threshold === FIXED ? thresholdText(choices.level) : "";
  toolbar.status.textContent = `${decimalText(view.zoom, 1)}×  W ${Math.round(window.width)}  L ${Math.round(window.centre)}`;
  const colours = chosenColours(scene, choices);
  toolbar.colours.value = colours.key; // each scene brings its list anew
  const stamp = `${share} ${colours.key}`;
  if (toolbar.barDrawnFor === stamp) return;
  toolbar.low.textContent = colours.is_signed ? "against" : "0";
  toolbar.zero.hidden = !colours.is_signed;
  drawColourBar(toolbar.bar, colours, choices.opacity);
  toolbar.barDrawnFor = stamp;
}

export async function copyLink(toolbar, link) {
  try {
    await navigator.clipboard.writeText(link);
    toolbar.link.textContent = "Link copied";
  } catch { // a browser allows it on https and on this machine only
    window.prompt("Link to this view", link);
  }
  setTimeout(() => { toolbar.link.textContent = "Copy link"; }, 2000);
}

function drawColourBar(canvas, { table, is_signed: isSigned }, opacity) {
  const context = canvas.getContext("2d");
  context.fillStyle = "#26292c";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalAlpha = opacity;
  for (let x = 0; x < canvas.width; x++) {
    const share = x / (canvas.width - 1);
    const row = 4 * Math.round(isSigned ? 254 * share : 127 + 127 * share);
    context.fillStyle = `rgba(${table[row]}, ${table[row + 1]}, ${table[row + 2]}, ${table[row + 3] / 255})`;
    context.fillRect(x, 0, 1, canvas.height);
  }
  context.globalAlpha = 1;
}
