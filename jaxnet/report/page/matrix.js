// The chosen box: its formula, its shapes, its values as colours, and its numbers.

import { brief, say } from "./strings.js";
import { byId, make, mark, write } from "./dom.js";
import { asPicture, limitOf, paintValues } from "./colors.js";
import { formulasOf, isDecayed, shapesOf } from "./formulas.js";
import { PIXEL_SCALES } from "./data.js";
import { losses } from "./engine.js";
import { shapeOf, valuesOf } from "./diagram.js";

const X_ROWS = 128; // X is drawn with at most this many pixels of each picture
const COLUMNS = 4; // at most this many hidden units are drawn side by side

/** Make the view of the chosen box. */
export function makeMatrix(app) {
  const orderNow = makeOrder(app.descent.data.splits.train);
  const explained = makeExplained(app.descent);
  const heat = makeHeat(app, orderNow);
  const missing = make("p", { class: "note", say: "noPicturesHere" });
  const numbers = make("p", { class: "numbers" });
  const drawn = make("div", { class: "drawn" }, ...heat.elements, missing, numbers);
  byId("diagram").append(make("div", { class: "matrix" }, explained.element, drawn));
  return () => {
    const { descent, ui } = app;
    if (!ui.diagram) return;
    explained.draw(ui.box);
    const drawing = collectValues(descent, ui.box, orderNow());
    missing.hidden = drawing !== null;
    heat.draw(drawing, ui);
    write(numbers, drawing ? numbersOf(descent, ui.box, ui.picture) : "");
  };
}

/** Make a function that orders the pictures: those of class 0 on the left, those of class 1 on the right. */
function makeOrder(train) {
  let [labels, order] = [null, []];
  return () => {
    if (labels !== train.Y) order = [...train.Y.keys()].sort((i, j) => train.Y[i] - train.Y[j] || i - j);
    labels = train.Y;
    return order;
  };
}

/** Make the text beside the values: formula, shapes, meaning, and what the article says. */
function makeExplained(descent) {
  const { data } = descent;
  const formula = make("div", { class: "formula" });
  const shapes = make("p", { class: "shapes" });
  const meaning = make("p", {});
  const article = make("p", { class: "article" });
  let shown = "";
  const draw = (name) => {
    const { settings, n_h } = descent;
    const wanted = [name, settings.pixel_scale, settings.activation, settings.weight_decay].join();
    if (wanted !== shown) {
      formula.replaceChildren(...formulasOf(name, settings));
      shown = wanted;
    }
    write(shapes, shapesOf(name, { n_x: data.n_x, n_h, m: data.splits.train.m }));
    write(
      meaning,
      say(`box.${name}`, { yes: data.classes[1], no: data.classes[0] }) +
        (settings.weight_decay && isDecayed(name) ? ` ${say("decayAdds")}` : "") +
        (data.settings.balanced ? ` ${say("balanced")}` : ""),
    );
    write(article, `${say("article")}${say("colon")}${say(`article.${name}`, { n: n_h + 1 })}`);
  };
  return { element: make("div", { class: "explained" }, formula, shapes, meaning, article), draw };
}

/** Make the values as colours, with the classes below and the scale; a click chooses a picture. */
function makeHeat(app, orderNow) {
  const { data } = app.descent;
  const { train } = data.splits;
  const canvas = make("canvas", { role: "img", label: "network" });
  const pointer = make("span", { class: "pointer" });
  const names = data.classes.map((title) => make("span", { title }, title));
  const classes = make("div", { class: "classes" }, ...names);
  classes.style.gridTemplateColumns = `${train.m - count(train.Y)}fr ${count(train.Y)}fr`;
  const ends = ["", "0", ""].map((text) => make("span", {}, text));
  const legend = make("p", { class: "scale" }, ...ends);
  const heat = make("div", { class: "heat" }, canvas, pointer);
  canvas.addEventListener("click", (event) => {
    if (!perPicture(app.ui.box)) return;
    const box = canvas.getBoundingClientRect();
    const order = orderNow();
    const column = Math.floor(((event.clientX - box.left) / box.width) * order.length);
    app.choose({ picture: { split: "train", at: order[Math.max(0, Math.min(order.length - 1, column))] } });
  });
  const draw = (drawing, { box: name, picture }) => {
    heat.hidden = legend.hidden = drawing === null;
    classes.hidden = !perPicture(name) || !drawing;
    if (!drawing) return;
    const order = orderNow();
    const limit = limitOf(drawing.values);
    paintValues(canvas, drawing.values, drawing.width, drawing.height, limit);
    mark(canvas, "aria-label", say("heat", { name }));
    const isTall = name === "X" || drawing.height > 20;
    heat.className = `heat ${perPicture(name) ? "wide" : "square"} ${isTall ? "tall" : ""}`;
    heat.style.setProperty("--rows", drawing.height);
    heat.style.setProperty("--cells", drawing.width);
    write(ends[0], brief(-limit));
    write(ends[2], brief(limit));
    const column = picture.split === "train" ? order.indexOf(picture.at) : -1;
    pointer.hidden = !perPicture(name) || column < 0;
    pointer.style.setProperty("--at", (column + 0.5) / order.length);
  };
  return { elements: [heat, classes, legend], draw };
}

