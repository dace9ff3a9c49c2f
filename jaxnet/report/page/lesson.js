// One descent with its history: what the controls set, what the views show.

import { ACTIVATIONS, backward, cost, countRight, forward, update } from "./engine.js";
import { SCALES, addPictures, timesPictures } from "./data.js";
import { checked, isAllowed, ownSettings } from "./settings.js";
import { makeStart } from "./starts.js";

// Snapshots kept; when there are more, every second one goes.
const MOST_SNAPSHOTS = 240;

// Settings that change how a step is made; any other makes the descent begin anew.
const LIVE = ["learning_rate", "silenced", "frozen"];

export class Lesson {
  /** Begin with the run's own settings and start. */
  constructor(data) {
    this.data = data;
    this.photo = null;
    this.settings = { ...ownSettings(data), silenced: [], frozen: [] };
    this.reset();
  }

  get hidden() {
    return ACTIVATIONS[this.settings.activation];
  }

  get n_h() {
    return this.settings.hidden_units;
  }

  /** Go back to the first weights. */
  reset() {
    this.start = makeStart(this.data, this.settings);
    this.params = this.start.params;
    this.t = 0;
    this.altered = false;
    this.every = 10;
    this.snapshots = new Map();
    this.history = { rises: [], train: { costs: [], right: [] }, test: { costs: [], right: [] } };
    if (this.photo) this.lookAt(this.photo.pixels, this.photo.colors);
    this.look();
    this.keep();
  }

  /** Change settings by their names; unless the descent can go on with them, it begins anew. */
  set(changes) {
    const wished = { ...this.settings, ...checked(changes, this.data) };
    const anew = Object.keys(changes).some(
      (name) => !LIVE.includes(name) && wished[name] !== this.settings[name],
    );
    const inside = (unit) => unit < wished.hidden_units;
    this.settings = {
      ...wished,
      silenced: wished.silenced.filter(inside),
      frozen: wished.frozen.filter(inside),
    };
    if (anew) this.reset();
    else {
      this.altered ||= this.t > 0 && Object.keys(changes).length > 0;
      this.look();
    }
  }

  /** Say whether a command line can repeat this: no rate and no unit was changed on the way. */
  get isPlain() {
    return !this.altered && !this.settings.silenced.length && !this.settings.frozen.length;
  }

  /** Say whether these are settings in their ranges. */
  allows(changes) {
    return Object.entries(changes).every(([name, value]) => isAllowed(name, value, this.data));
  }

  /** Take n steps; stop where the cost is no finite number any more. */
  step(n = 1) {
    for (let made = 0; made < n && this.finite; made++) {
      const { train } = this.history;
      this.params = update(this.params, this.gradients, this.settings.learning_rate, this.flags("frozen"));
      this.t++;
      this.look();
      if (train.costs[this.t] > train.costs[this.t - 1]) this.history.rises.push(this.t);
      if (this.t % this.every === 0) this.keep();
    }
  }

  get finite() {
    return Number.isFinite(this.history.train.costs[this.t]);
  }

  /** Compute what every picture is to the network now, and write the costs down. */
  look() {
    const mask = this.flags("silenced").map((flag) => 1 - flag);
    this.stages = {};
    this.cached = null;
    this.W1 = this.dW1 = undefined;
    for (const name of this.data.names) {
      const stages = forward(this.params, this.start.seen[name], this.hidden, mask);
      const { Y, weights } = this.data.splits[name];
      this.stages[name] = stages;
      this.history[name].costs[this.t] = cost(stages.Z2, Y, weights);
      this.history[name].right[this.t] = countRight(stages.A2, Y);
    }
    if (this.photo) this.stages.photo = forward(this.params, this.photo.seen, this.hidden, mask);
  }

  /** The derivatives at this iteration. */
  get gradients() {
    const { Y, weights } = this.data.splits.train;
    const mask = this.flags("silenced").map((flag) => 1 - flag);
    this.cached ??= backward(this.params, this.stages.train, Y, weights, this.hidden, mask);
    return this.cached;
  }

