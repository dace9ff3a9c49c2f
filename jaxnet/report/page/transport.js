// Play, steps, back, reset, α, and the state of the descent.

import { brief, percent, say } from "./strings.js";
import { SPEEDS } from "./settings.js";
import { byId, choices, make, mark, write } from "./dom.js";

const LOWEST = -6; // of the decimal logarithm on a slider
const HIGHEST = 1;

/** Make a logarithmic slider beside a field for the number itself. */
export function logSlider(label, numberLabel, { least }, set) {
  const slider = make("input", { type: "range", min: LOWEST, max: HIGHEST, step: 0.01, label });
  const number = make("input", { type: "number", min: least, step: "any", label: numberLabel });
  slider.addEventListener("input", () => set(Number((10 ** Number(slider.value)).toPrecision(3))));
  number.addEventListener("change", () => number.value !== "" && set(Number(number.value)));
  const show = (value) => {
    slider.value = value > 0 ? Math.log10(value) : LOWEST;
    mark(slider, "aria-valuetext", String(value));
    if (document.activeElement !== number) number.value = value;
  };
  return { slider, number, show };
}

/** Make the field and the button that play to an iteration. */
function makeTarget(app) {
  const { iterations } = app.descent.data.settings;
  const field = make("input", {
    type: "number",
    min: 0,
    step: 1,
    value: iterations,
    label: "iterationNumber",
  });
  const go = () => {
    const t = Number(field.value);
    if (field.value !== "" && Number.isInteger(t) && t >= 0) app.playTo(t);
  };
  field.addEventListener("keydown", (event) => event.key === "Enter" && go());
  const button = make("button", { type: "button", say: "playTo", label: "playToLabel", onclick: go });
  return make("span", { class: "target" }, button, field);
}

/** Make the controls of the training, and show its state in numbers and its outcome. */
export function makeTransport(app) {
  const play = make("button", { type: "button", class: "primary", onclick: app.toggle });
  const buttons = makeButtons(app);
  const { learning_rate } = app.descent.data.offered;
  const rate = logSlider("rateLabel", "learningRateNumber", learning_rate, (value) =>
    app.set({ learning_rate: value }),
  );
  const speed = make(
    "select",
    { label: "speed", onchange: () => (app.ui.speed = speed.value) },
    ...choices("speed", SPEEDS),
  );
  const counts = makeCounts(app);
  const result = make("p", { class: "outcome" });
  const rateName = make("span", {}, make("i", {}, "α "), make("span", { say: "learningRate" }));
  const rateLine = make("label", { class: "rate" }, rateName, rate.slider, rate.number);
  const controls = make("div", { class: "controls" }, counts.element, buttons.element, speed, rateLine);
  byId("transport").append(make("div", { class: "steering" }, play, controls), result);
  return () => {
    const { descent, ui } = app;
    write(play, say(ui.playing ? "pause" : "play"));
    mark(play, "aria-pressed", ui.playing);
    play.disabled = !descent.finite;
    buttons.draw();
    speed.value = ui.speed;
    rate.show(descent.settings.learning_rate);
    counts.draw();
    drawOutcome(result, descent);
  };
}

/** Make the buttons of steps, way back and undo. */
function makeButtons(app) {
  const press = (say, label, onclick) => make("button", { type: "button", class: say, say, label, onclick });
  const steps = [1, 10, 100].map((n) =>
    make("button", { type: "button", onclick: () => app.step(n) }, `+${n}`),
  );
  const back = press("back", "backLabel", app.back);
  const reset = press("reset", "resetLabel", app.reset);
  const undo = press("undo", "undoLabel", app.undo);
  const redo = press("redo", "redoLabel", app.redo);
  const draw = () => {
    steps.forEach((button, at) => {
      mark(button, "aria-label", say("stepLabel", { n: 10 ** at }));
      button.disabled = !app.descent.finite;
    });
    back.disabled = app.descent.t === 0;
    undo.disabled = !app.canUndo();
    redo.disabled = !app.canRedo();
  };
  const element = make("div", { class: "buttons" }, ...steps, makeTarget(app), back, reset, undo, redo);
  return { element, draw };
}

/** Make the numbers: iteration, cost and accuracies. */
function makeCounts(app) {
  const { splits } = app.descent.data;
  const names = ["iteration", "cost", "onTrain", ...(splits.test ? ["onTest"] : [])];
  const counts = {};
  for (const key of names) counts[key] = { value: make("b", {}), label: make("span", { say: key }) };
  const draw = () => {
    const { t, history } = app.descent;
    write(counts.iteration.value, t.toLocaleString("en"));
    const last = app.ui.playing ? app.target() : Infinity;
    const n = last.toLocaleString("en");
    write(counts.iteration.label, last < Infinity ? say("iterationOf", { n }) : say("iteration"));
    write(counts.cost.value, brief(history.train.costs[t], 4));
    write(counts.onTrain.value, percent(history.train.correct[t] / splits.train.m));
    if (counts.onTest) write(counts.onTest.value, percent(history.test.correct[t] / splits.test.m));
  };
  const boxes = names.map((key) => make("div", { class: "count" }, counts[key].value, counts[key].label));
  return { element: make("div", { class: "counts" }, ...boxes), draw };
}

/** Say what the outcome of the steps so far is. */
function drawOutcome(element, { t, data, finite, outcome }) {
  // A start that is not finite is due to its weights and pixels, as no step was taken with α.
  const verdict = !finite && t === 0 ? "startNotFinite" : `outcome.${outcome ?? "none"}`;
  write(element, finite ? say(verdict) : `${say(verdict)} ${say("stopped")}`);
  mark(element, "class", data.failed.includes(outcome) ? "outcome failed" : "outcome");
}
