// Reads a scene as the viewer does, at a few thresholds: what tests/scripts/test_scene.py compares with Python's.

import { FIXED } from "../../dashboard/viewer/choices.js";
import { contourAt } from "../../dashboard/viewer/contour.js";
import { agreementOf } from "../../dashboard/viewer/findings.js";
import { colouredHeat } from "../../dashboard/viewer/heat.js";
import { readingAt } from "../../dashboard/viewer/readings.js";
import { readScene } from "../../dashboard/viewer/scene.js";
import { withCanvas } from "./canvas.js";

const base64 = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");

/**
 * @param given { block, jpeg, picture: { width, height, grey }, levels }, bytes in base64; `picture` is what `jpeg` holds
 */
export async function read({ block, jpeg, picture, levels }) {
  withCanvas((bytes) => {
    if (base64(bytes) !== jpeg) throw new Error("another radiograph");
    return { ...picture, grey: [...Buffer.from(picture.grey, "base64")] };
  });
  const scene = await readScene(new Uint8Array(Buffer.from(block, "base64")), new Map());
  const at = (level) => ({ threshold: FIXED, level });
  return {
    size: scene.size,
    radiograph: scene.radiograph.map(({ width, height, grey }) => ({ width, height, grey: base64(grey) })),
    expert: scene.expert.rings,
    panels: Object.fromEntries(scene.panels.map((panel) => [panel.key, {
      relevance: panel.heat && base64(panel.heat.levels),
      coloured: panel.heat && scene.colours.map((colours) => base64(colouredHeat(panel.heat, colours).data)),
      outlines: panel.mask?.rings ?? [],
      masks: panel.levels && levels.map((level) => contourAt(panel.levels, level, scene.size).path.rings),
      readings: levels.map((level) => readingAt(panel, scene, at(level))),
    }])),
    agreements: scene.agreements.map((pair) => ({ ...pair, levels: levels.map((level) => agreementOf(pair, at(level))) })),
  };
}
