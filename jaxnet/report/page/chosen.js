// The chosen picture: its input to the network, and what each unit computes from it.

import { asPicture, limitOf, paintPicture, paintValues } from "./colors.js";
import { brief, percent, say } from "./strings.js";
import { byId, make, mark, symbol, write } from "./dom.js";
import { flowOf } from "./flow.js";
import { inputOf, labelOf, nameOf, paintInColor } from "./picture.js";
import { losses } from "./engine.js";

/** Compute the derivative of Z2 with respect to X: Σ W2 g′(Z1) W1 over the units, (n_x), for one picture. */
export function pixelSlopes(descent, { split, at }) {
  const { n_h, hidden, params, stages } = descent;
  const { Z1 } = stages[split];
  const m = stages[split].Z2.length;
  const slopes = new Float32Array(descent.data.n_x);
  const { mask } = descent.live;
  for (let unit = 0; unit < n_h; unit++) {
    const factor = mask[unit] ? params.W2[unit] * hidden.slope(Z1[unit * m + at]) : 0;
    if (factor !== 0) descent.weightsOf(unit).forEach((weight, f) => (slopes[f] += factor * weight));
  }
  return slopes;
}

/** Choose the text about the effects of the pixels. */
function noteOf({ finite, settings }, slopes) {
  if (!finite) return "noAnswer";
  if (slopes.every((slope) => slope === 0)) return "noSlopes";
  return settings.activation === "sigmoid" ? "pixelSlopesNoteSmooth" : "pixelSlopesNote";
}

/** Make the view of the chosen picture: its input to the network, and what each unit computes from it. */
export function makeChosen(app) {
  const { data } = app.descent;
  const title = make("p", { class: "says" });
  const figures = makeFigures(app);
  const table = makeVotes(app);
  byId("chosen").append(title, make("div", { class: "taken" }, figures.element, table.element));
  return () => {
    const { descent, ui } = app;
    const { split, at } = ui.picture;
    const { A2, Z2 } = descent.stages[split];
    const p = percent(descent.finite ? A2[at] : NaN);
    const parts = [nameOf(descent, ui.picture), say("says", { yes: data.classes[1], p })];
    if (labelOf(descent, ui.picture) !== null)
      parts.push(say("lossIs", { loss: brief(losses(Z2, data.splits[split].Y)[at]) }));
    write(title, parts.join(" · "));
    figures.draw(ui.picture);
    table.draw(ui.picture);
  };
}

/** Make the three pictures: in colour, the input of the network, and the effect of each pixel. */
function makeFigures({ descent }) {
  const { data } = descent;
  const views = {};
  const frame = (key) => {
    views[key] = make("canvas", { role: "img", label: key });
    return make("figure", {}, views[key], make("figcaption", { say: key }));
  };
  const frames = ["inColor", "networkInput", "pixelSlopes"].map(frame);
  const note = make("p", { class: "note" });
  const element = make("div", {}, make("div", { class: "figures" }, ...frames), note);
  let [painted, paintedOf] = [null, null];
  const draw = (picture) => {
    element.hidden = !data.pictures;
    if (!data.pictures) return;
    const input = inputOf(descent, picture);
    if (painted !== input.byteOffset || paintedOf !== input.buffer) {
      paintPicture(views.networkInput, input, data);
      paintInColor(views.inColor, descent, picture);
      [painted, paintedOf] = [input.byteOffset, input.buffer];
    }
    const slopes = asPicture(pixelSlopes(descent, picture), data);
    paintValues(views.pixelSlopes, slopes, data.width, data.height, limitOf(slopes));
    write(note, say(noteOf(descent, slopes), { yes: data.classes[1], no: data.classes[0] }));
  };
  return { element, draw };
}

/** Make the table: a row for each unit, then b2, the sum and the probability. */
function makeVotes({ descent }) {
  const rows = make("tbody", {});
  const head = make(
    "tr",
    {},
    make("th", { say: "unitColumn" }),
    ...[["Z1"], ["A1"], ["W2", "A1"]].map((names) => make("th", {}, ...names.map(symbol))),
    make("td", {}),
  );
  const draw = (picture) => {
    const wanted = votesOf(descent, picture);
    if (rows.children.length !== wanted.length) rows.replaceChildren(...wanted.map(makeVoteRow));
    wanted.forEach((cells, line) => drawVoteRow(rows.children[line].children, cells));
  };
  return { element: make("table", {}, make("thead", {}, head), rows), draw };
}

/** Write the cells of each row: name, Z1, A1, what it adds, and that as a share of the largest. */
function votesOf(descent, picture) {
  const { z1, a1, votes, b2, z2, p } = flowOf(descent, picture);
  const largest = Math.max(1e-12, Math.abs(b2), ...votes.map(Math.abs));
  return [
    ...votes.map((vote, unit) => [
      String(unit + 1),
      brief(z1[unit]),
      brief(a1[unit]),
      brief(vote),
      vote / largest,
    ]),
    ["b2", "", "", brief(b2), b2 / largest],
    [say("sum"), "", "", brief(z2), null],
    ["P = σ(Z2)", "", "", percent(descent.finite ? p : NaN), null],
  ];
}

function makeVoteRow() {
  const cells = [1, 2, 3].map(() => make("td", {}));
  return make("tr", {}, make("th", {}), ...cells, make("td", {}, make("span", { class: "signed" })));
}

function drawVoteRow(children, [...cells]) {
  const share = cells.pop();
  cells.forEach((text, cell) => write(children[cell], text));
  const isTotal = cells[1] === ""; // its name takes the place of Z1 and A1
  children[0].colSpan = isTotal ? 3 : 1;
  children[1].hidden = children[2].hidden = isTotal;
  const bar = children[4].firstChild;
  bar.hidden = share === null;
  bar.style.setProperty("--share", share ?? 0);
  mark(bar, "class", share < 0 ? "signed cool" : "signed warm");
}
