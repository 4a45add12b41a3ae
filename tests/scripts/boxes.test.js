import assert from "node:assert/strict";
import test from "node:test";

import { boxIou, boxIouAt, boxesAround, iouOfBoxes } from "../../dashboard/viewer/boxes.js";
import { FIXED } from "../../dashboard/viewer/choices.js";
import { readingAt } from "../../dashboard/viewer/readings.js";

const mapOf = (rows) => ({ values: Uint16Array.from(rows.flat()), width: rows[0].length, height: rows.length });
const sizeOf = ({ width, height }, times = 1) => ({ width: times * width, height: times * height });

test("each region has a box, and regions that touch at a corner are one", () => {
  // As the example of boxes_around in Python
  const apart = mapOf([[1, 1, 0, 0], [0, 0, 0, 1]]);
  assert.deepEqual(boxesAround(apart, 1, sizeOf(apart)), [[0, 0, 2, 1], [3, 1, 4, 2]]);
  const touching = mapOf([[1, 0, 0], [0, 1, 0], [0, 1, 1]]);
  assert.deepEqual(boxesAround(touching, 1, sizeOf(touching)), [[0, 0, 3, 3]]);
  assert.deepEqual(boxesAround(apart, 2, sizeOf(apart)), []);
});

test("on a radiograph larger than the map a box ends where the map runs below the threshold", () => {
  // The middles of the cells lie at 5, 15, 25 of 30 pixels. From 8 at 15 to 0 at 5, 6 is at 12.5: pixel 12, whose middle
  // that is, is inside, as is pixel 17 at the other end
  const map = mapOf([[0, 0, 0], [0, 8, 0], [0, 0, 0]]);
  assert.deepEqual(boxesAround(map, 6, sizeOf(map, 10)), [[12, 12, 18, 18]]);
  // Two cells across a corner are one region where the map does not fall below the threshold between them
  const corner = mapOf([[8, 0], [0, 8]]);
  assert.equal(boxesAround(corner, 4, sizeOf(corner, 10)).length, 1);
  assert.equal(boxesAround(corner, 5, sizeOf(corner, 10)).length, 2);
});

test("boxes overlap as by the formula worked by hand", () => {
  assert.equal(iouOfBoxes([0, 0, 10, 10], [5, 0, 15, 10]), 50 / 150);
  assert.equal(iouOfBoxes([20, 20, 30, 40], [20, 30, 40, 50]), 100 / 500);
  assert.equal(iouOfBoxes([0, 0, 10, 10], [20, 0, 30, 10]), 0);
});

test("each marked box counts with the nearest region, and each reader alone", () => {
  const detected = [[20, 30, 40, 90], [200, 200, 210, 210]];
  // Half of the first is covered, the second missed
  assert.equal(boxIou(detected, [[[20, 30, 60, 90], [100, 100, 180, 160]]]), 0.25);
  assert.equal(boxIou(detected, [[[20, 30, 60, 90]], [[20, 30, 40, 90]]]), (0.5 + 1) / 2);
  assert.ok(Number.isNaN(boxIou([], [[[0, 0, 1, 1]]])));
  assert.ok(Number.isNaN(boxIou(detected, [])));
});

test("at a threshold of the reader's own the reading is the box IoU at it", () => {
  const levels = { ...mapOf([[65535, 65535, 0, 0], [25700, 25700, 25700, 25700]]), iou: null, area: new Float32Array(255) };
  const scene = { size: { width: 4, height: 2 }, boxes: [[[0, 0, 2, 2]]] };
  // Below 100 of 255 the whole rows, 4 of 8 pixels; above it the upper left, 2 of 4; nothing is not 0
  assert.equal(readingAt({ levels }, scene, { threshold: FIXED, level: 99 }).iou, "0.50");
  assert.equal(boxIouAt(levels, 99, scene), 4 / 8);
  assert.equal(boxIouAt(levels, 100, scene), 2 / 4);
  assert.equal(readingAt({ levels: { ...levels, values: new Uint16Array(8), boxes: null } }, scene, { threshold: FIXED, level: 9 }).iou, "–");
  assert.equal(readingAt({ levels }, { ...scene, boxes: [] }, { threshold: FIXED, level: 99 }).iou, "–");
});
