// A photo of the user, read by the browser and never sent: converted as in Python, then classified.

import { byId, make, mark, write } from "./dom.js";
import { isLessonFile } from "./lessons.js";
import { resize } from "./resample.js";
import { percent, say } from "./strings.js";

const LUMA = [0.299, 0.587, 0.114];

/** Turn RGB bytes (n, 3) into the network's input: grey, not rounded, or the bytes themselves. */
export function networkInput(colors, color) {
  if (color === "rgb") return Uint8Array.from(colors);
  return Float64Array.from(
    { length: colors.length / 3 },
    (_, at) => LUMA[0] * colors[3 * at] + LUMA[1] * colors[3 * at + 1] + LUMA[2] * colors[3 * at + 2],
  );
}

/** Decode a picture file, rotated as its EXIF says and on white: RGB bytes with width and height. */
async function decode(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const { width, height } = bitmap;
  const canvas = make("canvas", { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  const { data: pixels } = context.getImageData(0, 0, width, height);
  const bytes = new Uint8ClampedArray(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    for (let c = 0; c < 3; c++) bytes[3 * at + c] = pixels[4 * at + c];
  }
  return { bytes, width, height };
}

/** Make the field on which a photo is dropped or chosen; dropping works on the whole page. */
export function makePhoto(app) {
  const { data } = app.descent;
  if (!data.pictures) return () => {};
  const input = make("input", { type: "file", accept: "image/*", hidden: true });
  const message = make("p", { class: "note", role: "alert" });
  const zone = make(
    "button",
    { type: "button", class: "drop", onclick: () => input.click() },
    make("span", { say: "drop" }),
    make("small", { say: "dropNote" }),
  );
  const choose = () => app.choose({ picture: { split: "photo", at: 0 } });
  const answer = make("button", { type: "button", class: "answer", hidden: true, onclick: choose });
  byId("pictures").append(zone, input, answer, message);

  async function take(file) {
    try {
      const { bytes, width, height } = await decode(file);
      const colors = resize(bytes, width, height, data.width, data.height);
      app.descent.setPhoto(networkInput(colors, data.color), colors);
      write(message, "");
      choose();
      app.onPhoto();
    } catch {
      write(message, say("notAPicture"));
    }
  }

  input.addEventListener("change", () => {
    if (input.files[0]) take(input.files[0]);
    input.value = ""; // so that the same photo can be chosen again
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer.files[0];
    if (file && !isLessonFile(file)) take(file);
  });
  return () => {
    const { photo, stages, finite } = app.descent;
    answer.hidden = !photo;
    if (!photo) return;
    write(
      answer,
      `${say("photo")}${say("colon")}${say("says", { yes: data.classes[1], p: percent(finite ? stages.photo.A2[0] : NaN) })}`,
    );
    mark(answer, "aria-pressed", app.ui.picture.split === "photo");
  };
}
