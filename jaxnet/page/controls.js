// What one sets: the transport above, the set-up, and the same as a command line.

import { brief, percent, say } from "./strings.js";
import { byId, choices, make, mark, write } from "./dom.js";
import { ACTIVATIONS } from "./engine.js";
import { SCALES } from "./data.js";
import { mostUnits } from "./lesson.js";

const SPEEDS = ["slow", "medium", "full"];
const LOWEST = -6, HIGHEST = 1; // of the logarithm of a rate or a scale on its slider

/** Make a slider of a logarithm beside a field for the number itself. */
function logSlider(label, numberLabel, set) {
  const slider = make("input", { type: "range", min: LOWEST, max: HIGHEST, step: 0.01, label });
  const number = make("input", { type: "number", min: 0, step: "any", label: numberLabel });
  slider.addEventListener("input", () => set(Number((10 ** Number(slider.value)).toPrecision(3))));
  number.addEventListener("change", () => number.value !== "" && set(Number(number.value)));
  const show = (value) => {
    slider.value = value > 0 ? Math.log10(value) : LOWEST;
    mark(slider, "aria-valuetext", String(value));
    if (document.activeElement !== number) number.value = value;
  };
  return { slider, number, show };
}

/** Make the transport: play, steps, back, reset, α, and where the descent is. */
export function makeTransport(app) {
  const press = (say, label, onclick) => make("button", { type: "button", say, label, onclick });
  const play = make("button", { type: "button", class: "primary", onclick: app.toggle });
  const steps = [1, 10, 100].map((n) => make("button", { type: "button", onclick: () => app.step(n) }, `+${n}`));
  const back = press("back", "backLabel", app.back);
  const reset = press("reset", "resetLabel", app.reset);
  const rate = logSlider("learningRate", "learningRateNumber", (learning_rate) => app.set({ learning_rate }));
  const speed = make("select", { label: "speed", onchange: () => (app.ui.speed = speed.value) }, ...choices("speed", SPEEDS));
  const count = (key) => {
    const value = make("b", {});
    return { value, box: make("div", { class: "count" }, value, make("span", { say: key })) };
  };
  const counts = { iteration: count("iteration"), cost: count("cost"), onTrain: count("onTrain") };
  if (app.lesson.data.splits.test) counts.onTest = count("onTest");
  const verdict = make("p", { class: "verdict" });
  byId("transport").append(
    make("div", { class: "buttons" }, play, ...steps, back, reset, speed),
    make("label", { class: "rate" }, make("span", {}, make("i", {}, "α "), make("span", { say: "learningRate" })), rate.slider, rate.number),
    make("div", { class: "counts" }, ...Object.values(counts).map(({ box }) => box)),
    verdict,
  );
  return () => {
    const { lesson, ui } = app, { t, history, data } = lesson;
    write(play, say(ui.playing ? "pause" : "play"));
    mark(play, "aria-pressed", ui.playing);
    steps.forEach((button, at) => mark(button, "aria-label", say("stepLabel", { n: 10 ** at })));
    back.disabled = t === 0;
    speed.value = ui.speed;
    rate.show(lesson.settings.learning_rate);
    write(counts.iteration.value, t.toLocaleString("en"));
    write(counts.cost.value, brief(history.train.costs[t], 4));
    write(counts.onTrain.value, percent(history.train.right[t] / data.splits.train.m));
    if (counts.onTest) write(counts.onTest.value, percent(history.test.right[t] / data.splits.test.m));
    write(verdict, lesson.finite ? (isDead(lesson) ? say("isDead") : "") : say("notFinite"));
  };
}

/** Say whether no unit has any slope on any training picture. */
function isDead(lesson) {
  return !lesson.stages.train.Z1.some((z) => lesson.hidden.slope(z) !== 0);
}

