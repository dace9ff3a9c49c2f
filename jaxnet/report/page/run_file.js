// What was trained on a page that began empty, as a file: jaxnet/runs/page_file.py reads it, too.

import { addPictures } from "./data.js";
import { isAllowed } from "./settings.js";
import { readTensors, writeTensors } from "./tensors.js";
import { scaleRows } from "./engine.js";

const FORMAT = "jaxnet page run";
const VERSION = "1";

export const isRunFile = ({ name }) => /\.safetensors$/i.test(name);

/** Return the key of the text that says why a training cannot be kept as a file; null if it can. */
export function whyNoFile({ finite, settings, params }) {
  if (!finite) return "begin.notFinite";
  if (params.s.some((factor) => factor !== params.s[0])) return "begin.frozen"; // with weight decay
  if (settings.silenced.length) return "begin.silenced";
  return settings.labels === "own" ? null : "begin.shuffled";
}

/** Write a training as a file: its pictures, labels, settings, first weights and state. */
export function writeRun(descent) {
  const { data, settings, start, params, history, t, n_h } = descent;
  const { n_x, splits } = data;
  const { m } = splits.train;
  const first = Float64Array.from(start.W1);
  const W1 = addPictures(scaleRows(first, params.s), params.C, splits.train.pixels, n_x, settings.pixel_scale);
  const arrays = {
    W1: [W1, [n_h, n_x]],
    b1: [params.b1, [n_h, 1]],
    W2: [params.W2, [1, n_h]],
    b2: [params.b2, [1, 1]],
    "first/W1": [first, [n_h, n_x]],
    "first/b1": [start.params.b1, [n_h, 1]],
    "first/W2": [start.params.W2, [1, n_h]],
    "first/b2": [start.params.b2, [1, 1]],
    "span/C": [params.C, [n_h, m]],
    "span/s": [params.s.slice(0, 1), [1, 1]],
    "span/Z1": [start.inputs.train.Z1, [n_h, m]],
  };
  for (const name of data.names) {
    const { colors, Y } = splits[name];
    const { costs, correct } = history[name];
    arrays[`${name}/images`] = [colors, [Y.length, data.height, data.width, 3]];
    arrays[`${name}/labels`] = [Y, [Y.length]];
    arrays[`${name}/costs`] = [Float64Array.from(costs), [t + 1]];
    arrays[`${name}/correct`] = [Float64Array.from(correct), [t + 1]];
  }
  const { learning_rate, weight_decay, weight_scale, hidden_units, activation, pixel_scale } = settings;
  const seed = settings.start === "random" ? settings.seed : data.settings.seed;
  const changed = { learning_rate, weight_decay, weight_scale, hidden_units, activation, seed };
  const preprocessing = { height: data.height, width: data.width, color: data.color, scale: pixel_scale };
  return writeTensors(arrays, {
    format: FORMAT,
    format_version: VERSION,
    activation,
    classes: JSON.stringify(data.fullClasses),
    preprocessing: JSON.stringify(preprocessing),
    settings: JSON.stringify({ ...data.settings, ...changed, iterations: Math.max(1, t) }),
    outcome: descent.outcome ?? "unfinished",
    prng: data.page_prng,
    used: JSON.stringify(descent.used),
  });
}

/**
 * Read a file that `writeRun` wrote: the pictures, each with its label and whether it is held out; `run`, as
 * `makeData` takes it; and `point`, where the training was. A RangeError if it is damaged or of another kind;
 * its message is the end of the key of a text.
 */
export function readRun(buffer, empty) {
  const { arrays, texts } = readTensors(buffer);
  if (texts.format !== FORMAT) throw new RangeError("other");
  if (texts.format_version !== VERSION) throw new RangeError("newer");
  try {
    return readParts(arrays, texts, empty);
  } catch {
    throw new RangeError("damaged");
  }
}

function readParts(arrays, texts, empty) {
  const [classes, preprocessing, settings, used] = ["classes", "preprocessing", "settings", "used"].map((name) =>
    JSON.parse(texts[name]),
  );
  const take = (name, ...shape) => {
    const { values, shape: found } = arrays[name];
    const isExpected = String(found) === String(shape) && values.every(Number.isFinite);
    if (!isExpected) throw new RangeError(name);
    return values;
  };
  for (const name of ["learning_rate", "weight_decay", "weight_scale", "hidden_units", "activation", "seed"]) {
    if (!isAllowed(name, settings[name], empty)) throw new RangeError(name);
  }
  const { height, width, color, scale } = preprocessing;
  const isOurs = height === empty.height && width === empty.width && color === empty.color;
  if (!isOurs || !isAllowed("pixel_scale", scale, empty) || classes.length !== 2) throw new RangeError("preprocessing");
  const [n_h, n_x, size] = [settings.hidden_units, height * width, height * width * 3];
  const m = arrays["train/labels"].values.length;
  const t = arrays["train/costs"].values.length - 1;
  const pictures = [];
  const history = { rises: [], train: { costs: [], correct: [] }, test: { costs: [], correct: [] } };
  for (const name of ["train", "test"].filter((split) => arrays[`${split}/labels`])) {
    const count = arrays[`${name}/labels`].values.length;
    const images = take(`${name}/images`, count, height, width, 3);
    const labels = take(`${name}/labels`, count);
    if (labels.some((label) => label > 1)) throw new RangeError("labels");
    labels.forEach((label, at) =>
      pictures.push({ colors: images.slice(at * size, (at + 1) * size), label, held: name === "test" }),
    );
    for (const part of ["costs", "correct"]) history[name][part] = [...take(`${name}/${part}`, t + 1)];
  }
  const { costs } = history.train;
  for (let at = 1; at <= t; at++) if (costs[at] > costs[at - 1]) history.rises.push(at);
  const first = {
    W1: Float32Array.from(take("first/W1", n_h, n_x)),
    b1: take("first/b1", n_h, 1),
    W2: take("first/W2", 1, n_h),
    b2: take("first/b2", 1, 1),
  };
  const params = {
    C: take("span/C", n_h, m),
    s: new Float64Array(n_h).fill(take("span/s", 1, 1)[0]),
    b1: take("b1", n_h, 1),
    W2: take("W2", 1, n_h),
    b2: take("b2", 1, 1),
  };
  return { pictures, run: { classes, settings, pixel_scale: scale, first }, point: { t, params, history, used } };
}
