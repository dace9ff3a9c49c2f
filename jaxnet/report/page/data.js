// Reading the data of the page (jaxnet/report/page/data.py), and converting them to another pixel scale.
//
// A picture p of bytes is x = a p + c for the network. Another scale is x′ = r x + d, and with the sums s of
// the columns K′ = r² K + r d (s + sᵀ) + d² n_x: exact, without any picture.

export const PIXEL_SCALES = { symmetric: [1 / 127.5, -1], unit: [1 / 255, 0], raw: [1, 0] };

const TYPES = { Float64Array, Float32Array, Uint8Array };

const LONGEST = 48; // letters of a name; longer ones are shown without their middle

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** Read the JSON of the page: its header, the initial W1, b1, W2, b2, and each split by its name; or its header alone. */
export function readData(text) {
  const { header, arrays } = JSON.parse(text);
  const data = JSON.parse(new TextDecoder().decode(bytesOf(header)));
  data.n_x = data.height * data.width * (data.color === "gray" ? 1 : 3);
  for (const [path, { type, bytes }] of Object.entries(arrays)) {
    const [name, part] = path.split("/");
    const values = new TYPES[type](bytesOf(bytes).buffer);
    if (part) data.splits[name][part] = values;
    else data[name] = values;
  }
  if (data.nothing) return data;
  data.splits.train.products = mirror(data.K, data.splits.train.m);
  delete data.K;
  return completed(data);
}

/** Add what follows from the data: the names of the splits, short names of classes, the labels as they are. */
export function completed(data) {
  data.names = Object.keys(data.splits);
  data.fullClasses = data.classes;
  data.classes = data.classes.map(shorten);
  data.source = shorten(data.source);
  data.given = { Y: data.splits.train.Y, weights: data.splits.train.weights };
  return data;
}

/** Shorten a long name in its middle. */
function shorten(name) {
  const letters = [...name];
  if (letters.length <= LONGEST) return name;
  const end = Math.floor(LONGEST / 3);
  return [...letters.slice(0, LONGEST - end - 1), "…", ...letters.slice(-end)].join("");
}

/** Make a symmetric matrix (m, m) from its upper triangle, row by row. */
function mirror(triangle, m) {
  const whole = new Float64Array(m * m);
  for (let i = 0, at = 0; i < m; i++) {
    for (let j = i; j < m; j++, at++) whole[i * m + j] = whole[j * m + i] = triangle[at];
  }
  return whole;
}

/** Return the r and d that convert the pixel scale of the run to another: x′ = r x + d. */
export function rescaling(data, scale) {
  const [a0, c0] = PIXEL_SCALES[data.pixel_scale];
  const [a1, c1] = PIXEL_SCALES[scale];
  const r = a1 / a0;
  return [r, c1 - r * c0];
}

/** Compute K = XᵀX′ (m, m′) of a split at a pixel scale. */
export function productsAt(data, name, scale) {
  const [r, d] = rescaling(data, scale);
  const s = data.splits.train.sums;
  const { products, sums } = data.splits[name];
  const m = sums.length;
  if (r === 1 && d === 0) return products;
  return products.map((product, at) => {
    const i = Math.floor(at / m);
    const j = at % m;
    return r * r * product + r * d * (s[i] + sums[j]) + d * d * data.n_x;
  });
}

/** Compute the sums of the columns of a split at a pixel scale. */
export function sumsAt(data, name, scale) {
  const [r, d] = rescaling(data, scale);
  return data.splits[name].sums.map((sum) => r * sum + d * data.n_x);
}

/** Compute W X (n, m) of W (n, n_x) and pictures as bytes (m, n_x). */
export function timesPictures(W, pixels, n_x, scale) {
  const [a, c] = PIXEL_SCALES[scale];
  const n = W.length / n_x;
  const m = pixels.length / n_x;
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    const row = W.subarray(i * n_x, (i + 1) * n_x);
    const total = row.reduce((sum, weight) => sum + weight, 0);
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let at = j * n_x, f = 0; f < n_x; f++, at++) sum += row[f] * pixels[at];
      out[i * m + j] = a * sum + c * total;
    }
  }
  return out;
}

/** Add C Xᵀ to the matrix W (n, n_x), for C (n, m) and pictures as bytes (m, n_x). */
export function addPictures(W, C, pixels, n_x, scale) {
  const [a, c] = PIXEL_SCALES[scale];
  const m = pixels.length / n_x;
  const n = C.length / m;
  const spare = new Float32Array(n_x); // takes the place of rows that do not exist
  for (let i = 0; i < n; i += 4) {
    const rows = [i, i + 1, i + 2, i + 3].map((u) => (u < n ? W.subarray(u * n_x, (u + 1) * n_x) : spare));
    for (let k = 0; k < m; k += 4) {
      const shares = Float64Array.from({ length: 16 }, (_, at) => {
        const [u, j] = [i + (at >> 2), k + (at & 3)];
        return u < n && j < m ? a * C[u * m + j] : 0;
      });
      addBlock(
        rows,
        shares,
        pixels,
        [0, 1, 2, 3].map((more) => Math.min(k + more, m - 1) * n_x),
        n_x,
      );
    }
  }
  for (let i = 0; i < n; i++) {
    const total = c * C.subarray(i * m, (i + 1) * m).reduce((sum, coefficient) => sum + coefficient, 0);
    for (let at = i * n_x; at < (i + 1) * n_x; at++) W[at] += total;
  }
  return W;
}

/** Add four pictures to four rows, each with a share of its own, so that each byte is read once. */
function addBlock([A, B, D, E], shares, pixels, [f, g, h, l], n_x) {
  const [p0, p1, p2, p3, q0, q1, q2, q3, r0, r1, r2, r3, s0, s1, s2, s3] = shares;
  for (let x = 0; x < n_x; x++) {
    const b0 = pixels[f + x];
    const b1 = pixels[g + x];
    const b2 = pixels[h + x];
    const b3 = pixels[l + x];
    A[x] += p0 * b0 + p1 * b1 + p2 * b2 + p3 * b3;
    B[x] += q0 * b0 + q1 * b1 + q2 * b2 + q3 * b3;
    D[x] += r0 * b0 + r1 * b1 + r2 * b2 + r3 * b3;
    E[x] += s0 * b0 + s1 * b1 + s2 * b2 + s3 * b3;
  }
}
