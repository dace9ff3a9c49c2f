// The hidden units: the picture of each one's weights, its bias, its vote, and what it is good for.

import { asPicture, limitOf, paintValues } from "./colors.js";
import { brief, percent, say } from "./strings.js";
import { byId, make, mark, translate, write } from "./dom.js";
import { countRight } from "./engine.js";

/** Say of each unit how many training pictures activate it, and which earlier unit it equals. */
export function describeUnits(lesson) {
  const {
    n_h,
    settings,
    stages: { train },
  } = lesson;
  const { m } = lesson.data.splits.train;
  const row = (unit) => train.Z1.subarray(unit * m, (unit + 1) * m);
  return Array.from({ length: n_h }, (_, unit) => {
    const active = row(unit).reduce((sum, z) => sum + (z > 0), 0) / m;
    const size = row(unit).reduce((most, z) => Math.max(most, Math.abs(z)), 0);
    let twin = null;
    for (let other = 0; other < n_h && twin === null; other++) {
      // To rounding; equal units end at other bits only if they were added up in another order.
      const same = other !== unit && row(unit).every((z, j) => Math.abs(z - row(other)[j]) <= 1e-9 * size);
      if (same && Math.abs(lesson.params.W2[unit] - lesson.params.W2[other]) <= 1e-9) twin = other;
    }
    const badges = [];
    if (active === 0) badges.push(settings.activation === "relu" ? "dead" : "alwaysOff");
    if (active === 1) badges.push("alwaysOn");
    return { active, twin, badges };
  });
}

/** Compute the share of a split that is right once a unit is silenced. */
export function rightWithout(lesson, name, unit) {
  const { A1, Z2 } = lesson.stages[name];
  const { Y, m } = lesson.data.splits[name];
  const w = lesson.params.W2[unit];
  // a > ½ where z > 0
  return (
    countRight(
      Z2.map((z, j) => (z - w * A1[unit * m + j] > 0 ? 1 : 0)),
      Y,
    ) / m
  );
}

/** Make the cards, one a unit. */
export function makeUnits(app) {
  const list = make("div", { class: "cards" });
  const note = make("p", { class: "note" });
  byId("units").append(note, list);
  let cards = [];

  function makeCard(unit) {
    const n = unit + 1;
    const canvas = make("canvas", { role: "img" });
    const badges = make("span", { class: "badges" });
    const [bias, vote, active, without] = [0, 1, 2, 3].map(() => make("span", {}));
    const voteBar = make("span", { class: "signed" });
    const activeBar = make("span", { class: "share" });
    const line = (key, ...parts) => make("div", { class: "line" }, make("span", { say: key }), ...parts);
    const flip = (name) =>
      make("button", {
        type: "button",
        say: name === "silenced" ? "silence" : "freeze",
        onclick: () => {
          const units = app.lesson.settings[name];
          app.set({
            [name]: units.includes(unit)
              ? units.filter((u) => u !== unit)
              : [...units, unit].sort((u, v) => u - v),
          });
        },
      });
    const silence = flip("silenced");
    const freeze = flip("frozen");
    const card = make(
      "article",
      { class: "card" },
      canvas,
      make(
        "div",
        {},
        make("header", {}, make("strong", {}, String(n)), badges, silence, freeze),
        line("vote", voteBar, vote),
        line("active", activeBar, active),
        line("bias", bias),
        line("withoutIt", without),
      ),
    );
    return { card, canvas, badges, bias, vote, active, without, voteBar, activeBar, silence, freeze };
  }

  return () => {
    const { lesson } = app;
    const { data, n_h, params, settings } = lesson;
    if (cards.length !== n_h) {
      cards = Array.from({ length: n_h }, (_, unit) => makeCard(unit));
      list.replaceChildren(...cards.map(({ card }) => card));
      translate(list);
    }
    write(note, say(data.pictures ? "unitsNote" : "asEnded"));
    const rows = cards.map((_, unit) => asPicture(weightsShown(lesson, unit), data));
    const limit = Math.max(...rows.map(limitOf));
    const loudest = Math.max(...params.W2.map(Math.abs)) || 1;
    const judged = data.splits.test ? "test" : "train";
    const facts = describeUnits(lesson);
    cards.forEach((card, unit) => {
      const { active, twin, badges } = facts[unit];
      const silenced = settings.silenced.includes(unit);
      paintValues(card.canvas, rows[unit], data.width, data.height, limit);
      mark(card.canvas, "aria-label", say("unitLabel", { n: unit + 1 }));
      write(
        card.badges,
        [...badges.map((badge) => say(badge)), ...(twin === null ? [] : [say("twin", { n: twin + 1 })])].join(
          " · ",
        ),
      );
      write(card.vote, brief(params.W2[unit]));
      write(card.bias, brief(params.b1[unit]));
      write(card.active, percent(active));
      const change =
        rightWithout(lesson, judged, unit) - lesson.history[judged].right[lesson.t] / data.splits[judged].m;
      write(
        card.without,
        silenced ? "–" : `${say(judged)} ${change < 0 ? "−" : "+"}${(100 * Math.abs(change)).toFixed(1)} %`,
      );
      card.voteBar.style.setProperty("--share", params.W2[unit] / loudest);
      mark(card.voteBar, "class", params.W2[unit] < 0 ? "signed cool" : "signed warm");
      card.activeBar.style.setProperty("--share", active);
      mark(card.card, "class", silenced ? "card silenced" : "card");
      for (const [button, name, label] of [
        [card.silence, "silenced", "silenceLabel"],
        [card.freeze, "frozen", "freezeLabel"],
      ]) {
        mark(button, "aria-pressed", settings[name].includes(unit));
        mark(button, "aria-label", say(label, { n: unit + 1 }));
      }
    });
  };
}

/** Take the weights of a unit now; without pictures those that the run ended with. */
function weightsShown(lesson, unit) {
  const { data } = lesson;
  return lesson.weightsOf(unit) ?? data.W1_end.subarray(unit * data.n_x, (unit + 1) * data.n_x);
}
