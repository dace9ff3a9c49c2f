// Small line charts in SVG.

import { makeSvg, mark } from "./dom.js";

export const WIDTH = 330;
export const HEIGHT = 140;
export const LEFT = 38;
export const RIGHT = 8;
export const TOP = 8;
export const BOTTOM = 20;
const POINTS = 400; // more could not be distinguished in a chart of this width

/** Return the next round number that is at least x. */
export function roundUp(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  return power * [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => step * power >= x * 0.999999);
}

/** Pick the iterations at which a curve is drawn: all, or the two extremes of each interval. */
export function picked(values) {
  const n = values.length;
  if (n <= POINTS) return [...values.keys()];
  const places = [0];
  for (let part = 0; part < POINTS / 2; part++) {
    const from = Math.floor((part * 2 * n) / POINTS);
    const to = Math.floor(((part + 1) * 2 * n) / POINTS);
    let low = from;
    let high = from;
    for (let t = from; t < to; t++) {
      if (values[t] < values[low]) low = t;
      if (values[t] > values[high]) high = t;
    }
    places.push(Math.min(low, high), Math.max(low, high));
  }
  places.push(n - 1);
  return places;
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
