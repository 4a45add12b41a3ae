import assert from "node:assert/strict";
import test from "node:test";

import { arranged, enlargedIn } from "../../dashboard/viewer/arranging.js";

const SQUARE = { aspect: 1, chrome: 0, above: 0, unit: 1 };

test("six squares stand in one row in a wide window and in two in a squarer one", () => {
  assert.equal(arranged({ ...SQUARE, count: 6, width: 1800, windowHeight: 320 }).columns, 6);
  const two = arranged({ ...SQUARE, count: 6, width: 1216, windowHeight: 816 });
  // Three columns with two gaps of 8; two rows of (816 - 8 - 8) / 2
  assert.deepEqual(two, { columns: 3, width: 400, height: 400, shown: 400 });
});

test("what stands above and around the pictures takes from their height", () => {
  const place = arranged({ ...SQUARE, count: 1, width: 2000, windowHeight: 1000, above: 100, chrome: 60 });
  assert.equal(place.height, 1000 - 100 - 8 - 60);
});

test("on a phone the page scrolls, and the pictures are readable", () => {
  assert.deepEqual(arranged({ ...SQUARE, count: 6, width: 390, windowHeight: 700, above: 500 }),
    { columns: 1, width: 390, height: 390, shown: 390 });
});

test("twice as large text in a window of twice the size is the same arrangement, twice as large", () => {
  const small = arranged({ count: 5, width: 1200, windowHeight: 700, chrome: 80, above: 200, aspect: 1.2, unit: 1 });
  const large = arranged({ count: 5, width: 2400, windowHeight: 1400, chrome: 160, above: 400, aspect: 1.2, unit: 2 });
  assert.deepEqual(large, { columns: small.columns, width: 2 * small.width, height: 2 * small.height, shown: 2 * small.shown });
});

test("an enlarged picture leaves 400 pixels and a gap to the figures where twice that is there", () => {
  const space = { width: 1600, windowHeight: 900, chrome: 50, above: 100, unit: 1 };
  assert.deepEqual(enlargedIn(space, true), { width: 1192, height: 742, beside: 400 });
  assert.deepEqual(enlargedIn(space, false), { width: 1600, height: 742, beside: 0 });
  assert.deepEqual(enlargedIn({ ...space, width: 799 }, true), { width: 799, height: 742, beside: 0 });
  assert.equal(enlargedIn({ ...space, above: 2000 }, true).height, 540, "six tenths of the window at least");
});
