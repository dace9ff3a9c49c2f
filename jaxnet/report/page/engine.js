// The network and its gradient descent, as in jaxnet/backprop.py and jaxnet/span.py.
//
// The first layer's weights stay in the span of the training pictures, W1 = s W1₀ + C Xᵀ, so that
// Z1 = W1 X + b1 = s W1₀ X + C K + b1 with K = XᵀX. s starts at 1 and changes by weight decay alone; each
// unit has its own, since a unit may be frozen. A matrix is a Float64Array, row by row.
//
//   params  C (n_h, m), s (n_h), b1 (n_h), W2 (n_h), b2 (1)
//   inputs  of a split of m′ pictures: Z1 = W1₀ X′ (n_h, m′), K = XᵀX′ (m, m′)
//   mask    (n_h) of 1, and 0 for a silenced unit

const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

// g(z) and g′(z). At 0 the slope of relu is 0, that of leaky_relu 0.01, as in activations.py; NaN stays NaN.
export const ACTIVATIONS = {
  relu: { g: (z) => (z <= 0 ? 0 : z), slope: (z) => (z > 0 ? 1 : 0) },
  leaky_relu: { g: (z) => (z > 0 ? z : 0.01 * z), slope: (z) => (z > 0 ? 1 : 0.01) },
  sigmoid: { g: sigmoid, slope: (z) => sigmoid(z) * sigmoid(-z) },
};

/** Add the product A (n, k) B (k, m) to the matrix sum (n, m). */
export function addProduct(sum, A, B, n, k, m) {
  // Two rows of A and four of B at a time, so that each number is read and written less often.
  for (let i = 0; i < n; i += 2) {
    const above = sum.subarray(i * m, (i + 1) * m);
    const below = i + 1 < n ? sum.subarray((i + 1) * m, (i + 2) * m) : new Float64Array(m);
    const P = A.subarray(i * k, (i + 1) * k);
    const Q = i + 1 < n ? A.subarray((i + 1) * k, (i + 2) * k) : P;
    let l = 0;
    for (; l + 3 < k; l += 4) {
      const [p0, p1, p2, p3] = [P[l], P[l + 1], P[l + 2], P[l + 3]];
      const [q0, q1, q2, q3] = [Q[l], Q[l + 1], Q[l + 2], Q[l + 3]];
      for (let j = 0, at = l * m; j < m; j++, at++) {
        const b0 = B[at];
        const b1 = B[at + m];
        const b2 = B[at + 2 * m];
        const b3 = B[at + 3 * m];
        above[j] += p0 * b0 + p1 * b1 + p2 * b2 + p3 * b3;
        below[j] += q0 * b0 + q1 * b1 + q2 * b2 + q3 * b3;
      }
    }
    for (; l < k; l++) {
      for (let j = 0, at = l * m; j < m; j++, at++) {
        above[j] += P[l] * B[at];
        below[j] += Q[l] * B[at];
      }
    }
  }
}

/** Return a copy of a matrix whose rows are multiplied by s (n). */
export function scaleRows(matrix, s) {
  const scaled = matrix.slice();
  const size = matrix.length / s.length;
  s.forEach((factor, row) => {
    if (factor === 1) return;
    for (let at = row * size; at < (row + 1) * size; at++) scaled[at] *= factor;
  });
  return scaled;
}

/** Compute Z1, A1 (n_h, m′), Z2, A2 (m′) of a split. */
export function forward(params, inputs, hidden, mask) {
  const n_h = params.b1.length;
  const m = params.C.length / n_h;
  const count = inputs.Z1.length / n_h;
  const Z1 = scaleRows(inputs.Z1, params.s);
  addProduct(Z1, params.C, inputs.K, n_h, m, count);
  const A1 = new Float64Array(n_h * count);
  const Z2 = new Float64Array(count).fill(params.b2[0]);
  for (let i = 0; i < n_h; i++) {
    for (let j = 0, at = i * count; j < count; j++, at++) {
      Z1[at] += params.b1[i];
      A1[at] = mask[i] ? hidden.g(Z1[at]) : 0;
      Z2[j] += params.W2[i] * A1[at];
    }
  }
  return { Z1, A1, Z2, A2: Z2.map(sigmoid) };
}