/** Return the values to be painted, in rows and columns; null if that takes pictures that are missing. */
function collectValues(descent, name, order) {
  if (name === "W1" || name === "dW1") return unitPictures(descent, name);
  if (name === "X") return inputColumns(descent, order);
  const { data, n_h } = descent;
  const { train } = data.splits;
  const values = name === "J" ? losses(descent.stages.train.Z2, train.Y) : valuesOf(descent, name);
  const [rows, columns] = name === "J" ? [1, train.m] : shapeOf(name, { n_x: data.n_x, n_h, m: train.m });
  if (!perPicture(name)) return { values, width: Math.max(rows, columns), height: 1 };
  const sorted = (at) => values[Math.floor(at / columns) * columns + order[at % columns]];
  return { values: Float64Array.from(values, (_, at) => sorted(at)), width: columns, height: rows };
}

const count = (Y) => Y.reduce((sum, y) => sum + y, 0);

/** Return whether a box has one column per picture. */
function perPicture(name) {
  return /^(X|J|d?[ZA]\d)$/.test(name);
}

/** Arrange the rows of W1 or dW1 as pictures, side by side. */
function unitPictures(descent, name) {
  const { data, n_h } = descent;
  const { height, width } = data;
  if (!data.pictures) return null;
  const columns = Math.min(n_h, COLUMNS);
  const rows = Math.ceil(n_h / columns);
  const values = new Float32Array(rows * height * columns * width);
  for (let unit = 0; unit < n_h; unit++) {
    const picture = asPicture(name === "W1" ? descent.weightsOf(unit) : descent.slopesOf(unit), data);
    const top = Math.floor(unit / columns) * height;
    const left = (unit % columns) * width;
    for (let row = 0; row < height; row++) {
      values.set(picture.subarray(row * width, (row + 1) * width), (top + row) * columns * width + left);
    }
  }
  return { values, width: columns * width, height: rows * height };
}

/** Take X_ROWS evenly spaced pixels of every picture, one column each. */
function inputColumns(descent, order) {
  const { data, settings } = descent;
  const { pixels } = data.splits.train;
  const [a, c] = PIXEL_SCALES[settings.pixel_scale];
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

/** Write the numbers of a box; if it has a column per picture, those of the chosen picture. */
function numbersOf(descent, name, { split, at }) {
  if (name === "X" || name === "W1" || name === "dW1") return "";
  const list = (values) =>
    values.map((value, unit) => `${values.length > 1 ? `${unit + 1}: ` : ""}${brief(value)}`).join("   ");
  if (!perPicture(name)) return `${say("valueNumbers")}${say("colon")}${list([...valuesOf(descent, name)])}`;
  const isDerivative = name.startsWith("d");
  if (split !== "train" && isDerivative) return say("noDerivatives");
  const stages = descent.stages[split];
  const m = stages.Z2.length;
  if (name === "J") {
    if (split === "photo") return "";
    return `${say("chosenNumbers")}${say("colon")}${brief(losses(stages.Z2, descent.data.splits[split].Y)[at])}`;
  }
  const values = isDerivative ? descent.gradients[name] : stages[name];
  return `${say("chosenNumbers")}${say("colon")}${list(Array.from({ length: values.length / m }, (_, unit) => values[unit * m + at]))}`;
}
