import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FIRST_CHOICES, FIXED, recalledChoices, rememberChoices, RUN } from "../../dashboard/viewer/choices.js";
import { displayOf, isFirst, linkedView, linkToView } from "../../dashboard/viewer/display.js";
import { FIRST_WINDOW } from "../../dashboard/viewer/windowing.js";

const SCENE = {
  id: "patient1/study 1", pathology: "Lung Opacity", size: { width: 800, height: 600 },
  panels: [{ key: "expert" }, { key: "lrp" }], colours: [{ key: "blue-orange" }, { key: "dark-light" }],
};
const AT_FIRST = { scene: SCENE, view: { zoom: 1, x: 400, y: 300 }, window: FIRST_WINDOW, choices: FIRST_CHOICES, enlarged: null };
const HERE = "https://example.org/compare?run=two&view=old";
const asked = (view) => linkedView(`https://example.org/?view=${encodeURIComponent(view)}`, SCENE);

const stored = new Map();
globalThis.localStorage = { getItem: (name) => stored.get(name) ?? null, setItem: (name, value) => stored.set(name, value) };
beforeEach(() => stored.clear());

test("what the viewer begins with is not told, and each change of it is", () => {
  assert.ok(isFirst(displayOf(AT_FIRST)));
  const changes = [
    { window: { width: 255, centre: 128 } }, { enlarged: "lrp" }, { view: { zoom: 2, x: 400, y: 300 } },
    ...[{ invert: true }, { mask: false }, { opacity: 0.5 }, { threshold: FIXED }].map((one) => ({ choices: { ...FIRST_CHOICES, ...one } })),
  ];
  for (const change of changes) assert.ok(!isFirst(displayOf({ ...AT_FIRST, ...change })), JSON.stringify(change));
});

test("a link leads to the very view", () => {
  const viewer = {
    scene: SCENE, view: { zoom: 2.5, x: 321, y: 123 }, window: { width: 99, centre: 44 }, enlarged: "lrp",
    choices: { ...FIRST_CHOICES, heatmap: false, invert: true, opacity: 0.25, colours: "dark-light", threshold: FIXED, level: 7 },
  };
  const link = new URL(linkToView(HERE, viewer));
  assert.equal(link.searchParams.get("run"), "two", "what else the address names stays");
  assert.equal(link.searchParams.get("radiograph"), SCENE.id);
  assert.equal(link.searchParams.get("pathology"), "Lung Opacity");
  const { view, window, enlarged, choices } = viewer;
  assert.deepEqual(linkedView(link.href, SCENE), { view, window, enlarged, choices });
});

test("a link to the first view says nothing but of which radiograph", () => {
  assert.equal(new URL(linkToView(HERE, AT_FIRST)).searchParams.get("view"), "image=patient1%2Fstudy+1");
});

test("a link is of one radiograph", () => {
  assert.equal(linkedView("https://example.org/", SCENE), null);
  assert.equal(asked("zoom=2&image=another"), null);
});

test("whatever a link says stays within bounds, and what it does not say is as at first", () => {
  const first = asked(`image=${SCENE.id}`);
  assert.deepEqual(first.view, { zoom: 1, x: 400, y: 300 });
  assert.deepEqual(first.window, FIRST_WINDOW);
  assert.equal(first.choices.threshold, RUN);
  const wild = asked(`image=${SCENE.id}&zoom=1e9&x=-5&y=Infinity&width=0&centre=999&level=254.6&opacity=-1&heatmap=maybe&colours=x&enlarged=y`);
  assert.deepEqual(wild.view, { zoom: 24, x: 0, y: 300 });
  assert.deepEqual(wild.window, { width: 2, centre: 255 });
  assert.equal(wild.enlarged, null);
  const { level, opacity, heatmap, colours } = wild.choices;
  assert.deepEqual({ level, opacity, heatmap, colours }, { level: 254, opacity: 0, heatmap: true, colours: "blue-orange" });
});

test("choices outlast a visit, but for a threshold of one's own", () => {
  assert.deepEqual(recalledChoices(), FIRST_CHOICES);
  rememberChoices({ ...FIRST_CHOICES, mask: false, threshold: FIXED, level: 9 });
  assert.deepEqual(recalledChoices(), { ...FIRST_CHOICES, mask: false, level: 9 });
});

test("what a browser holds that is not ours does no harm", () => {
  for (const text of ["{", "null", "7", '{"opacity": "thick", "mask": 1}']) {
    stored.set("shamsul.viewer", text);
    assert.deepEqual(recalledChoices(), FIRST_CHOICES, text);
  }
  stored.set("shamsul.viewer", '{"opacity": 7, "level": -3.2}');
  assert.deepEqual(recalledChoices(), { ...FIRST_CHOICES, opacity: 1, level: 0 });
});
