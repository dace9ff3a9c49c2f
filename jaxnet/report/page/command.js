// The command line that trains with the same settings.

import { unitsOfRun } from "./starts.js";

/** Return the key of the text that says why no command line trains the same; null if one does. */
export function whyNoCommand({ data, settings }) {
  if (data.nothing) return "noCommandMade";
  if (data.in_files) return "noCommandFiles";
  if (data.data_options === null) return "noCommandData";
  if (settings.labels === "shuffled") return "noCommandShuffled";
  if (settings.start === "equal") return "noCommandEqual";
  if (generatorOf(data, settings) === null) return "noCommandGenerator";
  return null;
}

/**
 * Return the random generator that draws all the initial weights: the run's or the page's.
 *
 * It is null if no single drawing makes them: units of the run beside further ones of the page, or only
 * some of the run's. With the page's own generator, a unit's weights do not depend on how many are drawn.
 */
function generatorOf(data, settings) {
  const kept = unitsOfRun(data, settings);
  if (data.prng === data.page_prng || kept === 0) return data.page_prng;
  return settings.hidden_units === data.n_h ? data.prng : null;
}

/** Return the command line that trains with the same settings, where there is one. */
export function commandLine({ data, settings, t }) {
  const zero = settings.start === "zeros";
  const options = {
    ...data.data_options,
    color: data.color,
    pixel_scale: settings.pixel_scale,
    hidden_units: settings.hidden_units,
    activation: settings.activation,
    weight_scale: zero ? 0 : settings.weight_scale,
    seed: settings.start === "random" ? settings.seed : data.settings.seed,
    learning_rate: settings.learning_rate,
    weight_decay: settings.weight_decay || false, // which is no option
    iterations: t || data.settings.iterations,
    balanced: data.settings.balanced,
    precision: "float64",
  };
  const words = ["jaxnet", "train"];
  // JAX draws with the page's generator unless it is set to another, as it was for this run.
  if (data.prng !== data.page_prng && !zero)
    words.unshift(`JAX_DEFAULT_PRNG_IMPL=${generatorOf(data, settings)}`);
  for (const [name, value] of Object.entries(options)) {
    if (value === false) continue;
    words.push(`--${name.replaceAll("_", "-")}`);
    if (value !== true) words.push(quote(String(value)));
  }
  return words.join(" ");
}

/** Quote a word for the shell where it needs to be. */
function quote(word) {
  return /^[\w./:=+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
