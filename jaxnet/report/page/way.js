// One picture's way through the network: photo, hidden units, their votes, the sum, the probability.

import { alike, flowOf } from "./flow.js";
import { answerOf, labelOf, nameOf, paintInColor } from "./picture.js";
import { brief, percent, say } from "./strings.js";
import { byId, make, makeSvg, mark, symbol, translate, write } from "./dom.js";
import { isNewTheme, paintStack } from "./colors.js";
import { weightPictures } from "./weights.js";

const MOST_UNITS = 16; // the votes of further units are added up in one row
const PITCH = 100; // the height of a row, in the units of the wires
const GAP = 0.1; // between two pictures, as a share of a row
const WIDEST = 9; // of a wire, in pixels

/** Make the view: it follows the chosen picture while the network trains. */
export function makeWay(app) {
  const photo = makePhotoEnd(app);
  const units = makeUnitRows();
  const [wiresIn, wiresOut] = [makeWires("in"), makeWires("out")];
  const answer = makeAnswer(app);
  const sum = make("p", { class: "sum" });
  const head = (place, ...parts) => make("p", { class: `head ${place}` }, ...parts);
  byId("way").append(
    make(
      "div",
      { class: "way" },
      head("start", make("span", { say: "wayPicture" }), " ", symbol("X")),
      head("middle", make("span", { say: "wayUnits" })),
      head("end", make("span", { say: "wayAnswer" })),
      photo.element,
      wiresIn.element,
      units.element,
      wiresOut.element,
      answer.element,
    ),
    sum,
  );
  return () => {
    const { descent, ui } = app;
    const flow = flowOf(descent, ui.picture);
    const rows = rowsOf(descent, flow);
    photo.draw();
    units.draw(descent, rows);
    for (const wires of [wiresIn, wiresOut]) wires.draw(rows);
    answer.draw(flow);
    drawSum(sum, rows, flow, descent.finite);
  };
}

/** Arrange the numbers of the units in rows; those that have no row of their own share the last one. */
function rowsOf({ n_h, params, settings }, { a1, lit, votes }) {
  const own = n_h > MOST_UNITS ? MOST_UNITS - 1 : n_h;
  const largest = Math.max(1e-12, ...votes.map(Math.abs));
  const rows = Array.from({ length: own }, (_, unit) => ({
    name: String(unit + 1),
    a1: a1[unit],
    w2: params.W2[unit],
    vote: votes[unit],
    lit: lit[unit],
    share: Math.min(1, Math.abs(votes[unit]) / largest),
    silenced: settings.silenced.includes(unit),
  }));
  if (own < n_h) {
    const vote = votes.slice(own).reduce((sum, value) => sum + value, 0);
    const share = Math.min(1, Math.abs(vote) / largest);
    rows.push({ name: say("furtherUnits", { n: n_h - own }), vote, lit: 1, share, silenced: false });
  }
  return rows;
}

/** Make the left end: the picture and its name. */
function makePhotoEnd({ descent, ui }) {
  const canvas = make("canvas", { role: "img" });
  const number = make("span", { class: "number", hidden: true });
  const name = make("p", { class: "name" });
  let painted = "";
  const draw = () => {
    const { split, at } = ui.picture;
    write(name, nameOf(descent, ui.picture));
    mark(canvas, "aria-label", name.textContent);
    if (!descent.data.pictures) {
      canvas.hidden = true;
      number.hidden = false;
      write(number, String(descent.data.splits[split].places[at]));
      return;
    }
    const source = split === "photo" ? descent.photo.pixels : `${split} ${at}`;
    if (painted === source) return;
    paintInColor(canvas, descent, ui.picture);
    painted = source;
  };
  return { element: make("div", { class: "photo" }, canvas, number, name), draw };
}

