// ---------------------------------------------------------------- findings.js
// The cell beside the pictures: every method's score of every pathology, from which the reader chooses the pathology,
// and how far the methods agree. And, over each picture, the curve of IoU against threshold.

const CURVE_PX = { width: 124, height: 26 }; // as in viewer.css; asking the page would lay it out anew each frame
const SHADE = [47, 124, 158]; // white on it has 4.6:1, and more on all darker shades

function buildFindings(onPathology, signal) {
  const table = element("table", { class: "grid", "aria-label": "IoU by pathology and method" });
  const pairs = element("table", { class: "grid pairs", "aria-label": "Agreement between the methods' masks, IoU (intersection over union)" });
  const agreement = element("div", { class: "agreement" },
    element("h2", {}, "Agreement between masks"), pairs);
  const caption = element("h2", { "data-testid": "grid-threshold" });
  const legend = element("p", { class: "legend" },
    "IoU (intersection over union): overlap of mask and contour, 0 to 1; brighter is higher. ◉ hit: the map's maximum is " +
    "inside the contour. ● labelled positive, ○ negative, ◐ uncertain, · blank. ✎ contour available. – no value; hover for " +
    "the reason.");
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
    buttons[(at + step + buttons.length) % buttons.length].focus();
  }, { signal });
  return { root, caption, table, pairs, agreement };
}

function describeFindings(parts, scene) {
  const methods = scene.panels.slice(1);
  parts.root.hidden = scene.grid.length === 0;
  const head = element("tr", {}, element("th", { scope: "col" }, "Pathology"),
    element("th", { scope: "col", title: `Predicted probability; in bold if predicted, that is ${scene.predictionRule}` }, "Prob."),
    ...methods.map(({ title, full_name: name }) => element("th", { scope: "col", title: name }, title)));
  const body = element("tbody", { role: "radiogroup", "aria-label": "Pathology" },
    ...scene.grid.map((row) => gridRow(row, row.pathology === scene.pathology)));
  parts.table.replaceChildren(element("thead", {}, head), body);
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

const shadeOf = (iou) => `background-color: rgb(${SHADE.map((channel) => Math.round(channel * Math.min(1, 0.12 + iou))).join()})`;

// The grid holds the run's own scores of all pathologies; a fixed threshold governs the pictures, not these.
function describeThreshold(parts, scene, choices) {
  const isFixed = choices.threshold === FIXED;
  parts.caption.textContent = `IoU at the run's own thresholds${isFixed ? `, not at ${thresholdText(choices.level)}` : ""}`;
  parts.caption.classList.toggle("differs", isFixed);
}

const thresholdInWords = (scene, choices) =>
  (choices.threshold === FIXED ? `threshold ${thresholdText(choices.level)}` : `${scene.thresholdRule} threshold`);

// ---- Agreement: a triangle, the first method down the side missing and the last across the top.

function drawAgreement(parts, scene, choices) {
  const titles = Object.fromEntries(scene.panels.map(({ key, title }) => [key, title]));
  const keys = scene.panels.slice(1).map(({ key }) => key);
  parts.agreement.hidden = scene.agreements.length === 0;
  parts.agreement.firstChild.textContent = `Agreement between masks (IoU, ${thresholdInWords(scene, choices)})`;
  const ious = new Map(scene.agreements.map((pair) => [`${pair.one} ${pair.other}`, agreementOf(pair, choices)]));
  const cell = (one, other, isBelow) => {
    const iou = ious.get(`${one} ${other}`);
    if (!isBelow) return element("td", { class: "none" });
    if (!Number.isFinite(iou)) return element("td", { title: `${titles[one]} and ${titles[other]}: a mask is empty or missing` }, "–");
    return element("td", { style: shadeOf(iou), "data-testid": `agreement-${one}-${other}`,
      title: `${titles[one]} and ${titles[other]}: IoU ${iou.toFixed(2)}` }, iou.toFixed(2));
  };
  const head = element("tr", {}, element("td"), ...keys.slice(0, -1).map((key) => element("th", { scope: "col" }, titles[key])));
  const rows = keys.slice(1).map((other, at) => element("tr", {}, element("th", { scope: "row" }, titles[other]),
    ...keys.slice(0, -1).map((one, column) => cell(one, other, column <= at))));
  parts.pairs.replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

const agreementOf = (pair, choices) => (choices.threshold === RUN ? pair.iou ?? NaN : pair.levels[choices.level]);

// ---- The figures under a picture at the reader's threshold, and the curve.

function readingAt(panel, scene, choices) {
  const { levels } = panel;
  if (!levels) return null;
  if (choices.threshold === RUN) {
    return levels.level === null ? null : { threshold: `${scene.thresholdRule} ${thresholdText(levels.level)}` };
  }
  const iou = levels.iou?.[choices.level];
  return {
    threshold: `fixed ${thresholdText(choices.level)}`,
    iou: Number.isFinite(iou) ? iou.toFixed(2) : "–",
    area: percentText(levels.area[choices.level]),
  };
}

// As figures/findings.py writes a share.
const percentText = (share) => `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;

function highestIou(scene) {
  const all = scene.panels.flatMap(({ levels }) => [...(levels?.iou ?? [])]).filter(Number.isFinite);
  return Math.max(0.1, Math.ceil(10 * Math.max(0, ...all)) / 10);
}

const hasCurve = ({ levels }) => Boolean(levels?.iou?.some(Number.isFinite));

function drawCurve(canvas, panel, scene, choices, ratio) {
  const { levels } = panel;
  if (!hasCurve(panel)) return;
  const [width, height] = [CURVE_PX.width * ratio, CURVE_PX.height * ratio];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const edge = 4 * ratio;
  const top = scene.highestIou;
  const xOf = (level) => edge + (level / 255) * (width - 2 * edge);
  const yOf = (iou) => height - edge - (iou / top) * (height - 2 * edge);
  context.clearRect(0, 0, width, height);
  context.fillStyle = "#2a2f34";
  context.fillRect(edge, height - edge, width - 2 * edge, ratio);
  context.strokeStyle = "#d7dce0";
  context.lineWidth = 1.5 * ratio;
  context.beginPath();
  levels.iou.forEach((iou, level) => Number.isFinite(iou) && context.lineTo(xOf(level), yOf(iou)));
  context.stroke();
  if (levels.level !== null && Number.isFinite(levels.iou[Math.round(levels.level)])) {
    context.strokeStyle = "#fff3c4";
    context.beginPath();
    context.arc(xOf(levels.level), yOf(levels.iou[Math.round(levels.level)]), 3 * ratio, 0, 2 * Math.PI);
    context.stroke();
  }
  if (choices.threshold === FIXED) {
    context.fillStyle = "#6cc4e8";
    context.fillRect(xOf(choices.level) - ratio / 2, 0, ratio, height);
  }
}

function curveInWords(panel, scene) {
  const ious = panel.levels?.iou;
  if (!ious?.some(Number.isFinite)) return "";
  const best = ious.reduce((at, iou, level) => (Number.isFinite(iou) && !(iou <= ious[at]) ? level : at), 0);
  const run = panel.levels.level === null ? "" : ` ○ ${scene.thresholdRule} ${thresholdText(panel.levels.level)}.`;
  return `IoU (0 to ${scene.highestIou.toFixed(1)}) against threshold (0 to 1).${run} Best ${ious[best].toFixed(2)} at ${thresholdText(best)}.`;
}
