// A photo of the user, read by the browser and never sent: converted as in Python, then classified.

import { byId, listen, make, mark, write } from "./dom.js";
import { networkInput, readPhoto } from "./input.js";
import { isLessonFile } from "./lessons.js";
import { percent, say } from "./strings.js";

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
      const colors = await readPhoto(file, data);
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
  listen(window, "dragover", (event) => event.preventDefault());
  listen(window, "drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer.files[0];
    // Where the page began empty, what is dropped on its first section is to be trained on.
    if (file && !isLessonFile(file) && !event.target.closest("#begin")) take(file);
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
