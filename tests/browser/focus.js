// Where the keyboard is, whether that can be seen, and what it should reach, in shadow roots too.

(() => {
  const OWN = "[data-testid=viewer], .case-list, article, .stHtml";
  const FOCUSABLE = "a[href], button, select, input, textarea, summary, [tabindex='0']";

  const all = (selector, root = document) => [
    ...root.querySelectorAll(selector),
    ...[...root.querySelectorAll("*")].filter((node) => node.shadowRoot).flatMap((node) => all(selector, node.shadowRoot)),
  ];
  const active = () => {
    let node = document.activeElement;
    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    return node;
  };
  const isInSight = (node) => node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length > 0;
  const nameOf = (node) =>
    (node.closest(OWN) && node.dataset.testid) || node.getAttribute("aria-label") || (node.innerText || node.title || node.tagName).trim().slice(0, 40);
  // A ring may be drawn by the element itself, by what lies over it, or by the card that it stands for.
  const look = (node) => [[node], [node, "::after"], [node.closest("article") ?? node]].map((of) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor } = getComputedStyle(...of);
    return [outlineStyle === "none" ? "" : `${outlineStyle} ${outlineWidth} ${outlineColor}`, boxShadow, borderColor].join("|");
  }).join(" ");
  let last = null;

  globalThis.keyboard = {
    // What the keyboard is on, and whether what it was on before looked otherwise while it was there
    step: () => {
      const before = last && { name: last.name, isOwn: last.isOwn, isSeen: look(last.node) !== last.look };
      const node = active();
      last = node === document.body ? null : { node, name: nameOf(node), isOwn: Boolean(node.closest(OWN)), look: look(node) };
      return { name: last?.name ?? null, before };
    },
    // One of a group that arrows move in stands for the group
    expected: () => all(OWN).flatMap((root) => all(FOCUSABLE, root))
      .filter((node) => isInSight(node) && !node.disabled && node.tabIndex >= 0).map(nameOf),
  };
})();