/** Make the middle: the weights of each unit as a picture, lit by its A1, and its vote in numbers. */
function makeUnitRows() {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const list = make("div", { class: "rows" });
  let rows = [];
  let painted = null;
  const makeRow = () => {
    const parts = Object.fromEntries(
      ["veil", "name", "level", "times", "vote"].map((part) => [part, make("span", { class: part })]),
    );
    const a1 = make("span", { class: "a1" });
    parts.level.append(a1);
    return { element: make("div", { class: "row" }, ...Object.values(parts)), a1, ...parts };
  };
  const draw = (descent, wanted) => {
    if (rows.length !== wanted.length) {
      rows = wanted.map(makeRow);
      list.replaceChildren(...rows.map(({ element }) => element));
      list.parentElement.parentElement.style.setProperty("--rows", rows.length);
      painted = null;
    }
    const { of, pictures, limit } = weightPictures(descent);
    if (painted !== of || isNewTheme(canvas)) {
      const { width, height } = descent.data;
      const shown = pictures.slice(0, wanted.at(-1).w2 === undefined ? -1 + wanted.length : wanted.length);
      const gap = Math.max(1, Math.round((height * GAP) / (1 - GAP)));
      paintStack(canvas, shown, width, height, gap, limit);
      mark(canvas, "class", height < 30 ? "stack coarse" : "stack");
      canvas.style.setProperty("--shown", shown.length);
      painted = of;
    }
    wanted.forEach((row, at) => drawRow(rows[at], row));
  };
  return { element: make("div", { class: "stacked" }, canvas, list), draw };
}

function drawRow(parts, { name, a1, w2, vote, lit, silenced }) {
  const off = !(Math.abs(vote) > 0);
  const kind = a1 === undefined ? " rest" : silenced ? " silenced" : "";
  mark(parts.element, "class", `row ${signOf(vote)}${kind}`);
  parts.veil.style.opacity = (0.4 * (1 - lit)).toFixed(2);
  parts.level.style.setProperty("--share", lit.toFixed(2));
  write(parts.name, name);
  write(parts.a1, a1 === undefined ? "" : brief(a1));
  write(parts.times, w2 === undefined ? "" : `× ${brief(w2)}`);
  write(parts.vote, silenced ? say("silencedUnit") : off ? say("off") : withSign(brief(vote, 2)));
}

const signOf = (vote) => (vote > 0 ? "for" : vote < 0 ? "against" : "off");

/** Write a number with its sign, also if it is positive. */
function withSign(text) {
  return /^[−N]/.test(text) ? text : `+${text}`;
}

/** Make the wires to or from the units: as wide as the vote, whole if it is positive, else dashed. */
function makeWires(side) {
  const svg = makeSvg("svg", { preserveAspectRatio: "none", "aria-hidden": "true" });
  let paths = [];
  const draw = (rows) => {
    if (paths.length !== rows.length) {
      paths = rows.map((_, at) => makeSvg("path", { d: wireTo(side, at, rows.length) }));
      mark(svg, "viewBox", `0 0 100 ${PITCH * rows.length}`);
      svg.replaceChildren(...paths);
    }
    rows.forEach(({ vote, lit, share }, at) => {
      const width = side === "in" ? 0.5 + 1.5 * lit : Math.max(1, WIDEST * share);
      mark(paths[at], "class", side === "in" ? "wire" : `wire ${signOf(vote)}`);
      mark(paths[at], "stroke-width", width.toFixed(1));
    });
  };
  return { element: make("div", { class: `wires ${side}` }, svg), draw };
}

function wireTo(side, at, count) {
  const middle = (PITCH * count) / 2;
  const there = PITCH * (at + 0.5);
  const [from, to] = side === "in" ? [middle, there] : [there, middle];
  return `M0 ${from}C50 ${from} 50 ${to} 100 ${to}`;
}

