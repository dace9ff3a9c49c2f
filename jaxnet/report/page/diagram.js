// The article's block diagram: every matrix is a box with its shape and its root mean square.

import { MOMENTS } from "./moments.js";
import { addProduct } from "./engine.js";
import { brief, say } from "./strings.js";
import { byId, make, mark, symbol, write } from "./dom.js";

// Name, column and row of each box: the parameters in row 1, their gradients in row 4.
const BOXES = [
  ["W1", 2, 1],
  ["b1", 2, 1],
  ["W2", 4, 1],
  ["b2", 4, 1],
  ["X", 1, 2],
  ["Z1", 2, 2],
  ["A1", 3, 2],
  ["Z2", 4, 2],
  ["A2", 5, 2],
  ["J", 6, 2],
  ["dZ1", 2, 3],
  ["dA1", 3, 3],
  ["dZ2", 4, 3],
  ["dA2", 5, 3],
  ["dW1", 2, 4],
  ["db1", 2, 4],
  ["dW2", 4, 4],
  ["db2", 4, 4],
];

export const BOX_NAMES = BOXES.map(([name]) => name);

/** Return the shape of a box. */
export function shapeOf(name, { n_x, n_h, m }) {
  if (name === "J") return [];
  const base = name.replace("d", "");
  return {
    X: [n_x, m],
    W1: [n_h, n_x],
    b1: [n_h, 1],
    W2: [1, n_h],
    b2: [1, 1],
    Z1: [n_h, m],
    A1: [n_h, m],
    Z2: [1, m],
    A2: [1, m],
  }[base];
}

/** Return the values of a box; W1, dW1 and X are not stored. */
export function valuesOf(descent, name) {
  return descent.stages.train[name] ?? descent.params[name] ?? descent.gradients[name];
}

const square = (values) => values.reduce((sum, value) => sum + value * value, 0);

/** Compute the root mean square of s W1₀ + C Xᵀ from Σ s²‖W1₀‖² + Σ C ∘ (2 s W1₀ X + C K). */
function sizeInSpan({ data, start, n_h }, s, C) {
  const { m } = data.splits.train;
  const { Z1, K } = start.inputs.train;
  const row = (unit) => start.W1.subarray(unit * data.n_x, (unit + 1) * data.n_x);
  start.squares ??= Array.from({ length: n_h }, (_, unit) => square(row(unit)));
  const CK = new Float64Array(C.length);
  addProduct(CK, C, K, n_h, m, m);
  const first = start.squares.reduce((sum, size, unit) => sum + s[unit] * s[unit] * size, 0);
  const sum = C.reduce((sum, c, at) => sum + c * (2 * s[Math.floor(at / m)] * Z1[at] + CK[at]), first);
  return Math.sqrt(Math.max(0, sum) / n_h / data.n_x);
}

/** Compute the root mean square of a box; of J its value. */
function sizeOf(descent, name) {
  const { data, start, params, gradients, t } = descent;
  const { m } = data.splits.train;
  if (name === "J") return descent.history.train.costs[t];
  if (name === "X") {
    let sum = 0;
    for (let k = 0; k < m; k++) sum += start.inputs.train.K[k * m + k];
    return Math.sqrt(sum / m / data.n_x);
  }
  if (name === "dW1") return sizeInSpan(descent, gradients.ds, gradients.dC);
  if (name === "W1") return sizeInSpan(descent, params.s, params.C);
  const values = valuesOf(descent, name);
  return Math.sqrt(square(values) / values.length);
}

/** Return whether a box is lit at a moment of a step, or was computed before; parameters and X are given. */
function momentOf(name, now) {
  if (name === now) return "lit";
  const isGiven = /^(X|[Wb]\d)$/.test(name);
  return isGiven || MOMENTS.indexOf(name) < MOMENTS.indexOf(now) ? "done" : "";
}

/** Make the diagram; the chosen box is explained below it. */
export function makeDiagram(app) {
  const boxes = {};
  const cells = {};
  for (const [name, column, row] of BOXES) {
    const shape = make("span", { class: "shape" });
    const size = make("span", { class: "size" });
    const bar = make("span", { class: "bar" });
    const button = make(
      "button",
      { type: "button", class: "box", onclick: () => app.choose({ box: name }) },
      symbol(name),
      shape,
      size,
      bar,
    );
    boxes[name] = { button, shape, size, bar };
    cells[`${column} ${row}`] ??= make("div", { class: `cell row${row} column${column}` });
    cells[`${column} ${row}`].append(button);
  }
  const side = (key, row) => make("span", { class: `direction row${row}`, say: key });
  const opener = make("button", {
    type: "button",
    "aria-controls": "diagram",
    onclick: () => app.choose({ diagram: !app.ui.diagram }),
  });
  byId("diagram").before(opener);
  byId("diagram").append(
    make("div", { class: "diagram" }, side("forward", 2), ...Object.values(cells), side("backward", 3)),
    make("p", { class: "note", say: "sizeNote" }),
  );
  return () => {
    const { descent, ui } = app;
    byId("diagram").hidden = !ui.diagram;
    write(opener, say(ui.diagram ? "hideDiagram" : "showDiagram"));
    mark(opener, "aria-expanded", ui.diagram);
    if (!ui.diagram) return;
    const sizes = { n_x: descent.data.n_x, n_h: descent.n_h, m: descent.data.splits.train.m };
    for (const [name, { button, shape, size, bar }] of Object.entries(boxes)) {
      const value = sizeOf(descent, name);
      const form = shapeOf(name, sizes).join(" × ");
      write(shape, form);
      write(size, brief(value));
      // Logarithmic, from 1e-6 to 100, so that a vanishing gradient is visible.
      bar.style.setProperty("--share", Math.max(0, Math.min(1, (Math.log10(value) + 6) / 8)) || 0);
      mark(button, "class", ui.slow ? `box ${momentOf(name, ui.box)}` : "box");
      mark(button, "aria-pressed", ui.box === name);
      mark(button, "aria-label", say("boxLabel", { name, shape: form, size: brief(value) }));
    }
  };
}
