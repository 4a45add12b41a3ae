// ---------------------------------------------------------------- place.js
// What the browser's tab keeps of a view of a page.

const placeOf = (name, view) => `shamsul.${name} ${location.pathname} ${JSON.stringify(view)}`;

function recall(place) {
  try {
    return JSON.parse(sessionStorage.getItem(place));
  } catch { return null; /* private windows may refuse, and what is there may be another's */ }
}

function remember(place, value) {
  try {
    sessionStorage.setItem(place, JSON.stringify(value));
  } catch { /* the place is then forgotten */ }
}
