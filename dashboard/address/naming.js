// ---------------------------------------------------------------- naming.js
// What the address becomes; nothing here touches the browser's.

// Whether the address's path is that of a page: the default page has none of its own.
export function isPathOf(pathname, { page, otherPages }) {
  const last = pathname.split("/").pop();
  return page ? last === page : !otherPages.includes(last);
}

// Returns the address with a run's choices, and whether coming there is a step of the history.
export function withChoices(href, { choices, steps, isEntering }) {
  const address = new URL(href);
  const isStep = !isEntering && steps.some((name) => address.searchParams.get(name) !== choices[name]);
  for (const [name, value] of Object.entries(choices)) {
    if (value === null) address.searchParams.delete(name);
    else if (address.searchParams.get(name) !== value) address.searchParams.set(name, value);
  }
  if (isStep && address.searchParams.has("view")) address.searchParams.delete("view"); // of the former case
  return { address, isStep };
}
