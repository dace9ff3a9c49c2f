// Steps of gradient descent, one after the other, with what is recorded of them.
//
// A problem is what stays the same during a descent: names of the splits; of each its inputs (engine.js), Y
// and weights; the name of the activation; the weight decay. Everything here is plain data, which a worker
// can be sent.

import { ACTIVATIONS, addDecay, backward, cost, countCorrect, forward, update } from "./engine.js";

/** Return the parts of the settings with which a descent continues, for n_h units. */
export function liveSettings({ learning_rate, silenced, frozen }, n_h) {
  const flags = (units) => Uint8Array.from({ length: n_h }, (_, unit) => units.includes(unit));
  const mask = flags(silenced).map((flag) => 1 - flag);
  return { learning_rate, silenced, frozen, mask, fixed: flags(frozen) };
}

/** Compute Z1, A1, Z2 and A2 of every picture; of each split the cost, and how many are right. */
export function evaluate(problem, params, mask) {
  const result = { stages: {}, costs: {}, correct: {} };
  for (const name of problem.names) {
    const { Y, weights } = problem.splits[name];
    const stages = forward(params, problem.inputs[name], ACTIVATIONS[problem.activation], mask);
    result.stages[name] = stages;
    result.costs[name] = cost(stages.Z2, Y, weights);
    result.correct[name] = countCorrect(stages.A2, Y);
  }
  result.finite = isFiniteNetwork(params, result.costs.train);
  // A network that is not finite predicts nothing.
  if (!result.finite) for (const name of problem.names) result.correct[name] = NaN;
  return result;
}

/** Return whether the cost and every parameter is a finite number. */
function isFiniteNetwork(params, trainCost) {
  if (!Number.isFinite(trainCost)) return false;
  for (const values of Object.values(params)) {
    for (let at = 0; at < values.length; at++) if (!Number.isFinite(values[at])) return false;
  }
  return true;
}

/** Return whether any hidden unit is active on any training picture that counts, at an evaluated point. */
export function hasActiveUnit(problem, { stages }, mask) {
  const { slope } = ACTIVATIONS[problem.activation];
  const { weights } = problem.splits.train;
  const m = weights.length;
  return stages.train.Z1.some((z, at) => mask[Math.floor(at / m)] && weights[at % m] > 0 && slope(z) !== 0);
}

/** Compute the derivatives at an evaluated point; dC, ds and dW2 with the weight decay. */
export function derive(problem, params, { stages }, mask) {
  const { Y, weights } = problem.splits.train;
  const gradients = backward(params, stages.train, Y, weights, ACTIVATIONS[problem.activation], mask);
  return addDecay(gradients, params, problem.weight_decay);
}

/**
 * Take up to n steps, until a time of the clock (ms), or until a number becomes infinite or NaN.
 *
 * point: t, params, and `now`, the evaluation there. live: as of `liveSettings`. every: at multiples of it
 * the parameters are kept. Returns the point that is reached, with `from`, the settings, and of each step
 * costs, correct and, where kept, the parameters.
 */
export function takeSteps(problem, point, live, every, n, until = Infinity) {
  let { t, params, now } = point;
  const batch = { from: t, live, costs: {}, correct: {}, kept: [] };
  for (const name of problem.names) [batch.costs[name], batch.correct[name]] = [[], []];
  for (let made = 0; made < n && now.finite; made++) {
    const gradients = derive(problem, params, now, live.mask);
    params = update(params, gradients, live.learning_rate, live.fixed);
    now = evaluate(problem, params, live.mask);
    t++;
    for (const name of problem.names) {
      batch.costs[name].push(now.costs[name]);
      batch.correct[name].push(now.correct[name]);
    }
    if (t % every === 0) batch.kept.push([t, params]);
    if (performance.now() >= until) break;
  }
  return { ...batch, t, params, now };
}
