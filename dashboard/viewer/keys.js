// ---------------------------------------------------------------- keys.js
// What keys do while the pointer or the keyboard is in the viewer.

import { element } from "../element.js";
import { hasModifier } from "../stepping.js";

const KEY_STEP_PX = 40;
const TAKING_KEYS = "input, textarea, select, [contenteditable], [role=dialog]";
const KEYS = [
  ["Wheel, + −", "zoom"],
  ["Drag", "move"],
  ["Right drag", "window width (across) and level (up and down)"],
  ["W", "turn window mode on or off, for a plain drag or one finger"],
  ["Two fingers", "zoom and move"],
  ["Double click, Enter", "enlarge one panel; Esc to go back"],
  ["Arrows", "move a zoomed picture"],
  ["I", "invert"],
  ["F", "simulated radiographs: with and without the finding"],
  ["N, Page Down", "next radiograph in the case list"],
  ["P, Page Up", "previous radiograph"],
  ["0, Home", "reset zoom and window"],
  ["S", "hide or show the sidebar"],
];

export function buildKeys() {
  const rows = KEYS.map(([key, does]) => element("tr", {}, element("th", { scope: "row" }, key), element("td", {}, does)));
  return element("details", { class: "keys" }, element("summary", { title: "Mouse, touch and keyboard" }, "Keys"), element("table", {}, ...rows));
}

export function listenToKeys(viewer, signal) {
  document.addEventListener("keydown", (event) => {
    const target = event.composedPath()[0];
    if (!viewer.scene || hasModifier(event) || target.closest?.(TAKING_KEYS)) return;
    if (event.key === "s" || event.key === "S") foldSidebar();
    if (!viewer.root.matches(":hover") && !viewer.root.contains(target)) return;
    const focused = [...viewer.panels.values()].find(({ canvas }) => canvas === target);
    const act = actionOf(event.key, viewer, focused?.key ?? null);
    if (!act) return;
    act();
    viewer.invalidate();
    event.preventDefault();
  }, { signal });
}

// Returns what a key does here, or null; `focused` is the key of the panel that the keyboard is on.
export function actionOf(key, viewer, focused) {
  const middle = { x: viewer.stage.width / 2, y: viewer.stage.height / 2 };
  const enlarging = () => viewer.zoomAt(middle, 1.25);
  const actions = {
    "+": enlarging, "=": enlarging, "-": () => viewer.zoomAt(middle, 0.8), 0: () => viewer.reset(), Home: () => viewer.reset(),
    i: () => viewer.choose({ invert: !viewer.choices.invert }), w: () => viewer.toggleMode("window"),
  };
  if (viewer.scene.without) actions.f = () => viewer.choose({ without: !viewer.choices.without });
  if (viewer.scene.canDraw) actions.d = () => viewer.toggleMode("draw");
  if (viewer.enlarged !== null) actions.Escape = () => viewer.enlarge(viewer.enlarged);
  if (focused !== null) actions.Enter = () => viewer.enlarge(focused);
  if (focused !== null && viewer.view.zoom > 1) { // else they scroll the page
    Object.assign(actions, {
      ArrowLeft: () => viewer.moveBy(KEY_STEP_PX, 0), ArrowRight: () => viewer.moveBy(-KEY_STEP_PX, 0),
      ArrowUp: () => viewer.moveBy(0, KEY_STEP_PX), ArrowDown: () => viewer.moveBy(0, -KEY_STEP_PX),
    });
  }
  return Object.hasOwn(actions, key) ? actions[key] : null;
}

// Gives the panels the sidebar's room, and back.
function foldSidebar() {
  document.querySelector("[data-testid=stSidebarCollapseButton] button, [data-testid=stExpandSidebarButton]")?.click();
}
