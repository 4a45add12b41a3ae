// Names the reader's choices in the browser's address. Another case is a step of the history; whatever else is chosen, and
// what a page chose by itself as it was entered, changes the entry in place, so that Back leaves the page at the end.

let done = 0; // the number of the run whose choices were written: each is written once
const WAITS = 100; // frames, until Streamlit has brought the page's own path to the address

function isHere({ page, otherPages }) {
  const last = location.pathname.split("/").pop();
  return page ? last === page : !otherPages.includes(last);
}

function write(data, waits) {
  if (data.number !== done) return; // a newer run took over
  if (!isHere(data)) {
    if (waits > 0) requestAnimationFrame(() => write(data, waits - 1));
    return;
  }
  const address = new URL(location.href);
  const isStep = !data.isEntering && data.steps.some((name) => address.searchParams.get(name) !== data.choices[name]);
  for (const [name, value] of Object.entries(data.choices)) {
    if (value === null) address.searchParams.delete(name);
    else if (address.searchParams.get(name) !== value) address.searchParams.set(name, value);
  }
  if (isStep && address.searchParams.has("view")) address.searchParams.delete("view"); // of the former case
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
  if (!link?.getAttribute("href")?.startsWith("./?")) return;
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
