// The data of a page that began empty: from pictures to all that gradient descent needs, as data.py computes it.

import { PIXEL_SCALES, completed, timesPictures } from "./data.js";
import { drawNormals } from "./draw.js";
import { layerScales } from "./starts.js";
import { networkInput } from "./input.js";

/**
 * Make the data of pictures, as `readData` returns them.
 *
 * empty: what the page states without pictures. pictures: of each `colors`, RGB bytes (height · width · 3),
 * `label`, 0 or 1, and `held`, whether it is held out. run: classes, settings and pixel_scale; W1, b1, W2 and b2,
 * the initial weights, by default those of the seed.
 */
export function makeData(empty, pictures, { classes, settings, pixel_scale, first }) {
  const n_h = settings.hidden_units;
  const n_x = empty.height * empty.width * (empty.color === "gray" ? 1 : 3);
  const places = { train: [], test: [] };
  pictures.forEach(({ held }, at) => places[held ? "test" : "train"].push(at));
  const start = first ?? drawFirst(settings, n_x, n_h);
  const splits = {};
  for (const [name, list] of Object.entries(places)) {
    if (list.length) splits[name] = makeSplit(empty, list.map((at) => pictures[at]), n_x, start.W1, pixel_scale);
  }
  for (const [name, split] of Object.entries(splits)) {
    const [K, rows] = [productsOf(splits.train.X, split.X, n_x), split.m];
    split.products = name === "train" ? symmetric(K, rows) : K;
  }
  for (const split of Object.values(splits)) delete split.X;
  const data = { ...empty, ...start, n_h, n_x, classes, settings, pixel_scale, splits };
  return completed(data);
}

/** Draw the initial weights of the seed; the biases are 0. */
function drawFirst(settings, n_x, n_h) {
  const [scale1, scale2] = layerScales(settings.weight_scale, n_x, n_h);
  const { W1, W2 } = drawNormals(settings.seed, n_x, n_h);
  return {
    W1: W1.map((normal) => normal * scale1),
    b1: new Float64Array(n_h),
    W2: Float64Array.from(W2, (normal) => Math.fround(normal * scale2)),
    b2: new Float64Array(1),
  };
}

function makeSplit(empty, pictures, n_x, W1, pixel_scale) {
  const m = pictures.length;
  const [a, c] = PIXEL_SCALES[pixel_scale];
  const pixels = empty.color === "gray" ? new Float64Array(m * n_x) : new Uint8Array(m * n_x);
  pictures.forEach(({ colors }, j) => pixels.set(networkInput(colors, empty.color), j * n_x));
  const X = Float64Array.from(pixels, (pixel) => a * pixel + c);
  const sums = Float64Array.from({ length: m }, (_, j) =>
    X.subarray(j * n_x, (j + 1) * n_x).reduce((sum, x) => sum + x, 0),
  );
  const colors = new Uint8Array(m * empty.height * empty.width * 3);
  pictures.forEach((picture, j) => colors.set(picture.colors, j * picture.colors.length));
  const Y = Uint8Array.from(pictures, ({ label }) => label);
  const Z1 = timesPictures(W1, pixels, n_x, pixel_scale);
  const places = Float64Array.from({ length: m }, (_, j) => j);
  return { m, of: m, Y, places, weights: new Float64Array(m).fill(1), sums, Z1, pixels, colors, X };
}

/** Compute XᵀX′ (m, m′) of columns that are stored one after the other; of a split with itself its upper half. */
export function productsOf(X, other, n_x) {
  const m = X.length / n_x;
  const count = other.length / n_x;
  const K = new Float64Array(m * count);
  for (let i = 0; i < m; i++) {
    for (let j = X === other ? i : 0; j < count; j++) {
      let sum = 0;
      for (let f = 0, p = i * n_x, q = j * n_x; f < n_x; f++, p++, q++) sum += X[p] * other[q];
      K[i * count + j] = sum;
    }
  }
  return K;
}

/** Fill the lower half of a symmetric matrix (m, m). */
function symmetric(K, m) {
  for (let i = 0; i < m; i++) for (let j = 0; j < i; j++) K[i * m + j] = K[j * m + i];
  return K;
}
