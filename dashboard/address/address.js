// Names the reader's choices in the browser's address. Another case is a step of the history; whatever else is chosen, and
// what a page chose by itself as it was entered, changes the entry in place, so that Back leaves the page at the end.

import { isPathOf, withChoices } from "./naming.js";

let done = 0; // the number of the run whose choices were written: each is written once
const WAITS = 100; // frames, until Streamlit has brought the page's own path to the address

function write(data, waits) {
  if (data.number !== done) return; // a newer run took over
  if (!isPathOf(location.pathname, data)) {
    if (waits > 0) requestAnimationFrame(() => write(data, waits - 1));
    return;
  }
  const { address, isStep } = withChoices(location.href, data);
  if (address.href === location.href) return;
  if (isStep) history.pushState(null, "", address);
  else history.replaceState(history.state, "", address);
}

// ---- Ways within the dashboard. Streamlit reads the address when the history moves, and runs the page that it names.

function go(address) {
  history.pushState(null, "", new URL(address, location.href));
  dispatchEvent(new PopStateEvent("popstate"));
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
  if (!/^\.\/[a-z]*\?/.test(link?.getAttribute("href") ?? "")) return;
  event.preventDefault();
  go(link.href);
});

const gone = new Set(); // numbers of the runs that led elsewhere

export default function ({ data }) {
  if (data.goTo !== undefined) {
    if (gone.has(data.number)) return;
    gone.add(data.number);
    go(data.goTo);
  } else if (data.number !== done) {
    done = data.number;
    write(data, WAITS);
  }
}
