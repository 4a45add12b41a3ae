// ---------------------------------------------------------------- choices.js
// What the reader chose of the viewer: remembered by the browser, and in part by a link to this very view.

const STORED = "shamsul.viewer";
const RUN = "run"; // the run's own masks
const FIXED = "fixed"; // the reader's threshold for all methods
const HIGHEST_LEVEL = 254; // above it no mask is left
const FIRST_CHOICES = {
  heatmap: true, mask: true, expert: true, invert: false, opacity: 0.65, colours: "blue-orange", threshold: RUN, level: 127,
};
const FIRST_WINDOW = { width: 256, centre: 128 };

function recalledChoices() {
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

function rememberChoices(choices) {
  try {
    localStorage.setItem(STORED, JSON.stringify(choices));
  } catch { /* private windows may refuse; the choice then lasts as long as the page */ }
}

const within = (value, low, high) => Math.min(high, Math.max(low, value));

const thresholdText = (level) => (level / 255).toFixed(2);

// ---- What is on the screen, for a link to it and for files made of it. As shamsul_core/figures/scene/display.py reads it.

function displayOf({ scene, view, window, choices, enlarged }) {
  const isFitted = view.zoom === 1;
  return {
    image: scene.id, pathology: scene.pathology, level: choices.threshold === FIXED ? choices.level : null,
    invert: choices.invert, width: Math.round(window.width), centre: Math.round(window.centre), enlarged,
    heatmap: choices.heatmap, mask: choices.mask, expert: choices.expert, opacity: choices.opacity, colours: choices.colours,
    zoom: Number(view.zoom.toFixed(3)), x: isFitted ? null : Math.round(view.x), y: isFitted ? null : Math.round(view.y),
  };
}

const FIRST_DISPLAY = {
  level: null, invert: false, ...FIRST_WINDOW, enlarged: null, heatmap: true, mask: true, expert: true,
  opacity: FIRST_CHOICES.opacity, colours: FIRST_CHOICES.colours, zoom: 1,
};

const isFirst = (display) => Object.entries(FIRST_DISPLAY).every(([name, value]) => display[name] === value);

// The page's own address names run, radiograph and pathology; `view` adds what only the browser knows.
function linkToView(viewer) {
  const link = new URL(globalThis.location.href);
  const { image, pathology, ...display } = displayOf(viewer);
  link.searchParams.set("radiograph", image);
  link.searchParams.set("pathology", pathology);
  const told = Object.entries(display).filter(([name, value]) => value !== null && value !== FIRST_DISPLAY[name]);
  link.searchParams.set("view", new URLSearchParams([...told, ["image", image]]).toString());
  return link.href;
}

// Returns what the address asks for of this radiograph, or null. Whatever it says stays within bounds.
function linkedView({ id, size, panels, colours }) {
  const asked = new URLSearchParams(new URLSearchParams(location.search).get("view") ?? "");
  if (asked.get("image") !== id) return null;
  const figure = (name, low, high, otherwise) => {
    const value = asked.has(name) ? Number(asked.get(name)) : NaN;
    return Number.isFinite(value) ? within(value, low, high) : otherwise;
  };
  const flag = (name) => ({ true: true, false: false })[asked.get(name)] ?? FIRST_CHOICES[name];
  const among = (name, known, otherwise) => (known.some(({ key }) => key === asked.get(name)) ? asked.get(name) : otherwise);
  const level = figure("level", 0, HIGHEST_LEVEL, null);
  return {
    view: { zoom: figure("zoom", 1, LARGEST_ZOOM, 1), x: figure("x", 0, size.width, size.width / 2), y: figure("y", 0, size.height, size.height / 2) },
    window: { width: figure("width", 2, 512, FIRST_WINDOW.width), centre: figure("centre", 0, 255, FIRST_WINDOW.centre) },
    enlarged: among("enlarged", panels, null),
    choices: {
      heatmap: flag("heatmap"), mask: flag("mask"), expert: flag("expert"), invert: flag("invert"),
      opacity: figure("opacity", 0, 1, FIRST_CHOICES.opacity), colours: among("colours", colours, FIRST_CHOICES.colours),
      ...(level === null ? { threshold: RUN } : { threshold: FIXED, level: Math.round(level) }),
    },
  };
}
