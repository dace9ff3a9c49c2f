// A step in slow motion: the matrices of the diagram lit one after the other, with the numbers of one unit and
// one picture.

import { MOMENTS, largestPixel, phaseOf, stepNumbers, weightRows } from "./moments.js";
import { PIXEL_SCALES } from "./data.js";
import { asPicture, limitOf, paintValues } from "./colors.js";
import { brief, say } from "./strings.js";
import { byId, make, mark, write } from "./dom.js";
import { flowOf } from "./flow.js";
import { formulasOf } from "./formulas.js";
import { inputOf, nameOf } from "./picture.js";

const DIGITS = 4;
const FINE = 7; // so that a parameter differs before a step and after it

/** Write a number with its digits; a small one with an exponent. */
function num(value, digits = DIGITS) {
  const isSmall = value !== 0 && Math.abs(value) < 1e-3;
  return isSmall ? value.toExponential(digits - 1).replaceAll("-", "−") : brief(value, digits);
}

/** Add the actions of slow motion to the app: to begin or end it, and to go on or back by a moment. */
export function addSlowMotion(app) {
  const { descent, ui } = app;
  const show = (box) => app.choose({ box, diagram: true });
  app.slowMotion = () => {
    if (ui.playing) app.pause();
    const { a1 } = flowOf(descent, ui.picture);
    const unit = a1.indexOf(Math.max(...a1)); // the one that responds most to the picture
    app.choose(ui.slow ? { slow: false } : { slow: true, diagram: true, box: MOMENTS[0], unit });
    if (ui.slow) byId("network").scrollIntoView();
  };
  /** Show the next moment; after the last one, take the step and begin with the next step. */
  app.nextMoment = () => {
    const at = MOMENTS.indexOf(ui.box) + 1;
    if (at === MOMENTS.length && !descent.finite) return;
    if (at === MOMENTS.length) app.step(1);
    show(MOMENTS[at % MOMENTS.length]);
  };
  app.canGoBack = () => MOMENTS.indexOf(ui.box) > 0 || descent.snapshots.has(descent.t - 1);
  /** Show the moment before; before the first one, that is the end of the step before. */
  app.lastMoment = () => {
    if (!app.canGoBack()) return;
    const at = MOMENTS.indexOf(ui.box) - 1;
    if (at < 0) app.goTo(descent.t - 1);
    show(MOMENTS.at(at));
  };
}

/** Make the controls and the numbers, above the diagram. */
export function makeSlowMotion(app) {
  const { descent, ui } = app;
  const press = (key, onclick) => make("button", { type: "button", say: key, onclick });
  const opener = press("slowMotion", app.slowMotion);
  const last = press("lastMoment", app.lastMoment);
  const next = press("nextMoment", app.nextMoment);
  const unit = make("select", { label: "slowUnit", onchange: () => app.choose({ unit: Number(unit.value) }) });
  const place = make("p", { class: "place" });
  const lines = make("dl", {});
  const rows = makeRowPictures(descent);
  const told = make("div", { role: "status" }, place, lines);
  const unitLine = make("label", {}, make("span", { say: "slowUnit" }), " ", unit);
  const formula = make("div", { class: "formulaNow" });
  const note = make("p", { class: "note", say: "slowKeys" });
  const steering = make("div", { class: "buttons" }, last, next, unitLine);
  const body = make("div", { class: "slow" }, steering, formula, told, rows.element, note);
  byId("diagram").before(opener, body);
  let stated = "";
  return () => {
    mark(opener, "aria-pressed", ui.slow);
    byId("network").classList.toggle("slowly", ui.slow);
    mark(byId("way"), "data-lit", ui.slow ? ui.box : "");
    body.hidden = !ui.slow;
    if (!ui.slow) return;
    ui.unit = Math.min(ui.unit, descent.n_h - 1);
    if (unit.children.length !== descent.n_h)
      unit.replaceChildren(...Array.from(descent.params.b1, (_, at) => make("option", { value: at }, at + 1)));
    unit.value = ui.unit;
    last.disabled = !app.canGoBack();
    next.disabled = ui.box === MOMENTS.at(-1) && !descent.finite;
    const { settings } = descent;
    const wanted = [ui.box, settings.pixel_scale, settings.activation, settings.weight_decay].join();
    if (stated !== wanted) formula.replaceChildren(...formulasOf(ui.box, settings));
    stated = wanted;
    const n = MOMENTS.indexOf(ui.box) + 1;
    const values = { phase: say(phaseOf(ui.box)), name: ui.box, n, of: MOMENTS.length, t: descent.t + 1 };
    const picture = nameOf(descent, ui.picture);
    write(place, `${say("slowPlace", values)} · ${say("slowOf", { unit: ui.unit + 1, picture })}`);
    drawLines(lines, linesOf(app));
    rows.draw(ui.box === "W1" || ui.box === "dW1" ? weightRows(descent, ui.unit) : null, ui.unit);
  };
}

function drawLines(list, lines) {
  const parts = lines.flatMap(([key, text]) => [make("dt", {}, say(key)), make("dd", {}, text)]);
  const wanted = parts.map(({ textContent }) => textContent).join("\n");
  if (list.dataset.shown === wanted) return;
  list.dataset.shown = wanted;
  list.replaceChildren(...parts);
}

