// The chosen picture: its input to the network, and what each unit computes from it.

import { asPicture, colorize, limitOf, paintColors, paintPicture, paintValues } from "./colors.js";
import { brief, percent, say } from "./strings.js";
import { byId, make, mark, symbol, write } from "./dom.js";
import { losses } from "./engine.js";

/** Compute the derivative of Z2 with respect to X: Σ W2 g′(Z1) W1 over the units, (n_x), for one picture. */
export function pixelSlopes(descent, split, at) {
  const { n_h, hidden, params, stages } = descent;
  const { Z1 } = stages[split];
  const m = stages[split].Z2.length;
  const slopes = new Float32Array(descent.data.n_x);
  const mask = descent.flags("silenced");
  for (let unit = 0; unit < n_h; unit++) {
    const factor = mask[unit] ? 0 : params.W2[unit] * hidden.slope(Z1[unit * m + at]);
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
  const views = {};
  const frame = (key) => {
    views[key] = make("canvas", { role: "img", label: key });
    return make("figure", {}, views[key], make("figcaption", { say: key }));
  };
  const figures = make(
    "div",
    { class: "figures" },
    frame("inColor"),
    frame("networkInput"),
    frame("pixelSlopes"),
  );
  const note = make("p", { class: "note" });
  const rows = make("tbody", {});
  const head = make(
    "tr",
    {},
    make("th", { say: "unitColumn" }),
    ...[["Z1"], ["A1"], ["W2", "A1"]].map((names) => make("th", {}, ...names.map(symbol))),
    make("td", {}),
  );
  byId("chosen").append(title, figures, note, make("table", {}, make("thead", {}, head), rows));

  function drawFigures(descent, { split, at }) {
    figures.hidden = note.hidden = !data.pictures;
    if (!data.pictures) return;
    const { pixels, chroma } = split === "photo" ? descent.photo : data.splits[split];
    const input = pixels.subarray(at * data.n_x, (at + 1) * data.n_x);
    paintPicture(views.networkInput, input, data);
    if (split === "photo") paintColors(views.inColor, descent.photo.colors, data);
    else if (data.color === "rgb") paintPicture(views.inColor, input, data);
    else {
      const size = 2 * Math.min(16, data.height) * Math.min(16, data.width);
      paintColors(views.inColor, colorize(input, chroma.subarray(at * size, (at + 1) * size), data), data);
    }
    const slopes = asPicture(pixelSlopes(descent, split, at), data);
    paintValues(views.pixelSlopes, slopes, data.width, data.height, limitOf(slopes));
    write(note, say(noteOf(descent, slopes), { yes: data.classes[1], no: data.classes[0] }));
  }

  function drawRows(descent, { split, at }) {
    const { Z1, A1, Z2, A2 } = descent.stages[split];
    const { W2, b2 } = descent.params;
    const m = Z2.length;
    const { n_h } = descent;
    const terms = [...W2].map((w, unit) => w * A1[unit * m + at]);
    const largest = Math.max(1e-12, Math.abs(b2[0]), ...terms.map(Math.abs));
    const wanted = [
      ...terms.map((term, unit) => [
        String(unit + 1),
        brief(Z1[unit * m + at]),
        brief(A1[unit * m + at]),
        brief(term),
        term / largest,
      ]),
      ["b2", "", "", brief(b2[0]), b2[0] / largest],
      [say("sum"), "", "", brief(Z2[at]), null],
      ["P = σ(Z2)", "", "", percent(descent.finite ? A2[at] : NaN), null],
    ];
    if (rows.children.length !== n_h + 3) {
      rows.replaceChildren(
        ...wanted.map(() =>
          make(
            "tr",
            {},
            make("th", {}),
            make("td", {}),
            make("td", {}),
            make("td", {}),
            make("td", {}, make("span", { class: "signed" })),
          ),
        ),
      );
    }
    wanted.forEach((cells, line) => {
      const { children } = rows.children[line];
      cells.slice(0, 4).forEach((text, cell) => write(children[cell], text));
      const isTotal = cells[1] === ""; // its name takes the place of Z1 and A1
      children[0].colSpan = isTotal ? 3 : 1;
      children[1].hidden = children[2].hidden = isTotal;
      const bar = children[4].firstChild;
      const share = cells[4];
      bar.hidden = share === null;
      bar.style.setProperty("--share", share ?? 0);
      mark(bar, "class", share < 0 ? "signed cool" : "signed warm");
    });
  }

  return () => {
    const { descent, ui } = app;
    const { split, at } = ui.picture;
    const { A2, Z2 } = descent.stages[split];
    const parts = [say("says", { yes: data.classes[1], p: percent(descent.finite ? A2[at] : NaN) })];
    if (split === "photo") parts.unshift(say("photo"));
    else {
      const { Y, places } = data.splits[split];
      parts.unshift(say("isA", { split: say(split), n: places[at], label: data.classes[Y[at]] }));
      parts.push(say("lossIs", { loss: brief(losses(Z2, Y)[at]) }));
    }
    write(title, parts.join(" · "));
    drawFigures(descent, ui.picture);
    drawRows(descent, ui.picture);
  };
}
