// The settings of a descent: the run's own, and which others there can be.

import { ACTIVATIONS } from "./engine.js";
import { SCALES } from "./data.js";

/** Read the settings with which the run itself started. */
export function ownSettings(data) {
  const written = data.settings.weight_scale ?? 0.01;
  return {
    learning_rate: Number(data.settings.learning_rate ?? 0.0075),
    weight_scale: written === "he" ? "he" : Number(written),
    hidden_units: data.n_h,
    activation: data.activation,
    start: "own",
    seed: Number(data.settings.seed ?? 0),
    scale: data.scale,
  };
}

const ALLOWED = {
  learning_rate: (value) => Number.isFinite(value) && value >= 0,
  weight_scale: (value) => value === "he" || (Number.isFinite(value) && value >= 0),
  hidden_units: (value, data) => Number.isInteger(value) && value >= 1 && value <= mostUnits(data),
  activation: (value) => Object.hasOwn(ACTIVATIONS, value),
  start: (value, data) => ["own", "zeros", "equal"].includes(value) || (value === "random" && data.pictures),
  seed: (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32,
  scale: (value) => Object.hasOwn(SCALES, value),
  silenced: (value) => isUnits(value),
  frozen: (value) => isUnits(value),
};

const isUnits = (value) => Array.isArray(value) && value.every((unit) => Number.isInteger(unit) && unit >= 0);

/** Say how many hidden units there can be: without pictures no further ones can be drawn. */
export function mostUnits(data) {
  return data.pictures ? Math.max(16, data.n_h) : data.n_h;
}

/** Say whether a setting is in its range. */
export function isAllowed(name, value, data) {
  return Object.hasOwn(ALLOWED, name) && typeof value !== "boolean" && ALLOWED[name](value, data);
}

/** Return the changes, or throw a RangeError if one is no setting or out of its range. */
export function checked(changes, data) {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(ALLOWED, name)) throw new RangeError(`there is no setting ${name}`);
    if (!isAllowed(name, value, data)) throw new RangeError(`${name} cannot be ${value}`);
  }
  return changes;
}
