// One descent with its settings and its history.

import { ACTIVATIONS, forward, scaleRows } from "./engine.js";
import { PIXEL_SCALES, addPictures, timesPictures } from "./data.js";
import { checked, isAllowed, ownSettings } from "./settings.js";
import { derive, evaluate, hasActiveUnit, liveSettings, takeSteps } from "./steps.js";
import { labelEntropy } from "./scores.js";
import { makeStart } from "./starts.js";
import { outcome } from "./outcome.js";

// At most this many snapshots are kept; when there are more, every second one is dropped.
const MOST_SNAPSHOTS = 240;

// Settings with which a descent continues; a change of any other restarts it.
const LIVE = ["learning_rate", "silenced", "frozen"];

/** Return whether all steps of a descent, or of a copy, were taken with its present live settings. */
export function isSteady({ settings, used }) {
  const present = JSON.stringify(LIVE.map((name) => settings[name]));
  return used.every((use) => use.settings === present);
}

export class Descent {
  /** Start with the settings and the initial weights of the run. */
  constructor(data) {
    this.data = data;
    this.photo = null;
    this.settings = ownSettings(data);
    this.reset();
  }

  get hidden() {
    return ACTIVATIONS[this.settings.activation];
  }

  get n_h() {
    return this.settings.hidden_units;
  }

  /** Go back to the initial weights. */
  reset() {
    this.start = makeStart(this.data, this.settings);
    Object.assign(this.data.splits.train, this.start.labels);
    this.params = this.start.params;
    this.t = 0;
    this.used = []; // what the steps were taken with, and from which iteration on
    this.every = 10;
    this.snapshots = new Map();
    this.history = { rises: [], train: { costs: [], correct: [] }, test: { costs: [], correct: [] } };
    if (this.photo) this.setPhoto(this.photo.pixels, this.photo.colors);
    this.evaluate();
    this.keep();
  }

  /** Change settings by their names, and restart the descent if it cannot continue with them. */
  set(changes) {
    const wished = { ...this.settings, ...checked(changes, this.data) };
    const restarts = Object.keys(changes).some(
      (name) => !LIVE.includes(name) && wished[name] !== this.settings[name],
    );
    const inside = (unit) => unit < wished.hidden_units;
    this.settings = {
      ...wished,
      silenced: wished.silenced.filter(inside),
      frozen: wished.frozen.filter(inside),
    };
    if (restarts) this.reset();
    else this.evaluate();
  }

  /** Whether a command line can repeat this: every step was taken with the current α and every unit. */
  get isPlain() {
    const { learning_rate, silenced, frozen } = this.settings;
    const plain = JSON.stringify([learning_rate, [], []]);
    return !silenced.length && !frozen.length && this.used.every(({ settings }) => settings === plain);
  }

  /** Record what the steps from an iteration on are taken with. */
  use(live, from) {
    const settings = JSON.stringify(LIVE.map((name) => live[name]));
    if (this.used.at(-1)?.settings !== settings) this.used.push({ from, settings });
  }

  /** Return whether these are settings with valid values. */
  allows(changes) {
    return Object.entries(changes).every(([name, value]) => isAllowed(name, value, this.data));
  }

  /** Take n steps, or fewer if the cost or a parameter becomes infinite or NaN. */
  step(n = 1) {
    this.absorb(takeSteps(this.problem, this, this.live, this.every, n));
  }

  /** What stays the same during the steps, as plain data; see steps.js. */
  get problem() {
    const { data, start, settings } = this;
    const splits = Object.fromEntries(
      data.names.map((name) => [name, { Y: data.splits[name].Y, weights: data.splits[name].weights }]),
    );
    const { activation, weight_decay, pixel_scale: scale } = settings;
    return { names: data.names, inputs: start.inputs, splits, activation, weight_decay, W1: start.W1, scale };
  }

  /** The settings with which the next step is taken. */
  get live() {
    return liveSettings(this.settings, this.n_h);
  }

  /** Go to where steps have led, wherever they were taken. */
  absorb({ from, t, params, now, live, costs, correct, kept, W1 }) {
    if (t === from) return;
    this.use(live, from);
    const { history } = this;
    for (const name of this.data.names) {
      for (const value of costs[name]) history[name].costs.push(value);
      for (const value of correct[name]) history[name].correct.push(value);
    }
    for (let at = from + 1; at <= t; at++) {
      if (history.train.costs[at] > history.train.costs[at - 1]) history.rises.push(at);
    }
    for (const [at, snapshot] of kept) if (at % this.every === 0) this.keep(at, snapshot);
    this.arrive(t, params, now);
    this.W1 = W1;
  }

  /** Go on where a training was that a file kept: its iteration, parameters, history and what it was taken with. */
  goOn({ t, params, history, used }) {
    Object.assign(this, { t, params, history, used });
    this.evaluate();
    this.keep();
  }

  /** Be at an evaluated point. */
  arrive(t, params, now) {
    Object.assign(this, { t, params, now, stages: { ...now.stages } });
    this.cached = null;
    this.W1 = this.dW1 = undefined;
    if (this.photo) this.stages.photo = forward(params, this.photo.inputs, this.hidden, this.live.mask);
  }

  /** Whether the cost and every parameter is a finite number. */
  get finite() {
    return this.now.finite;
  }

  /** The outcome of the steps so far; null before the first one, unless the network is dead already. */
  get outcome() {
    const { finite, t } = this;
    const active = hasActiveUnit(this.problem, this.now, this.live.mask);
    if (t === 0 && finite && active) return null;
    // The costs before each update, as in Python.
    const { costs } = this.history.train;
    return outcome({ finite, active, costs, count: t, entropy: labelEntropy(this.data) });
  }

