import assert from "node:assert/strict";
import test from "node:test";

import { chosenColours, colouredHeat, heatOf, relevanceAt } from "../../dashboard/viewer/heat.js";
import { withCanvas } from "./canvas.js";

withCanvas();

// Row q + 127 of a table is the colour of relevance q / 127
function table(colours) {
  const rows = new Uint8Array(4 * 255);
  for (const [level, colour] of colours) rows.set(colour, 4 * (level + 127));
  return rows;
}

test("each step of relevance has the colour of its row", () => {
  const [blue, none, orange] = [[20, 66, 176, 255], [0, 0, 0, 0], [255, 146, 30, 128]];
  const heat = heatOf(Int8Array.of(-127, 0, 127, 127), { width: 2, height: 2, is_piecewise: true });
  const canvas = colouredHeat(heat, { key: "one", table: table([[-127, blue], [0, none], [127, orange]]) });
  assert.deepEqual([...canvas.data], [...blue, ...none, ...orange, ...orange]);
  colouredHeat(heat, { key: "other", table: table([[-127, orange]]) });
  assert.deepEqual([...heat.canvas.data.slice(0, 4)], orange, "another choice of colours is another picture");
  assert.equal(heat.isSmooth, false);
});

test("colours that are no longer there give way to the first", () => {
  const scene = { colours: [{ key: "a" }, { key: "b" }] };
  assert.equal(chosenColours(scene, { colours: "b" }).key, "b");
  assert.equal(chosenColours(scene, { colours: "gone" }).key, "a");
});

test("relevance is told of the cell under the pointer, and of none beside the map", () => {
  const heat = { levels: Int8Array.of(127, -64, 0, 1), width: 2, height: 2 };
  const size = { width: 100, height: 100 };
  const told = (x, y) => relevanceAt(heat, { x, y }, size);
  assert.equal(told(0, 0), "+1.00 of max, for");
  assert.equal(told(50, 49.9), "−0.50 of max, against");
  assert.equal(told(49.9, 50), "relevance 0");
  assert.equal(told(99, 99), "+0.01 of max, for");
  for (const [x, y] of [[-0.1, 5], [5, -0.1], [100, 5], [5, 100]]) assert.equal(told(x, y), "");
});
