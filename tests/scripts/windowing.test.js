import assert from "node:assert/strict";
import test from "node:test";

import { draggedWindow, FIRST_WINDOW, shadesOf, windowWithin } from "../../dashboard/viewer/windowing.js";

const greys = (window) => Array.from(shadesOf(window), (pixel) => pixel & 255);

test("the window runs from black to white over its width around its centre", () => {
  const shades = greys({ width: 100, centre: 100 });
  assert.deepEqual([0, 50, 75, 100, 125, 150, 255].map((grey) => shades[grey]), [0, 0, 64, 128, 191, 255, 255]);
});

test("inverted, black is white", () => {
  const [plain, inverted] = [{ width: 100, centre: 100 }, { width: 100, centre: 100, isInverted: true }].map(greys);
  for (const [grey, shade] of plain.entries()) assert.ok(Math.abs(shade + inverted[grey] - 255) <= 1, `grey ${grey}`);
});

test("a pixel is opaque and equally red, green and blue", () => {
  assert.deepEqual([...new Uint8Array(shadesOf({ width: 100, centre: 100 }).slice(75, 76).buffer)], [64, 64, 64, 255]);
});

test("the window that it begins with leaves the radiograph as it is, to a grey level", () => {
  for (const [grey, shade] of greys(FIRST_WINDOW).entries()) assert.ok(Math.abs(shade - grey) <= 1, `grey ${grey}`);
});

test("dragging across is width, down is centre, and both stay within bounds", () => {
  assert.deepEqual(draggedWindow({ width: 200, centre: 100 }, 10, -20), { width: 212, centre: 76 });
  assert.deepEqual(draggedWindow({ width: 200, centre: 100 }, -1000, 1000), { width: 2, centre: 255 });
  assert.deepEqual(windowWithin({ width: 9999, centre: -5 }), { width: 512, centre: 0 });
});
