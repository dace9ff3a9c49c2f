// A small sweep of α: short trainings with other learning rates, as one chart of what is too small, right, too large.

import { BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, axisOf } from "./charts.js";
import { TRIAL_STEPS, judgeTrials, ratesAround } from "./trials.js";
import { brief, say } from "./strings.js";
import { byId, make, makeSvg, mark, translate, write } from "./dom.js";
import { labelEntropy } from "./scores.js";
import { startAnyTrainer } from "./trainer.js";

const VERDICTS = ["small", "right", "large"];
const MOST_ENTROPIES = 3; // label entropies, at which the axis of the costs ends

/** Make the button that tries other learning rates, and the chart of their late costs. */
export function makeRates(app) {
  const { descent, ui } = app;
  let sweep = null;
  const button = make("button", { type: "button", onclick: () => (sweep?.running ? end() : begin()) });
  const chart = makeSvg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 14}`, role: "img" });
  const verdict = make("p", { class: "reading", "aria-live": "polite" });
  const title = make("h3", {});
  const element = make("div", { class: "rates" }, make("div", { class: "buttons" }, button), title, chart, verdict);
  byId("curves").append(element);
  let drawn = "";

  function begin() {
    if (ui.playing) app.pause();
    sweep = startSweep(descent, draw);
    draw();
  }

  function end() {
    sweep.stop();
    sweep = null;
    draw();
  }

  function draw() {
    if (sweep && sweep.of !== stateOf(descent)) {
      sweep.stop();
      sweep = null; // it is of other settings
    }
    const { learning_rate } = descent.settings;
    const wanted = JSON.stringify([ui.lang, sweep?.of, sweep?.trials.length, sweep?.running, learning_rate]);
    if (drawn === wanted) return;
    drawn = wanted;
    const count = sweep?.trials.length ?? 0;
    write(button, sweep?.running ? say("ratesStop", { n: count, of: sweep.rates.length }) : say("rates"));
    for (const part of [title, chart]) part.toggleAttribute("hidden", !sweep);
    write(title, say("ratesTitle", { n: TRIAL_STEPS }));
    verdict.hidden = !sweep || sweep.running;
    if (!sweep) return;
    const words = sweep.running ? "" : describeTrials(sweep.trials);
    drawTrials(chart, sweep, learning_rate);
    mark(chart, "aria-label", words || say("rates"));
    write(verdict, words);
  }
  return draw;
}

/** Start the trials in a worker of their own; `receive` is called after each. */
function startSweep(descent, receive) {
  const { problem, live, settings, start, data } = descent;
  const rates = ratesAround(settings.learning_rate);
  const entropy = labelEntropy(data);
  const sweep = { of: stateOf(descent), rates, trials: [], entropy, running: true };
  const take = ({ trial }) => {
    if (!sweep.running) return;
    sweep.trials.push(trial);
    if (sweep.trials.length === rates.length) sweep.stop();
    receive();
  };
  startAnyTrainer(take, ({ post, stop }) => {
    sweep.trials = [];
    sweep.stop = () => {
      sweep.running = false;
      stop();
    };
    post({ problem, t: 0, params: start.params });
    for (const rate of rates) post({ trial: { live, rate, steps: TRIAL_STEPS, entropy } });
  });
  return sweep;
}

/** What a sweep holds for: all settings but the learning rate. */
function stateOf({ settings }) {
  return JSON.stringify({ ...settings, learning_rate: null });
}

/** Say which rates are too small, right and too large. */
function describeTrials(trials) {
  const { verdicts, best } = judgeTrials(trials);
  const parts = VERDICTS.map((name) => {
    const rates = trials.filter((_, at) => verdicts[at] === name).map(({ rate }) => rate);
    if (!rates.length) return "";
    const [low, high] = [rates[0], rates.at(-1)];
    return say(low === high ? `rate.${name}.one` : `rate.${name}`, { low, high });
  });
  const end = best ? say("rateBest", { rate: best.rate, cost: brief(best.late) }) : say("rateNone");
  return [say("ratesAfter", { n: TRIAL_STEPS }), ...parts, end].filter(Boolean).join(" ");
}

/** Draw the trials by their late costs, in bands of the verdicts, with the present rate. */
function drawTrials(chart, { rates, trials, entropy, running }, present) {
  const ends = [rates[0], rates.at(-1)].map(Math.log10);
  const step = (ends[1] - ends[0]) / (rates.length - 1);
  const share = (rate) => (Math.log10(rate) - ends[0] + step / 2) / (ends[1] - ends[0] + step);
  const x = (rate) => LEFT + Math.max(0, Math.min(1, share(rate))) * (WIDTH - LEFT - RIGHT);
  const finite = trials.map(({ late }) => late).filter(Number.isFinite);
  const { top, ticks } = axisOf(0, Math.min(Math.max(entropy || 1, ...finite), MOST_ENTROPIES * (entropy || 1)), false);
  const y = (cost) => TOP + (1 - Math.min(1, cost / top)) * (HEIGHT - TOP - BOTTOM);
  const parts = ticks.flatMap(([value, text]) => [
    makeSvg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
    makeSvg("text", { x: LEFT - 5, y: y(value) + 3.5, "text-anchor": "end" }, text),
  ]);
  rates.forEach((rate, at) => {
    if (at % 2 === 0) parts.push(makeSvg("text", { x: x(rate), y: HEIGHT - 5, "text-anchor": "middle" }, shortRate(rate)));
  });
  if (entropy) parts.push(makeSvg("path", { class: "curve entropy", d: `M${LEFT} ${y(entropy)}H${WIDTH - RIGHT}` }));
  const { verdicts, best } = judgeTrials(trials);
  const width = (WIDTH - LEFT - RIGHT) / rates.length;
  const names = new Map(); // of each verdict the places of its trials
  trials.forEach(({ rate, late, outcome }, at) => {
    const name = verdicts[at];
    names.set(name, [...(names.get(name) ?? []), x(rate)]);
    parts.push(
      makeSvg("rect", { class: `band ${name}`, x: x(rate) - width / 2, y: TOP, width, height: HEIGHT - TOP - BOTTOM }),
      makeSvg("path", { class: `trial ${name}`, d: trialMark(name, x(rate), y(Number.isFinite(late) ? late : top)) }),
    );
    if (best?.rate === rate && !running)
      parts.push(makeSvg("circle", { class: "best", cx: x(rate), cy: y(late), r: 7 }));
    mark(parts.at(-1), "data-outcome", outcome);
  });
  if (!running) {
    for (const [name, places] of names) {
      const middle = Math.min((places[0] + places.at(-1)) / 2, WIDTH - 28);
      const text = makeSvg("text", { class: name, x: middle, y: HEIGHT + 9, "text-anchor": "middle" });
      text.dataset.say = `rateName.${name}`;
      parts.push(text);
    }
  }
  parts.push(makeSvg("line", { class: "cursor pointed", x1: x(present), x2: x(present), y1: TOP, y2: HEIGHT - BOTTOM }));
  chart.replaceChildren(...parts);
  translate(chart);
}

/** Write a rate as a tick: a power of ten is short, others have two digits. */
function shortRate(rate) {
  const [digits, power] = rate.toExponential(0).split("e");
  return rate >= 0.001 && rate < 1000 ? String(Number(rate.toPrecision(2))) : `${digits}e${power.replace("+", "").replace("-", "−")}`;
}

/** Draw a mark by its verdict, since colour alone does not tell: a triangle down, a dot, a cross. */
function trialMark(name, x, y) {
  if (name === "right") return `M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`;
  if (name === "small") return `M${x - 4.5} ${y - 3.5}h9l-4.5 8z`;
  return `M${x - 4} ${y - 4}l8 8m0 -8l-8 8`;
}
