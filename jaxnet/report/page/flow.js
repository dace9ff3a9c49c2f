// One picture's way through the network: what each unit adds to its logit.

/**
 * Collect the numbers of a picture: Z1, A1 and the vote W2 A1 of each unit, b2, Z2, and the probability.
 *
 * `lit` is the A1 of each unit as a share of the largest one.
 */
export function flowOf({ n_h, params, stages }, { split, at }) {
  const { Z1, A1, Z2, A2 } = stages[split];
  const m = Z2.length;
  const take = (values) => Array.from({ length: n_h }, (_, unit) => values[unit * m + at]);
  const a1 = take(A1);
  const largest = Math.max(...a1);
  return {
    z1: take(Z1),
    a1,
    lit: a1.map((a) => (largest > 0 ? a / largest : 0)),
    votes: a1.map((a, unit) => params.W2[unit] * a),
    b2: params.b2[0],
    z2: Z2[at],
    p: A2[at],
  };
}

/** Return a function that writes each of the terms of a sum with the decimals that the largest one has. */
export function alike(terms, digits = 3) {
  const largest = Math.max(...terms.map(Math.abs));
  const power = Math.floor(Math.log10(largest));
  if (!(power >= -6 && power < 6)) return null; // too small or too large for a plain number
  const decimals = Math.max(0, digits - 1 - power);
  return (term) => term.toFixed(decimals).replace("-", "−");
}
