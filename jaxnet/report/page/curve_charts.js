// The two charts of a training: its cost, and its accuracy.

import {
  BOTTOM,
  HEIGHT,
  LEFT,
  RIGHT,
  TOP,
  WIDTH,
  axisOf,
  drawAxes,
  makeChart,
  pathOf,
  placeOf,
} from "./charts.js";
import { constantShare, labelEntropy, wilson } from "./scores.js";
import { makeExtremes } from "./extremes.js";
import { mark } from "./dom.js";

/** Make the chart of the cost; `draw` takes the last iteration of its axis. */
export function makeCostChart({ descent, ui }) {
  const { data } = descent;
  const chart = makeChart(["theRun", "entropy", "before", "rises", ...data.names.toReversed()]);
  const stride = Math.max(1, Math.ceil(data.iterations / Math.max(1, data.costs.length)));
  const entropy = labelEntropy(data);
  const extremes = Object.fromEntries(data.names.map((name) => [name, makeExtremes()]));
  const rises = makeRises();
  const ofRun = makeExtremes()(data.costs);
  const before = makeBefore(chart.curves.before);
  let axis = "";
  const draw = (end, lost) => {
    const { history } = descent;
    const lists = data.names.map((name) => history[name].costs);
    const places = data.names.map((name, at) => extremes[name](lists[at]));
    const { y, ticks } = costAxis(lists, places, ui.logarithmic);
    const x = placeOf(end);
    data.names.forEach((name, at) => mark(chart.curves[name], "d", pathOf(places[at], lists[at], x, y)));
    mark(chart.curves.rises, "d", rises(history.rises, end));
    before(lost?.history.train.costs, JSON.stringify([end, ticks]), x, y);
    const wanted = JSON.stringify([end, ticks]);
    if (axis === wanted) return;
    axis = wanted;
    drawAxes(chart, x, y, end, ticks);
    const shown = ofRun.filter((at) => at * stride <= end);
    mark(
      chart.curves.theRun,
      "d",
      pathOf(shown, data.costs, (at) => x(at * stride), y),
    );
    mark(chart.curves.entropy, "d", `M${LEFT} ${y(entropy)}H${WIDTH - RIGHT}`);
  };
  return { ...chart, draw };
}

/** Make a function that draws the curve of the training before a change, anew if it or the axis changes. */
function makeBefore(curve) {
  let [drawn, drawnAxis] = [null, ""];
  return (values, axis, x, y) => {
    if (drawn === values && drawnAxis === axis) return;
    [drawn, drawnAxis] = [values, axis];
    mark(curve, "d", values ? pathOf(makeExtremes()(values), values, x, y) : "");
  };
}

/** Make a function from the iterations that raised the cost to marks, at most one a unit of the width. */
function makeRises() {
  let list = null;
  let axis = 0;
  let read = 0;
  let marks = new Set();
  return (rises, end) => {
    if (rises !== list || axis !== end || rises.length < read) {
      [list, axis, read, marks] = [rises, end, 0, new Set()];
    }
    const x = placeOf(end);
    while (read < rises.length) marks.add(x(rises[read++]).toFixed(0));
    return [...marks].map((place) => `M${place} ${HEIGHT - BOTTOM}v-7`).join("");
  };
}

/** Choose the axis of the costs: the place of a cost, and the ticks. */
function costAxis(lists, places, logarithmic) {
  let low = Infinity;
  let high = 0;
  lists.forEach((costs, which) => {
    for (const t of places[which]) {
      const value = costs[t];
      if (value > high && value < Infinity) high = value;
      if (value < low && value > 0) low = value;
    }
  });
  if (!high) low = high = 1; // no cost is a finite number above 0
  const { bottom, top, ticks } = axisOf(Math.max(low, 1e-12), Math.max(high, 1e-6), logarithmic);
  const share = (value) => {
    if (!logarithmic) return value / top;
    return Math.log(Math.max(value, bottom) / bottom) / (Math.log(top) - Math.log(bottom));
  };
  const y = (value) => heightOf(Math.max(0, Math.min(1, share(Number.isFinite(value) ? value : top))));
  return { y, ticks };
}

/** Return the place of a share of the height. */
function heightOf(share) {
  return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
}

const PERCENTS = [
  [0, "0"],
  [0.5, "50 %"],
  [1, "100 %"],
];

/** Make the chart of the accuracy; `draw` takes the last iteration of its axis. */
export function makeAccuracyChart({ descent }) {
  const { data } = descent;
  const constants = data.names.map((name) => `constant ${name}`);
  const chart = makeChart(["band", ...constants, "before", ...data.names.toReversed()]);
  const extremes = Object.fromEntries(data.names.map((name) => [name, makeExtremes()]));
  const before = makeBefore(chart.curves.before);
  const draw = (end, lost) => {
    const x = placeOf(end);
    before(lost?.history.train.correct, String(end), x, (count) =>
      heightOf((Number.isFinite(count) ? count : 0) / data.splits.train.m),
    );
    drawAxes(chart, x, heightOf, end, PERCENTS);
    for (const name of data.names) {
      const { correct } = descent.history[name];
      const { m } = data.splits[name];
      const places = extremes[name](correct).filter((t) => Number.isFinite(correct[t]));
      mark(
        chart.curves[name],
        "d",
        pathOf(places, correct, x, (count) => heightOf(count / m)),
      );
      const constant = heightOf(constantShare(data, name)).toFixed(1);
      mark(chart.curves[`constant ${name}`], "d", `M${LEFT} ${constant}H${WIDTH - RIGHT}`);
      if (name === "test") mark(chart.curves.band, "d", bandOf(places, correct, m, x));
    }
  };
  return { ...chart, draw };
}

/** Draw the outline of the 95 % interval of an accuracy. */
function bandOf(places, correct, m, x) {
  if (!places.length) return "";
  const intervals = places.map((t) => wilson(correct[t], m));
  const edge = (side, list) =>
    list.map((at) => `${x(places[at]).toFixed(1)} ${heightOf(intervals[at][side]).toFixed(1)}`).join("L");
  const order = [...places.keys()];
  return `M${edge(0, order)}L${edge(1, order.toReversed())}Z`;
}