/** Compute each picture's loss −(y log a + (1 − y) log(1 − a)), from the logit: a may round to y. */
export function losses(Z2, Y) {
  return Z2.map((z, j) => {
    const p = Math.max(z, 0);
    const n = p - z;
    return Y[j] * n + (1 - Y[j]) * p + Math.log1p(Math.exp(-(p + n)));
  });
}

/** Compute the cost Σ w ℓ / Σ w. */
export function cost(Z2, Y, w) {
  let sum = 0;
  let m = 0;
  losses(Z2, Y).forEach((loss, j) => {
    sum += w[j] * loss;
    m += w[j];
  });
  return sum / m;
}

/** Compute the derivatives by the chain rule: dA and dZ of each picture's loss, dW and db of the cost. */
export function backward(params, { Z1, A1, Z2, A2 }, Y, w, hidden, mask) {
  const n_h = params.b1.length;
  const count = Y.length;
  const m = w.reduce((sum, weight) => sum + weight, 0);
  const dA2 = Z2.map((z, j) => (Y[j] === 1 ? -(1 + Math.exp(-z)) : 1 + Math.exp(z)));
  const dZ2 = A2.map((a, j) => a - Y[j]);
  const dW2 = new Float64Array(n_h);
  const db2 = new Float64Array(1);
  const dA1 = new Float64Array(n_h * count);
  const dZ1 = new Float64Array(n_h * count);
  const dC = new Float64Array(n_h * count);
  const db1 = new Float64Array(n_h);
  for (let j = 0; j < count; j++) db2[0] += (w[j] * dZ2[j]) / m;
  for (let i = 0; i < n_h; i++) {
    for (let j = 0, at = i * count; j < count; j++, at++) {
      dW2[i] += (w[j] * dZ2[j] * A1[at]) / m;
      dA1[at] = mask[i] * params.W2[i] * dZ2[j];
      dZ1[at] = dA1[at] * hidden.slope(Z1[at]);
      dC[at] = (w[j] * dZ1[at]) / m; // dW1 = dC Xᵀ, computed only to be drawn
      db1[i] += dC[at];
    }
  }
  return { dA2, dZ2, dW2, db2, dA1, dZ1, dC, db1 };
}

/** Add the gradient of the penalty (λ/2)(‖W1‖² + ‖W2‖²): λ W, where W1 is made of s and C. */
export function addDecay(gradients, params, weightDecay) {
  const add = (slopes, values) => slopes.map((slope, at) => slope + weightDecay * values[at]);
  const ds = params.s.map((factor) => weightDecay * factor);
  if (!weightDecay) return { ...gradients, ds };
  return { ...gradients, ds, dC: add(gradients.dC, params.C), dW2: add(gradients.dW2, params.W2) };
}

/** Take a step, W ← W − α dW and b ← b − α db; the parameters of units whose frozen (n_h) is 1 stay. */
export function update(params, gradients, learningRate, frozen) {
  const { dC, ds, db1, dW2, db2 } = gradients;
  const n_h = params.b1.length;
  const m = params.C.length / n_h;
  const step = (values, slopes, size) =>
    values.map((value, at) => (frozen[Math.floor(at / size)] ? value : value - learningRate * slopes[at]));
  return {
    C: step(params.C, dC, m),
    s: step(params.s, ds, 1),
    b1: step(params.b1, db1, 1),
    W2: step(params.W2, dW2, 1),
    b2: params.b2.map((b) => b - learningRate * db2[0]),
  };
}

/** Count the pictures whose class is predicted correctly. */
export function countCorrect(A2, Y) {
  return A2.reduce((sum, a, j) => sum + (a > 0.5 === (Y[j] === 1)), 0);
}
