// Cost and accuracy by iteration; a click goes back to the nearest snapshot.

import { brief, percent, say } from "./strings.js";
import { byId, make, mark, write } from "./dom.js";
import { differencesFrom } from "./differences.js";
import { makeAccuracyChart, makeCostChart } from "./curve_charts.js";
import { mostFrequent, wilson } from "./scores.js";
import { placeOf, roundUp } from "./charts.js";
import { makePointing } from "./pointing.js";

/** Make both charts, their legend, and the line of numbers at the pointer. */
export function makeCurves(app) {
  const { descent, ui } = app;
  const charts = [makeCostChart(app), makeAccuracyChart(app)];
  const logarithmic = make("input", { type: "checkbox" });
  logarithmic.addEventListener("change", () => {
    ui.logarithmic = logarithmic.checked;
    app.draw();
  });
  const baseline = make("span", {});
  const before = make("span", { class: "key before" });
  const reading = make("p", { class: "reading" });
  const rises = make("p", { class: "rises" });
  const element = make(
    "div",
    { class: "charts", tabindex: 0, role: "slider", "aria-valuemin": 0 },
    ...["cost", "accuracy"].map((key, at) => make("div", {}, make("h3", { say: key }), charts[at].svg)),
  );
  byId("curves").append(
    makeLegend(descent.data, baseline, before, logarithmic),
    element,
    make("div", { class: "readings" }, reading, rises, make("p", { class: "note", say: "clickBack" })),
  );
  const endOf = () => roundUp(Math.max(100, descent.t, app.lost()?.t ?? 0));
  const svgs = charts.map(({ svg }) => svg);
  const pointing = makePointing(app, element, svgs, endOf, () => draw());

  function draw() {
    if (pointing.pointed > descent.t) pointing.pointed = null; // the steps up to it were taken back
    const { pointed } = pointing;
    const t = pointed ?? descent.t;
    logarithmic.checked = ui.logarithmic;
    const lost = app.lost();
    before.hidden = !lost;
    if (lost) write(before, describeBefore(lost, descent));
    for (const { draw, cursor } of charts) {
      draw(endOf(), lost);
      for (const end of ["x1", "x2"]) mark(cursor, end, placeOf(endOf())(t));
      mark(cursor, "class", pointed === null ? "cursor" : "cursor pointed");
    }
    const count = descent.history.rises.length;
    write(rises, say("rises", { n: count.toLocaleString("en") }));
    mark(rises, "class", count ? "rises some" : "rises");
    const parts = readAt(descent, t);
    write(reading, `${say("iteration")} ${t.toLocaleString("en")} · ${parts.join(" · ")}`);
    write(baseline, say("constant", { name: descent.data.classes[mostFrequent(descent.data)] }));
    if (app.ui.playing) return; // a screen reader would read each frame
    mark(element, "aria-valuemax", descent.t);
    mark(element, "aria-valuenow", t);
    mark(element, "aria-label", say("curves"));
    mark(element, "aria-valuetext", say("curveLabel", { t, text: parts.join("; ") }));
  }
  return draw;
}

/** Make the legend of both charts. */
function makeLegend({ names, nothing }, baseline, before, logarithmic) {
  const key = (name, text) => make("span", { class: `key ${name}` }, text);
  return make(
    "div",
    { class: "legend" },
    ...names.map((name) => key(name, make("span", { say: name }))),
    ...(nothing ? [] : [key("theRun", make("span", { say: "theRun" }))]),
    key("entropy", make("span", { say: "entropy" })),
    key("constant", baseline),
    before,
    make("label", { class: "check" }, logarithmic, make("span", { say: "logarithmic" })),
  );
}

/** Name the training before a change by the settings in which it differs. */
function describeBefore({ settings, t }, descent) {
  const differences = differencesFrom(settings, descent.settings);
  if (!differences.length) return say("beforeSame", { t: t.toLocaleString("en") });
  return say("before", { settings: differences.join(", ") });
}

/** Write the numbers of both charts at an iteration. */
function readAt({ data, history }, t) {
  const parts = data.names.map((name) =>
    say(name === "train" ? "readTrain" : "readTest", {
      cost: brief(history[name].costs[t], 4),
      accuracy: percent(history[name].correct[t] / data.splits[name].m),
    }),
  );
  if (data.names.includes("test")) {
    const [low, high] = wilson(history.test.correct[t], data.splits.test.m);
    parts.push(say("interval", { low: percent(low), high: percent(high) }));
  }
  return parts;
}