  /** Say of each unit by 0 or 1 whether it is "silenced" or "frozen". */
  flags(name) {
    return Uint8Array.from({ length: this.n_h }, (_, unit) => this.settings[name].includes(unit));
  }

  /** Keep a snapshot of this iteration. */
  keep() {
    this.snapshots.set(this.t, this.params);
    if (this.snapshots.size <= MOST_SNAPSHOTS) return;
    this.every *= 2;
    for (const t of this.snapshots.keys()) if (t % this.every) this.snapshots.delete(t);
  }

  /** Go back to the latest snapshot before this iteration. */
  back() {
    const earlier = [...this.snapshots.keys()].filter((t) => t < this.t);
    if (earlier.length) this.goTo(Math.max(...earlier));
  }

  /** Go back to the snapshot that is nearest to an iteration; what came after it is forgotten. */
  goTo(iteration) {
    const kept = [...this.snapshots.keys()];
    this.t = kept.reduce((best, t) => (Math.abs(t - iteration) < Math.abs(best - iteration) ? t : best));
    this.params = this.snapshots.get(this.t);
    for (const t of kept) if (t > this.t) this.snapshots.delete(t);
    for (const name of ["train", "test"]) {
      this.history[name].costs.length = this.history[name].right.length = this.t + 1;
    }
    this.history.rises = this.history.rises.filter((t) => t <= this.t);
    this.look();
  }

  /** Show the network another picture: bytes (n_x) as it sees them, and RGB as people do. */
  lookAt(pixels, colors) {
    const { data, settings, start } = this;
    const Z1 = timesPictures(start.W1, pixels, data.n_x, settings.scale);
    const X = floats(pixels, settings.scale);
    const K = timesPictures(X, data.splits.train.pixels, data.n_x, settings.scale);
    this.photo = { pixels, colors, seen: { Z1, K } };
    this.look();
  }

  /** Compute the weights of a unit, its row of W1 = W1₀ + C Xᵀ; null where there are no pictures. */
  weightsOf(unit) {
    this.W1 ??= this.lift(this.start.W1.slice(), this.params.C);
    return this.rowOf(this.W1, unit);
  }

  /** Compute a unit's row of dW1 = dC Xᵀ, (n_x). */
  slopesOf(unit) {
    this.dW1 ??= this.lift(new Float32Array(this.start.W1.length), this.gradients.dC);
    return this.rowOf(this.dW1, unit);
  }

  /** Add C Xᵀ to W (n_h, n_x), if there are pictures to do it with. */
  lift(W, C) {
    const { n_x, splits } = this.data;
    return splits.train.pixels ? addPictures(W, C, splits.train.pixels, n_x, this.settings.scale) : null;
  }

  /** Take the row of a unit out of a matrix with n_h rows. */
  rowOf(matrix, unit) {
    if (matrix === null) return null;
    const length = matrix.length / this.n_h;
    return matrix.subarray(unit * length, (unit + 1) * length);
  }

  /** Say all that a lesson or a test may ask for. */
  state() {
    const { t, settings, params, history, data, finite } = this;
    const numbers = {};
    for (const name of data.names) {
      const { costs, right } = history[name];
      const { m } = data.splits[name];
      numbers[name] = {
        pictures: m,
        cost: costs[t],
        right: right[t],
        accuracy: right[t] / m,
        costs: [...costs],
        probabilities: [...this.stages[name].A2],
      };
    }
    return {
      iteration: t,
      finite,
      settings: { ...settings, silenced: [...settings.silenced], frozen: [...settings.frozen] },
      ...numbers,
      b1: [...params.b1],
      W2: [...params.W2],
      b2: params.b2[0],
      rises: [...history.rises],
      snapshots: [...this.snapshots.keys()].sort((s, u) => s - u),
    };
  }
}

/** Turn bytes (n_x) into numbers as the network sees them. */
export function floats(pixels, scale) {
  const [a, c] = SCALES[scale];
  return Float64Array.from(pixels, (pixel) => a * pixel + c);
}
