// ---------------------------------------------------------------- choices.js
// What the reader chose of the viewer: remembered by the browser.

import { within } from "./view.js";

const STORED = "shamsul.viewer";
export const RUN = "run"; // the run's own masks
export const FIXED = "fixed"; // the reader's threshold for all methods
export const HIGHEST_LEVEL = 254; // above it no mask is left
export const FIRST_CHOICES = {
  heatmap: true, mask: true, expert: true, readers: false, invert: false, opacity: 0.65, colours: "blue-orange", threshold: RUN, level: 127,
};

export function recalledChoices() {
  const choices = { ...FIRST_CHOICES };
  try {
    const stored = JSON.parse(localStorage.getItem(STORED)) ?? {};
    for (const name of Object.keys(choices)) if (typeof stored[name] === typeof choices[name]) choices[name] = stored[name];
  } catch { /* not readable or not ours: as at first */ }
  choices.threshold = RUN; // a threshold of one's own is a question of the moment
  choices.opacity = within(choices.opacity, 0, 1);
  choices.level = within(Math.round(choices.level), 0, HIGHEST_LEVEL);
  return choices;
}

export function rememberChoices(choices) {
  try {
    localStorage.setItem(STORED, JSON.stringify(choices));
  } catch { /* private windows may refuse; the choice then lasts as long as the page */ }
}
