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

// ---- The link: the page's own address names run, radiograph and pathology; `view` adds what only the browser knows.

function linkToView({ scene, view, window, choices }) {
  const link = new URL(globalThis.location.href);
  const figures = [view.zoom.toFixed(3), Math.round(view.x), Math.round(view.y), Math.round(window.width),
    Math.round(window.centre), choices.threshold === FIXED ? choices.level : ""];
  link.searchParams.set("radiograph", scene.id);
  link.searchParams.set("pathology", scene.pathology);
  link.searchParams.set("view", [...figures, scene.id].join(","));
  return link.href;
}

// Returns what the address asks for of this radiograph, or null.
function linkedView(id) {
  const [zoom, x, y, width, centre, level, ...rest] = (new URLSearchParams(location.search).get("view") ?? "").split(",");
  const figures = [zoom, x, y, width, centre].map(Number);
  if (rest.join(",") !== id || !figures.every(Number.isFinite)) return null;
  const asked = level === "" || !Number.isFinite(Number(level)) ? null : within(Math.round(Number(level)), 0, HIGHEST_LEVEL);
  return {
    view: { zoom: figures[0], x: figures[1], y: figures[2] },
    window: { width: within(figures[3], 2, 512), centre: within(figures[4], 0, 255) },
    level: asked,
  };
}
