// The command line that trains with the same settings.

const DATA_OPTIONS = ["data", "test", "positive", "size", "count", "data_seed", "skip_bad", "exclude_leaks"];

/** Say the command that trains with the same settings; null where there is none. */
export function commandLine({ data, settings, t }) {
  if (settings.start === "equal") return null;
  const own = data.settings;
  const options = {};
  for (const name of DATA_OPTIONS) if (own[name] !== undefined) options[name] = own[name];
  Object.assign(options, {
    color: data.color,
    scale: settings.scale,
    hidden_units: settings.hidden_units,
    activation: settings.activation,
    weight_scale: settings.start === "zeros" ? 0 : settings.weight_scale,
    seed: settings.start === "random" ? settings.seed : (own.seed ?? 0),
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
