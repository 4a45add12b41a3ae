import assert from "node:assert/strict";
import test from "node:test";

import { stepped } from "../../dashboard/stepping.js";
import { activeAfter, rowsInSight, scrolledTo } from "../../dashboard/case_list/rows.js";

test("after the last comes the first, and before the first the last", () => {
  assert.deepEqual([stepped(0, 1, 3), stepped(2, 1, 3), stepped(0, -1, 3), stepped(0, 1, 1)], [1, 0, 2, 0]);
});

test("only rows in sight are drawn, and six beyond either edge", () => {
  // Rows of 20: at 1010 the 50th is cut, at 1110 the 55th
  assert.deepEqual(rowsInSight(9999, 20, 1010, 100), [44, 62]);
  assert.deepEqual(rowsInSight(9999, 20, 0, 100), [0, 11]);
  assert.deepEqual(rowsInSight(8, 20, 0, 100), [0, 8]);
  assert.deepEqual(rowsInSight(0, 20, 0, 100), [0, 0]);
});

test("a list scrolls to a row no further than it must", () => {
  assert.equal(scrolledTo(3, 20, 0, 100), 0, "in sight: 60 to 80 of 0 to 100");
  assert.equal(scrolledTo(5, 20, 0, 100), 20, "below: its lower edge at 120");
  assert.equal(scrolledTo(5, 20, 500, 100), 100, "above");
});

test("keys move within the list and stop at its ends", () => {
  assert.deepEqual(["ArrowDown", "ArrowUp", "Home", "End"].map((key) => activeAfter(key, 4, 9)), [5, 3, 0, 8]);
  assert.equal(activeAfter("ArrowDown", 8, 9), 8);
  assert.equal(activeAfter("ArrowUp", 0, 9), 0);
  assert.equal(activeAfter("a", 4, 9), null);
});
