// ---------------------------------------------------------------- heat.js
// Heatmaps: coloured once for each choice of colours; the reader's opacity is applied when drawing.

import { decimalText } from "./readings.js";

export function heatOf(levels, { width, height, is_piecewise }) {
  const canvas = new OffscreenCanvas(width, height);
  return { canvas, levels, width, height, isSmooth: !is_piecewise, colours: null };
}

export function colouredHeat(heat, { key, table }) {
  if (heat.colours !== key) {
    const colours = new Uint32Array(table.buffer);
    const context = heat.canvas.getContext("2d");
    const image = context.createImageData(heat.width, heat.height);
    const out = new Uint32Array(image.data.buffer);
    for (let i = 0; i < heat.levels.length; i++) out[i] = colours[heat.levels[i] + 127];
    context.putImageData(image, 0, 0);
    heat.colours = key;
  }
  return heat.canvas;
}

export const chosenColours = (scene, choices) => scene.colours.find(({ key }) => key === choices.colours) ?? scene.colours[0];

// In words, at a point of the radiograph.
export function relevanceAt(heat, point, size) {
  const column = Math.floor((point.x / size.width) * heat.width);
  const row = Math.floor((point.y / size.height) * heat.height);
  if (column < 0 || row < 0 || column >= heat.width || row >= heat.height) return "";
  const share = heat.levels[row * heat.width + column] / 127;
  if (share === 0) return "relevance 0";
  const sign = share < 0 ? "−" : "+";
  return `${sign}${decimalText(Math.abs(share), 2)} of max, ${share < 0 ? "against" : "for"}`;
}
