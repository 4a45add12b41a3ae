import assert from "node:assert/strict";
import test from "node:test";

import {
  clampedView, fitted, LARGEST_ZOOM, movedBy, pinched, scaleOf, toPicture, toRadiograph, transformOf, zoomedAt,
} from "../../dashboard/viewer/view.js";

const SIZE = { width: 2000, height: 1000 }; // of the radiograph
const STAGE = { width: 400, height: 400 }; // of its picture: fitted, it is 400 × 200 in the middle

test("a fitted radiograph touches the nearer sides and has its middle in the picture's", () => {
  const view = fitted(SIZE);
  assert.equal(scaleOf(view, SIZE, STAGE), 0.2);
  assert.deepEqual(toPicture({ x: 0, y: 0 }, view, SIZE, STAGE), { x: 0, y: 100 });
  assert.deepEqual(toPicture({ x: 2000, y: 1000 }, view, SIZE, STAGE), { x: 400, y: 300 });
  assert.deepEqual(toRadiograph({ x: 200, y: 200 }, view, SIZE, STAGE), { x: 1000, y: 500 });
});

test("a canvas of two pixels for each CSS pixel draws at twice the scale", () => {
  assert.deepEqual(transformOf(fitted(SIZE), SIZE, STAGE, 2), { scale: 0.4, x: 0, y: 200 });
});

test("what lies under the pointer stays under it, as long as the picture's edge allows", () => {
  const point = { x: 250, y: 180 };
  const before = toRadiograph(point, fitted(SIZE), SIZE, STAGE);
  assert.deepEqual(before, { x: 1250, y: 400 });
  const view = zoomedAt(fitted(SIZE), 5, point, SIZE, STAGE);
  assert.deepEqual(view, { zoom: 5, x: 1200, y: 420 }); // one pixel for each: 50 left and 20 down of the point
  assert.deepEqual(toRadiograph(point, view, SIZE, STAGE), before);
});

test("zooming out again leads back, and never beyond the whole radiograph or its largest size", () => {
  const near = zoomedAt(fitted(SIZE), 1000, { x: 7, y: 110 }, SIZE, STAGE);
  assert.equal(near.zoom, LARGEST_ZOOM);
  assert.deepEqual(zoomedAt(near, 1 / 1000, { x: 300, y: 9 }, SIZE, STAGE), fitted(SIZE));
});

test("no side of the radiograph comes away from the picture's, and what is smaller is in the middle", () => {
  // At zoom 2 there are 1000 of 2000 pixels across, and all 1000 down
  assert.deepEqual(clampedView({ zoom: 2, x: 0, y: 0 }, SIZE, STAGE), { zoom: 2, x: 500, y: 500 });
  assert.deepEqual(clampedView({ zoom: 2, x: 9999, y: 9999 }, SIZE, STAGE), { zoom: 2, x: 1500, y: 500 });
  assert.deepEqual(clampedView({ zoom: 0.1, x: 3, y: 4 }, SIZE, STAGE), fitted(SIZE));
});

test("the radiograph follows the hand", () => {
  const view = { zoom: 4, x: 1000, y: 500 }; // 0.8 CSS pixels for each of its own
  assert.deepEqual(movedBy(view, 80, -40, SIZE, STAGE), { zoom: 4, x: 900, y: 550 });
});

test("two fingers that part take what lay under their middle with them", () => {
  const view = { zoom: 4, x: 1000, y: 500 };
  const fingers = { other: { x: 150, y: 200 }, before: { x: 250, y: 200 }, now: { x: 350, y: 200 } };
  const after = pinched(view, fingers, SIZE, STAGE);
  assert.equal(after.zoom, 8); // from 100 to 200 apart
  const middle = toRadiograph({ x: 200, y: 200 }, view, SIZE, STAGE);
  const point = toRadiograph({ x: 250, y: 200 }, after, SIZE, STAGE);
  assert.ok(Math.hypot(point.x - middle.x, point.y - middle.y) < 1e-9);
});
