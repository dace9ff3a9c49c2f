// The chosen box: its formula, the shapes that make it fit, its values as colours, and its numbers.

import { brief, say } from "./strings.js";
import { byId, make, mark, write } from "./dom.js";
import { asPicture, limitOf, paintValues } from "./colors.js";
import { formulasOf, shapesOf } from "./formulas.js";
import { SCALES } from "./data.js";
import { losses } from "./engine.js";
import { shapeOf, valuesOf } from "./diagram.js";

const X_ROWS = 128; // so many pixels of each picture stand for all of them in the drawing of X
const COLUMNS = 4; // of the hidden units drawn side by side

/** Make the view of the chosen box. */
export function makeMatrix(app) {
  const { data } = app.lesson;
  const { train } = data.splits;
  // The pictures of class 0 stand left, those of class 1 right, so that the two can be compared.
  const order = [...train.Y.keys()].sort((i, j) => train.Y[i] - train.Y[j] || i - j);
  const formula = make("div", { class: "formula" });
  const shapes = make("p", { class: "shapes" });
  const meaning = make("p", {});
  const canvas = make("canvas", { role: "img" });
  const pointer = make("span", { class: "pointer" });
  const classes = make("div", { class: "classes" }, ...data.classes.map((name) => make("span", {}, name)));
  const ends = ["", "0", ""].map((text) => make("span", {}, text));
  const legend = make("p", { class: "scale" }, ...ends);
  const missing = make("p", { class: "note", say: "noPicturesHere" });
  const numbers = make("p", { class: "numbers" });
  const heat = make("div", { class: "heat" }, canvas, pointer);
  canvas.addEventListener("click", (event) => {
    if (!perPicture(app.ui.box)) return;
    const box = canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * order.length);
    app.choose({ picture: { split: "train", at: order[Math.max(0, Math.min(order.length - 1, column))] } });
  });
  byId("network").append(
    make(
      "div",
      { class: "matrix" },
      make("div", { class: "explained" }, formula, shapes, meaning),
      make("div", { class: "drawn" }, heat, classes, legend, missing, numbers),
    ),
  );
  classes.style.gridTemplateColumns = `${train.m - count(train.Y)}fr ${count(train.Y)}fr`;
  let shown = "";

  function explain(lesson, name) {
    const { settings } = lesson;
    const wanted = [name, settings.scale, settings.activation].join();
    if (wanted !== shown) {
      formula.replaceChildren(...formulasOf(name, settings));
      shown = wanted;
    }
    write(shapes, shapesOf(name, { n_x: data.n_x, n_h: lesson.n_h, m: train.m }));
    write(
      meaning,
      say(`box.${name}`, { yes: data.classes[1], no: data.classes[0] }) +
        (data.settings.balanced ? ` ${say("balanced")}` : ""),
    );
  }

  /** Collect what is painted: the values in rows and columns, or null without pictures. */
  function collectValues(lesson, name) {
    if (name === "W1" || name === "dW1") return unitPictures(lesson, name);
    if (name === "X") return inputColumns(lesson, order);
    const values = name === "J" ? losses(lesson.stages.train.Z2, train.Y) : valuesOf(lesson, name);
    const [rows, columns] =
      name === "J" ? [1, train.m] : shapeOf(name, { n_x: data.n_x, n_h: lesson.n_h, m: train.m });
    if (!perPicture(name)) return { values, width: Math.max(rows, columns), height: 1 };
    return {
      values: Float64Array.from(
        values,
        (_, at) => values[Math.floor(at / columns) * columns + order[at % columns]],
      ),
      width: columns,
      height: rows,
    };
  }

  return () => {
    const { lesson, ui } = app;
    const name = ui.box;
    explain(lesson, name);
    const found = collectValues(lesson, name);
    heat.hidden = legend.hidden = found === null;
    missing.hidden = found !== null;
    classes.hidden = !perPicture(name) || !found;
    if (!found) {
      write(numbers, "");
      return;
    }
    const limit = limitOf(found.values);
    paintValues(canvas, found.values, found.width, found.height, limit);
    mark(canvas, "aria-label", say("heat", { name }));
    heat.className = `heat ${perPicture(name) ? "wide" : "square"} ${name === "X" || found.height > 20 ? "tall" : ""}`;
    heat.style.setProperty("--rows", found.height);
    heat.style.setProperty("--cells", found.width);
    write(ends[0], brief(-limit));
    write(ends[2], brief(limit));
    const { split, at } = ui.picture;
    const column = split === "train" ? order.indexOf(at) : -1;
    pointer.hidden = !perPicture(name) || column < 0;
    pointer.style.setProperty("--at", (column + 0.5) / order.length);
    write(numbers, numbersOf(lesson, name, ui.picture));
  };
}

const count = (Y) => Y.reduce((sum, y) => sum + y, 0);

/** Say whether a box has one column a picture. */
function perPicture(name) {
  return /^(X|J|d?[ZA]\d)$/.test(name);
}

/** Lay the rows of W1 or dW1 out as pictures, side by side. */
function unitPictures(lesson, name) {
  const { data, n_h } = lesson;
  const { height, width } = data;
  if (!data.pictures) return null;
  const columns = Math.min(n_h, COLUMNS);
  const rows = Math.ceil(n_h / columns);
  const values = new Float32Array(rows * height * columns * width);
  for (let unit = 0; unit < n_h; unit++) {
    const picture = asPicture(name === "W1" ? lesson.weightsOf(unit) : lesson.slopesOf(unit), data);
    const top = Math.floor(unit / columns) * height;
    const left = (unit % columns) * width;
    for (let row = 0; row < height; row++) {
      values.set(picture.subarray(row * width, (row + 1) * width), (top + row) * columns * width + left);
    }
  }
  return { values, width: columns * width, height: rows * height };
}

/** Take every so-maniest pixel of all pictures, a column each. */
function inputColumns(lesson, order) {
  const { data, settings } = lesson;
  const { pixels } = data.splits.train;
  const [a, c] = SCALES[settings.scale];
  if (!pixels) return null;
  const rows = Math.min(X_ROWS, data.n_x);
  const stride = data.n_x / rows;
  const values = Float32Array.from(
    { length: rows * order.length },
    (_, at) =>
      a * pixels[order[at % order.length] * data.n_x + Math.floor(Math.floor(at / order.length) * stride)] +
      c,
  );
  return { values, width: order.length, height: rows };
}

/** Say the numbers of a box: of the chosen picture where it has a column for it. */
function numbersOf(lesson, name, { split, at }) {
  if (name === "X" || name === "W1" || name === "dW1") return "";
  const list = (values) =>
    values.map((value, unit) => `${values.length > 1 ? `${unit + 1}: ` : ""}${brief(value)}`).join("   ");
  if (!perPicture(name)) return `${say("valueNumbers")}: ${list([...valuesOf(lesson, name)])}`;
  const isDerivative = name.startsWith("d");
  if (split !== "train" && isDerivative) return say("noTeaching");
  const stages = lesson.stages[split];
  const m = stages.Z2.length;
  if (name === "J") {
    if (split === "photo") return "";
    return `${say("chosenNumbers")}: ${brief(losses(stages.Z2, lesson.data.splits[split].Y)[at])}`;
  }
  const values = isDerivative ? lesson.gradients[name] : stages[name];
  return `${say("chosenNumbers")}: ${list(Array.from({ length: values.length / m }, (_, unit) => values[unit * m + at]))}`;
}
