// ---------------------------------------------------------------- readings.js
// What stands under a picture, in words.

import { RUN } from "./choices.js";

export const thresholdText = (level) => (level / 255).toFixed(2);

// ---- At the reader's threshold.

export function readingAt(panel, scene, choices) {
  const { levels } = panel;
  if (!levels) return null;
  if (choices.threshold === RUN) {
    return levels.level === null ? null : { threshold: `${scene.thresholdRule} ${thresholdText(levels.level)}` };
  }
  const iou = levels.iou?.[choices.level];
  return {
    threshold: `fixed ${thresholdText(choices.level)}`,
    iou: Number.isFinite(iou) ? iou.toFixed(2) : "–",
    area: percentText(levels.area[choices.level]),
  };
}

// As figures/scene/score_grid.py writes a share.
export const percentText = (share) => `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;

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
  return `IoU (0 to ${scene.highestIou.toFixed(1)}) against threshold (0 to 1).${run} Best ${ious[best].toFixed(2)} at ${thresholdText(best)}.`;
}
