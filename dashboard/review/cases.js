// Previous and next case, by buttons and by keys that no widget uses. The reader's place is kept here while the server is
// on its way: presses in quick succession add up, and the last one wins.

const KEYS = { n: 1, N: 1, PageDown: 1, p: -1, P: -1, PageUp: -1 };
const TAKEN = "input, textarea, select, [contenteditable], [role=radiogroup], [role=radio], [role=slider], [role=dialog]," +
  " [role=listbox], [role=combobox], [role=menu], [data-testid=stButtonGroup]";
const PATIENCE_MS = 5000; // after which a case that did not come is no longer counted from

class Cases {
  constructor(parent) {
    this.parent = parent;
    this.calls = 0;
    this.place = null; // of the case shown
    this.wanted = null; // of the case asked for, until it is shown
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    const button = (by, text, title) => {
      const node = Object.assign(document.createElement("button"), { type: "button", textContent: text, title });
      node.addEventListener("click", () => this.step(by), { signal });
      return node;
    };
    this.root = Object.assign(document.createElement("div"), { className: "cases" });
    this.root.append(button(-1, "‹ Previous", "P or Page Up"), button(1, "Next ›", "N or Page Down"));
    parent.append(this.root);
    // whoever has just typed their name is to go on with the keys
    if (document.activeElement?.matches("input[type=text]")) document.activeElement.blur();
    document.addEventListener("keydown", (event) => this.#onKey(event), { signal });
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
    this.wanted = ((this.wanted ?? this.place) + by + this.count) % this.count;
    this.send("place", this.wanted);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => { this.wanted = null; }, PATIENCE_MS);
  }

  // Whatever scrolls around the buttons: the questions' column, the page.
  #toTop() {
    let node = this.parent;
    for (; node; node = node.parentNode ?? node.host) if (node.scrollTop) node.scrollTop = 0;
  }

  #onKey(event) {
    const target = event.composedPath()[0];
    if (!Object.hasOwn(KEYS, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest?.(TAKEN) || document.querySelector("[role=dialog]")) return;
    event.preventDefault();
    this.step(KEYS[event.key]);
  }
}

// ---- Mounting, as in the viewer.

const mounted = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  let cases = mounted.get(parentElement);
  if (!cases) mounted.set(parentElement, (cases = new Cases(parentElement)));
  const call = ++cases.calls;
  cases.send = setTriggerValue;
  cases.show(data);
  return () => {
    if (cases.calls !== call) return;
    cases.calls++;
    cases.destroy();
    mounted.delete(parentElement);
  };
}