/** Make the right end: the sum Z2, the sigmoid with a dot at it, the probability, and whether it is right. */
function makeAnswer({ descent, ui }) {
  const [no, yes] = descent.data.classes;
  const node = make("div", { class: "node" }, symbol("Z2"), make("b", {}));
  const bias = make("span", {});
  const dot = makeSvg("circle", { r: 4.5, class: "dot" });
  const drop = makeSvg("path", { class: "drop" });
  const plot = makeSvg(
    "svg",
    { class: "sigmoid", viewBox: "0 0 120 60", "aria-hidden": "true" },
    makeSvg("path", { class: "grid", d: "M0 5H120M0 30H120M0 55H120M60 5V55" }),
    makeSvg("path", { class: "line", d: sigmoidLine() }),
    drop,
    dot,
  );
  const title = make("p", { class: "question" });
  const share = make("b", { class: "chance" });
  const bar = make("div", { class: "bar" });
  const ends = make(
    "p",
    { class: "ends" },
    make("span", { title: no }, no),
    make("span", { title: yes }, yes),
  );
  const verdict = make("p", {});
  const draw = ({ b2, z2, p }) => {
    const { finite } = descent;
    const known = finite ? p : NaN;
    write(node.lastChild, brief(z2, 2));
    write(bias, brief(b2));
    const x = 60 + 10 * Math.max(-6, Math.min(6, finite ? z2 : 0));
    const y = 55 - 50 * (finite ? p : 0.5);
    mark(dot, "cx", x.toFixed(1));
    mark(dot, "cy", y.toFixed(1));
    mark(drop, "d", `M${x.toFixed(1)} 55V${y.toFixed(1)}H0`);
    write(title, say("pOf", { yes }));
    write(share, percent(known));
    bar.hidden = !finite;
    bar.style.setProperty("--share", p.toFixed(3));
    drawVerdict(verdict, descent, ui.picture, known);
  };
  const result = make("div", { class: "result" }, title, share, bar, ends, verdict);
  const sum = make("div", { class: "nodeEnd" }, node, make("p", {}, symbol("b2"), " ", bias));
  return { element: make("div", { class: "answerEnd" }, sum, make("div", {}, plot, result)), draw };
}

/** Say which class is predicted, and whether that is right; of a photo nobody knows. */
function drawVerdict(element, descent, picture, p) {
  const { classes } = descent.data;
  const label = labelOf(descent, picture);
  const answer = label === null && descent.finite ? "noLabel" : answerOf(descent, p, label);
  const text = { right: "wayRight", wrong: "wayWrong", noLabel: "wayNoLabel", noAnswer: "noAnswer" }[answer];
  write(element, say(text, { name: classes[p > 0.5 ? 1 : 0] }));
  mark(element, "class", `verdict ${answer}`);
}

function sigmoidLine() {
  const points = Array.from({ length: 61 }, (_, at) => {
    const z = (at - 30) / 5;
    return `${2 * at} ${(55 - 50 / (1 + Math.exp(-z))).toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}

/** Write the sum of the votes that are not 0, and the probability. */
function drawSum(element, rows, { b2, z2, p }, finite) {
  const votes = rows.map(({ vote }) => vote).filter((vote) => vote !== 0);
  const form = alike([...votes, b2, z2]) ?? brief;
  const terms = [...votes.map((vote) => [vote, ""]), [b2, "b₂"]].filter(([value]) => value !== 0);
  const parts = terms.map(([value, name], at) => {
    const size = form(Math.abs(value));
    const sign = value < 0 ? "−" : "+";
    return [at ? ` ${sign} ` : value < 0 ? "−" : "", size, name && ` (${name})`, value];
  });
  const text = parts.map(([sign, size, name]) => sign + size + name).join("") || "0";
  const end = ` = ${form(z2)},  σ(${form(z2)}) = ${percent(finite ? p : NaN)}`;
  if (element.textContent === `Z₂ = ${text}${end}`) return;
  element.replaceChildren(
    "Z₂ = ",
    ...(parts.length ? [] : ["0"]),
    ...parts.map(([sign, size, name, value]) =>
      make("span", { class: `term ${signOf(value)}` }, sign, size, name),
    ),
    make("span", { class: "total" }, end),
  );
}
