import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Asking } from "../../dashboard/asking.js";
import { mounting } from "../../dashboard/mounting.js";
import { FIRST_CHOICES } from "../../dashboard/viewer/choices.js";
import { displayOf } from "../../dashboard/viewer/display.js";
import { Telling } from "../../dashboard/viewer/telling.js";
import { FIRST_WINDOW } from "../../dashboard/viewer/windowing.js";

let server, sent;
beforeEach(() => {
  server = { testScriptState: "notRunning" };
  sent = [];
  globalThis.document = { querySelector: () => ({ dataset: server }) };
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => mock.timers.reset());

const asking = () => new Asking((question) => sent.push(question), (question) => question);

test("one question is on its way, and of those asked meanwhile the last counts", () => {
  const one = asking();
  for (const question of ["a", "b", "c"]) one.ask(question);
  assert.deepEqual(sent, ["a"]);
  assert.equal(one.key, "c");
  one.hear("a");
  assert.deepEqual(sent, ["a", "c"]);
  one.hear("c");
  assert.equal(one.key, null);
});

test("an answer to something else is none", () => {
  const one = asking();
  one.ask("a");
  one.hear("b");
  assert.equal(one.key, "a");
  assert.deepEqual(sent, ["a"], "it is not asked twice");
});

test("a lost question is asked again once the server is idle, and not for ever", () => {
  const one = asking();
  server.testScriptState = "running";
  one.ask("a");
  mock.timers.tick(1500);
  assert.equal(sent.length, 1, "it is at work");
  server.testScriptState = "notRunning";
  mock.timers.tick(1500);
  assert.equal(sent.length, 2);
  for (let times = 0; times < 100; times++) mock.timers.tick(1500);
  assert.equal(sent.length, 20);
  assert.equal(one.key, null);
});

test("the server hears of the screen once the hand rests, and of nothing twice", () => {
  const telling = new Telling(({ zoom }) => sent.push(zoom));
  const at = (zoom) => displayOf({
    scene: { id: "a", pathology: "Edema" }, view: { zoom, x: 1, y: 1 }, window: FIRST_WINDOW, choices: FIRST_CHOICES, enlarged: null,
  });
  telling.hear(at(1));
  mock.timers.tick(1000);
  assert.deepEqual(sent, [], "as at first");
  for (const zoom of [2, 3, 4]) {
    telling.hear(at(zoom));
    mock.timers.tick(399);
  }
  assert.deepEqual(sent, []);
  mock.timers.tick(1);
  assert.deepEqual(sent, [4]);
  telling.hear(at(5));
  telling.hear(at(4));
  mock.timers.tick(1000);
  assert.deepEqual(sent, [4]);
});

test("a place on the page has one of its kind until the last call's end", () => {
  const lives = [];
  class Kind {
    constructor(parent) { lives.push(`made ${parent.name}`); }
    show(data) { lives.push(data); }
    destroy() { lives.push("gone"); }
  }
  const component = mounting(Kind);
  const parentElement = { name: "here" };
  const end = component({ parentElement, data: 1 });
  const lastEnd = component({ parentElement, data: 2 });
  end(); // Streamlit calls it at once where a call was overtaken
  assert.deepEqual(lives, ["made here", 1, 2]);
  lastEnd();
  component({ parentElement, data: 3 });
  assert.deepEqual(lives, ["made here", 1, 2, "gone", "made here", 3]);
});
