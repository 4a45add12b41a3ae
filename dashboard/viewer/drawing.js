// ---------------------------------------------------------------- drawing.js
// A contour drawn by hand: one stroke from press to release, closed by itself. The server keeps the contours and answers
// with the scene that holds them; until then the stroke stays where it was drawn.

import { within } from "./view.js";

export const STEP_PX = 1.5; // CSS pixels between two points of a stroke
const LEAST_POINTS = 3;

export class Stroke {
  constructor(pathology) {
    this.pathology = pathology;
    this.points = []; // x, y, x, y, ... in pixels of the radiograph
    this.path = new Path2D();
  }

  add({ x, y }, { width, height }, least) {
    const point = [within(x, 0, width - 1), within(y, 0, height - 1)];
    const [lastX, lastY] = this.points.slice(-2);
    if (this.points.length && Math.hypot(point[0] - lastX, point[1] - lastY) < least) return;
    if (this.points.length) this.path.lineTo(...point);
    else this.path.moveTo(...point);
    this.points.push(...point);
  }

  // Returns the contour as it is sent, or null where nothing was enclosed.
  close() {
    this.path.closePath();
    return this.points.length < 2 * LEAST_POINTS ? null : this.points.map((value) => Math.round(10 * value) / 10);
  }
}
