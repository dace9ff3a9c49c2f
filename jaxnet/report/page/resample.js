// Resizing a photo to the size of the network's pictures: Lanczos resampling as in Pillow.
//
// Every new pixel is a weighted mean of the old ones in a window of three new pixels on either side; first
// along the rows, then along the columns, rounded to bytes after each.

const REACH = 3;

function lanczos(x) {
  if (x === 0) return 1;
  if (Math.abs(x) >= REACH) return 0;
  const turn = Math.PI * x;
  return (REACH * Math.sin(turn) * Math.sin(turn / REACH)) / (turn * turn);
}

/** Return for each new pixel along one side the weights of the old ones, which begin at `first`. */
function windows(before, after) {
  const stretch = before / after;
  const wide = Math.max(stretch, 1);
  return Array.from({ length: after }, (_, place) => {
    const center = (place + 0.5) * stretch;
    const first = Math.max(0, Math.floor(center - REACH * wide + 0.5));
    const end = Math.min(before, Math.floor(center + REACH * wide + 0.5));
    const weights = [];
    for (let old = first; old < end; old++) weights.push(lanczos((old - center + 0.5) / wide));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Resize RGB bytes (height, width, 3) to (newHeight, newWidth, 3). */
export function resize(bytes, width, height, newWidth, newHeight) {
  if (width === newWidth && height === newHeight) return Uint8ClampedArray.from(bytes);
  const rows = new Uint8ClampedArray(height * newWidth * 3); // rounds and clips
  windows(width, newWidth).forEach(({ first, weights }, column) => {
    for (let row = 0; row < height; row++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        weights.forEach((weight, at) => (sum += weight * bytes[(row * width + first + at) * 3 + channel]));
        rows[(row * newWidth + column) * 3 + channel] = sum;
      }
    }
  });
  const out = new Uint8ClampedArray(newHeight * newWidth * 3);
  windows(height, newHeight).forEach(({ first, weights }, row) => {
    for (let at = 0; at < newWidth * 3; at++) {
      let sum = 0;
      weights.forEach((weight, old) => (sum += weight * rows[(first + old) * newWidth * 3 + at]));
      out[row * newWidth * 3 + at] = sum;
    }
  });
  return out;
}
