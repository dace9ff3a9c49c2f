// Short trainings that differ in α alone, from the same initial weights.

import { evaluate, hasActiveUnit, takeSteps } from "./steps.js";
import { lateCost, outcome } from "./outcome.js";

export const TRIAL_STEPS = 500;

const PER_DECADE = 2;
const TRIAL_DECADES = 3; // below and above the present α

/** List the learning rates to try, around the present one, which is among them. */
export function ratesAround(rate) {
  const count = PER_DECADE * TRIAL_DECADES;
  return Array.from({ length: 2 * count + 1 }, (_, at) =>
    at === count ? rate : Number((rate * 10 ** ((at - count) / PER_DECADE)).toPrecision(3)),
  );
}

/**
 * Train with a learning rate: `outcome` as outcome.js defines it, and `late`, the mean of the last 5 % of costs.
 *
 * live: as of `liveSettings`, in which the learning rate is replaced; entropy: the label entropy.
 */
export function tryRate(problem, params, { live, rate, steps, entropy }) {
  const now = evaluate(problem, params, live.mask);
  const point = { t: 0, params, now };
  const batch = takeSteps(problem, point, { ...live, learning_rate: rate }, Infinity, steps);
  const costs = [now.costs.train, ...batch.costs.train]; // the last one is the cost after the last step
  const result = outcome({
    finite: batch.now.finite,
    active: hasActiveUnit(problem, batch.now, live.mask),
    costs,
    count: batch.t,
    entropy,
  });
  return { rate, outcome: result, late: lateCost(costs, batch.t) };
}

/**
 * Judge the trials, in the order of their rates: each "small", "right" or "large".
 *
 * Right is what learns. What does not learn is too small below the best rate, the one with the lowest late cost,
 * and too large above it. Where none learns, what is slow or on a plateau is too small, and a failure too large.
 */
export function judgeTrials(trials) {
  const learning = trials.filter((trial) => trial.outcome === "learning");
  const best = learning.reduce((low, trial) => (low && low.late <= trial.late ? low : trial), null);
  const verdicts = trials.map(({ rate, outcome }) => {
    if (outcome === "learning") return "right";
    if (best) return rate < best.rate ? "small" : "large";
    return ["slow", "plateau"].includes(outcome) ? "small" : "large";
  });
  return { verdicts, best };
}