/** Make the set-up: whatever begins the descent anew, and the command line that says the same. */
export function makeSetup(app) {
  const { data } = app.lesson;
  const select = (name, prefix, values) =>
    make("select", { label: prefix === "scale" ? "inputScale" : prefix, onchange: (event) => app.set({ [name]: event.target.value }) }, ...choices(prefix, values));
  const units = make("input", { type: "range", min: 1, max: mostUnits(data), step: 1, label: "hiddenUnits" });
  units.addEventListener("input", () => app.set({ hidden_units: Number(units.value) }));
  const unitCount = make("b", {});
  const activation = select("activation", "activation", Object.keys(ACTIVATIONS));
  const start = select("start", "start", ["own", ...(data.pictures ? ["random"] : []), "zeros", "equal"]);
  const seed = make("input", { type: "number", min: 0, max: 2 ** 32 - 1, step: 1, label: "seed" });
  seed.addEventListener("change", () => app.set({ seed: Number(seed.value) }));
  const weights = logSlider("weightScale", "weightScaleNumber", (weight_scale) => app.set({ weight_scale }));
  const he = make("input", { type: "checkbox" });
  he.addEventListener("change", () => app.set({ weight_scale: he.checked ? "he" : 0.01 }));
  const scale = select("scale", "scale", Object.keys(SCALES));
  const command = make("code", { class: "command", tabindex: 0 });
  const copy = make("button", { type: "button" });
  copy.addEventListener("click", async () => {
    await copyText(command);
    write(copy, say("copied"));
    setTimeout(() => write(copy, say("copy")), 1500);
  });
  const line = (key, ...parts) => make("label", { class: "line" }, make("span", { say: key }), ...parts);
  const seedLine = line("seed", seed);
  byId("setup").append(
    line("hiddenUnits", units, unitCount),
    line("activation", activation),
    line("start", start),
    seedLine,
    line("weightScale", weights.slider, weights.number),
    make("label", { class: "line check" }, he, make("span", { say: "he" })),
    line("inputScale", scale),
    make("p", { class: "note", say: "setupNote" }),
    make("h3", { say: "command" }),
    make("div", { class: "copy" }, command, copy),
    make("p", { class: "note keys", say: "keys" }),
  );
  return () => {
    const { settings } = app.lesson;
    units.value = settings.hidden_units;
    write(unitCount, String(settings.hidden_units));
    [activation.value, start.value, scale.value] = [settings.activation, settings.start, settings.scale];
    seedLine.hidden = settings.start !== "random";
    if (document.activeElement !== seed) seed.value = settings.seed;
    he.checked = settings.weight_scale === "he";
    weights.slider.disabled = weights.number.disabled = he.checked;
    if (!he.checked) weights.show(settings.weight_scale);
    const text = commandLine(app.lesson);
    copy.disabled = text === null;
    write(command, text ?? say("noCommand"));
    if (copy.textContent !== say("copied")) write(copy, say("copy"));
  };
}

async function copyText(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
  } catch {
    getSelection().selectAllChildren(element); // to be copied by hand
  }
}

const DATA_OPTIONS = ["data", "test", "positive", "size", "count", "data_seed", "skip_bad", "exclude_leaks"];

/** Say the command that trains with the same settings; null where there is none. */
export function commandLine({ data, settings, t }) {
  if (settings.start === "equal") return null;
  const own = data.settings, options = {};
  for (const name of DATA_OPTIONS) if (own[name] !== undefined) options[name] = own[name];
  Object.assign(options, {
    color: data.color,
    scale: settings.scale,
    hidden_units: settings.hidden_units,
    activation: settings.activation,
    weight_scale: settings.start === "zeros" ? 0 : settings.weight_scale,
    seed: settings.start === "random" ? settings.seed : own.seed ?? 0,
    learning_rate: settings.learning_rate,
    iterations: t || data.iterations || 1,
    balanced: own.balanced,
    precision: "float64",
  });
  const words = ["jaxnet", "train"];
  for (const [name, value] of Object.entries(options)) {
    if (value === false || value === undefined || (name === "data_seed" && value === 0)) continue;
    words.push(`--${name.replaceAll("_", "-")}`);
    if (value !== true) words.push(quote(String(value)));
  }
  return words.join(" ");
}

/** Quote a word for the shell where it needs to be. */
function quote(word) {
  return /^[\w./:=+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
