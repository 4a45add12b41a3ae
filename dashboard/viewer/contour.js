// ---------------------------------------------------------------- contour.js
// The outline of `map >= least` by marching squares, for a threshold that a hand moves. Values count in the middle of
// their cell and run linearly between; the border of the map closes what reaches it.

const [TOP, RIGHT, BOTTOM, LEFT] = [0, 1, 2, 3];
// Which sides of a square of four values a line leaves and enters, the inside on its left; by which corners are inside:
// 1 top left, 2 top right, 4 bottom right, 8 bottom left. Of 5 and 10 the second half holds where the middle is inside.
const LINES = [
  [], [LEFT, TOP], [TOP, RIGHT], [LEFT, RIGHT], [RIGHT, BOTTOM], [LEFT, TOP, RIGHT, BOTTOM, RIGHT, TOP, LEFT, BOTTOM],
  [TOP, BOTTOM], [LEFT, BOTTOM], [BOTTOM, LEFT], [BOTTOM, TOP], [TOP, RIGHT, BOTTOM, LEFT, TOP, LEFT, BOTTOM, RIGHT],
  [BOTTOM, RIGHT], [RIGHT, LEFT], [RIGHT, TOP], [TOP, LEFT], [],
];

// Returns the rings as flat arrays x, y, x, y, ... in cells of the map, 0..width and 0..height.
export function contourRings({ values, width, height }, least) {
  const grid = {
    width, height, least, across: width + 2, // nodes of a row, with one outside on either side
    valueAt: (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? -1 : values[y * width + x]),
  };
  return joinedLines(linesThrough(grid), (edge) => pointOn(edge, grid));
}

// Returns for each edge the one that the line through it goes on to, -1 where there is none. An edge is named by its first
// node and whether it runs down.
function linesThrough({ width, height, least, across, valueAt }) {
  const next = new Int32Array(2 * across * (height + 2)).fill(-1);
  const edgeOf = (x, y, side) => {
    const node = (y + 1 + (side === BOTTOM)) * across + x + 1 + (side === RIGHT);
    return 2 * node + (side === LEFT || side === RIGHT);
  };
  const middleOf = (x, y) => (valueAt(x, y) + valueAt(x + 1, y) + valueAt(x + 1, y + 1) + valueAt(x, y + 1)) / 4;
  for (let y = -1; y < height; y++) {
    let inside = 0; // the two corners on the right become the two on the left of the next square
    for (let x = -1; x < width; x++) {
      const [above, below] = [valueAt(x + 1, y) >= least, valueAt(x + 1, y + 1) >= least];
      inside = ((inside & 2) >> 1) | ((inside & 4) << 1) | (above << 1) | (below << 2);
      if (inside === 0 || inside === 15) continue;
      const lines = LINES[inside];
      const from = lines.length > 4 && middleOf(x, y) >= least ? 4 : 0;
      for (let i = from; i < Math.min(lines.length, from + 4); i += 2) {
        next[edgeOf(x, y, lines[i])] = edgeOf(x, y, lines[i + 1]);
      }
    }
  }
  return next;
}

// Follows the lines from edge to edge until they close; uses them up.
function joinedLines(next, pointOf) {
  const rings = [];
  for (let start = 0; start < next.length; start++) {
    if (next[start] < 0) continue;
    const ring = [];
    for (let edge = start; next[edge] >= 0;) {
      ring.push(...pointOf(edge));
      const after = next[edge];
      next[edge] = -1;
      edge = after;
    }
    rings.push(ring);
  }
  return rings;
}

function pointOn(edge, { width, height, least, across, valueAt }) {
  const crossing = (at, before, after, size) => {
    if (at < 0) return 0;
    if (at + 1 >= size) return size;
    return at + 0.5 + (least - before) / (after - before);
  };
  const node = edge >> 1;
  const [x, y] = [(node % across) - 1, Math.floor(node / across) - 1];
  return edge & 1
    ? [x + 0.5, crossing(y, valueAt(x, y), valueAt(x, y + 1), height)]
    : [crossing(x, valueAt(x, y), valueAt(x + 1, y), width), y + 0.5];
}

// The mask's outline at a level, as a path in pixels of the radiograph; kept until another level is asked for.
export function contourAt(levels, level, size) {
  if (levels.contour?.level !== level) {
    const rings = contourRings(levels, 257 * (level + 1));
    const [wide, high] = [size.width / levels.width, size.height / levels.height];
    const path = new Path2D();
    for (const ring of rings) {
      path.moveTo(ring[0] * wide, ring[1] * high);
      for (let i = 2; i < ring.length; i += 2) path.lineTo(ring[i] * wide, ring[i + 1] * high);
      path.lineTo(ring[0] * wide, ring[1] * high); // as `closePath`, which takes ten times as long
    }
    levels.contour = { level, path, count: rings.length };
  }
  return levels.contour;
}
