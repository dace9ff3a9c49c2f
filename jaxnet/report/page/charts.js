// Small line charts in SVG.

import { makeSvg, mark } from "./dom.js";

export const WIDTH = 330;
export const HEIGHT = 140;
export const LEFT = 44;
export const RIGHT = 8;
export const TOP = 8;
export const BOTTOM = 20;

const ROUND = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
const HALVES = [1, 2, 4, 6, 8, 10]; // the half of each has one digit, too
const DECADES = 5; // more labels of a logarithmic axis would overlap

/** Return the next round number that is at least x. */
export function roundUp(x, steps = ROUND) {
  const power = 10 ** Math.floor(Math.log10(x));
  return power * steps.find((step) => step * power >= x * 0.999999);
}

/** Choose the axis of values from `low` to `high`, both above 0: its ends, and its ticks with labels. */
export function axisOf(low, high, logarithmic) {
  const isLong = high < 0.01 || high >= 1e4; // as a plain number, its label would not fit
  const top = Math.min(roundUp(high, isLong ? HALVES : ROUND), 1e308);
  if (!logarithmic) return { bottom: 0, top, ticks: [0, top / 2, top].map((tick) => [tick, label(tick)]) };
  const [first, last] = [low, top].map((value) => Math.floor(Math.log10(value) + 1e-9));
  const stride = Math.max(1, Math.ceil((last - first) / DECADES));
  const ticks = [];
  for (let power = first; power <= last; power += stride) ticks.push([10 ** power, label(10 ** power)]);
  return { bottom: 10 ** first, top: Math.max(top, 10 ** (first + 1)), ticks };
}

function label(value) {
  const isShort = value === 0 || (value >= 0.005 && value < 1e4);
  const text = isShort ? String(Number(value.toPrecision(3))) : value.toExponential(0).replace("+", "");
  return text.replace("-", "−");
}

/** Make one chart, and return the parts of it that are redrawn. */
export function makeChart(names) {
  const axes = makeSvg("g", { class: "axes" });
  const curves = {};
  const svg = makeSvg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" }, axes);
  for (const name of names) svg.append((curves[name] = makeSvg("path", { class: `curve ${name}` })));
  const cursor = makeSvg("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM });
  svg.append(cursor);
  return { svg, axes, curves, cursor };
}

/** Return the function that places an iteration on an axis that ends at `end`. */
export function placeOf(end) {
  return (t) => LEFT + (t / end) * (WIDTH - LEFT - RIGHT);
}

/** Draw the grid lines, at values of y with their texts, and the iterations on the x axis. */
export function drawAxes(chart, x, y, end, ticks) {
  const wanted = JSON.stringify([end, ticks]);
  if (chart.drawn === wanted) return;
  chart.drawn = wanted;
  const parts = ticks.flatMap(([value, text]) => [
    makeSvg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
    makeSvg("text", { x: LEFT - 5, y: y(value) + 3.5, "text-anchor": "end" }, text),
  ]);
  for (const t of [0, end / 2, end]) {
    parts.push(
      makeSvg(
        "text",
        { x: x(t), y: HEIGHT - 5, "text-anchor": t === end ? "end" : t ? "middle" : "start" },
        t.toLocaleString("en"),
      ),
    );
  }
  chart.axes.replaceChildren(...parts);
}

export function pathOf(places, values, x, y) {
  return places.map((t, at) => `${at ? "L" : "M"}${x(t).toFixed(1)} ${y(values[t]).toFixed(1)}`).join("");
}
