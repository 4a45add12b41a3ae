// ---------------------------------------------------------------- place.js
// What the browser's tab keeps of a view of a page.

export const placeOf = (name, view) => `shamsul.${name} ${location.pathname} ${JSON.stringify(view)}`;

export function recall(place) {
  try {
    return JSON.parse(sessionStorage.getItem(place));
  } catch { return null; /* private windows may refuse, and what is there may be another's */ }
}

export function remember(place, value) {
  try {
    sessionStorage.setItem(place, JSON.stringify(value));
  } catch { /* the place is then forgotten */ }
}
