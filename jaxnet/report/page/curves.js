// Cost and accuracy by iteration; a click goes back to the nearest snapshot.

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
  roundUp,
} from "./charts.js";
import { brief, percent, say } from "./strings.js";
import { byId, make, mark, write } from "./dom.js";
import { constantShare, labelEntropy, mostFrequent, wilson } from "./scores.js";

/** Make both charts, their legend, and the line of numbers at the pointer. */
export function makeCurves(app) {
  const { data } = app.descent;
  const names = data.names;
  const costs = makeChart(["theRun", "entropy", "rises", ...names.toReversed()]);
  const rights = makeChart(["band", ...names.flatMap((name) => [`constant ${name}`]), ...names.toReversed()]);
  const logarithmic = make("input", { type: "checkbox" });
  logarithmic.addEventListener("change", () => {
    app.ui.logarithmic = logarithmic.checked;
    app.draw();
  });
  const reading = make("p", { class: "reading" });
  const rises = make("p", { class: "rises" });
  const chart = make(
    "div",
    { class: "charts", tabindex: 0, role: "slider", "aria-valuemin": 0 },
    make("h3", { say: "cost" }),
    costs.svg,
    make("h3", { say: "accuracy" }),
    rights.svg,
  );
  const key = (name, text) => make("span", { class: `key ${name}` }, text);
  const baseline = make("span", {});
  byId("curves").append(
    make(
      "div",
      { class: "legend" },
      ...names.map((name) => key(name, make("span", { say: name }))),
      key("theRun", make("span", { say: "theRun" })),
      key("entropy", make("span", { say: "entropy" })),
      key("constant", baseline),
      make("label", { class: "check" }, logarithmic, make("span", { say: "logarithmic" })),
    ),
    chart,
    reading,
    rises,
    make("p", { class: "note", say: "clickBack" }),
  );

  let end = 100;
  let pointed = null;
  const x = (t) => LEFT + (t / end) * (WIDTH - LEFT - RIGHT);
  const point = (event) => {
    const box = costs.svg.getBoundingClientRect();
    const share = (((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT);
    pointed = Math.max(0, Math.min(app.descent.t, Math.round(share * end)));
  };
  chart.addEventListener("pointermove", (event) => {
    point(event);
    draw();
  });
  chart.addEventListener("pointerleave", () => {
    pointed = null;
    draw();
  });
  const goThere = (t) => {
    pointed = null;
    app.goTo(t);
  };
  chart.addEventListener("click", (event) => {
    point(event);
    goThere(pointed);
  });
  chart.addEventListener("keydown", (event) => {
    const { t } = app.descent;
    const stride = event.shiftKey ? 10 : 1;
    const from = pointed ?? t;
    if (event.key === "ArrowLeft") pointed = Math.max(0, from - stride);
    else if (event.key === "ArrowRight") pointed = Math.min(t, from + stride);
    else if (event.key === "Enter") goThere(from);
    else return;
    event.preventDefault();
    event.stopPropagation();
    draw();
  });
  chart.addEventListener("blur", () => {
    pointed = null;
    draw();
  });

  function drawCosts() {
    const { history } = app.descent;
    let low = Infinity;
    let high = 0;
    for (const name of names)
      for (const value of history[name].costs) {
        if (value > high && value < Infinity) high = value;
        if (value < low && value > 0) low = value;
      }
    if (!high) low = high = 1; // no cost is a finite number above 0
    const logarithmic = app.ui.logarithmic;
    const { bottom, top, ticks } = axisOf(Math.max(low, 1e-12), Math.max(high, 1e-6), logarithmic);
    const share = (value) => {
      if (!logarithmic) return value / top;
      return Math.log(Math.max(value, bottom) / bottom) / (Math.log(top) - Math.log(bottom));
    };
    const y = (value) =>
      HEIGHT -
      BOTTOM -
      Math.max(0, Math.min(1, share(Number.isFinite(value) ? value : top))) * (HEIGHT - TOP - BOTTOM);
    drawAxes(costs, x, y, end, ticks);
    for (const name of names)
      mark(costs.curves[name], "d", pathOf(picked(history[name].costs), history[name].costs, x, y));
    const stride = Math.max(1, Math.ceil(data.iterations / Math.max(1, data.costs.length)));
    const shown = [...data.costs.keys()].filter((at) => at * stride <= end);
    mark(
      costs.curves.theRun,
      "d",
      pathOf(shown, data.costs, (at) => x(at * stride), y),
    );
    const entropy = y(labelEntropy(data));
    mark(costs.curves.entropy, "d", `M${LEFT} ${entropy}H${WIDTH - RIGHT}`);
    const marks = new Set(history.rises.map((t) => x(t).toFixed(0)));
    mark(costs.curves.rises, "d", [...marks].map((place) => `M${place} ${HEIGHT - BOTTOM}v-7`).join(""));
    write(rises, say("rises", { n: history.rises.length.toLocaleString("en") }));
    mark(rises, "class", history.rises.length ? "rises some" : "rises");
  }

  function drawRights() {
    const { history } = app.descent;
    const y = (share) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
    drawAxes(rights, x, y, end, [
      [0, "0"],
      [0.5, "50 %"],
      [1, "100 %"],
    ]);
    for (const name of names) {
      const { m } = data.splits[name];
      const shares = history[name].correct.map((correct) => correct / m);
      const places = picked(shares).filter((t) => Number.isFinite(shares[t]));
      mark(rights.curves[name], "d", pathOf(places, shares, x, y));
      const constant = y(constantShare(data, name)).toFixed(1);
      mark(rights.curves[`constant ${name}`], "d", `M${LEFT} ${constant}H${WIDTH - RIGHT}`);
      if (name !== "test") continue;
      if (!places.length) {
        mark(rights.curves.band, "d", "");
        continue;
      }
      const intervals = places.map((t) => wilson(history.test.correct[t], m));
      const edge = (side, list) =>
        list.map((at) => `${x(places[at]).toFixed(1)} ${y(intervals[at][side]).toFixed(1)}`).join("L");
      const order = [...places.keys()];
      mark(rights.curves.band, "d", `M${edge(0, order)}L${edge(1, order.toReversed())}Z`);
    }
  }

  function draw() {
    const { descent, ui } = app;
    if (pointed > descent.t) pointed = null; // the steps up to it were taken back
    const t = pointed ?? descent.t;
    const { history } = descent;
    end = roundUp(Math.max(100, descent.t));
    logarithmic.checked = ui.logarithmic;
    drawCosts();
    drawRights();
    const parts = names.map((name) =>
      say(name === "train" ? "readTrain" : "readTest", {
        cost: brief(history[name].costs[t], 4),
        accuracy: percent(history[name].correct[t] / data.splits[name].m),
      }),
    );
    if (names.includes("test")) {
      const [low, high] = wilson(history.test.correct[t], data.splits.test.m);
      parts.push(say("interval", { low: percent(low), high: percent(high) }));
    }
    write(reading, `${say("iteration")} ${t.toLocaleString("en")} · ${parts.join(" · ")}`);
    write(baseline, say("constant", { name: data.classes[mostFrequent(data)] }));
    mark(chart, "aria-valuemax", descent.t);
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
