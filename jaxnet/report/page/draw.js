// The initial weights that JAX draws from a seed: `draw_normals` of jaxnet/normals.py, in JavaScript.
//
// Random bits: JAX's generator threefry2x32, 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as
// 1, 2, 3"), with JAX's counters. Normal numbers: √2 erfinv(u), erfinv by the polynomials of Giles
// 2010 ("Approximating the erfinv function"). They agree with JAX's up to the rounding of float32.

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
];

function threefry([k0, k1], x0, x1) {
  const keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bda];
  let a = (x0 + k0) | 0;
  let b = (x1 + k1) | 0;
  for (let round = 0; round < 5; round++) {
    for (const turn of ROTATIONS[round % 2]) {
      a = (a + b) | 0;
      b = (b << turn) | (b >>> (32 - turn));
      b ^= a;
    }
    a = (a + keys[(round + 1) % 3]) | 0;
    b = (b + keys[(round + 2) % 3] + round + 1) | 0;
  }
  return [a, b];
}

const NEAR = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];
const FAR = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
];

function inverseErf(u) {
  const w = -Math.log1p(-u * u);
  const [x, coefficients] = w < 5 ? [w - 2.5, NEAR] : [Math.sqrt(w) - 3, FAR];
  return u * coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

/** Draw `count` numbers of N(0, 1) from a key; the first ones do not depend on `count`. */
function drawNormal(key, count) {
  const lowest = -1 + 2 ** -24;
  return Float32Array.from({ length: count }, (_, index) => {
    const [a, b] = threefry(key, 0, index);
    const unit = ((a ^ b) >>> 9) * 2 ** -23; // a multiple of 2⁻²³ in [0, 1)
    return Math.SQRT2 * inverseErf(Math.max(lowest, Math.fround(2 * unit + lowest)));
  });
}

/** Draw an order of m things from a seed. */
export function drawOrder(seed, m) {
  const normals = drawNormal(threefry([0, seed | 0], 0, 2), m);
  return [...normals.keys()].sort((i, j) => normals[i] - normals[j]);
}

/** Draw the initial weights of a seed, before they are scaled: W1 (n_h, n_x), W2 (n_h). */
export function drawNormals(seed, n_x, n_h) {
  const key = [0, seed | 0];
  return { W1: drawNormal(threefry(key, 0, 0), n_h * n_x), W2: drawNormal(threefry(key, 0, 1), n_h) };
}
