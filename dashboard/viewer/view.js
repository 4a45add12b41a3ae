// ---------------------------------------------------------------- view.js
// Plain geometry, no drawing. A view is { zoom, x, y }: zoom 1 fits the radiograph into the picture, (x, y) is the
// radiograph's pixel in the picture's middle. All panels share one view, whatever their size.

const LARGEST_ZOOM = 24;

const fitted = (size) => ({ zoom: 1, x: size.width / 2, y: size.height / 2 });

const scaleOf = (view, size, stage) => view.zoom * Math.min(stage.width / size.width, stage.height / size.height);

function clampedView(view, size, stage) {
  const zoom = Math.min(LARGEST_ZOOM, Math.max(1, view.zoom));
  const scale = scaleOf({ zoom }, size, stage);
  const along = (centre, whole, visible) =>
    visible >= whole ? whole / 2 : Math.min(whole - visible / 2, Math.max(visible / 2, centre));
  return {
    zoom,
    x: along(view.x, size.width, stage.width / scale),
    y: along(view.y, size.height, stage.height / scale),
  };
}

// A point of the picture (CSS pixels from its top left) as a point of the radiograph, and back.
function toRadiograph(point, view, size, stage) {
  const scale = scaleOf(view, size, stage);
  return { x: view.x + (point.x - stage.width / 2) / scale, y: view.y + (point.y - stage.height / 2) / scale };
}

function toPicture(point, view, size, stage) {
  const scale = scaleOf(view, size, stage);
  return { x: stage.width / 2 + (point.x - view.x) * scale, y: stage.height / 2 + (point.y - view.y) * scale };
}

// What lies under `point` stays under it.
function zoomedAt(view, factor, point, size, stage) {
  const fixed = toRadiograph(point, view, size, stage);
  const zoom = Math.min(LARGEST_ZOOM, Math.max(1, view.zoom * factor));
  const share = view.zoom / zoom;
  const moved = { zoom, x: fixed.x + (view.x - fixed.x) * share, y: fixed.y + (view.y - fixed.y) * share };
  return clampedView(moved, size, stage);
}

function movedBy(view, dx, dy, size, stage) {
  const scale = scaleOf(view, size, stage);
  return clampedView({ ...view, x: view.x - dx / scale, y: view.y - dy / scale }, size, stage);
}

// ---- Arrangement: as many rows as make the radiographs largest within the height there is, evenly filled.

const READABLE_PX = 170;
const SCROLLED_PX = 260; // where the page scrolls anyway
const GAP_PX = 8;

// `above` is what stands over the panels, `chrome` what each panel needs besides its picture, `unit` how much larger than
// usual the text is, with which what is readable grows.
function arranged({ count, width, windowHeight, chrome, above, aspect, unit }) {
  const inUnits = { count, aspect, width: width / unit, windowHeight: windowHeight / unit, chrome: chrome / unit, above: above / unit };
  const { columns, width: wide, height, shown } = arrangedInUnits(inUnits);
  return { columns, width: Math.floor(wide * unit), height: Math.floor(height * unit), shown: shown * unit };
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