/** Make the pictures of a unit's weights: before the step, what it subtracts, and after it. */
function makeRowPictures(descent) {
  const { data } = descent;
  const frames = ["stepBefore", "stepChange", "stepAfter"].map((key) => {
    const canvas = make("canvas", { role: "img", label: key });
    return { canvas, element: make("figure", {}, canvas, make("figcaption", { say: key })) };
  });
  const element = make("div", { class: "figures" }, ...frames.map((frame) => frame.element));
  const draw = (rows, unit) => {
    element.hidden = rows === null;
    if (!rows) return;
    const rate = descent.live.fixed[unit] ? 0 : descent.settings.learning_rate;
    const parts = [rows.before, rows.slope.map((slope) => rate * slope), rows.after].map((row) =>
      asPicture(row, data),
    );
    // What a step changes is far smaller than the weights, so it has a colour scale of its own.
    const limits = [limitOf(parts[0]), limitOf(parts[1]), limitOf(parts[0])];
    frames.forEach(({ canvas }, at) => paintValues(canvas, parts[at], data.width, data.height, limits[at]));
  };
  return { element, draw };
}

/** List the numbers of the moment, each line with the key of its name and a text. */
function linesOf({ descent, ui }) {
  const { hidden } = descent;
  const { picture, unit, box } = ui;
  const n = stepNumbers(descent, unit, picture);
  if (/^d[ZA]/.test(box) && picture.split !== "train") return [["ofPicture", say("noDerivatives")]];
  if (/^d?[Wb]\d$/.test(box)) return linesOfParameter(descent, ui, n);
  const { z1, a1, z2, a2, y, dA2, dZ2, dA1, dZ1, b1, W2, b2 } = n;
  const [one, all] = ["ofPicture", "ofAll"];
  const texts = {
    X: () => [[one, pixelText(descent, unit, picture)]],
    Z1: () => [[one, `Z1 = Σ W1 x + b1 = ${num(z1 - b1.before)} + ${signedTerm(b1.before)} = ${num(z1)}`]],
    A1: () => [[one, `A1 = g(${num(z1)}) = ${num(a1)}`]],
    Z2: () => [
      ["ofUnit", `W2 A1 = ${num(W2.before)} × ${num(a1)} = ${num(W2.before * a1)}`],
      [one, `Z2 = Σ W2 A1 + b2 = ${num(z2 - b2.before)} + ${signedTerm(b2.before)} = ${num(z2)}`],
    ],
    A2: () => [[one, `A2 = σ(${num(z2)}) = ${num(a2)}`]],
    J: () => [
      ...(y === null ? [] : [[one, `y = ${y}: −log ${y ? num(a2) : `(1 − ${num(a2)})`} = ${num(n.loss)}`]]),
      [all, `J = ${num(n.J)}`],
    ],
    dA2: () => [[one, `y = ${y}: ${y ? `−1 / ${num(a2)}` : `1 / (1 − ${num(a2)})`} = ${num(dA2)}`]],
    dZ2: () => [[one, `A2 − y = ${num(a2)} − ${y} = ${num(dZ2)}`]],
    dA1: () => [[one, `W2 dZ2 = ${num(W2.before)} × ${signedTerm(dZ2)} = ${num(dA1)}`]],
    dZ1: () => [[one, `dA1 g′(Z1) = ${num(dA1)} × ${num(hidden.slope(z1))} = ${num(dZ1)}`]],
  };
  return texts[box]();
}

/** Write a number behind a sign: a negative one in brackets. */
function signedTerm(value) {
  return value < 0 ? `(${num(value)})` : num(value);
}

/** Write the pixel of a picture whose weight the step changes most. */
function pixelText(descent, unit, picture) {
  const rows = weightRows(descent, unit);
  if (!rows) return say("noPicturesHere");
  const f = largestPixel(rows);
  const p = inputOf(descent, picture)[f];
  const n = descent.data.n_x.toLocaleString("en");
  return say("slowPixel", { n, f, p: num(p), x: num(inputAt(descent, p)) });
}

/** Compute the network's input of a pixel. */
function inputAt({ settings }, pixel) {
  const [a, c] = PIXEL_SCALES[settings.pixel_scale];
  return a * pixel + c;
}

/** List the numbers of a parameter or of its slope: for W1 those of the pixel that the step changes most. */
function linesOfParameter(descent, { box, unit, picture }, n) {
  const name = box.replace("d", "");
  const rate = descent.settings.learning_rate;
  const lines = [];
  let part = n[name];
  if (name === "W1") {
    const rows = weightRows(descent, unit);
    if (!rows) return [["ofAll", say("noPicturesHere")]];
    const f = largestPixel(rows);
    part = { before: rows.before[f], slope: rows.slope[f], after: rows.after[f] };
    lines.push(["slowWeight", say("slowWeightOf", { f })]);
    if (box === "dW1" && picture.split === "train") {
      const x = inputAt(descent, inputOf(descent, picture)[f]);
      lines.push(["ofPicture", `dZ1 x = ${num(n.dZ1)} × ${signedTerm(x)} = ${num(n.dZ1 * x)}`]);
    }
  }
  if (box.startsWith("d")) {
    if (picture.split === "train" && name === "W2")
      lines.push(["ofPicture", `dZ2 A1 = ${num(n.dZ2)} × ${num(n.a1)} = ${num(n.dZ2 * n.a1)}`]);
    if (picture.split === "train" && name === "b2") lines.push(["ofPicture", `dZ2 = ${num(n.dZ2)}`]);
    if (picture.split === "train" && name === "b1") lines.push(["ofPicture", `dZ1 = ${num(n.dZ1)}`]);
    return [...lines, ["ofAll", `${box} = ${num(part.slope)}`]];
  }
  const isFixed = name !== "b2" && descent.live.fixed[unit];
  const step = `α d${name} = ${rate} × ${signedTerm(part.slope)} = ${num(rate * part.slope)}`;
  return [
    ...lines,
    ["stepBefore", `${name} = ${num(part.before, FINE)}`],
    ["stepChange", isFixed ? `0 (${say("frozenUnit")})` : step],
    ["stepAfter", `${name} = ${num(part.after, FINE)}`],
  ];
}
