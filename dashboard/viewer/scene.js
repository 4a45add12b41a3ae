// ---------------------------------------------------------------- scene.js
// Reads the block of bytes that shamsul_core/figures/scene/overlay.py writes. Decoded parts are kept by the hash of their
// bytes: what is the same in the next scene, above all the radiograph, is not decoded again.

const SCENE_VERSION = 2;

async function readScene(block, decoded) {
  if (!(block instanceof Uint8Array) || block.length < 4) throw new Error("no data arrived");
  const start = 4 + new DataView(block.buffer, block.byteOffset, 4).getUint32(0, true);
  const scene = JSON.parse(new TextDecoder().decode(block.subarray(4, start)));
  if (scene.version !== SCENE_VERSION) throw new Error(`unknown version ${scene.version}`);

  const used = new Map();
  // A copy, so that typed arrays are aligned and the message's own buffer can be freed.
  const bytesOf = ({ offset, length }) => block.slice(start + offset, start + offset + length);
  const decodeOnce = (kind, address, decode) => {
    const name = `${kind}/${address.hash}`;
    const value = used.get(name) ?? decoded.get(name) ?? decode(bytesOf(address));
    used.set(name, value);
    return value;
  };
  const outlinesOf = ({ counts, points }) =>
    decodeOnce(`outlines:${counts.join()}`, points, (bytes) => outlinePath(new Float32Array(bytes.buffer), counts));

  const figuresOf = (address) => address && decodeOnce("figures", address, (bytes) => new Float32Array(bytes.buffer));
  const levelsOf = (levels) => levels && {
    ...decodeOnce(`levels:${levels.width}`, levels.map, (bytes) =>
      ({ values: new Uint16Array(bytes.buffer), width: levels.width, height: levels.height })),
    iou: figuresOf(levels.iou), area: figuresOf(levels.area), level: levels.level,
  };
  const radiograph = await decodeOnce("radiograph", scene.radiograph.jpeg, decodeRadiograph);
  const panels = scene.panels.map((panel) => ({
    ...panel,
    heat: panel.map && decodeOnce(`map:${panel.map.width}:${panel.map.is_piecewise}`, panel.map.levels, (bytes) =>
      heatOf(new Int8Array(bytes.buffer), panel.map)),
    mask: outlinesOf(panel.outlines),
    levels: levelsOf(panel.levels),
    uncertainRegions: outlinesOf(panel.uncertain),
  }));
  return {
    id: scene.image_id,
    pathology: scene.pathology,
    banner: scene.banner,
    sideMarkers: scene.side_markers,
    size: { width: scene.radiograph.width, height: scene.radiograph.height },
    radiographHash: scene.radiograph.jpeg.hash,
    radiograph,
    facts: scene.facts,
    colours: scene.colours.map((one) => ({ ...one, table: decodeOnce("colours", one.table, (bytes) => bytes) })),
    expert: outlinesOf(scene.expert_outlines),
    predictionRule: scene.prediction_rule,
    thresholdRule: scene.threshold_rule,
    isAboveForm: scene.is_above_form,
    canDraw: scene.can_draw,
    panels,
    grid: scene.grid,
    agreements: scene.agreements.map((pair) => ({ ...pair, levels: figuresOf(pair.levels) })),
    decoded: used,
  };
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

// ---- Heatmaps: coloured once for each choice of colours; the reader's opacity is applied when drawing.

function heatOf(levels, { width, height, is_piecewise }) {
  const canvas = new OffscreenCanvas(width, height);
  return { canvas, levels, width, height, isSmooth: !is_piecewise, colours: null };
}

function colouredHeat(heat, { key, table }) {
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

// ---- The radiograph: grey levels at full, half, quarter ... size. Drawing from the size just above the screen's
// avoids both the shimmer of skipped pixels and the cost of windowing pixels that nobody sees.

const SMALLEST_LEVEL_PX = 320;

async function decodeRadiograph(jpeg) {
  const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) grey[i] = rgba[4 * i];
  const levels = [{ width, height, grey }];
  while (Math.max(levels[0].width, levels[0].height) >= 2 * SMALLEST_LEVEL_PX) levels.unshift(halved(levels[0]));
  return levels; // the smallest first
}

function halved({ width, height, grey }) {
  const half = { width: width >> 1, height: height >> 1 };
  half.grey = new Uint8Array(half.width * half.height);
  for (let y = 0, to = 0; y < half.height; y++) {
    for (let x = 0, from = 2 * y * width; x < half.width; x++, to++, from += 2) {
      half.grey[to] = (grey[from] + grey[from + 1] + grey[from + width] + grey[from + width + 1] + 2) >> 2;
    }
  }
  return half;
}
