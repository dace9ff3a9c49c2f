// From picture files to the network's input, as in Python.

import { make } from "./dom.js";
import { resize } from "./resample.js";

const LUMA = [0.299, 0.587, 0.114];

/** Turn RGB bytes (n, 3) into the network's input: grey, not rounded, or the bytes themselves. */
export function networkInput(colors, color) {
  if (color === "rgb") return Uint8Array.from(colors);
  return Float64Array.from(
    { length: colors.length / 3 },
    (_, at) => LUMA[0] * colors[3 * at] + LUMA[1] * colors[3 * at + 1] + LUMA[2] * colors[3 * at + 2],
  );
}

/** Read a picture file at the size of the network's pictures: RGB bytes; rejected if it is none. */
export async function readPhoto(file, { width, height }) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }); // rotated as its EXIF says
  const colors = readBitmap(bitmap, { left: 0, top: 0, wide: bitmap.width, high: bitmap.height }, { width, height });
  bitmap.close();
  return colors;
}

/** Read a part of what a canvas can draw, on white, at a size: RGB bytes. */
export function readBitmap(source, { left, top, wide, high }, { width, height }) {
  const canvas = make("canvas", { width: wide, height: high });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, wide, high);
  context.drawImage(source, -left, -top);
  const { data: pixels } = context.getImageData(0, 0, wide, high);
  const bytes = new Uint8ClampedArray(wide * high * 3);
  for (let at = 0; at < wide * high; at++) {
    for (let c = 0; c < 3; c++) bytes[3 * at + c] = pixels[4 * at + c];
  }
  return resize(bytes, wide, high, width, height);
}
