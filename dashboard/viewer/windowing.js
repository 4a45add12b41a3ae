// ---------------------------------------------------------------- windowing.js
// The window of grey levels that is spread from black to white, { width, centre }; in radiology its centre is its level.

import { within } from "./view.js";

const DRAG_SHARE = 1.2; // grey levels of width or centre for each CSS pixel of dragging
const [LEAST_WIDTH, GREATEST_WIDTH] = [2, 512];

export const FIRST_WINDOW = { width: 256, centre: 128 };

export const windowWithin = ({ width, centre }) =>
  ({ width: within(width, LEAST_WIDTH, GREATEST_WIDTH), centre: within(centre, 0, 255) });

export const draggedWindow = ({ width, centre }, dx, dy) =>
  windowWithin({ width: width + DRAG_SHARE * dx, centre: centre + DRAG_SHARE * dy });

// Returns the pixel, red, green, blue and opaque, of each of the 256 grey levels.
export function shadesOf({ width, centre, isInverted }) {
  return Uint32Array.from({ length: 256 }, (_, grey) => {
    const share = within((grey - centre) / width + 0.5, 0, 1);
    const shade = Math.round(255 * (isInverted ? 1 - share : share));
    return 0xff000000 | (shade << 16) | (shade << 8) | shade;
  });
}
