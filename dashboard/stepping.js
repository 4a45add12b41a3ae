// ---------------------------------------------------------------- stepping.js
// Previous and next, by buttons and by keys that no widget uses.

const STEPS = { n: 1, N: 1, PageDown: 1, p: -1, P: -1, PageUp: -1 };

// What is a key for us with one is a command of the browser's.
export const hasModifier = (event) => event.ctrlKey || event.metaKey || event.altKey;

// A list has no end: after the last comes the first.
export const stepped = (at, by, count) => (at + by + count) % count;

// Returns the two buttons; `taken` selects what keeps these keys to itself.
export function steppers(step, taken, signal) {
  const button = (by, text, title) => {
    const node = Object.assign(document.createElement("button"), { type: "button", textContent: text, title });
    node.addEventListener("click", () => step(by), { signal });
    return node;
  };
  document.addEventListener("keydown", (event) => {
    const target = event.composedPath()[0];
    if (!Object.hasOwn(STEPS, event.key) || hasModifier(event)) return;
    if (target.closest?.(taken)) return;
    event.preventDefault();
    step(STEPS[event.key]);
  }, { signal });
  return [button(-1, "‹ Previous", "P or Page Up"), button(1, "Next ›", "N or Page Down")];
}
