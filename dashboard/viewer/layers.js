// ---------------------------------------------------------------- layers.js
// Draws. Everything here runs once a frame at most, and only when something changed.

import { RUN } from "./choices.js";
import { contourAt } from "./contour.js";
import { chosenColours, colouredHeat } from "./heat.js";
import { shadesOf } from "./windowing.js";

export const EXPERT_LINE = { colour: "#3df5a6", width: 1.8, dash: [] };
const READER_COLOURS = ["#3df5a6", "#7fd4ff", "#ff9de2", "#c9a6ff"];
const READER_NAME_PX = 12;
const MASK_LINE = { colour: "#fff3c4", width: 1.6, dash: [6, 4] };
const SPECKLE_LINE = { colour: "#fff3c4", width: 0.8, dash: [2, 1] };
const CHANGED_LINE = { colour: "#ff9de2", width: 1.4, dash: [1.5, 3] };
const SPECKLED = 60; // a mask of more pieces than this would vanish under its own lines
const HALO = "rgba(0, 0, 0, 0.65)"; // keeps a bright line visible on bright bone
const MOVING_LEVEL_PX = 1024; // while the window is being dragged, larger levels wait

// ---- The radiograph with window and level, drawn once a frame and copied to every panel.

export class Backdrop {
  constructor() {
    this.canvas = new OffscreenCanvas(1, 1);
    this.context = this.canvas.getContext("2d", { alpha: false });
  }

  // `levels` are the radiograph's, or those of the same patient without the finding
  draw(scene, levels, transform, width, height, window_, isMoving) {
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const level = levelFor(levels, scene.size, transform.scale, isMoving);
    this.#applyWindow(level, window_);
    const { context } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    context.setTransform(transform.scale, 0, 0, transform.scale, transform.x, transform.y);
    context.drawImage(level.canvas, 0, 0, scene.size.width, scene.size.height);
  }

  #applyWindow(level, window_) {
    const stamp = `${window_.width} ${window_.centre} ${window_.isInverted}`;
    if (level.stamp === stamp) return;
    const shades = shadesOf(window_);
    if (!level.canvas) {
      level.canvas = new OffscreenCanvas(level.width, level.height);
      level.context = level.canvas.getContext("2d", { alpha: false });
      level.image = level.context.createImageData(level.width, level.height);
    }
    const out = new Uint32Array(level.image.data.buffer);
    for (let i = 0; i < out.length; i++) out[i] = shades[level.grey[i]];
    level.context.putImageData(level.image, 0, 0);
    level.stamp = stamp;
  }
}

function levelFor(levels, size, scale, isMoving) {
  const needed = scale * size.width;
  const fine = levels.findIndex((level) => level.width >= needed);
  let index = fine === -1 ? levels.length - 1 : fine;
  while (isMoving && index > 0 && levels[index].width > MOVING_LEVEL_PX) index--;
  return levels[index];
}

// ---- One panel: backdrop, heatmap, hatching, outlines.

export function drawPanel(context, panel, scene, backdrop, transform, choices, ratio) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalAlpha = 1;
  context.drawImage(backdrop, 0, 0);
  const pixel = ratio / transform.scale; // one CSS pixel in pixels of the radiograph
  if (panel.is_failed && !choices.without) {
    context.fillStyle = "rgba(0, 0, 0, 0.66)";
    context.fillRect(0, 0, backdrop.width, backdrop.height);
  }
  context.setTransform(transform.scale, 0, 0, transform.scale, transform.x, transform.y);
  // Without the finding there is nothing to explain: the maps are of the radiograph with it
  if (!choices.without) drawMethod(context, panel, scene, choices, ratio, pixel);
  else if (choices.without.changed) strokeOutline(context, choices.without.changed, CHANGED_LINE, pixel);
  if (scene.expert && choices.expert) drawExperts(context, scene, choices, pixel);
}

function drawMethod(context, panel, scene, choices, ratio, pixel) {
  if (panel.heat && choices.heatmap) {
    context.globalAlpha = choices.opacity;
    context.imageSmoothingEnabled = panel.heat.isSmooth;
    context.drawImage(colouredHeat(panel.heat, chosenColours(scene, choices)), 0, 0, scene.size.width, scene.size.height);
    context.globalAlpha = 1;
    if (panel.uncertainRegions) hatch(context, panel.uncertainRegions, ratio);
  }
  if (choices.mask) {
    const { path, count } = maskOf(panel, choices, scene.size);
    if (path) strokeOutline(context, path, count > SPECKLED ? SPECKLE_LINE : MASK_LINE, pixel);
  }
}

function drawExperts(context, scene, choices, pixel) {
  const line = { ...EXPERT_LINE, join: scene.truth.is_box ? "miter" : "round" };
  if (!choices.readers || scene.readers.length < 2) {
    strokeOutline(context, scene.expert, line, pixel);
    return;
  }
  const readers = scene.readers.filter(({ path }) => path).map((reader, place) =>
    ({ ...reader, colour: READER_COLOURS[place % READER_COLOURS.length], name: reader.reader || `Reader ${place + 1}` }));
  for (const { path, colour } of readers) strokeOutline(context, path, { ...line, colour }, pixel);
  writeNames(context, readers, pixel);
}

// Side by side above the highest outline, inside the picture: what readers marked often lies close together.
function writeNames(context, readers, pixel) {
  const height = READER_NAME_PX * pixel;
  let x = Math.min(...readers.map(({ at }) => at.x));
  const y = Math.max(Math.min(...readers.map(({ at }) => at.y)) - 3 * pixel, height);
  context.font = `${height}px sans-serif`;
  context.textBaseline = "bottom";
  context.setLineDash([]);
  context.lineWidth = 3 * pixel;
  context.strokeStyle = HALO;
  for (const { name, colour } of readers) {
    context.fillStyle = colour;
    context.strokeText(name, x, y);
    context.fillText(name, x, y);
    x += context.measureText(name).width + height / 2;
  }
}

function maskOf(panel, choices, size) {
  if (choices.threshold === RUN) return { path: panel.mask, count: panel.outlines.counts.length };
  return panel.levels ? contourAt(panel.levels, choices.level, size) : {};
}

export function strokeOutline(context, path, { colour, width, dash, join = "round" }, pixel) {
  context.lineJoin = join;
  if (width > 1) {
    context.setLineDash([]);
    context.strokeStyle = HALO;
    context.lineWidth = (width + 2) * pixel;
    context.stroke(path);
  }
  context.setLineDash(dash.map((length) => length * pixel));
  context.strokeStyle = colour;
  context.lineWidth = width * pixel;
  context.stroke(path);
}

const HATCH_STEP_PX = 8;

function hatch(context, path, ratio) {
  const step = Math.round(HATCH_STEP_PX * ratio);
  const tile = new OffscreenCanvas(step, step);
  const pen = tile.getContext("2d");
  for (const [colour, width] of [["rgba(0, 0, 0, 0.4)", 3 * ratio], ["rgba(255, 255, 255, 0.55)", ratio]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    for (const shift of [-step, 0, step]) {
      pen.beginPath();
      pen.moveTo(shift, step);
      pen.lineTo(shift + step, 0);
      pen.stroke();
    }
  }
  const pattern = context.createPattern(tile, "repeat");
  pattern.setTransform(context.getTransform().inverse()); // the lines keep their distance at any zoom
  context.fillStyle = pattern;
  context.fill(path, "evenodd");
}
