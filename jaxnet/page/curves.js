// Cost and accuracy by iteration, as small SVG charts; a click goes back to the nearest snapshot.

import { brief, percent, say } from "./strings.js";
import { byId, make, makeSvg, mark, write } from "./dom.js";

const WIDTH = 330, HEIGHT = 140, LEFT = 38, RIGHT = 8, TOP = 8, BOTTOM = 20;
const POINTS = 400; // as many as the eye tells apart in a chart of this width

/** Compute the Wilson interval of a share, 95 %. */
export function wilson(right, m) {
  const z = 1.959963984540054, p = right / m, d = 1 + (z * z) / m;
  const center = (p + (z * z) / (2 * m)) / d;
  const half = (z / d) * Math.sqrt((p * (1 - p)) / m + (z * z) / (4 * m * m));
  return [Math.max(0, center - half), Math.min(1, center + half)];
}

/** Find a round number, 1, 2 or 5 times a power of ten, that is at least x. */
function roundUp(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  return power * [1, 2, 5, 10].find((step) => step * power >= x * 0.999999);
}

/** Pick the iterations at which a curve is drawn: every one, or of each stretch the two extremes. */
function picked(values) {
  const n = values.length;
  if (n <= POINTS) return [...values.keys()];
  const places = [0];
  for (let part = 0; part < POINTS / 2; part++) {
    const from = Math.floor((part * 2 * n) / POINTS), to = Math.floor(((part + 1) * 2 * n) / POINTS);
    let low = from, high = from;
    for (let t = from; t < to; t++) {
      if (values[t] < values[low]) low = t;
      if (values[t] > values[high]) high = t;
    }
    places.push(Math.min(low, high), Math.max(low, high));
  }
  places.push(n - 1);
  return places;
}

