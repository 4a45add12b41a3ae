// ---------------------------------------------------------------- boxes.js
// The IoU of bounding boxes at a threshold that a hand moves, as shamsul_core/localisation/boxes.py and scoring.py define
// it. A box is [x0, y0, x1, y1] in pixels of the radiograph, edges, so that pixel 0 reaches from 0 to 1.

// Boxes around the regions of `map >= least`; regions that touch at a corner are one. The map's values count in the middle
// of their cell and run linearly between, and a box holds the pixels whose middle lies within.
export function boxesAround(map, least, size) {
  const seen = new Uint8Array(map.values.length);
  const boxes = [];
  for (let start = 0; start < seen.length; start++) {
    if (!seen[start] && map.values[start] >= least) boxes.push(inPixels(boxAround(start, map, least, size, seen), map, size));
  }
  return boxes.filter(([x0, y0, x1, y1]) => x0 < x1 && y0 < y1);
}

// The box around one region, in cells of the map; marks its cells as seen.
function boxAround(start, map, least, size, seen) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  const waiting = [start];
  seen[start] = 1;
  const join = (cell) => {
    if (!seen[cell]) waiting.push(cell);
    seen[cell] = 1;
  };
  while (waiting.length) {
    const cell = waiting.pop();
    growBy(box, cell, map, least, join);
    joinCorners(cell, map, least, size, join);
  }
  return box;
}

// Lets the box reach to where the map falls below the threshold on the way to the next cell on each side, and joins those
// that lie above it.
function growBy(box, cell, { values, width, height }, least, join) {
  const [x, y] = [cell % width, Math.floor(cell / width)];
  const reach = (isBorder, next) => {
    if (isBorder) return 0.5;
    if (values[next] < least) return (values[cell] - least) / (values[cell] - values[next]);
    join(next);
    return 0;
  };
  box[0] = Math.min(box[0], x + 0.5 - reach(x === 0, cell - 1));
  box[1] = Math.min(box[1], y + 0.5 - reach(y === 0, cell - width));
  box[2] = Math.max(box[2], x + 0.5 + reach(x === width - 1, cell + 1));
  box[3] = Math.max(box[3], y + 0.5 + reach(y === height - 1, cell + width));
}

// Where a cell is a pixel, touching at a corner is enough; else the map must not fall below the threshold in between.
function joinCorners(cell, { values, width, height }, least, size, join) {
  const [x, y] = [cell % width, Math.floor(cell / width)];
  const isToThePixel = size.width === width && size.height === height;
  for (const [toX, toY] of [[x - 1, y - 1], [x + 1, y - 1], [x - 1, y + 1], [x + 1, y + 1]]) {
    if (toX < 0 || toY < 0 || toX >= width || toY >= height) continue;
    const corner = toY * width + toX;
    const middle = (values[cell] + values[corner] + values[y * width + toX] + values[toY * width + x]) / 4;
    if (values[corner] >= least && (isToThePixel || middle >= least)) join(corner);
  }
}

function inPixels([x0, y0, x1, y1], { width, height }, size) {
  const [wide, high] = [size.width / width, size.height / height];
  const first = (edge) => Math.ceil(edge - 0.5) + 0; // without the sign of −0
  const end = (edge) => Math.floor(edge - 0.5) + 1;
  return [first(x0 * wide), first(y0 * high), end(x1 * wide), end(y1 * high)];
}

export function iouOfBoxes(one, other) {
  const across = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const down = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  const both = Math.max(0, across) * Math.max(0, down);
  const areaOf = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);
  return both / (areaOf(one) + areaOf(other) - both);
}

// Of each box that a reader marked with the nearest of those detected, averaged over the boxes and then over the readers;
// NaN where either side has none.
export function boxIou(detected, readers) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  if (!detected.length || !readers.length) return NaN;
  return mean(readers.map((marked) => mean(marked.map((box) => Math.max(...detected.map((one) => iouOfBoxes(one, box)))))));
}

// At a level of the map, kept until another is asked for.
export function boxIouAt(levels, level, { size, boxes }) {
  if (levels.boxes?.level !== level) {
    levels.boxes = { level, iou: boxIou(boxesAround(levels, 257 * (level + 1), size), boxes) };
  }
  return levels.boxes.iou;
}
