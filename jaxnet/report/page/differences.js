// In which settings two trainings differ, in words.

import { brief, say } from "./strings.js";

const WORDS = {
  learning_rate: (rate) => `α = ${rate}`,
  weight_decay: (decay) => `λ = ${decay}`,
  hidden_units: (n) => say("unitsNumber", { n }),
  activation: (name) => say(`activation.${name}`),
  start: (name) => `${say("start")}${say("colon")}${say(`start.${name}`)}`,
  seed: (seed) => `${say("seed")} ${seed}`,
  weight_scale: (scale) => `${say("weightScale")} ${scale === "he" ? say("he") : brief(scale)}`,
  pixel_scale: (name) => say(`pixel_scale.${name}`),
  labels: (name) => `${say("labels")}${say("colon")}${say(`labels.${name}`)}`,
  silenced: (units) => listOf("silencedUnit", units),
  frozen: (units) => listOf("frozenUnit", units),
};

function listOf(key, units) {
  return `${say(key)}${say("colon")}${units.map((unit) => unit + 1).join(", ") || "–"}`;
}

/** Name the settings of a training that differ from those of another. */
export function differencesFrom(settings, other) {
  return Object.keys(WORDS)
    .filter((name) => String(settings[name]) !== String(other[name]))
    .map((name) => WORDS[name](settings[name]));
}
