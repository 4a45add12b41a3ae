// Previous and next case. The reader's place is kept here while the server is
// on its way: presses in quick succession add up, and the last one wins.

import { mounting } from "../mounting.js";
import { stepped, steppers } from "../stepping.js";

const TAKEN = "input, textarea, select, [contenteditable], [role=radiogroup], [role=radio], [role=slider], [role=dialog]," +
  " [role=listbox], [role=combobox], [role=menu], [data-testid=stButtonGroup]";
const PATIENCE_MS = 5000; // after which a case that did not come is no longer counted from

class Cases {
  constructor(parent) {
    this.parent = parent;
    this.place = null; // of the case shown
    this.wanted = null; // of the case asked for, until it is shown
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    this.root = Object.assign(document.createElement("div"), { className: "cases" });
    this.root.append(...steppers((by) => document.querySelector("[role=dialog]") || this.step(by), TAKEN, signal));
    parent.append(this.root);
    // whoever has just typed their name is to go on with the keys
    if (document.activeElement?.matches("input[type=text]")) document.activeElement.blur();
  }

  destroy() {
    clearTimeout(this.waiting);
    this.listeners.abort();
    this.root.remove();
  }

  show({ place, count, is_answered }) {
    this.root.lastChild.classList.toggle("next", is_answered);
    if (this.place !== null && this.place !== place) this.#toTop();
    Object.assign(this, { place, count });
    if (place === this.wanted) this.wanted = null;
  }

  step(by) {
    this.wanted = stepped(this.wanted ?? this.place, by, this.count);
    this.send("place", this.wanted);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => { this.wanted = null; }, PATIENCE_MS);
  }

  // Whatever scrolls around the buttons: the questions' column, the page.
  #toTop() {
    let node = this.parent;
    for (; node; node = node.parentNode ?? node.host) if (node.scrollTop) node.scrollTop = 0;
  }
}

export default mounting(Cases);
