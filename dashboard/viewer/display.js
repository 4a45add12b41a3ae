// ---------------------------------------------------------------- display.js
// What is on the screen, for a link to it and for files made of it. As shamsul_core/figures/scene/display.py reads it.

import { FIRST_CHOICES, FIXED, HIGHEST_LEVEL, RUN } from "./choices.js";
import { LARGEST_ZOOM, within } from "./view.js";
import { FIRST_WINDOW, windowWithin } from "./windowing.js";

export function displayOf({ scene, view, window, choices, enlarged }) {
  const isFitted = view.zoom === 1;
  return {
    image: scene.id, pathology: scene.pathology, level: choices.threshold === FIXED ? choices.level : null,
    invert: choices.invert, width: Math.round(window.width), centre: Math.round(window.centre), enlarged,
    heatmap: choices.heatmap, mask: choices.mask, expert: choices.expert, readers: choices.readers, opacity: choices.opacity, colours: choices.colours,
    zoom: Number(view.zoom.toFixed(3)), x: isFitted ? null : Math.round(view.x), y: isFitted ? null : Math.round(view.y),
  };
}

const FIRST_DISPLAY = {
  level: null, invert: false, ...FIRST_WINDOW, enlarged: null, heatmap: true, mask: true, expert: true, readers: false,
  opacity: FIRST_CHOICES.opacity, colours: FIRST_CHOICES.colours, zoom: 1,
};

export const isFirst = (display) => Object.entries(FIRST_DISPLAY).every(([name, value]) => display[name] === value);

// The page's own address names run, radiograph and pathology; `view` adds what only the browser knows.
export function linkToView(href, viewer) {
  const link = new URL(href);
  const { image, pathology, ...display } = displayOf(viewer);
  link.searchParams.set("radiograph", image);
  link.searchParams.set("pathology", pathology);
  const told = Object.entries(display).filter(([name, value]) => value !== null && value !== FIRST_DISPLAY[name]);
  link.searchParams.set("view", new URLSearchParams([...told, ["image", image]]).toString());
  return link.href;
}

// Returns what an address asks for of this radiograph, or null. Whatever it says stays within bounds.
export function linkedView(href, { id, size, panels, colours }) {
  const asked = new URLSearchParams(new URL(href).searchParams.get("view") ?? "");
  if (asked.get("image") !== id) return null;
  const number = (name, otherwise) => {
    const value = asked.has(name) ? Number(asked.get(name)) : NaN;
    return Number.isFinite(value) ? value : otherwise;
  };
  const flag = (name) => ({ true: true, false: false })[asked.get(name)] ?? FIRST_CHOICES[name];
  const among = (name, known, otherwise) => (known.some(({ key }) => key === asked.get(name)) ? asked.get(name) : otherwise);
  const level = number("level", null);
  return {
    view: {
      zoom: within(number("zoom", 1), 1, LARGEST_ZOOM),
      x: within(number("x", size.width / 2), 0, size.width), y: within(number("y", size.height / 2), 0, size.height),
    },
    window: windowWithin({ width: number("width", FIRST_WINDOW.width), centre: number("centre", FIRST_WINDOW.centre) }),
    enlarged: among("enlarged", panels, null),
    choices: {
      heatmap: flag("heatmap"), mask: flag("mask"), expert: flag("expert"), readers: flag("readers"), invert: flag("invert"),
      opacity: within(number("opacity", FIRST_CHOICES.opacity), 0, 1), colours: among("colours", colours, FIRST_CHOICES.colours),
      ...(level === null ? { threshold: RUN } : { threshold: FIXED, level: within(Math.round(level), 0, HIGHEST_LEVEL) }),
    },
  };
}
