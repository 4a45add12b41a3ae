// ---------------------------------------------------------------- rows.js
// Rows of one height, of which only those in sight are in the document. Plain arithmetic, in CSS pixels.

const SPARE_ROWS = 6; // drawn beyond either edge, for a quick hand

// Returns the first row to draw and the one after the last.
export function rowsInSight(count, rowHeight, scrollTop, height) {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - SPARE_ROWS);
  return [first, Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + SPARE_ROWS)];
}

// Returns how far to scroll so that a row is in sight, and no further.
export function scrolledTo(at, rowHeight, scrollTop, height) {
  const top = Math.min(scrollTop, at * rowHeight);
  return Math.max(top, (at + 1) * rowHeight - height);
}

// Returns the row that a key moves to, or null where it moves to none.
export function activeAfter(key, active, count) {
  const last = count - 1;
  const to = { ArrowDown: active + 1, ArrowUp: active - 1, Home: 0, End: last }[key];
  return to === undefined ? null : Math.min(last, Math.max(0, to));
}
