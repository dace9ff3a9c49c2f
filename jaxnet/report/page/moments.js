// A step of gradient descent in its moments: forward, loss, backward, update, one matrix after the other.

import { PIXEL_SCALES } from "./data.js";
import { losses, update } from "./engine.js";

const PHASES = {
  "phase.forward": ["X", "Z1", "A1", "Z2", "A2"],
  "phase.loss": ["J"],
  "phase.backward": ["dA2", "dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1"],
  "phase.update": ["W2", "b2", "W1", "b1"],
};

/** The matrices in the order in which a step computes them; the parameters stand where they are updated. */
export const MOMENTS = Object.values(PHASES).flat();

/** Return the key of the text that names the phase of a moment. */
export function phaseOf(name) {
  return Object.keys(PHASES).find((phase) => PHASES[phase].includes(name));
}

let madeRows = { of: null, rows: null };

/**
 * Compute a unit's rows of W1 before the step, of dW1, and of W1 after it, each (n_x), exactly; null if the page
 * has no pictures.
 */
export function weightRows(descent, unit) {
  const { params, gradients, live, data } = descent;
  if (!data.pictures) return null;
  const of = [params, gradients, unit, live.learning_rate, String(live.fixed)];
  if (madeRows.of?.every((part, at) => part === of[at])) return madeRows.rows;
  const after = update(params, gradients, live.learning_rate, live.fixed);
  const rows = {
    before: rowInSpan(descent, params.s, params.C, unit),
    slope: rowInSpan(descent, gradients.ds, gradients.dC, unit),
    after: rowInSpan(descent, after.s, after.C, unit),
  };
  madeRows = { of, rows };
  return rows;
}

/** Compute a row of s W1₀ + C Xᵀ (n_x) in float64. */
function rowInSpan({ data, start, settings }, s, C, unit) {
  const { n_x, splits } = data;
  const { m, pixels } = splits.train;
  const [a, c] = PIXEL_SCALES[settings.pixel_scale];
  const row = Float64Array.from(start.W1.subarray(unit * n_x, (unit + 1) * n_x), (weight) => s[unit] * weight);
  for (let j = 0; j < m; j++) {
    const share = C[unit * m + j];
    if (share === 0) continue;
    for (let f = 0, at = j * n_x; f < n_x; f++, at++) row[f] += share * (a * pixels[at] + c);
  }
  return row;
}

/** Return the place of the weight that the step changes most; the first if it changes none. */
export function largestPixel({ slope }) {
  return slope.reduce((best, value, f) => (Math.abs(value) > Math.abs(slope[best]) ? f : best), 0);
}

/**
 * Collect the numbers of a step for a unit and a picture of a split.
 *
 * Of the picture: z1, a1 of the unit, z2, a2, y, loss; of a training picture also dA2, dZ2, dA1, dZ1. Of the
 * step: the cost J, and of b1, W2, b2 the values before, the slope, and after. y and loss are null for a photo.
 */
export function stepNumbers(descent, unit, { split, at }) {
  const { params, gradients, live, data, history, stages, t } = descent;
  const { Z1, A1, Z2, A2 } = stages[split];
  const count = Z2.length;
  const y = split === "photo" ? null : data.splits[split].Y[at];
  const own = unit * count + at;
  const after = update(params, gradients, live.learning_rate, live.fixed);
  const change = (name, place) => ({
    before: params[name][place],
    slope: gradients[`d${name}`][place],
    after: after[name][place],
  });
  const { dA2, dZ2, dA1, dZ1 } = gradients;
  return {
    y,
    z1: Z1[own],
    a1: A1[own],
    z2: Z2[at],
    a2: A2[at],
    loss: y === null ? null : losses(Z2.subarray(at, at + 1), [y])[0],
    J: history.train.costs[t],
    ...(split === "train" ? { dA2: dA2[at], dZ2: dZ2[at], dA1: dA1[own], dZ1: dZ1[own] } : {}),
    b1: change("b1", unit),
    W2: change("W2", unit),
    b2: change("b2", 0),
  };
}
