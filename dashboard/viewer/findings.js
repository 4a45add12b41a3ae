// ---------------------------------------------------------------- findings.js
// The cell beside the pictures: every method's score of every pathology, from which the reader chooses the pathology,
// and how far the methods agree.

import { element } from "../element.js";
import { stepped } from "../stepping.js";
import { FIXED, RUN } from "./choices.js";
import { decimalText, thresholdText } from "./readings.js";

const SHADE = [47, 124, 158]; // white on it has 4.6:1, and more on all darker shades

export function buildFindings(onPathology, signal) {
  const table = element("table", { class: "grid" });
  const pairs = element("table", { class: "grid pairs", "aria-label": "Agreement between the methods' masks, IoU (intersection over union)" });
  const agreement = element("div", { class: "agreement" },
    element("h2", {}, "Agreement between masks"), pairs);
  const caption = element("h2", { "data-testid": "grid-threshold" });
  const legend = element("p", { class: "legend" });
  const root = element("section", { class: "findings", "data-testid": "findings" }, caption, table, agreement, legend);
  table.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-pathology]");
    if (row) onPathology(row.dataset.pathology);
  }, { signal });
  table.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const buttons = [...table.querySelectorAll("[role=radio]")];
    const at = buttons.indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    buttons[stepped(at, step, buttons.length)].focus();
  }, { signal });
  return { root, caption, table, pairs, agreement, legend };
}

export function describeFindings(parts, scene) {
  const methods = scene.panels.slice(1);
  parts.root.hidden = scene.grid.length === 0;
  parts.legend.textContent = scene.truth.legend;
  parts.table.setAttribute("aria-label", `${scene.truth.score} by pathology and method`);
  const head = element("tr", {}, element("th", { scope: "col" }, "Pathology"),
    element("th", { scope: "col", title: `Predicted probability; in bold if predicted, that is ${scene.predictionRule}` }, "Prob."),
    ...methods.map(({ title, full_name: name }) => element("th", { scope: "col", title: name }, title)));
  const body = element("tbody", { role: "radiogroup", "aria-label": "Pathology" },
    ...scene.grid.map((row) => gridRow(row, row.pathology === scene.pathology)));
  parts.table.replaceChildren(element("thead", {}, head), body);
}

// Of many pathologies, brings the chosen one into the part of the list that is in sight; the page stays where it is.
export function revealChosen({ root, table }) {
  const chosen = table.querySelector("tr.chosen");
  if (!chosen || root.scrollHeight <= root.clientHeight) return;
  const { top, bottom } = chosen.getBoundingClientRect();
  const sight = root.getBoundingClientRect();
  if (bottom > sight.bottom) root.scrollTop += bottom - sight.bottom;
  else if (top < sight.top) root.scrollTop -= sight.top - top;
}

function gridRow(row, isChosen) {
  const name = element("button", {
    type: "button", role: "radio", "aria-checked": isChosen, tabindex: isChosen ? "0" : "-1", title: row.help,
  }, element("span", { class: "sign", "aria-hidden": "true" }, row.sign),
  element("span", { class: "sign", "aria-hidden": "true" }, row.is_marked ? "✎" : ""),
  element("span", { class: "name" }, row.pathology));
  const cells = row.cells.map((cell) => element("td", {
    title: cell.help, "aria-label": cell.help, style: cell.iou === null ? null : shadeOf(cell.iou),
    class: cell.iou === null ? "nothing" : null,
  }, cell.is_hit ? element("span", { class: "hit", "aria-hidden": "true" }, "◉") : "", cell.text));
  return element("tr", { "data-pathology": row.pathology, class: isChosen ? "chosen" : null },
    element("th", { scope: "row" }, name),
    element("td", { class: row.is_predicted ? "predicted" : null, title: row.help }, row.probability), ...cells);
}

export const shadeOf = (iou) => `background-color: rgb(${SHADE.map((channel) => Math.round(channel * Math.min(1, 0.12 + iou))).join()})`;

// The grid holds the run's own scores of all pathologies; a fixed threshold governs the pictures, not these.
export function describeThreshold(parts, scene, choices) {
  const isFixed = choices.threshold === FIXED;
  parts.caption.textContent = `${scene.truth.score} at the run's own thresholds${isFixed ? `, not at ${thresholdText(choices.level)}` : ""}`;
  parts.caption.classList.toggle("differs", isFixed);
}

const thresholdInWords = (scene, choices) =>
  (choices.threshold === FIXED ? `threshold ${thresholdText(choices.level)}` : `${scene.thresholdRule} threshold`);

// ---- Agreement: a triangle, the first method down the side missing and the last across the top.

export function drawAgreement(parts, scene, choices) {
  const titles = Object.fromEntries(scene.panels.map(({ key, title }) => [key, title]));
  const keys = scene.panels.slice(1).map(({ key }) => key);
  parts.agreement.hidden = scene.agreements.length === 0;
  parts.agreement.firstChild.textContent = `Agreement between masks (IoU, ${thresholdInWords(scene, choices)})`;
  const ious = new Map(scene.agreements.map((pair) => [`${pair.one} ${pair.other}`, agreementOf(pair, choices)]));
  const cell = (one, other, isBelow) => {
    const iou = ious.get(`${one} ${other}`);
    if (!isBelow) return element("td", { class: "none" });
    if (!Number.isFinite(iou)) return element("td", { title: `${titles[one]} and ${titles[other]}: a mask is empty or missing` }, "–");
    const text = decimalText(iou, 2);
    return element("td", { style: shadeOf(iou), "data-testid": `agreement-${one}-${other}`,
      title: `${titles[one]} and ${titles[other]}: IoU ${text}` }, text);
  };
  const head = element("tr", {}, element("td"), ...keys.slice(0, -1).map((key) => element("th", { scope: "col" }, titles[key])));
  const rows = keys.slice(1).map((other, at) => element("tr", {}, element("th", { scope: "row" }, titles[other]),
    ...keys.slice(0, -1).map((one, column) => cell(one, other, column <= at))));
  parts.pairs.replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

export const agreementOf = (pair, choices) => (choices.threshold === RUN ? pair.iou ?? NaN : pair.levels[choices.level]);
