import assert from "node:assert/strict";
import test from "node:test";

import { FIXED, RUN } from "../../dashboard/viewer/choices.js";
import { agreementOf, shadeOf } from "../../dashboard/viewer/findings.js";
import { curveInWords, decimalText, hasCurve, highestIou, percentText, readingAt, thresholdText } from "../../dashboard/viewer/readings.js";

const SCENE = { thresholdRule: "Otsu", highestIou: 0.5 };
const LEVELS = { iou: Float32Array.of(0.125, 0.4375, 0.25, NaN), area: Float32Array.of(1, 0.5, 0.03125, 0), level: 102 };
const at = (level) => ({ threshold: FIXED, level });

test("at a fixed threshold the figures are those of its level", () => {
  assert.deepEqual(readingAt({ levels: LEVELS }, SCENE, at(1)), { threshold: "fixed 0.00", iou: "0.44", area: "50 %" });
  assert.deepEqual(readingAt({ levels: LEVELS }, SCENE, at(3)), { threshold: "fixed 0.01", iou: "–", area: "0 %" });
  assert.equal(readingAt({ levels: { ...LEVELS, iou: null } }, SCENE, at(1)).iou, "–", "no contour");
});

test("at the run's own threshold only that is new", () => {
  assert.deepEqual(readingAt({ levels: LEVELS }, SCENE, { threshold: RUN }), { threshold: "Otsu 0.40" });
  assert.equal(readingAt({ levels: { ...LEVELS, level: null } }, SCENE, { threshold: RUN }), null);
  assert.equal(readingAt({ levels: null }, SCENE, at(1)), null, "nothing to threshold");
});

test("the curve's best threshold is the lowest that has its highest IoU", () => {
  assert.equal(curveInWords({ levels: LEVELS }, SCENE),
    "IoU (0 to 0.5) against threshold (0 to 1). ○ Otsu 0.40. Best 0.44 at 0.00.");
  const ties = { ...LEVELS, iou: Float32Array.of(NaN, 0.25, 0.25), level: null };
  assert.match(curveInWords({ levels: ties }, SCENE), /\. Best 0\.25 at 0\.00\.$/);
  const none = { levels: { ...LEVELS, iou: Float32Array.of(NaN, NaN) } };
  assert.equal(curveInWords(none, SCENE), "");
  assert.equal(hasCurve(none), false);
});

test("the curves' axis ends at the tenth above the highest IoU", () => {
  assert.equal(highestIou({ panels: [{ levels: null }, { levels: LEVELS }] }), 0.5);
  assert.equal(highestIou({ panels: [{ levels: { iou: null } }] }), 0.1);
});

test("a share below a tenth has one decimal", () => {
  assert.deepEqual([0, 0.0123, 0.0994, 0.0995, 0.456, 1].map(percentText), ["0 %", "1.2 %", "9.9 %", "10 %", "46 %", "100 %"]);
});

test("of two numbers that are as near the even one is written", () => {
  assert.deepEqual([0.125, 0.375, 0.625, 0.875, -0.125].map((value) => decimalText(value, 2)), ["0.12", "0.38", "0.62", "0.88", "-0.12"]);
  assert.deepEqual([0.5, 1.5, 2.5].map((value) => decimalText(value, 0)), ["0", "2", "2"]);
  assert.deepEqual([0.145, 0.155, 1.005].map((value) => decimalText(value, 2)), ["0.14", "0.15", "1.00"], "none lies between two");
  assert.deepEqual([0.125, 0.135].map(percentText), ["12 %", "14 %"]);
});

test("a level is told as a share of the map", () => {
  assert.deepEqual([0, 127, 128, 254].map(thresholdText), ["0.00", "0.50", "0.50", "1.00"]);
});

test("agreement is the run's or the level's", () => {
  const pair = { iou: 0.75, levels: Float32Array.of(0.5, 0.25) };
  assert.equal(agreementOf(pair, { threshold: RUN }), 0.75);
  assert.equal(agreementOf(pair, at(1)), 0.25);
  assert.ok(Number.isNaN(agreementOf({ ...pair, iou: null }, { threshold: RUN })));
});

test("the higher the IoU, the brighter its cell, up to the colour on which white is readable", () => {
  assert.equal(shadeOf(0), "background-color: rgb(6,15,19)");
  assert.equal(shadeOf(1), "background-color: rgb(47,124,158)");
});
