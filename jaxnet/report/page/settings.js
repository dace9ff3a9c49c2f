// The settings of a descent: those of the run, and the values that they may have.
//
// Ranges, choices and defaults come with the data of the page: jaxnet/report/page/data.py takes them from
// the fields of Settings and Preprocessing.

export const SPEEDS = ["slow", "medium", "full"];

// The labels of the training pictures: as they are, or shuffled by the seed.
export const LABELS = ["own", "shuffled"];

/** Return the settings of the run itself. */
export function ownSettings(data) {
  return {
    learning_rate: data.settings.learning_rate,
    weight_decay: data.settings.weight_decay,
    weight_scale: data.settings.weight_scale,
    hidden_units: data.settings.hidden_units,
    activation: data.settings.activation,
    start: "own",
    seed: data.settings.seed,
    pixel_scale: data.pixel_scale,
    labels: LABELS[0],
    silenced: [],
    frozen: [],
  };
}

/** List the kinds of initial weights; others can be drawn only if the page holds the pictures. */
export function startsOf(data) {
  return ["own", ...(data.pictures ? ["random"] : []), "zeros", "equal"];
}

/** Return whether a setting exists and has a valid value. */
export function isAllowed(name, value, data) {
  if (name === "labels") return LABELS.includes(value);
  if (name === "start") return startsOf(data).includes(value);
  if (name === "silenced" || name === "frozen") return isUnits(value);
  return Object.hasOwn(data.offered, name) && isWithin(value, data.offered[name]);
}

function isWithin(value, { numbers, least, greatest, choices }) {
  if (typeof value === "string") return choices.includes(value);
  const isNumber =
    numbers === "whole" ? Number.isInteger(value) : Number.isFinite(value) && numbers === "any";
  return isNumber && value >= (least ?? -Infinity) && value <= (greatest ?? Infinity);
}

function isUnits(value) {
  return Array.isArray(value) && value.every((unit) => Number.isInteger(unit) && unit >= 0);
}

/** Return the changes, or throw a RangeError if a name or a value is not valid. */
export function checked(changes, data) {
  for (const [name, value] of Object.entries(changes)) {
    if (!isAllowed(name, value, data)) throw new RangeError(`${name} cannot be ${value}`);
  }
  return changes;
}
