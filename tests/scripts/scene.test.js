import assert from "node:assert/strict";
import test from "node:test";

import { Stroke } from "../../dashboard/viewer/drawing.js";
import { decodeRadiograph } from "../../dashboard/viewer/radiograph.js";
import { readScene } from "../../dashboard/viewer/scene.js";
import { withCanvas } from "./canvas.js";

let decodings = 0;
withCanvas(() => {
  decodings++;
  return { width: 2, height: 1, grey: [9, 200] };
});

// A block as overlay.py describes it, with one blob of 4 bytes: what all addresses name
function block(changes = {}) {
  const address = { offset: 0, length: 4, hash: "same" };
  const header = new TextEncoder().encode(JSON.stringify({
    version: 2, image_id: "é", radiograph: { width: 2, height: 1, jpeg: address }, colours: [],
    expert_outlines: { counts: [], points: { offset: 4, length: 0, hash: "none" } }, panels: [], agreements: [], ...changes,
  }));
  const bytes = new Uint8Array(4 + header.length + 4);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 4);
  return bytes;
}

test("a block that is none says why", async () => {
  await assert.rejects(readScene(null, new Map()), /no data arrived/);
  await assert.rejects(readScene(new Uint8Array(3), new Map()), /no data arrived/);
  await assert.rejects(readScene(block({ version: 3 }), new Map()), /unknown version 3/);
});

test("a block may begin anywhere in its buffer", async () => {
  const moved = new Uint8Array([7, 7, 7, ...block()]).subarray(3);
  assert.equal((await readScene(moved, new Map())).id, "é");
});

test("the same radiograph is decoded once, and what no scene uses is forgotten", async () => {
  decodings = 0;
  const first = await readScene(block(), new Map([["old/hash", 1]]));
  const second = await readScene(block(), first.decoded);
  assert.equal(decodings, 1);
  assert.equal(second.radiograph, first.radiograph);
  assert.deepEqual([...second.decoded.keys()], ["radiograph/same", "outlines:/none"]);
});

test("the same patient without the finding is decoded with the scene, and is not there where it is not known", async () => {
  assert.equal((await readScene(block(), new Map())).without ?? null, null);
  const [address, none] = [{ offset: 0, length: 4, hash: "other" }, { offset: 4, length: 0, hash: "none" }];
  const without = { jpeg: address, changed: { counts: [], points: none }, caption: "Without Edema" };
  const scene = await readScene(block({ without }), new Map());
  assert.equal(scene.without.caption, "Without Edema");
  assert.equal(scene.without.radiograph[0].grey[1], 200);
});

test("a radiograph is kept at half and quarter size, each pixel the mean of four", async () => {
  // 1280 × 2, so that 640 and 320 remain; columns 0 10 20 30, each twice as high in the second row
  const row = Array.from({ length: 1280 }, (_, x) => 10 * (x % 4));
  withCanvas(() => ({ width: 1280, height: 4, grey: [...row, ...row.map((value) => 2 * value), ...row, ...row] }));
  const levels = await decodeRadiograph(new Uint8Array());
  assert.deepEqual(levels.map(({ width, height }) => [width, height]), [[320, 1], [640, 2], [1280, 4]]);
  // (0 + 10 + 0 + 20) / 4 = 7.5, (20 + 30 + 40 + 60) / 4 = 37.5; below 5 and 25
  assert.deepEqual([...levels[1].grey.slice(0, 2), ...levels[1].grey.slice(640, 642)], [8, 38, 5, 25]);
  assert.equal(levels[0].grey[0], 19);
});

test("a stroke leaves out points nearer than its step, stays on the radiograph, and needs three", () => {
  const stroke = new Stroke("Edema");
  const size = { width: 100, height: 50 };
  for (const [x, y] of [[10, 10], [10.5, 10.5], [-5, 10], [120, 70]]) stroke.add({ x, y }, size, 2);
  assert.deepEqual(stroke.close(), [10, 10, 0, 10, 99, 49]);
  const line = new Stroke("Edema");
  for (const [x, y] of [[10, 10], [20, 20]]) line.add({ x, y }, size, 2);
  assert.equal(line.close(), null);
  assert.deepEqual(stroke.path.rings, [[[10, 10], [0, 10], [99, 49]]]);
});
