// ---------------------------------------------------------------- cards.js
// The cards' HTML is made by shamsul_core/figures/print/cases.py, with every word in it escaped.

import { mounting } from "../mounting.js";
import { recall, remember } from "../scroll/place.js";

const OPENED = "shamsul.card"; // the address of the last one

class Cards {
  constructor(parent) {
    this.shown = null;
    this.listeners = new AbortController();
    this.root = document.createElement("div");
    this.root.className = "cards";
    parent.append(this.root);
    this.root.addEventListener("click", (event) => this.#note(event), { signal: this.listeners.signal });
  }

  destroy() {
    this.listeners.abort();
    this.root.remove();
  }

  // Only what changed is drawn anew: a rerun leaves the keyboard's focus where it is. Coming back from a case, the focus
  // is on its card.
  show(cards) {
    if (this.shown?.length === cards.length && cards.every((card, at) => card === this.shown[at])) return;
    const isFirst = this.shown === null;
    this.shown = cards;
    this.root.innerHTML = cards.join("");
    const links = this.#links();
    if (isFirst) links.find(({ href }) => href === recall(OPENED))?.focus({ preventScroll: true });
    remember(OPENED, null);
  }

  #links() {
    return [...this.root.querySelectorAll("h2 a")];
  }

  #note(event) {
    const link = event.target.closest("a");
    if (link) remember(OPENED, link.href);
  }
}

export default mounting(Cards);
