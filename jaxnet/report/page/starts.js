// The initial state of a descent: the run's own initial weights, others from a seed, zeros, or all equal.

import { drawNormals, drawOrder } from "./draw.js";
import { productsAt, rescaling, sumsAt, timesPictures } from "./data.js";

/** Return the standard deviations of the weights of the two layers (layer_scales of network.py). */
export function layerScales(weightScale, n_x, n_h) {
  return weightScale === "he" ? [Math.sqrt(2 / n_x), Math.sqrt(2 / n_h)] : [weightScale, weightScale];
}

/** Count the units that start with the run's own weights; further ones are drawn by the page. */
export function unitsOfRun(data, { start, hidden_units }) {
  // Weights drawn with the scale 0 are all 0, and cannot be brought to another scale.
  return start === "own" && data.settings.weight_scale !== 0 ? Math.min(hidden_units, data.n_h) : 0;
}

/**
 * Prepare a descent.
 *
 * Returns its params (C, s, b1, W2, b2), the initial weights W1 (n_h, n_x), the labels of the training
 * pictures with their weights, and by the name of each split the inputs of the network: Z1 = W1 X′ (n_h, m′)
 * and K (m, m′).
 */
export function makeStart(data, settings) {
  const { hidden_units: n_h, pixel_scale } = settings;
  const { n_x } = data;
  const m = data.splits.train.m;
  const [scale1, scale2] = layerScales(settings.weight_scale, n_x, n_h);
  const labels = labelsOf(data, settings);
  const start = { params: null, W1: new Float32Array(n_h * n_x), inputs: {}, labels };
  const W2 = new Float64Array(n_h);
  const b1 = new Float64Array(n_h);
  const b2 = new Float64Array(1);
  const kept = unitsOfRun(data, settings);
  if (settings.start === "own" || settings.start === "random") {
    const [own1, own2] = layerScales(data.settings.weight_scale, n_x, data.n_h);
    if (kept < n_h) {
      const seed = settings.start === "own" ? data.settings.seed : settings.seed;
      const normals = drawNormals(seed, n_x, n_h);
      start.W1.set(normals.W1.map((normal) => normal * scale1));
      W2.set(normals.W2.map((normal) => Math.fround(normal * scale2)));
    }
    const grow = scale1 / own1;
    for (let f = 0; f < kept * n_x; f++) start.W1[f] = data.W1[f] * grow;
    for (let i = 0; i < kept; i++) [W2[i], b1[i]] = [(data.W2[i] * scale2) / own2, data.b1[i]];
    if (kept) b2[0] = data.b2[0];
    start.grow = grow;
  } else if (settings.start === "equal") {
    start.W1.fill(scale1);
    W2.fill(scale2);
  }
  for (const name of data.names) {
    const K = productsAt(data, name, pixel_scale);
    start.inputs[name] = { Z1: firstZ1(data, settings, name, start, kept), K };
  }
  start.params = { C: new Float64Array(n_h * m), s: new Float64Array(n_h).fill(1), b1, W2, b2 };
  return start;
}

/** Return the labels of the training pictures with their weights, shuffled together if this is set. */
function labelsOf({ given }, { labels, seed }) {
  if (labels !== "shuffled") return given;
  const order = drawOrder(seed, given.Y.length);
  const shuffle = (values) => values.map((_, at) => values[order[at]]);
  return { Y: shuffle(given.Y), weights: shuffle(given.weights) };
}

/** Compute W1₀ X′ (n_h, m′): exactly for the units of the run, of others from the pictures. */
function firstZ1(data, settings, name, { W1, grow }, kept) {
  const { n_x } = data;
  const split = data.splits[name];
  const n_h = settings.hidden_units;
  if (settings.start === "zeros") return new Float64Array(n_h * split.m);
  if (settings.start === "equal") {
    const sums = sumsAt(data, name, settings.pixel_scale);
    return Float64Array.from({ length: n_h * split.m }, (_, at) => W1[0] * sums[at % split.m]);
  }
  const Z1 = new Float64Array(n_h * split.m);
  if (kept < n_h)
    Z1.set(timesPictures(W1.subarray(kept * n_x), split.pixels, n_x, settings.pixel_scale), kept * split.m);
  const [r, d] = rescaling(data, settings.pixel_scale);
  for (let i = 0; i < kept; i++) {
    const total = data.W1.subarray(i * n_x, (i + 1) * n_x).reduce((sum, weight) => sum + weight, 0);
    for (let j = 0, at = i * split.m; j < split.m; j++, at++) Z1[at] = grow * (r * split.Z1[at] + d * total);
  }
  return Z1;
}
