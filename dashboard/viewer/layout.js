// ---------------------------------------------------------------- layout.js
// Gives the panels their places. Reads the page, so it runs when something grew or shrank, not at each frame.

import { pixelRatio, textScale } from "../screen.js";
import { arranged, enlargedIn } from "./arranging.js";
import { describeSize } from "./panel.js";

const MANY_METHODS = 8;

// Returns the size of each picture in CSS pixels.
export function layOut(viewer) {
  viewer.grid.classList.toggle("is-enlarged", viewer.enlarged !== null);
  for (const parts of viewer.panels.values()) describeSize(parts, viewer.enlarged);
  arrange(viewer);
  return arrange(viewer); // how high a caption is depends on how wide its panel is, hence twice
}

function arrange({ root, grid, panels, findings, scene, enlarged }) {
  const shown = [...panels.values()].filter((parts) => !parts.root.hidden);
  const hasFindings = !findings.root.hidden;
  const chrome = Math.max(...shown.map(({ header, caption }) => header.offsetHeight + caption.offsetHeight));
  const above = grid.getBoundingClientRect().top + scrolled(root);
  const space = {
    count: shown.length + hasFindings, width: root.clientWidth, chrome, above, unit: textScale(),
    windowHeight: scene.isAboveForm ? above + window.innerHeight / 2 : window.innerHeight, aspect: scene.size.width / scene.size.height,
  };
  const place = enlarged === null ? arranged(space) : enlargedIn(space, hasFindings);
  grid.style.gridTemplateColumns = enlarged === null ? `repeat(${place.columns}, ${place.width}px)` : `${place.width}px ${place.beside}px`;
  // Of many methods the tables are wide, and take what is left of the last row
  const isWide = enlarged === null && shown.length > MANY_METHODS;
  const left = place.columns * Math.ceil(space.count / place.columns) - shown.length;
  findings.root.style.gridColumn = isWide ? `span ${left}` : "";
  findings.root.classList.toggle("is-wide", isWide);
  findings.root.style.maxHeight = `${place.height + chrome}px`;
  for (const parts of shown) resize(parts, place);
  return { width: place.width, height: place.height };
}

// A canvas is cleared by each change of its size, even to the same.
function resize({ canvas, stage }, { width, height }) {
  const ratio = pixelRatio();
  const size = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
  stage.style.height = `${height}px`;
  if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
}

// How far the page is scrolled, whatever element scrolls: where the panels begin counts from the page's top.
function scrolled(root) {
  let top = 0;
  for (let node = root.parentNode; node; node = node.parentNode ?? node.host) top += node.scrollTop ?? 0;
  return top;
}
