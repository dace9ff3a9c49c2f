// The hidden units: the weights of each as a picture, its bias, its output weight, and its effect.

import { brief, percent, say } from "./strings.js";
import { byId, make, mark, translate, write } from "./dom.js";
import { countCorrect } from "./engine.js";
import { paintValues } from "./colors.js";
import { weightPictures } from "./weights.js";

/** Return for each unit the share of training pictures that activate it, and a unit that equals it. */
export function describeUnits(descent) {
  const {
    n_h,
    settings,
    stages: { train },
  } = descent;
  const { m } = descent.data.splits.train;
  const row = (unit) => train.Z1.subarray(unit * m, (unit + 1) * m);
  return Array.from({ length: n_h }, (_, unit) => {
    const active = row(unit).reduce((sum, z) => sum + (z > 0), 0) / m;
    const size = row(unit).reduce((most, z) => Math.max(most, Math.abs(z)), 0);
    let equal = null;
    for (let other = 0; other < n_h && equal === null; other++) {
      // Up to rounding: the sums of equal units may be computed in different orders.
      const same = other !== unit && row(unit).every((z, j) => Math.abs(z - row(other)[j]) <= 1e-9 * size);
      if (same && Math.abs(descent.params.W2[unit] - descent.params.W2[other]) <= 1e-9) equal = other;
    }
    const badges = [];
    if (active === 0) badges.push(settings.activation === "relu" ? "dead" : "alwaysOff");
    if (active === 1) badges.push("alwaysOn");
    return { active, equal, badges };
  });
}

/** Compute the accuracy on a split if a unit is silenced. */
export function accuracyWithout(descent, name, unit) {
  const { A1, Z2 } = descent.stages[name];
  const { Y, m } = descent.data.splits[name];
  const w = descent.params.W2[unit];
  // a > ½ where z > 0
  return (
    countCorrect(
      Z2.map((z, j) => (z - w * A1[unit * m + j] > 0 ? 1 : 0)),
      Y,
    ) / m
  );
}

/** Make the cards, one per unit. */
export function makeUnits(app) {
  const list = make("div", { class: "cards" });
  const note = make("p", { class: "note" });
  byId("units").append(note, list);
  let cards = [];
  return () => {
    const { descent } = app;
    const { data, n_h, params } = descent;
    if (cards.length !== n_h) {
      cards = Array.from({ length: n_h }, (_, unit) => makeCard(app, unit));
      list.replaceChildren(...cards.map(({ card }) => card));
      translate(list);
    }
    write(note, say(data.pictures ? "unitsNote" : "asEnded"));
    const { pictures, limit } = weightPictures(descent);
    const largest = Math.max(...params.W2.map(Math.abs)) || 1;
    const facts = describeUnits(descent);
    cards.forEach((card, unit) => {
      paintValues(card.canvas, pictures[unit], data.width, data.height, limit);
      mark(card.canvas, "aria-label", say("unitLabel", { n: unit + 1 }));
      drawFacts(card, descent, unit, facts[unit]);
      card.weightBar.style.setProperty("--share", params.W2[unit] / largest);
      mark(card.weightBar, "class", params.W2[unit] < 0 ? "signed cool" : "signed warm");
      drawSwitches(card, descent.settings, unit);
    });
  };
}

/** Make the card of a unit. */
function makeCard(app, unit) {
  const canvas = make("canvas", { role: "img" });
  const badges = make("span", { class: "badges" });
  const [bias, weight, active, without] = [0, 1, 2, 3].map(() => make("span", {}));
  const weightBar = make("span", { class: "signed" });
  const activeBar = make("span", { class: "share" });
  const line = (key, ...parts) => make("div", { class: "line" }, make("span", { say: key }), ...parts);
  const silence = makeSwitch(app, unit, "silenced", "silence");
  const freeze = makeSwitch(app, unit, "frozen", "freeze");
  const card = make(
    "article",
    { class: "card" },
    canvas,
    make(
      "div",
      {},
      make("header", {}, make("strong", {}, String(unit + 1)), badges, silence, freeze),
      line("outputWeight", weightBar, weight),
      line("active", activeBar, active),
      line("bias", bias),
      line("withoutIt", without),
    ),
  );
  return { card, canvas, badges, bias, weight, active, without, weightBar, activeBar, silence, freeze };
}

/** Make the button that adds a unit to a list of the settings, or takes it out. */
function makeSwitch(app, unit, name, say) {
  const flip = () => {
    const units = app.descent.settings[name];
    const others = units.filter((u) => u !== unit);
    app.set({ [name]: others.length < units.length ? others : [...units, unit].sort((u, v) => u - v) });
  };
  return make("button", { type: "button", say, onclick: flip });
}

function drawSwitches({ card, silence, freeze }, settings, unit) {
  mark(card, "class", settings.silenced.includes(unit) ? "card silenced" : "card");
  for (const [button, name, label] of [
    [silence, "silenced", "silenceLabel"],
    [freeze, "frozen", "freezeLabel"],
  ]) {
    mark(button, "aria-pressed", settings[name].includes(unit));
    mark(button, "aria-label", say(label, { n: unit + 1 }));
  }
}

/** Write what is known of a unit; in a network that is not finite, nothing is. */
function drawFacts(card, descent, unit, { active, equal, badges }) {
  const { data, params, finite, settings } = descent;
  const split = data.splits.test ? "test" : "train";
  const told = badges.map((badge) => say(badge));
  if (equal !== null) told.push(say("equalTo", { n: equal + 1 }));
  write(card.badges, finite ? told.join(" · ") : "");
  write(card.weight, brief(params.W2[unit]));
  write(card.bias, brief(params.b1[unit]));
  write(card.active, percent(finite ? active : NaN));
  card.activeBar.style.setProperty("--share", active);
  const before = descent.history[split].correct[descent.t] / data.splits[split].m;
  const change = accuracyWithout(descent, split, unit) - before;
  const isKnown = finite && !settings.silenced.includes(unit);
  write(card.without, isKnown ? `${say(split)} ${say("points", { n: signed(100 * change) })}` : "–");
}

function signed(number) {
  return `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(1)}`;
}
