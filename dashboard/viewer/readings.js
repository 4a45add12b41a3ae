// ---------------------------------------------------------------- readings.js
// What stands under a picture, in words.

import { boxIouAt } from "./boxes.js";
import { RUN } from "./choices.js";

// As Python writes a number, so that screen and files say the same: where two are as near, it takes the even one, toFixed
// the larger. What lies exactly between two is an odd multiple of 1/2 of the last place: in binary, of 2^-(places + 1).
export function decimalText(value, places) {
  const text = value.toFixed(places);
  const isBetween = Math.abs(value * 2 ** (places + 1)) % 2 === 1;
  return isBetween && text.at(-1) % 2 === 1 ? (value * (1 - Number.EPSILON)).toFixed(places) : text;
}

export const thresholdText = (level) => decimalText(level / 255, 2);

// ---- At the reader's threshold.

export function readingAt(panel, scene, choices) {
  const { levels } = panel;
  if (!levels) return null;
  if (choices.threshold === RUN) {
    return levels.level === null ? null : { threshold: `${scene.thresholdRule} ${thresholdText(levels.level)}` };
  }
  const iou = scene.boxes?.length ? boxIouAt(levels, choices.level, scene) : levels.iou?.[choices.level];
  return {
    threshold: `fixed ${thresholdText(choices.level)}`,
    iou: Number.isFinite(iou) ? decimalText(iou, 2) : "–",
    area: percentText(levels.area[choices.level]),
  };
}

// As figures/scene/score_grid.py writes a share.
export const percentText = (share) => `${decimalText(100 * share, share > 0 && share < 0.0995 ? 1 : 0)} %`;

export function highestIou(scene) {
  const all = scene.panels.flatMap(({ levels }) => [...(levels?.iou ?? [])]).filter(Number.isFinite);
  return Math.max(0.1, Math.ceil(10 * Math.max(0, ...all)) / 10);
}

export const hasCurve = ({ levels }) => Boolean(levels?.iou?.some(Number.isFinite));

export function curveInWords(panel, scene) {
  const ious = panel.levels?.iou;
  if (!ious?.some(Number.isFinite)) return "";
  const best = ious.reduce((at, iou, level) => (Number.isFinite(iou) && !(iou <= ious[at]) ? level : at), 0);
  const run = panel.levels.level === null ? "" : ` ○ ${scene.thresholdRule} ${thresholdText(panel.levels.level)}.`;
  return `IoU (0 to ${decimalText(scene.highestIou, 1)}) against threshold (0 to 1).${run} Best ${decimalText(ious[best], 2)} at ${thresholdText(best)}.`;
}
