// The outcome of a descent, as jaxnet/outcomes.py defines it.

/** Compute the mean of the last 5 % of costs, of the first `count` of them. */
export function lateCost(costs, count = costs.length) {
  // As a distance from the first cost, so that rounding cannot lift the mean of equal costs above it; and
  // divided before they are added, since a sum of finite costs may overflow.
  const [first] = costs;
  const late = costs.slice(count - Math.ceil(count / 20), count);
  return first + late.reduce((sum, cost) => sum + (cost - first) / late.length, 0);
}

/**
 * Determine the outcome of a descent.
 *
 * finite: whether every cost and parameter is a finite number; active: whether any hidden unit is active on
 * any training picture; costs: the cost before each update, of which the first `count` count; entropy: the label entropy, which is the cost of
 * predicting the class rate, and 0 if all labels are of one class.
 */
export function outcome({ finite, active, costs, count = costs.length, entropy }) {
  if (!finite) return "not finite";
  if (!active) return "dead";
  const late = lateCost(costs, count);
  if (entropy > 0 && Math.abs(late - entropy) <= 0.01 * entropy) return "plateau";
  if (late < (entropy > 0 ? entropy : costs[0])) return "learning";
  return late > costs[0] ? "diverged" : "slow";
}
