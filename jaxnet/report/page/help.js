// The "?" of a section: each of its marks, drawn as it is drawn there, with what it means.

import { byId, make, makeSvg, write } from "./dom.js";
import { formulasOf } from "./formulas.js";
import { say } from "./strings.js";

const line = (kind) => () =>
  makeSvg(
    "svg",
    { class: "swatch", viewBox: "0 0 30 12", "aria-hidden": "true" },
    makeSvg("path", { class: kind, d: "M0 6H30" }),
  );
const shape = (kind) => () => make("span", { class: `swatch ${kind}`, "aria-hidden": "true" });
const letter = (text) => () => make("span", { class: "swatch", "aria-hidden": "true" }, text);
const formula = (name) => (settings) => make("span", { class: "stated" }, formulasOf(name, settings)[0]);

// Of each section, by its marks: how to draw the mark, and the key of its text.
const MARKS = {
  way: [
    [shape("weights"), "mark.weights"],
    [shape("weights veiled"), "mark.veil"],
    [shape("level"), "mark.level"],
    [line("wire for"), "mark.for"],
    [line("wire against"), "mark.against"],
    [line("wire off"), "mark.off"],
    [shape("node"), "mark.node"],
    [shape("dot"), "mark.sigmoid"],
    [shape("halves"), "mark.halves"],
    [formula("A1"), "article.A1"],
    [formula("Z2"), "article.Z2"],
    [formula("A2"), "article.A2"],
  ],
  network: [
    [shape("bar"), "mark.value"],
    [shape("bar warm"), "mark.derivative"],
    [letter("→"), "mark.arrow"],
    [shape("weights"), "mark.scale"],
    [shape("classes"), "mark.classes"],
    [shape("pointer"), "mark.pointer"],
  ],
  curves: [
    [line("curve train"), "mark.train"],
    [line("curve test"), "mark.test"],
    [line("curve theRun"), "mark.run"],
    [line("curve entropy"), "mark.entropy"],
    [line("curve constant"), "mark.constant"],
    [line("curve before"), "mark.before"],
    [shape("band"), "mark.band"],
    [shape("rise"), "mark.rise"],
    [shape("pointer"), "mark.cursor"],
  ],
  units: [
    [shape("weights"), "mark.weights"],
    [shape("signed"), "mark.vote"],
    [shape("share"), "mark.share"],
    [letter("±"), "mark.without"],
  ],
  pictures: [
    [shape("frame wrong"), "mark.wrong"],
    [shape("frame chosen"), "mark.chosen"],
    [shape("strip"), "mark.strip"],
  ],
  chosen: [
    [shape("weights"), "mark.effect"],
    [shape("signed"), "mark.row"],
  ],
};

/** Add to each section the list of its marks, which opens below its heading. */
export function makeHelp({ descent }) {
  const texts = [];
  for (const [id, marks] of Object.entries(MARKS)) {
    const list = make("ul", { class: "note marks" });
    for (const [draw, key] of marks) {
      const text = make("span", {});
      texts.push([text, key]);
      list.append(make("li", {}, draw(descent.settings), text));
    }
    const opener = make("summary", { label: "help" }, "?");
    byId(id)
      .querySelector("h2")
      .after(make("details", { class: "help" }, opener, list));
  }
  const [no, yes] = descent.data.classes;
  return () => {
    for (const [text, key] of texts) {
      const lead = key.startsWith("article.") ? `${say("article")}${say("colon")}` : "";
      write(text, lead + say(key, { yes, no }));
    }
  };
}
