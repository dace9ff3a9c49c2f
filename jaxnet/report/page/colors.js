// Pictures and matrices on canvases: grey, colour, and a diverging colour scale with a neutral 0.

const STEPS = 128;
const SAMPLE = 999; // the colour scale is chosen from at most this many values
let scaleColors = null;
const paintedWith = new WeakMap(); // each canvas with the colours that it was painted with

/** Read the colours of the current theme; to be called when it changes. */
export function readTheme() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const [cool, neutral, warm] = ["--cool", "--neutral", "--warm"].map((name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe)
      .color.match(/[\d.]+/g)
      .slice(0, 3)
      .map(Number);
  });
  probe.remove();
  scaleColors = new Uint32Array(2 * STEPS + 1);
  for (let step = -STEPS; step <= STEPS; step++) {
    const end = step < 0 ? cool : warm;
    const share = Math.abs(step) / STEPS;
    scaleColors[step + STEPS] = pack(...neutral.map((from, c) => Math.round(from + share * (end[c] - from))));
  }
}

/** Pack an opaque colour as a canvas stores it, in the byte order of this machine. */
function pack(red, green, blue) {
  return new Uint32Array(new Uint8Array([red, green, blue, 255]).buffer)[0];
}

/** Paint packed colours (height, width) onto a canvas. */
function paint(canvas, colors, width, height) {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  canvas
    .getContext("2d")
    .putImageData(new ImageData(new Uint8ClampedArray(colors.buffer), width, height), 0, 0);
}

/** Paint values (height, width) on the diverging scale, from −limit to limit. */
export function paintValues(canvas, values, width, height, limit) {
  const stretch = limit > 0 ? STEPS / limit : 0;
  const colors = new Uint32Array(width * height);
  for (let at = 0; at < colors.length; at++) colors[at] = colorOf(values[at] * stretch);
  paint(canvas, colors, width, height);
}

/** Return the colour of a value that is given in steps of the scale; NaN is neutral. */
function colorOf(stretched) {
  const step = Math.round(stretched) || 0;
  return scaleColors[(step > STEPS ? STEPS : step < -STEPS ? -STEPS : step) + STEPS];
}

/** Paint pictures (height, width) one below the other on one canvas, `gap` pixels apart. */
export function paintStack(canvas, pictures, width, height, gap, limit) {
  const stretch = limit > 0 ? STEPS / limit : 0;
  const tall = pictures.length * (height + gap) - gap;
  const colors = new Uint32Array(width * Math.max(1, tall)); // 0 is transparent
  pictures.forEach((values, place) => {
    const from = place * (height + gap) * width;
    for (let at = 0; at < width * height; at++) colors[from + at] = colorOf(values[at] * stretch);
  });
  paint(canvas, colors, width, Math.max(1, tall));
  paintedWith.set(canvas, scaleColors);
}

/** Return whether the theme has changed since a stack of pictures was painted. */
export function isNewTheme(canvas) {
  return paintedWith.get(canvas) !== scaleColors;
}

/** Paint a picture of bytes, grey or RGB (n_x). */
export function paintPicture(canvas, pixels, { height, width, color }) {
  const gray = color === "gray";
  const bytes = new Uint8Array(height * width * 4).fill(255);
  for (let at = 0; at < height * width; at++) {
    for (let c = 0; c < 3; c++) bytes[4 * at + c] = gray ? pixels[at] : pixels[3 * at + c];
  }
  paint(canvas, bytes, width, height);
}

/** Paint RGB bytes (height, width, 3). */
export function paintColors(canvas, bytes, { height, width }) {
  paintPicture(canvas, bytes, { height, width, color: "rgb" });
}

/** Compute the RGB bytes of a grey picture, with its colours from smaller Cb and Cr (2, h, w). */
export function colorize(pixels, chroma, { height, width }) {
  const h = Math.min(16, height);
  const w = Math.min(16, width);
  const bytes = new Uint8ClampedArray(height * width * 3);
  const between = (plane, row, column) => {
    // Bilinear interpolation between four pixels of the small picture.
    const y = Math.max(0, Math.min(h - 1, ((row + 0.5) * h) / height - 0.5));
    const x = Math.max(0, Math.min(w - 1, ((column + 0.5) * w) / width - 0.5));
    const top = Math.floor(y);
    const left = Math.floor(x);
    const low = Math.min(top + 1, h - 1);
    const right = Math.min(left + 1, w - 1);
    const value = (r, c) => chroma[(plane * h + r) * w + c] - 128;
    const above = value(top, left) + (x - left) * (value(top, right) - value(top, left));
    const below = value(low, left) + (x - left) * (value(low, right) - value(low, left));
    return above + (y - top) * (below - above);
  };
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const grey = pixels[at];
      const blue = between(0, row, column);
      const red = between(1, row, column);
      bytes[3 * at] = grey + 1.402 * red;
      bytes[3 * at + 1] = grey - 0.344136 * blue - 0.714136 * red;
      bytes[3 * at + 2] = grey + 1.772 * blue;
    }
  }
  return bytes;
}

/** Turn weights (n_x) into a picture (height, width); for RGB the mean of the three channels. */
export function asPicture(weights, { color }) {
  if (color === "gray") return weights;
  return Float32Array.from(
    { length: weights.length / 3 },
    (_, at) => (weights[3 * at] + weights[3 * at + 1] + weights[3 * at + 2]) / 3,
  );
}

/** Return the limit of the colour scale: the 99.5th percentile of the absolute values. */
export function limitOf(values) {
  const count = Math.min(values.length, SAMPLE);
  const sample = new Float32Array(count);
  for (let at = 0; at < count; at++) sample[at] = Math.abs(values[Math.floor((at * values.length) / count)]);
  return sample.sort()[Math.floor((count - 1) * 0.995)] || 0;
}
