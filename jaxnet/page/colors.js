// Pictures and matrices on canvases: grey, colour, and one diverging scale on which 0 is neutral.

const STEPS = 128;
let scaleColors = null;

/** Read the colours of the theme that is shown; to be called when it changes. */
export function readTheme() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const [cool, neutral, warm] = ["--cool", "--neutral", "--warm"].map((name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  });
  probe.remove();
  scaleColors = new Uint8ClampedArray((2 * STEPS + 1) * 3);
  for (let step = -STEPS; step <= STEPS; step++) {
    const end = step < 0 ? cool : warm, share = Math.abs(step) / STEPS;
    for (let c = 0; c < 3; c++) scaleColors[(step + STEPS) * 3 + c] = neutral[c] + share * (end[c] - neutral[c]);
  }
}

/** Paint bytes RGB or values through `color(at, out, to)` onto a canvas. */
function paint(canvas, width, height, color) {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    color(at, image.data, 4 * at);
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** Paint values (height, width) on the diverging scale, from −limit to limit. */
export function paintValues(canvas, values, width, height, limit) {
  const stretch = limit > 0 ? STEPS / limit : 0;
  paint(canvas, width, height, (at, out, to) => {
    const step = Math.max(-STEPS, Math.min(STEPS, Math.round(values[at] * stretch) || 0));
    for (let c = 0, from = (step + STEPS) * 3; c < 3; c++) out[to + c] = scaleColors[from + c];
  });
}

/** Paint a picture of bytes as the network sees it, grey (n_x) or RGB. */
export function paintPicture(canvas, pixels, { height, width, color }) {
  const channels = color === "gray" ? 1 : 3;
  paint(canvas, width, height, (at, out, to) => {
    for (let c = 0; c < 3; c++) out[to + c] = pixels[at * channels + (channels === 3 ? c : 0)];
  });
}

/** Paint RGB bytes (height, width, 3). */
export function paintColors(canvas, bytes, { height, width }) {
  paintPicture(canvas, bytes, { height, width, color: "rgb" });
}

/** Give a grey picture its colours back, from Cb and Cr (2, h, w) of smaller size: RGB bytes. */
export function colorize(pixels, chroma, { height, width }) {
  const h = Math.min(16, height), w = Math.min(16, width), bytes = new Uint8ClampedArray(height * width * 3);
  const between = (plane, row, column) => {
    // Bilinear: the four nearest of the small picture, each by its nearness.
    const y = Math.max(0, Math.min(h - 1, ((row + 0.5) * h) / height - 0.5));
    const x = Math.max(0, Math.min(w - 1, ((column + 0.5) * w) / width - 0.5));
    const top = Math.floor(y), left = Math.floor(x), low = Math.min(top + 1, h - 1), right = Math.min(left + 1, w - 1);
    const value = (r, c) => chroma[(plane * h + r) * w + c] - 128;
    const above = value(top, left) + (x - left) * (value(top, right) - value(top, left));
    const below = value(low, left) + (x - left) * (value(low, right) - value(low, left));
    return above + (y - top) * (below - above);
  };
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const grey = pixels[at], blue = between(0, row, column), red = between(1, row, column);
      bytes[3 * at] = grey + 1.402 * red;
      bytes[3 * at + 1] = grey - 0.344136 * blue - 0.714136 * red;
      bytes[3 * at + 2] = grey + 1.772 * blue;
    }
  }
  return bytes;
}

/** Take weights (n_x) as a picture (height, width): of RGB the mean of the three colours. */
export function asPicture(weights, { color }) {
  if (color === "gray") return weights;
  return Float32Array.from({ length: weights.length / 3 }, (_, at) => (weights[3 * at] + weights[3 * at + 1] + weights[3 * at + 2]) / 3);
}

/** Find the greatest size of values, so that a few outliers do not hide the rest: the 99.5 % one. */
export function limitOf(values) {
  const sample = Float64Array.from({ length: Math.min(values.length, 2048) }, (_, at) =>
    Math.abs(values[Math.floor((at * values.length) / Math.min(values.length, 2048))]));
  sample.sort();
  return sample[Math.floor((sample.length - 1) * 0.995)] || 0;
}
