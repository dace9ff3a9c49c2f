// The "?" of a section: what its marks mean.

import { say } from "./strings.js";
import { byId, make, write } from "./dom.js";

const TEXTS = {
  way: "wayHelp",
  network: "networkHelp",
  curves: "curvesHelp",
  units: "unitsHelp",
  pictures: "picturesHelp",
  chosen: "chosenHelp",
};

/** Add to each section a text that opens below its heading. */
export function makeHelp({ descent: { data } }) {
  const [no, yes] = data.classes;
  const texts = Object.entries(TEXTS).map(([id, key]) => {
    const text = make("p", { class: "note" });
    const opener = make("summary", { label: "help" }, "?");
    byId(id)
      .querySelector("h2")
      .after(make("details", { class: "help" }, opener, text));
    return [text, key];
  });
  return () => {
    for (const [text, key] of texts) write(text, say(key, { yes, no }));
  };
}
