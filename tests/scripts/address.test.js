import assert from "node:assert/strict";
import test from "node:test";

import { isPathOf, withChoices } from "../../dashboard/address/naming.js";
import { placeOf, recall, remember } from "../../dashboard/scroll/place.js";

const HERE = "https://example.org/base/compare?radiograph=a&pathology=Edema&view=zoom%3D2&other=1";

test("the default page has every path that is no other page's", () => {
  const pages = ["review", "upload"];
  assert.ok(isPathOf("/base/review", { page: "review", otherPages: pages }));
  assert.ok(!isPathOf("/base/", { page: "review", otherPages: pages }));
  assert.ok(isPathOf("/base/", { page: "", otherPages: pages }));
  assert.ok(!isPathOf("/base/upload", { page: "", otherPages: pages }));
});

test("another case is a step of the history, and the former one's view is gone", () => {
  const { address, isStep } = withChoices(HERE, { choices: { radiograph: "b", pathology: "Edema" }, steps: ["radiograph"] });
  assert.ok(isStep);
  assert.equal(address.href, "https://example.org/base/compare?radiograph=b&pathology=Edema&other=1");
});

test("whatever else is chosen is none", () => {
  const { address, isStep } = withChoices(HERE, { choices: { radiograph: "a", pathology: null, search: "x y" }, steps: ["radiograph"] });
  assert.ok(!isStep);
  assert.equal(address.href, "https://example.org/base/compare?radiograph=a&view=zoom%3D2&other=1&search=x+y");
});

test("nor is what a page chose by itself as it was entered, and an address that says all stays to the letter", () => {
  assert.ok(!withChoices(HERE, { choices: { radiograph: "b" }, steps: ["radiograph"], isEntering: true }).isStep);
  const odd = "https://example.org/?radiograph=a%20b";
  assert.equal(withChoices(odd, { choices: { radiograph: "a b" }, steps: ["radiograph"] }).address.href, odd);
});

test("a place is a page's and a view's, and a browser that keeps nothing forgets it", () => {
  globalThis.location = { pathname: "/compare" };
  assert.notEqual(placeOf("scroll", ["a"]), placeOf("scroll", ["b"]));
  const kept = new Map();
  globalThis.sessionStorage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
  remember(placeOf("scroll", ["a"]), 120);
  assert.equal(recall(placeOf("scroll", ["a"])), 120);
  assert.equal(recall(placeOf("scroll", ["b"])), null);
  globalThis.sessionStorage = { getItem() { throw new Error("refused"); }, setItem() { throw new Error("refused"); } };
  remember("x", 1);
  assert.equal(recall("x"), null);
});