/** Make one chart with the parts that every drawing moves. */
function makeChart(names) {
  const axes = makeSvg("g", { class: "axes" }), curves = {};
  const svg = makeSvg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" }, axes);
  for (const name of names) svg.append((curves[name] = makeSvg("path", { class: `curve ${name}` })));
  const cursor = makeSvg("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM });
  svg.append(cursor);
  return { svg, axes, curves, cursor };
}

/** Draw the grid lines: values of y with their texts, and iterations. */
function drawAxes(chart, x, y, end, ticks) {
  const wanted = JSON.stringify([end, ticks]);
  if (chart.drawn === wanted) return;
  chart.drawn = wanted;
  const parts = ticks.flatMap(([value, text]) => [
    makeSvg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
    makeSvg("text", { x: LEFT - 5, y: y(value) + 3.5, "text-anchor": "end" }, text),
  ]);
  for (const t of [0, end / 2, end]) {
    parts.push(makeSvg("text", { x: x(t), y: HEIGHT - 5, "text-anchor": t === end ? "end" : t ? "middle" : "start" }, t.toLocaleString("en")));
  }
  chart.axes.replaceChildren(...parts);
}

function pathOf(places, values, x, y) {
  return places.map((t, at) => `${at ? "L" : "M"}${x(t).toFixed(1)} ${y(values[t]).toFixed(1)}`).join("");
}

/** Say the share of the more frequent class of the training pictures in a split. */
function constantShare(data, name) {
  const positive = mostFrequent(data), { Y } = data.splits[name];
  return Y.reduce((sum, y) => sum + (y === positive), 0) / Y.length;
}

function mostFrequent({ splits: { train } }) {
  return train.Y.reduce((sum, y) => sum + y, 0) * 2 > train.m ? 1 : 0;
}

/** Say the cost that the class rate alone reaches. */
function labelEntropy({ splits: { train } }) {
  const total = train.weights.reduce((sum, w) => sum + w, 0);
  const p = train.Y.reduce((sum, y, j) => sum + y * train.weights[j], 0) / total;
  return [p, 1 - p].reduce((sum, share) => sum - (share > 0 ? share * Math.log(share) : 0), 0);
}

/** Make both charts, their legend, and the line that reads them at the pointer. */
export function makeCurves(app) {
  const { data } = app.lesson, names = data.names;
  const costs = makeChart(["theRun", "entropy", "rises", ...names.toReversed()]);
  const rights = makeChart(["band", ...names.flatMap((name) => [`constant ${name}`]), ...names.toReversed()]);
  const logarithmic = make("input", { type: "checkbox" });
  logarithmic.addEventListener("change", () => {
    app.ui.logarithmic = logarithmic.checked;
    app.draw();
  });
  const reading = make("p", { class: "reading" }), rises = make("p", { class: "rises" });
  const chart = make("div", { class: "charts", tabindex: 0, role: "slider", "aria-valuemin": 0 },
    make("h3", { say: "cost" }), costs.svg, make("h3", { say: "accuracy" }), rights.svg);
  const key = (name, text) => make("span", { class: `key ${name}` }, text);
  const baseline = make("span", {});
  byId("curves").append(
    make("div", { class: "legend" },
      ...names.map((name) => key(name, make("span", { say: name }))),
      key("theRun", make("span", { say: "theRun" })), key("entropy", make("span", { say: "entropy" })), key("constant", baseline),
      make("label", { class: "check" }, logarithmic, make("span", { say: "logarithmic" }))),
    chart, reading, rises, make("p", { class: "note", say: "clickBack" }),
  );

  let end = 100, pointed = null;
  const x = (t) => LEFT + (t / end) * (WIDTH - LEFT - RIGHT);
  const point = (event) => {
    const box = costs.svg.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT);
    pointed = Math.max(0, Math.min(app.lesson.t, Math.round(share * end)));
  };
  chart.addEventListener("pointermove", (event) => { point(event); draw(); });
  chart.addEventListener("pointerleave", () => { pointed = null; draw(); });
  chart.addEventListener("click", (event) => { point(event); app.goTo(pointed); });
  chart.addEventListener("keydown", (event) => {
    const { t } = app.lesson, stride = event.shiftKey ? 10 : 1, from = pointed ?? t;
    if (event.key === "ArrowLeft") pointed = Math.max(0, from - stride);
    else if (event.key === "ArrowRight") pointed = Math.min(t, from + stride);
    else if (event.key === "Enter") app.goTo(from);
    else return;
    event.preventDefault();
    event.stopPropagation();
    draw();
  });
  chart.addEventListener("blur", () => { pointed = null; });

  function drawCosts() {
    const { history } = app.lesson, all = [...names.map((name) => history[name].costs)];
    let low = Infinity, high = 0;
    for (const list of all) for (const value of list) {
      if (value > high && value < Infinity) high = value;
      if (value < low && value > 0) low = value;
    }
    const log = app.ui.logarithmic, top = log ? roundUp(high) : roundUp(Math.max(high, 1e-6));
    const bottom = log ? 10 ** Math.floor(Math.log10(Math.max(low, 1e-12))) : 0;
    const share = (value) => log ? Math.log(Math.max(value, bottom) / bottom) / Math.log(Math.max(top / bottom, 10)) : value / top;
    const y = (value) => HEIGHT - BOTTOM - Math.max(0, Math.min(1, share(Number.isFinite(value) ? value : top))) * (HEIGHT - TOP - BOTTOM);
    const decades = Math.max(1, Math.round(Math.log10(top / bottom)));
    const ticks = log ? Array.from({ length: decades + 1 }, (_, at) => bottom * 10 ** at).filter((value) => value <= top * 1.001)
      : [0, top / 2, top];
    drawAxes(costs, x, y, end, ticks.map((value) => [value, log ? value.toPrecision(1) : String(Number(value.toPrecision(3)))]));
    for (const name of names) mark(costs.curves[name], "d", pathOf(picked(history[name].costs), history[name].costs, x, y));
    const stride = Math.max(1, Math.ceil(data.iterations / Math.max(1, data.costs.length)));
    const shown = [...data.costs.keys()].filter((at) => at * stride <= end);
    mark(costs.curves.theRun, "d", pathOf(shown, data.costs, (at) => x(at * stride), y));
    const entropy = y(labelEntropy(data));
    mark(costs.curves.entropy, "d", `M${LEFT} ${entropy}H${WIDTH - RIGHT}`);
    const marks = new Set(history.rises.map((t) => x(t).toFixed(0)));
    mark(costs.curves.rises, "d", [...marks].map((place) => `M${place} ${HEIGHT - BOTTOM}v-7`).join(""));
    write(rises, say("rises", { n: history.rises.length.toLocaleString("en") }));
  }

  function drawRights() {
    const { history } = app.lesson;
    const y = (share) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
    drawAxes(rights, x, y, end, [[0, "0"], [0.5, "50 %"], [1, "100 %"]]);
    for (const name of names) {
      const { m } = data.splits[name], shares = history[name].right.map((right) => right / m);
      const places = picked(shares);
      mark(rights.curves[name], "d", pathOf(places, shares, x, y));
      const constant = y(constantShare(data, name)).toFixed(1);
      mark(rights.curves[`constant ${name}`], "d", `M${LEFT} ${constant}H${WIDTH - RIGHT}`);
      if (name !== "test") continue;
      const intervals = places.map((t) => wilson(history.test.right[t], m));
      const edge = (side, list) => list.map((at) => `${x(places[at]).toFixed(1)} ${y(intervals[at][side]).toFixed(1)}`).join("L");
      const order = [...places.keys()];
      mark(rights.curves.band, "d", `M${edge(0, order)}L${edge(1, order.toReversed())}Z`);
    }
  }

  function draw() {
    const { lesson, ui } = app, t = pointed ?? lesson.t, { history } = lesson;
    end = roundUp(Math.max(100, lesson.t));
    logarithmic.checked = ui.logarithmic;
    drawCosts();
    drawRights();
    const parts = names.map((name) => say(name === "train" ? "readTrain" : "readTest", {
      cost: brief(history[name].costs[t], 4), right: percent(history[name].right[t] / data.splits[name].m) }));
    if (names.includes("test")) {
      const [low, high] = wilson(history.test.right[t], data.splits.test.m);
      parts.push(say("interval", { low: percent(low), high: percent(high) }));
    }
    write(reading, `${say("iteration")} ${t.toLocaleString("en")} · ${parts.join(" · ")}`);
    write(baseline, say("constant", { name: data.classes[mostFrequent(data)] }));
    mark(chart, "aria-valuemax", lesson.t);
    mark(chart, "aria-valuenow", t);
    mark(chart, "aria-label", say("curves"));
    mark(chart, "aria-valuetext", say("curveLabel", { t, text: parts.join("; ") }));
    for (const { cursor } of [costs, rights]) {
      for (const end of ["x1", "x2"]) mark(cursor, end, x(t));
      mark(cursor, "class", pointed === null ? "cursor" : "cursor pointed");
    }
  }
  return draw;
}
