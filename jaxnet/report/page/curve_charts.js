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
  picked,
  placeOf,
} from "./charts.js";
import { constantShare, labelEntropy, wilson } from "./scores.js";
import { mark } from "./dom.js";

/** Make the chart of the cost; `draw` takes the last iteration of its axis. */
export function makeCostChart({ descent, ui }) {
  const { data } = descent;
  const chart = makeChart(["theRun", "entropy", "rises", ...data.names.toReversed()]);
  const stride = Math.max(1, Math.ceil(data.iterations / Math.max(1, data.costs.length)));
  const entropy = labelEntropy(data);
  const draw = (end) => {
    const { history } = descent;
    const { y, ticks } = costAxis(history, data.names, ui.logarithmic);
    const x = placeOf(end);
    drawAxes(chart, x, y, end, ticks);
    for (const name of data.names) {
      const { costs } = history[name];
      mark(chart.curves[name], "d", pathOf(picked(costs), costs, x, y));
    }
    const shown = [...data.costs.keys()].filter((at) => at * stride <= end);
    mark(
      chart.curves.theRun,
      "d",
      pathOf(shown, data.costs, (at) => x(at * stride), y),
    );
    mark(chart.curves.entropy, "d", `M${LEFT} ${y(entropy)}H${WIDTH - RIGHT}`);
    const marks = new Set(history.rises.map((t) => x(t).toFixed(0)));
    mark(chart.curves.rises, "d", [...marks].map((place) => `M${place} ${HEIGHT - BOTTOM}v-7`).join(""));
  };
  return { ...chart, draw };
}

/** Choose the axis of the costs: the place of a cost, and the ticks. */
function costAxis(history, names, logarithmic) {
  let low = Infinity;
  let high = 0;
  for (const name of names)
    for (const value of history[name].costs) {
      if (value > high && value < Infinity) high = value;
      if (value < low && value > 0) low = value;
    }
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
  const chart = makeChart(["band", ...constants, ...data.names.toReversed()]);
  const draw = (end) => {
    const x = placeOf(end);
    drawAxes(chart, x, heightOf, end, PERCENTS);
    for (const name of data.names) {
      const { correct } = descent.history[name];
      const { m } = data.splits[name];
      const places = picked(correct).filter((t) => Number.isFinite(correct[t]));
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
