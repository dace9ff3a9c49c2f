// The set-up: whatever begins the descent anew, and the command line that says the same.

import { say } from "./strings.js";
import { byId, choices, make, write } from "./dom.js";
import { ACTIVATIONS } from "./engine.js";
import { SCALES } from "./data.js";
import { commandLine } from "./command.js";
import { logSlider } from "./transport.js";
import { mostUnits } from "./settings.js";

/** Make the set-up: whatever begins the descent anew, and the command line that says the same. */
export function makeSetup(app) {
  const { data } = app.lesson;
  const select = (name, prefix, values) =>
    make(
      "select",
      {
        label: prefix === "scale" ? "inputScale" : prefix,
        onchange: (event) => app.set({ [name]: event.target.value }),
      },
      ...choices(prefix, values),
    );
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
  const different = make("p", { class: "note", say: "notTheSame" });
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
    make("div", { class: "copy" }, command, different, copy),
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
    different.hidden = text === null || app.lesson.isPlain;
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
