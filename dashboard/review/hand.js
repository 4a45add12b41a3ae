// A click leaves the keyboard on what it chose, where an arrow, Enter or Space would change the answer. After a click the
// keyboard is let go; whoever answers with the keyboard keeps it.

const CHOSEN = "input[type=radio], input[type=checkbox], [role=radio], [role=checkbox], button";

export default function () {
  const listeners = new AbortController();
  document.addEventListener("click", (event) => {
    if (event.detail === 0) return; // by the keyboard
    setTimeout(() => document.activeElement?.matches(CHOSEN) && document.activeElement.blur());
  }, { signal: listeners.signal, capture: true }); // before a widget keeps the click to itself
  return () => listeners.abort();
}
