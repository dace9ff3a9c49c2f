// The measures of lessons: what really happened, computed from the descent itself.

import { constantShare } from "./scores.js";
import { describeUnits } from "./units.js";

export const OUTCOMES = ["learning", "slow", "plateau", "diverged", "dead", "not finite"];

const accuracy = ({ data, history, t }, name) => (100 * history[name].correct[t]) / data.splits[name].m;

/** Compute the share of hidden units that are active on no training picture, in per cent. */
function deadShare({ n_h, hidden, data, stages: { train } }) {
  const { m } = data.splits.train;
  const row = (unit) => train.Z1.subarray(unit * m, (unit + 1) * m);
  const dead = Array.from({ length: n_h }, (_, unit) => row(unit).every((z) => hidden.slope(z) === 0));
  return (100 * dead.filter(Boolean).length) / n_h;
}

/** Count the hidden units that equal none before them. */
function countDifferent(descent) {
  return describeUnits(descent).filter(({ equal }, unit) => equal === null || equal > unit).length;
}

/**
 * The measures by their names. `of` computes one from the descent and from `before`, the state at the guess
 * (t, cost, accuracy); `unit` says how it is written; `needs` what the page must have.
 */
export const MEASURES = {
  outcome: { of: (descent) => descent.outcome },
  // A number that is no longer finite has risen, too.
  rises: {
    of: ({ history, finite }, { t }) => history.rises.filter((at) => at > t).length + (finite ? 0 : 1),
  },
  "cost fall": {
    unit: "percent",
    of: ({ history, t }, { cost }) => (cost > 0 ? 100 * (1 - history.train.costs[t] / cost) : 0),
  },
  "train accuracy": { unit: "percent", of: (descent) => accuracy(descent, "train") },
  "test accuracy": { unit: "percent", needs: "test", of: (descent) => accuracy(descent, "test") },
  "accuracy gap": {
    unit: "points",
    needs: "test",
    of: (descent) => accuracy(descent, "train") - accuracy(descent, "test"),
  },
  "accuracy change": { unit: "points", of: (descent, before) => accuracy(descent, "train") - before.accuracy },
  "accuracy above constant": {
    unit: "points",
    of: (descent) => accuracy(descent, "train") - 100 * constantShare(descent.data, "train"),
  },
  "different units": { of: countDifferent },
  "dead units": { unit: "percent", of: deadShare },
  "picture probability": {
    unit: "percent",
    of: ({ stages }, { picture: { split, at } }) => 100 * stages[split].A2[at],
  },
  "photo probability": { unit: "percent", needs: "pictures", of: ({ stages }) => 100 * stages.photo.A2[0] },
};

/** Return the state at the guess, with which some measures compare. */
export function stateBefore(descent, picture) {
  const { t, history } = descent;
  return { t, cost: history.train.costs[t], accuracy: accuracy(descent, "train"), picture };
}

/** Compute a measure; NaN if the network is no longer finite and so has none. */
export function measureOf(name, descent, before) {
  if (!descent.finite && name !== "outcome" && name !== "rises") return NaN;
  return MEASURES[name].of(descent, before);
}

/** Return the place of the answer that is true; −1 if there is none, since the network is not finite. */
export function truthOf(answers, value) {
  if (Number.isNaN(value)) return -1;
  return answers.findIndex(
    ({ is, below }) => is?.includes(value) ?? (below === undefined || value < below),
  );
}

/** Return the unit whose votes on the training pictures of class 1 are the largest, on average. */
export function unitOfLargestVote({ n_h, params, stages, data }) {
  const { Y, m } = data.splits.train;
  const votes = Array.from({ length: n_h }, (_, unit) =>
    Y.reduce((sum, y, j) => sum + y * params.W2[unit] * stages.train.A1[unit * m + j], 0),
  );
  return votes.indexOf(Math.max(...votes));
}
