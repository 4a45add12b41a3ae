import assert from "node:assert/strict";
import test from "node:test";

import { kindOfDrag } from "../../dashboard/viewer/gestures.js";
import { actionOf } from "../../dashboard/viewer/keys.js";

const VIEWER = { stage: { width: 400, height: 200 }, scene: {}, view: { zoom: 1 }, choices: { invert: false }, enlarged: null };

// What a key makes of the viewer: the name of what it calls, and with what; null where it does nothing
function does(key, viewer = {}, focused = null) {
  let done = null;
  const record = (name) => (...values) => { done = [name, ...values]; };
  const names = ["zoomAt", "moveBy", "reset", "choose", "toggleMode", "enlarge"];
  actionOf(key, { ...VIEWER, ...Object.fromEntries(names.map((name) => [name, record(name)])), ...viewer }, focused)?.();
  return done;
}

test("the left button moves the picture, draws or changes the window; the right one always changes the window", () => {
  const [left, middle, right] = [0, 1, 2];
  assert.deepEqual([null, "draw", "window"].map((mode) => kindOfDrag(left, mode)), ["pan", "draw", "window"]);
  assert.deepEqual([null, "draw", "window"].map((mode) => kindOfDrag(middle, mode)), ["pan", "pan", "pan"]);
  assert.deepEqual([null, "draw", "window"].map((mode) => kindOfDrag(right, mode)), ["window", "window", "window"]);
});

test("keys zoom around the picture's middle", () => {
  assert.deepEqual(does("+"), ["zoomAt", { x: 200, y: 100 }, 1.25]);
  assert.deepEqual(does("="), does("+"));
  assert.deepEqual(does("-"), ["zoomAt", { x: 200, y: 100 }, 0.8]);
  assert.deepEqual(does("0"), ["reset"]);
});

test("arrows move a zoomed picture that the keyboard is on, and else scroll the page", () => {
  assert.deepEqual(does("ArrowLeft", { view: { zoom: 2 } }, "lrp"), ["moveBy", 40, 0]);
  assert.deepEqual(does("ArrowDown", { view: { zoom: 2 } }, "lrp"), ["moveBy", 0, -40]);
  assert.equal(does("ArrowLeft", { view: { zoom: 2 } }), null);
  assert.equal(does("ArrowLeft", {}, "lrp"), null);
});

test("keys mean something only where there is something to do", () => {
  assert.deepEqual(does("Enter", {}, "lrp"), ["enlarge", "lrp"]);
  assert.equal(does("Enter"), null);
  assert.deepEqual(does("Escape", { enlarged: "lime" }), ["enlarge", "lime"]);
  assert.equal(does("Escape"), null);
  assert.deepEqual(does("d", { scene: { canDraw: true } }), ["toggleMode", "draw"]);
  assert.equal(does("d"), null);
  const flicking = { scene: { without: {} } };
  assert.deepEqual(does("f", { ...flicking, choices: { without: false } }), ["choose", { without: true }]);
  assert.deepEqual(does("f", { ...flicking, choices: { without: true } }), ["choose", { without: false }]);
  assert.equal(does("f"), null);
  assert.deepEqual(does("i", { choices: { invert: true } }), ["choose", { invert: false }]);
  for (const key of ["x", "n", "constructor", "toString"]) assert.equal(actionOf(key, VIEWER, null), null, key);
});
