import assert from "node:assert/strict";
import test from "node:test";

import { contourAt, contourRings } from "../../dashboard/viewer/contour.js";
import { withCanvas } from "./canvas.js";

withCanvas();

test("a lone pixel is a diamond through where the map crosses the threshold", () => {
  const values = [0, 0, 0, 0, 8, 0, 0, 0, 0];
  const [ring] = contourRings({ values, width: 3, height: 3 }, 6);
  // From 8 in the middle at 1.5 to 0 a cell on, 6 is a quarter of a cell away
  const points = Array.from({ length: 4 }, (_, at) => ring.slice(2 * at, 2 * at + 2).join());
  assert.deepEqual(points.sort(), ["1.25,1.5", "1.5,1.25", "1.5,1.75", "1.75,1.5"]);
});

test("an outline is in pixels of the radiograph, whatever the map's size, and kept until another level is asked for", () => {
  const levels = { values: Uint16Array.of(65535, 65535, 65535, 65535, 0, 0), width: 2, height: 3 };
  const size = { width: 200, height: 600 };
  const first = contourAt(levels, 0, size);
  const [ring] = first.path.rings;
  assert.equal(first.count, 1);
  assert.deepEqual([0, 1].map((side) => Math.min(...ring.map((point) => point[side]))), [0, 0]);
  // Across to the edge; down to just before the middle of the third row of 200, where the map is 0
  const [right, lower] = [0, 1].map((side) => Math.max(...ring.map((point) => point[side])));
  assert.equal(right, 200);
  assert.ok(lower > 498 && lower < 500, String(lower));
  assert.equal(contourAt(levels, 0, size), first);
  assert.notEqual(contourAt(levels, 254, size), first);
  assert.deepEqual(contourAt({ ...levels, values: new Uint16Array(6) }, 0, size).count, 0);
});
