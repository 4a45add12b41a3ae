// ---------------------------------------------------------------- curve.js
// IoU against threshold, over each picture.

import { FIXED } from "./choices.js";
import { hasCurve } from "./readings.js";

const CURVE_PX = { width: 124, height: 26 }; // as in viewer.css; asking the page would lay it out anew each frame

export function drawCurve(canvas, panel, scene, choices, ratio) {
  const { levels } = panel;
  if (!hasCurve(panel)) return;
  const [width, height] = [CURVE_PX.width * ratio, CURVE_PX.height * ratio];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const edge = 4 * ratio;
  const top = scene.highestIou;
  const xOf = (level) => edge + (level / 255) * (width - 2 * edge);
  const yOf = (iou) => height - edge - (iou / top) * (height - 2 * edge);
  context.clearRect(0, 0, width, height);
  context.fillStyle = "#2a2f34";
  context.fillRect(edge, height - edge, width - 2 * edge, ratio);
  context.strokeStyle = "#d7dce0";
  context.lineWidth = 1.5 * ratio;
  context.beginPath();
  levels.iou.forEach((iou, level) => Number.isFinite(iou) && context.lineTo(xOf(level), yOf(iou)));
  context.stroke();
  if (levels.level !== null && Number.isFinite(levels.iou[Math.round(levels.level)])) {
    context.strokeStyle = "#fff3c4";
    context.beginPath();
    context.arc(xOf(levels.level), yOf(levels.iou[Math.round(levels.level)]), 3 * ratio, 0, 2 * Math.PI);
    context.stroke();
  }
  if (choices.threshold === FIXED) {
    context.fillStyle = "#6cc4e8";
    context.fillRect(xOf(choices.level) - ratio / 2, 0, ratio, height);
  }
}
