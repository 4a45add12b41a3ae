// ---------------------------------------------------------------- arranging.js
// As many rows as make the radiographs largest within the height there is, evenly filled.

const READABLE_PX = 170;
const SCROLLED_PX = 260; // where the page scrolls anyway
const GAP_PX = 8;
const BESIDE_PX = 400; // for the figures beside an enlarged picture

// `above` is what stands over the panels, `chrome` what each panel needs besides its picture, `unit` how much larger than
// usual the text is, with which what is readable grows.
export function arranged({ count, width, windowHeight, chrome, above, aspect, unit }) {
  const inUnits = { count, aspect, width: width / unit, windowHeight: windowHeight / unit, chrome: chrome / unit, above: above / unit };
  const { columns, width: wide, height, shown } = arrangedInUnits(inUnits);
  return { columns, width: Math.floor(wide * unit), height: Math.floor(height * unit), shown: shown * unit };
}

// One picture as wide as the window, with the figures beside it where that leaves room: down to the window's lower edge from
// where the panels begin, as far as that leaves room for a picture.
export function enlargedIn({ width, windowHeight, chrome, above, unit }, hasFindings) {
  const height = Math.max(0.6 * windowHeight, windowHeight - above - chrome - GAP_PX * unit);
  const beside = !hasFindings || width < 2 * BESIDE_PX * unit ? 0 : BESIDE_PX * unit;
  return { width: Math.floor(width - (beside && beside + GAP_PX * unit)), height: Math.floor(height), beside };
}

function arrangedInUnits({ count, width, windowHeight, chrome, above, aspect }) {
  const best = bestColumns({ count, width, height: windowHeight - above - GAP_PX, chrome, aspect });
  if (best.shown >= Math.min(READABLE_PX, width)) return best;
  // Nothing fits, as on a phone: readable pictures, and the page scrolls.
  const columns = Math.max(1, Math.min(count, Math.floor((width + GAP_PX) / (SCROLLED_PX + GAP_PX))));
  return arrangedIn(columns, { count, width, height: Infinity, chrome, aspect });
}

function bestColumns(space) {
  let best = null;
  for (let rows = 1; rows <= space.count; rows++) {
    const candidate = arrangedIn(Math.ceil(space.count / rows), space);
    if (best === null || candidate.shown > 1.05 * best.shown) best = candidate;
  }
  return best;
}

function arrangedIn(columns, { count, width, height, chrome, aspect }) {
  const rows = Math.ceil(count / columns);
  const stageWidth = Math.floor((width - GAP_PX * (columns - 1)) / columns);
  const highest = (height - GAP_PX * (rows - 1)) / rows - chrome;
  const stageHeight = Math.floor(Math.max(120, Math.min(stageWidth / aspect, highest)));
  return { columns, width: stageWidth, height: stageHeight, shown: Math.min(stageWidth, stageHeight * aspect) };
}
