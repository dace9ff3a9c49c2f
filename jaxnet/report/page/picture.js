// One picture of the data, or the photo: its name, its colours, and whether the answer is right.

import { colorize, paintColors, paintPicture } from "./colors.js";
import { say } from "./strings.js";

/** Return the input of the network for a picture, as it is carried: bytes (n_x), of a photo numbers. */
export function inputOf({ data, photo }, { split, at }) {
  if (split === "photo") return photo.pixels;
  return data.splits[split].pixels.subarray(at * data.n_x, (at + 1) * data.n_x);
}

/** Paint a picture in its colours; of a grey one they are kept apart, and smaller. */
export function paintInColor(canvas, { data, photo }, { split, at }) {
  if (split === "photo") {
    paintColors(canvas, photo.colors, data);
    return;
  }
  const input = inputOf({ data, photo }, { split, at });
  if (data.color === "rgb") {
    paintPicture(canvas, input, data);
    return;
  }
  const { colors } = data.splits[split]; // of a page that began empty
  if (colors) {
    const size = data.height * data.width * 3;
    paintColors(canvas, colors.subarray(at * size, (at + 1) * size), data);
    return;
  }
  const size = 2 * Math.min(16, data.height) * Math.min(16, data.width);
  const chroma = data.splits[split].chroma.subarray(at * size, (at + 1) * size);
  paintColors(canvas, colorize(input, chroma, data), data);
}

/** Return the label of a picture, 0 or 1; null for a photo. */
export function labelOf({ data }, { split, at }) {
  return split === "photo" ? null : data.splits[split].Y[at];
}

/** Name a picture: its split, its number and its label. */
export function nameOf(descent, picture) {
  const { split, at } = picture;
  if (split === "photo") return say("photo");
  const { classes, splits } = descent.data;
  const label = classes[labelOf(descent, picture)];
  return say("isA", { split: say(split), n: splits[split].places[at], label });
}

/** Return the key of the text that says whether a probability predicts the label. */
export function answerOf({ finite }, p, label) {
  if (!finite) return "noAnswer";
  return p > 0.5 === (label === 1) ? "right" : "wrong";
}
