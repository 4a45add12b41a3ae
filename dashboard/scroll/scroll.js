// ---------------------------------------------------------------- scroll.js
// Remembers how far the page is scrolled; on coming back, waits until the page has grown long enough and scrolls there.
// What the reader does ends the waiting.

import { mounting } from "../mounting.js";
import { placeOf, recall, remember } from "./place.js";

const OWN_ACTS = ["wheel", "touchstart", "pointerdown", "keydown"];

function scrollerOf(node) {
  for (let at = node; at; at = at.parentNode ?? at.host) {
    if (at instanceof Element && /auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
  }
  return document.scrollingElement;
}

class Keeper {
  constructor(parent) {
    this.page = null;
    this.wanted = null; // where to, while waiting
    this.scroller = scrollerOf(parent);
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    this.observer = new ResizeObserver(() => this.#follow());
    for (const act of OWN_ACTS) this.scroller.addEventListener(act, () => this.#settle(), { signal, passive: true });
    this.scroller.addEventListener("scroll", () => this.#note(), { signal, passive: true });
  }

  // Another view of the same page stays where it is.
  show(view) {
    this.place = placeOf("scroll", view);
    if (this.page === location.pathname) return;
    this.page = location.pathname;
    this.wanted = recall(this.place) ?? 0;
    for (const child of this.scroller.children) this.observer.observe(child);
    this.#follow();
  }

  destroy() {
    this.listeners.abort();
    this.observer.disconnect();
  }

  #follow() {
    if (this.wanted === null) return;
    this.scroller.scrollTop = this.wanted;
    if (this.scroller.scrollTop >= this.wanted - 1) this.#settle();
  }

  #settle() {
    this.wanted = null;
    this.observer.disconnect();
  }

  // Not while waiting, nor once the address is another page's: that page is scrolled to its top.
  #note() {
    if (this.wanted === null && location.pathname === this.page) remember(this.place, Math.round(this.scroller.scrollTop));
  }
}

export default mounting(Keeper);
