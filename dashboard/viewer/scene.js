// ---------------------------------------------------------------- scene.js
// Reads the block of bytes that shamsul_core/figures/scene/overlay.py writes. Decoded parts are kept by the hash of their
// bytes: what is the same in the next scene, above all the radiograph, is not decoded again.

import { heatOf } from "./heat.js";
import { decodeRadiograph } from "./radiograph.js";

const SCENE_VERSION = 2;

/**
 * @param {Uint8Array} block
 * @param {Map} decoded the former scene's parts, an empty map at first
 */
export async function readScene(block, decoded) {
  const { header, bytesOf } = readBlock(block);
  const parts = new Parts(bytesOf, decoded);
  return {
    id: header.image_id,
    pathology: header.pathology,
    banner: header.banner,
    sideMarkers: header.side_markers,
    size: { width: header.radiograph.width, height: header.radiograph.height },
    radiographHash: header.radiograph.jpeg.hash,
    radiograph: await parts.once("radiograph", header.radiograph.jpeg, decodeRadiograph),
    facts: header.facts,
    colours: header.colours.map((one) => ({ ...one, table: parts.once("colours", one.table, (bytes) => bytes) })),
    expert: parts.outlines(header.expert_outlines),
    readers: (header.readers ?? []).map(({ reader, outlines }) => ({ reader, path: parts.outlines(outlines), at: parts.corner(outlines) })),
    boxes: header.boxes ?? [], // of each reader who drew any, [x0, y0, x1, y1] in pixels
    phrase: header.phrase ?? "",
    truth: header.truth,
    predictionRule: header.prediction_rule,
    thresholdRule: header.threshold_rule,
    isAboveForm: header.is_above_form,
    canDraw: header.can_draw,
    panels: header.panels.map((panel) => ({
      ...panel,
      heat: parts.heat(panel.map),
      mask: parts.outlines(panel.outlines),
      levels: parts.levels(panel.levels),
      uncertainRegions: parts.outlines(panel.uncertain),
    })),
    grid: header.grid,
    without: await parts.without(header.without),
    agreements: header.agreements.map((pair) => ({ ...pair, levels: parts.figures(pair.levels) })),
    decoded: parts.used,
  };
}

function readBlock(block) {
  if (!(block instanceof Uint8Array) || block.length < 4) throw new Error("no data arrived");
  const start = 4 + new DataView(block.buffer, block.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(block.subarray(4, start)));
  if (header.version !== SCENE_VERSION) throw new Error(`unknown version ${header.version}`);
  // A copy, so that typed arrays are aligned and the message's own buffer can be freed.
  return { header, bytesOf: ({ offset, length }) => block.slice(start + offset, start + offset + length) };
}

class Parts {
  constructor(bytesOf, decoded) {
    Object.assign(this, { bytesOf, decoded, used: new Map() });
  }

  once(kind, address, decode) {
    const name = `${kind}/${address.hash}`;
    const value = this.used.get(name) ?? this.decoded.get(name) ?? decode(this.bytesOf(address));
    this.used.set(name, value);
    return value;
  }

  outlines({ counts, points }) {
    return this.once(`outlines:${counts.join()}`, points, (bytes) => outlinePath(new Float32Array(bytes.buffer), counts));
  }

  // The highest point of outlines, the leftmost of these: where a reader's name stands.
  corner({ counts, points }) {
    const values = new Float32Array(this.bytesOf(points).buffer);
    const corners = counts.length ? Array.from({ length: values.length / 2 }, (_, i) => ({ x: values[2 * i] + 0.5, y: values[2 * i + 1] + 0.5 })) : [];
    return corners.reduce((best, point) => (!best || point.y < best.y || (point.y === best.y && point.x < best.x) ? point : best), null);
  }

  // The same patient without the finding, which the browser decodes with the rest: a flick must not wait.
  async without(without) {
    return without && {
      radiograph: await this.once("radiograph", without.jpeg, decodeRadiograph), changed: this.outlines(without.changed), caption: without.caption,
    };
  }

  figures(address) {
    return address && this.once("figures", address, (bytes) => new Float32Array(bytes.buffer));
  }

  heat(map) {
    return map && this.once(`map:${map.width}:${map.is_piecewise}`, map.levels, (bytes) => heatOf(new Int8Array(bytes.buffer), map));
  }

  levels(levels) {
    return levels && {
      ...this.once(`levels:${levels.width}`, levels.map, (bytes) =>
        ({ values: new Uint16Array(bytes.buffer), width: levels.width, height: levels.height })),
      iou: this.figures(levels.iou), area: this.figures(levels.area), level: levels.level,
    };
  }
}

// ---- Outlines: one path in pixels of the full radiograph; a pixel's centre is half a pixel from its corner.

function outlinePath(points, counts) {
  if (counts.length === 0) return null;
  const path = new Path2D();
  let at = 0;
  for (const count of counts) {
    path.moveTo(points[at] + 0.5, points[at + 1] + 0.5);
    for (let i = 1; i < count; i++) path.lineTo(points[at + 2 * i] + 0.5, points[at + 2 * i + 1] + 0.5);
    path.closePath();
    at += 2 * count;
  }
  return path;
}
