// The settings that restart the descent, and the command line that trains the same.

import { say } from "./strings.js";
import { byId, choices, make, write } from "./dom.js";
import { commandLine, whyNoCommand } from "./command.js";
import { logSlider } from "./transport.js";
import { LABELS, startsOf } from "./settings.js";
import { unitsOfRun } from "./starts.js";

/** Make the controls of the settings that restart the descent, and show the command line. */
export function makeSetup(app) {
  const { data } = app.descent;
  const { hidden_units, weight_scale } = data.offered;
  const select = (name, label, values = data.offered[name].choices) => {
    const onchange = (event) => app.set({ [name]: event.target.value });
    return make("select", { label, onchange }, ...choices(name, values));
  };
  const range = { min: hidden_units.least, max: hidden_units.greatest, step: 1 };
  const units = make("input", { type: "range", ...range, label: "hiddenUnits" });
  units.addEventListener("input", () => app.set({ hidden_units: Number(units.value) }));
  const unitCount = make("b", {});
  const activation = select("activation", "activation");
  const start = select("start", "start", startsOf(data));
  const seed = makeNumber(app, "seed", "seed", 1);
  const weights = logSlider("weightScale", "weightScaleNumber", weight_scale, (value) =>
    app.set({ weight_scale: value }),
  );
  const he = make("input", { type: "checkbox" });
  he.addEventListener("change", () => app.set({ weight_scale: he.checked ? "he" : weight_scale.default }));
  const decay = makeNumber(app, "weight_decay", "weightDecay", "any");
  const pixelScale = select("pixel_scale", "pixelScale");
  const labels = select("labels", "labels", LABELS);
  const generator = make("p", { class: "note" });
  const command = makeCommand(app);
  const line = (key, ...parts) => make("label", { class: "line" }, make("span", { say: key }), ...parts);
  const seedLine = line("seed", seed);
  byId("setup").append(
    line("hiddenUnits", units, unitCount),
    line("activation", activation),
    line("start", start),
    seedLine,
    generator,
    line("weightScale", weights.slider, weights.number),
    make("label", { class: "line check" }, he, make("span", { say: "he" })),
    line("pixelScale", pixelScale),
    line("weightDecay", decay),
    line("labels", labels),
    make("p", { class: "note", say: "setupNote" }),
    ...command.elements,
    make("p", { class: "note keys", say: "keys" }),
  );
  return () => {
    const { settings } = app.descent;
    units.value = settings.hidden_units;
    write(unitCount, String(settings.hidden_units));
    [activation.value, start.value] = [settings.activation, settings.start];
    [pixelScale.value, labels.value] = [settings.pixel_scale, settings.labels];
    if (document.activeElement !== decay) decay.value = settings.weight_decay;
    seedLine.hidden = settings.start !== "random";
    if (document.activeElement !== seed) seed.value = settings.seed;
    generator.hidden = data.prng === data.page_prng || !drawsWeights(app.descent);
    write(generator, say("otherGenerator", { page: data.page_prng, run: data.prng }));
    he.checked = settings.weight_scale === "he";
    weights.slider.disabled = weights.number.disabled = he.checked;
    if (!he.checked) weights.show(settings.weight_scale);
    command.draw();
  };
}

/** Make the field of a setting that is a number. */
function makeNumber(app, name, label, step) {
  const { least, greatest } = app.descent.data.offered[name];
  const range = greatest === null ? { min: least } : { min: least, max: greatest };
  const field = make("input", { type: "number", ...range, step, label });
  field.addEventListener("change", () => field.value !== "" && app.set({ [name]: Number(field.value) }));
  return field;
}

/** Make the command line that trains the same, with what to know about it. */
function makeCommand({ descent }) {
  const { data } = descent;
  const command = make("code", { class: "command", tabindex: 0 });
  const different = make("p", { class: "note" });
  const heading = make("h3", {});
  const copy = make("button", { type: "button" });
  copy.addEventListener("click", async () => {
    await copyText(command);
    write(copy, say("copied"));
    setTimeout(() => write(copy, say("copy")), 1500);
  });
  const draw = () => {
    const reason = whyNoCommand(descent);
    const differences = differencesOf(descent);
    copy.disabled = reason !== null;
    different.hidden = reason !== null || !differences.length;
    write(heading, say(differences.some((key) => key !== "inFolder") ? "similarCommand" : "command"));
    write(different, differences.map((key) => say(key, { data: data.settings.data })).join(" "));
    writeWords(command, reason ? say(reason, { generator: data.prng, n: data.n_h }) : commandLine(descent));
    if (copy.textContent !== say("copied")) write(copy, say("copy"));
  };
  return { elements: [heading, make("div", { class: "copy" }, command, different, copy)], draw };
}

/** Set a text of which no line breaks within a word, as it otherwise might after the hyphens of an option. */
function writeWords(element, text) {
  if (element.textContent === text) return;
  const words = text.split(" ").flatMap((word) => [" ", make("span", {}, word)]);
  element.replaceChildren(...words.slice(1));
}

/** Return whether the page draws initial weights of its own. */
function drawsWeights({ data, settings }) {
  const random = settings.start === "own" || settings.start === "random";
  return random && unitsOfRun(data, settings) < settings.hidden_units;
}

/** List, as keys of texts, what to know about the command line, and where it is not this very training. */
function differencesOf({ data, settings, isPlain }) {
  const isSample = Object.values(data.splits).some(({ m, of }) => m < of);
  return [
    ...(data.folder_left_out ? ["inFolder"] : []),
    ...(data.color === "gray" && drawsWeights({ data, settings }) ? ["roundsGray"] : []),
    ...(isPlain ? [] : ["wasChanged"]),
    ...(isSample ? ["trainsOnAll"] : []),
  ];
}

async function copyText(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
  } catch {
    getSelection().selectAllChildren(element); // to be copied by hand
  }
}