  /** Compute Z1, A1, Z2 and A2 of every picture, and record cost and accuracy. */
  evaluate() {
    const now = evaluate(this.problem, this.params, this.live.mask);
    for (const name of this.data.names) {
      this.history[name].costs[this.t] = now.costs[name];
      this.history[name].correct[this.t] = now.correct[name];
    }
    this.arrive(this.t, this.params, now);
  }

  /** The derivatives at this iteration. */
  get gradients() {
    this.cached ??= derive(this.problem, this.params, this.now, this.live.mask);
    return this.cached;
  }

  /** Keep a snapshot, by default of this iteration. */
  keep(t = this.t, params = this.params) {
    this.snapshots.set(t, params);
    if (this.snapshots.size <= MOST_SNAPSHOTS) return;
    this.every *= 2;
    for (const t of this.snapshots.keys()) if (t % this.every) this.snapshots.delete(t);
  }

  /** Go back to the latest snapshot before this iteration. */
  back() {
    const earlier = [...this.snapshots.keys()].filter((t) => t < this.t);
    if (earlier.length) this.goTo(Math.max(...earlier));
  }

  /** Return the iteration of the latest snapshot that is not after an iteration. */
  snapshotBefore(iteration) {
    return Math.max(...[...this.snapshots.keys()].filter((t) => t <= iteration));
  }

  /** Go back to the snapshot that is nearest to an iteration, and drop the history after it. */
  goTo(iteration) {
    const kept = [...this.snapshots.keys()];
    this.t = kept.reduce((best, t) => (Math.abs(t - iteration) < Math.abs(best - iteration) ? t : best));
    this.params = this.snapshots.get(this.t);
    for (const t of kept) if (t > this.t) this.snapshots.delete(t);
    for (const name of ["train", "test"]) {
      const { costs, correct } = this.history[name];
      this.history[name] = { costs: costs.slice(0, this.t + 1), correct: correct.slice(0, this.t + 1) };
    }
    this.history.rises = this.history.rises.filter((t) => t <= this.t);
    this.used = this.used.filter(({ from }) => from < this.t);
    this.evaluate();
  }

  /** Copy all that a change may lose; `restore` brings it back. */
  copy() {
    const { settings, start, params, t, every } = this;
    const history = { rises: [...this.history.rises] };
    for (const name of ["train", "test"]) {
      const { costs, correct } = this.history[name];
      history[name] = { costs: [...costs], correct: [...correct] };
    }
    const snapshots = new Map(this.snapshots);
    return { settings, start, params, t, every, history, snapshots, used: [...this.used] };
  }

  /** Return to a copied state. */
  restore(copy) {
    Object.assign(this, copy);
    Object.assign(this.data.splits.train, this.start.labels);
    if (this.photo) this.setPhoto(this.photo.pixels, this.photo.colors);
    else this.evaluate();
  }

  /** Take a photo as a further picture: the network's input (n_x) from 0 to 255, and RGB to show. */
  setPhoto(pixels, colors) {
    const { data, settings, start } = this;
    const Z1 = timesPictures(start.W1, pixels, data.n_x, settings.pixel_scale);
    const X = floats(pixels, settings.pixel_scale);
    const K = timesPictures(X, data.splits.train.pixels, data.n_x, settings.pixel_scale);
    this.photo = { pixels, colors, inputs: { Z1, K } };
    this.evaluate();
  }

  /** Compute the weights of a unit, its row of W1 = s W1₀ + C Xᵀ; null if the page has no pictures. */
  weightsOf(unit) {
    this.W1 ??= this.lift(this.params.s, this.params.C);
    return this.rowOf(this.W1, unit);
  }

  /** Compute a unit's row of dW1 = ds W1₀ + dC Xᵀ, (n_x). */
  slopesOf(unit) {
    this.dW1 ??= this.lift(this.gradients.ds, this.gradients.dC);
    return this.rowOf(this.dW1, unit);
  }

  /** Compute s W1₀ + C Xᵀ (n_h, n_x); null if the page has no pictures. */
  lift(s, C) {
    const { n_x, splits } = this.data;
    const { pixels } = splits.train;
    if (!pixels) return null;
    return addPictures(scaleRows(this.start.W1, s), C, pixels, n_x, this.settings.pixel_scale);
  }

  /** Take the row of a unit out of a matrix with n_h rows. */
  rowOf(matrix, unit) {
    if (matrix === null) return null;
    const length = matrix.length / this.n_h;
    return matrix.subarray(unit * length, (unit + 1) * length);
  }

  /** Return the state in numbers, for scripts and tests. */
  state() {
    const { t, settings, params, history, data, finite } = this;
    const numbers = {};
    for (const name of data.names) {
      const { costs, correct } = history[name];
      const { m } = data.splits[name];
      numbers[name] = {
        pictures: m,
        cost: costs[t],
        correct: correct[t],
        accuracy: correct[t] / m,
        costs: [...costs],
        probabilities: [...this.stages[name].A2],
      };
    }
    return {
      iteration: t,
      finite,
      outcome: this.outcome,
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

/** Convert pixels (n_x) from 0 to 255 into an input column. */
export function floats(pixels, scale) {
  const [a, c] = PIXEL_SCALES[scale];
  return Float64Array.from(pixels, (pixel) => a * pixel + c);
}
