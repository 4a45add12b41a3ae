// ---------------------------------------------------------------- view.js
// Plain geometry, no drawing. A view is { zoom, x, y }: zoom 1 fits the radiograph into the picture, (x, y) is the
// radiograph's pixel in the picture's middle. All panels share one view, whatever their size.

export const LARGEST_ZOOM = 24;

export const within = (value, low, high) => Math.min(high, Math.max(low, value));

export const fitted = (size) => ({ zoom: 1, x: size.width / 2, y: size.height / 2 });

export const scaleOf = (view, size, stage) => view.zoom * Math.min(stage.width / size.width, stage.height / size.height);

export function clampedView(view, size, stage) {
  const zoom = within(view.zoom, 1, LARGEST_ZOOM);
  const scale = scaleOf({ zoom }, size, stage);
  const along = (centre, whole, visible) =>
    visible >= whole ? whole / 2 : within(centre, visible / 2, whole - visible / 2);
  return {
    zoom,
    x: along(view.x, size.width, stage.width / scale),
    y: along(view.y, size.height, stage.height / scale),
  };
}

// A point of the picture (CSS pixels from its top left) as a point of the radiograph, and back.
export function toRadiograph(point, view, size, stage) {
  const scale = scaleOf(view, size, stage);
  return { x: view.x + (point.x - stage.width / 2) / scale, y: view.y + (point.y - stage.height / 2) / scale };
}

export function toPicture(point, view, size, stage) {
  const scale = scaleOf(view, size, stage);
  return { x: stage.width / 2 + (point.x - view.x) * scale, y: stage.height / 2 + (point.y - view.y) * scale };
}

// Where a canvas of `ratio` pixels for each CSS pixel draws the radiograph: its scale, and its top left corner.
export function transformOf(view, size, stage, ratio) {
  const corner = toPicture({ x: 0, y: 0 }, view, size, stage);
  return { scale: scaleOf(view, size, stage) * ratio, x: corner.x * ratio, y: corner.y * ratio };
}

// What lies under `point` stays under it.
export function zoomedAt(view, factor, point, size, stage) {
  const fixed = toRadiograph(point, view, size, stage);
  const zoom = within(view.zoom * factor, 1, LARGEST_ZOOM);
  const share = view.zoom / zoom;
  const moved = { zoom, x: fixed.x + (view.x - fixed.x) * share, y: fixed.y + (view.y - fixed.y) * share };
  return clampedView(moved, size, stage);
}

export function movedBy(view, dx, dy, size, stage) {
  const scale = scaleOf(view, size, stage);
  return clampedView({ ...view, x: view.x - dx / scale, y: view.y - dy / scale }, size, stage);
}

// One of two fingers went from `before` to `now` in the picture: what lay under their middle, and how far apart, follows.
export function pinched(view, { before, now, other }, size, stage) {
  const apart = (point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
  const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
  const moved = movedBy(view, (now.x - before.x) / 2, (now.y - before.y) / 2, size, stage);
  return zoomedAt(moved, apart(now) / apart(before), middle, size, stage);
}
