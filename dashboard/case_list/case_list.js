// ---------------------------------------------------------------- case_list.js
// A list of any length: only the rows in sight are in the document. Rows are [id, name, pathology, about].
// The row chosen is marked at once; the viewer hears of it by a "shamsul:asked" event, and shows that it is loading.

import { Asking } from "../asking.js";
import { element } from "../element.js";
import { mounting } from "../mounting.js";
import { textScale } from "../screen.js";
import { stepped, steppers } from "../stepping.js";
import { activeAfter, rowsInSight, scrolledTo } from "./rows.js";

const PLAIN_ROW_PX = 26;
const FULL_ROW_PX = 42;
const TAKEN = "input, textarea, select, [contenteditable], [role=dialog], [role=slider]"; // by keys of their own

const announce = (what, detail) => document.dispatchEvent(new CustomEvent(`shamsul:${what}`, { detail }));

class Worklist {
  constructor(parent) {
    this.asking = new Asking((choice) => this.send("choice", choice), ({ radiograph }) => radiograph);
    this.rows = [];
    this.at = -1; // of the radiograph shown, -1 where the list does not hold it
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    this.count = element("span", { class: "count", role: "status", "data-testid": "case-list-count" });
    this.explained = element("span", { class: "explained", "data-testid": "case-list-explained" });
    this.list = element("div", { class: "rows", role: "listbox", tabindex: "0", "aria-label": "Radiographs", "data-testid": "case-list" });
    this.space = element("div", { class: "space", role: "presentation" });
    this.list.append(this.space);
    this.root = element("div", { class: "case-list" },
      element("div", { class: "head" }, element("div", { class: "counts" }, this.count, this.explained), ...steppers((by) => this.step(by), TAKEN, signal)),
      this.list);
    parent.append(this.root);
    this.list.addEventListener("scroll", () => this.draw(), { signal });
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.choose(Number(row.dataset.at));
    }, { signal });
    this.list.addEventListener("keydown", (event) => this.#onListKey(event), { signal });
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.list);
  }

  destroy() {
    this.asking.stop();
    this.listeners.abort();
    this.observer.disconnect();
    this.root.remove();
  }

  show({ rows, shown, total, explained }) {
    this.rows = rows;
    this.asking.hear(shown);
    if (this.asking.key === null) announce("answered", { radiograph: shown });
    const marked = this.asking.key ?? shown;
    this.at = rows.findIndex(([id]) => id === marked);
    this.active = Math.max(0, this.at);
    this.rowHeight = (rows.some(([, , , about]) => about !== null) ? FULL_ROW_PX : PLAIN_ROW_PX) * textScale();
    this.count.textContent = `${rows.length} of ${total}`;
    this.explained.textContent = `${explained} of ${rows.length} explained`;
    this.space.style.height = `${rows.length * this.rowHeight}px`;
    this.list.style.setProperty("--row", `${this.rowHeight}px`);
    this.reveal(this.at);
    this.draw();
  }

  step(by) {
    const count = this.rows.length;
    if (count) this.choose(this.at < 0 ? 0 : stepped(this.at, by, count));
  }

  choose(at) {
    const [radiograph, , pathology] = this.rows[at];
    this.at = this.active = at;
    this.reveal(at);
    this.draw();
    announce("asked", { radiograph });
    this.asking.ask({ radiograph, pathology });
  }

  reveal(at) {
    if (at < 0) return;
    const { scrollTop, clientHeight } = this.list;
    const top = scrolledTo(at, this.rowHeight, scrollTop, clientHeight);
    if (top !== scrollTop) this.list.scrollTop = top;
  }

  draw() {
    const [first, last] = rowsInSight(this.rows.length, this.rowHeight, this.list.scrollTop, this.list.clientHeight);
    this.space.replaceChildren(...this.rows.slice(first, last).map((row, i) => this.#row(row, first + i)));
    const isInSight = this.active >= first && this.active < last;
    if (isInSight) this.list.setAttribute("aria-activedescendant", `row-${this.active}`);
    else this.list.removeAttribute("aria-activedescendant");
  }

  #row([id, name, , about], at) {
    const node = element("div", {
      role: "option", id: `row-${at}`, "aria-selected": at === this.at, "aria-posinset": at + 1,
      "aria-setsize": this.rows.length, title: id, "data-at": at, class: at === this.active ? "active" : null,
    }, element("span", { class: "name" }, name));
    if (about !== null) node.append(element("span", { class: "about" }, about));
    node.style.top = `${at * this.rowHeight}px`;
    return node;
  }

  #onListKey(event) {
    const to = activeAfter(event.key, this.active, this.rows.length);
    if (to !== null) {
      this.active = to;
      this.reveal(this.active);
      this.draw();
    } else if (event.key === "Enter" || event.key === " ") {
      if (this.active < this.rows.length) this.choose(this.active);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

export default mounting(Worklist);
