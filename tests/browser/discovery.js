// What a reader can set on a page, found by role and by Streamlit's own marks, in shadow roots too. A control is
// { kind, name, nth }: the nth in sight of its kind and name; `values` is how many it has, `at` the one that is chosen.

(() => {
  const KINDS = {
    tab: "[role=tablist]",
    choice: "[role=radiogroup]",
    select: "[data-testid=stSelectbox], [data-testid=stMultiSelect], select",
    toggle: "[data-testid=stCheckbox] input, input[type=checkbox]",
    popover: "[data-testid=stPopover] button",
    expander: "summary",
    text: "[data-testid=stTextInput] input, [data-testid=stTextArea] textarea, [data-testid=stNumberInput] input",
    slider: "[role=slider], input[type=range]",
    list: "[role=listbox]",
    button: "button",
  };
  const QUIET_MS = 300; // without any change a page is drawn
  const VALUES = { tab: "[role=tab]", choice: "[role=radio], input[type=radio]", select: "option", list: "[role=option]" };
  const PAGE = "[data-testid=stMain], [data-testid=stSidebarContent], [data-testid=stPopoverBody], [data-testid=stDialog]";
  // Parts of other kinds, what makes a file (it has tests of its own), and the tools that Streamlit puts on tables and figures
  const NO_BUTTON = "[role=tab], [role=radio], [role=option], summary *, [data-testid=stPopover] *, [data-testid=stSelectbox] *, "
    + "[data-testid=stMultiSelect] *, [data-testid=stSlider] *, [data-testid=stNumberInput] *, [data-testid=stFileUploader] *, "
    + "[data-testid=stDownloadButton] *, [data-testid=stElementToolbar] *, [data-testid=stTooltipIcon] *";

  const all = (selector, root = document) => [
    ...root.querySelectorAll(selector),
    ...[...root.querySelectorAll("*")].filter((node) => node.shadowRoot).flatMap((node) => all(selector, node.shadowRoot)),
  ];
  const closest = (node, selector) => {
    for (let at = node; at; at = at.getRootNode().host) {
      const above = at.closest(selector);
      if (above) return above;
    }
    return null;
  };
  const face = (node) => node.closest("label") ?? node; // Streamlit hides inputs and shows their labels
  const isInSight = (node) => face(node).checkVisibility({ visibilityProperty: true }) && face(node).getClientRects().length > 0;
  const isFree = (node) => !node.disabled && node.getAttribute("aria-disabled") !== "true";
  const words = (node) => (node?.innerText ?? "").trim();
  const withoutIcons = (node) =>
    [...node.querySelectorAll("[data-testid=stIconMaterial]")].reduce((text, icon) => text.replace(words(icon), ""), words(node)).trim();
  const nameOf = (node) => {
    const label = words(closest(node, "[data-testid=stElementContainer]")?.querySelector("label"));
    const own = node.matches("button, summary") ? withoutIcons(node) || node.title : "";
    const said = own || node.getAttribute("aria-label") || label || words(face(node)) || node.title;
    return said.replace(/\d+/g, "#").replace(/\s+/g, " ").slice(0, 50);
  };
  const valuesOf = (kind, node) => (VALUES[kind] ? all(VALUES[kind], node) : []);
  const isChosen = (node) => node.checked ?? [node.getAttribute("aria-checked"), node.getAttribute("aria-selected")].includes("true");

  function controls() {
    const count = {};
    return Object.entries(KINDS).flatMap(([kind, selector]) =>
      all(selector)
        .filter((node) => isInSight(node) && isFree(node) && closest(node, PAGE) && !(kind === "button" && node.matches(NO_BUTTON)))
        .map((node) => {
          const name = nameOf(node);
          const nth = (count[`${kind} ${name}`] = (count[`${kind} ${name}`] ?? -1) + 1);
          const values = valuesOf(kind, node);
          return { node, kind, name, nth, values: values.length, at: values.findIndex(isChosen) };
        }));
  }

  const find = ({ kind, name, nth }) =>
    controls().find((control) => control.kind === kind && control.name === name && control.nth === nth)?.node ?? null;

  const frame = () => new Promise(requestAnimationFrame);
  // What React does after a click it has done after two frames; the page then says itself that it waits for its server.
  const click = async (node) => {
    node?.click();
    await frame();
    await frame();
    return node !== null && node !== undefined;
  };
  // A popover's content comes a moment after its button says that it is open.
  const press = async (control) => {
    const isPressed = await click(find(control));
    for (let tries = 0; tries < 100 && isBare(find(control)); tries++) await frame();
    return isPressed;
  };
  const isBare = (node) => node?.matches("[aria-haspopup=dialog][aria-expanded=true], [data-testid=stPopover] [aria-expanded=true]")
    && !document.querySelector("[data-testid=stPopoverBody] [data-testid=stElementContainer]");
  const opened = async (control) => {
    const select = find(control);
    const input = select?.querySelector("[role=combobox], input");
    select?.querySelector("button[aria-haspopup]")?.click();
    for (let tries = 0; tries < 100 && input; tries++) {
      await frame();
      const options = document.getElementById(input.getAttribute("aria-controls"))?.querySelectorAll("[role=option]");
      if (options?.length) return [...options];
    }
    return [];
  };

  globalThis.crawl = {
    controls: () => controls().map(({ node, ...rest }) => rest),
    find,
    press,
    choose: (control, at) => click(valuesOf(control.kind, find(control) ?? document.createElement("i"))[at]),
    options: async (control) => (await opened(control)).map(words),
    pick: async (control, text) => click((await opened(control)).find((option) => words(option) === text)),
    isAtMost: (control) => {
      const node = find(control);
      return Number(node.ariaValueNow ?? node.value) >= Number(node.ariaValueMax ?? node.max);
    },
    boxes: () => all("[data-testid=stException], [data-testid=stDialog] [role=alert]").map(words),
    // Streamlit draws what its server sent a moment later, and loads the code of each kind of element when it first occurs
    drawn: () => new Promise((done) => {
      const wait = () => setTimeout(() => { observer.disconnect(); done(); }, QUIET_MS);
      let waiting = wait();
      const observer = new MutationObserver(() => { clearTimeout(waiting); waiting = wait(); });
      observer.observe(document.body, { subtree: true, childList: true });
    }),
    // Until the server was asked, the page is the former one, which waits for nothing
    visit: async (at) => {
      const before = globalThis.sent;
      document.querySelectorAll("[data-testid=stSidebarNavLink]")[at].click();
      while (globalThis.sent === before) await frame();
      await frame();
      await frame();
    },
  };

  // How many messages the page sent to its server
  globalThis.sent = 0;
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (...message) {
    globalThis.sent += 1;
    return send.apply(this, message);
  };
})();
