// The clock that plays the descent: a trainer takes the steps, and each frame shows the latest of them.

import { startAnyTrainer } from "./trainer.js";

const BUDGET = 14; // ms of steps in a request, so that about fifty answers come in a second
const SLOW_FRAME = 200; // ms between the steps of a slow play
const CALM_FRAME = 500; // ms between frames if the user prefers reduced motion
const CALM_BUDGET = 200;
const ASLEEP = 10_000; // ms without a frame, after which the trainer may be gone

/**
 * Make the clock. `start` plays to an iteration, `stop` ends it at the iteration that is shown.
 *
 * Steps that the trainer has taken beyond what was shown are dropped. So are those that it took before a
 * change; only a change of live settings leaves it going, with the next request.
 */
export function makeClock(app, onEnd) {
  const { descent, ui } = app;
  const requests = makeRequests(app);
  let last = Infinity;
  let shown = null; // the parameters that the latest answers have led to
  let seenAt = 0;

  const forget = () => {
    requests.forget();
    shown = descent.params;
  };

  function frame() {
    if (!ui.playing) return;
    requestAnimationFrame(frame);
    if (Date.now() - seenAt > ASLEEP) requests.renew(); // the computer slept, or the page was hidden
    seenAt = Date.now();
    if (shown !== descent.params) forget();
    const batches = requests.take();
    for (const batch of batches) descent.absorb(batch);
    shown = descent.params;
    if (!descent.finite || descent.t >= last) {
      onEnd();
      return;
    }
    requests.ask(last);
    if (batches.length) app.draw();
  }

  const start = (until) => {
    last = until;
    seenAt = Date.now();
    forget();
    requestAnimationFrame(frame);
  };
  return { start, stop: forget, target: () => last };
}

/**
 * Make the requests to the trainer: `ask` for steps, `take` the answers, `forget` those under way, and `renew`
 * the trainer itself.
 */
function makeRequests({ descent, ui, showsWeights }) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let trainer = null;
  let run = 0;
  let loaded = null; // the run that the trainer knows
  let waiting = 0; // requests without an answer
  let askedAt = -Infinity;
  let answers = [];
  let started = 0; // trainers, of which the latest one counts

  const receiveOf = (which) => (answer) => {
    if (which !== started) return;
    waiting--;
    if (answer.run === run) answers.push(answer.batch);
  };
  const use = (one) => {
    [trainer, loaded, waiting] = [one, null, 0];
    const { n_x, splits } = descent.data;
    if (splits.train.pixels) trainer.post({ pictures: { n_x, pixels: splits.train.pixels } });
  };
  const ask = (last) => {
    if (!trainer) startAnyTrainer(receiveOf(++started), use);
    const { most, ms, pause } = paceOf(ui.speed, calm.matches);
    const now = performance.now();
    while (waiting < (pause || most === 1 ? 1 : trainer.ahead) && now - askedAt >= pause) {
      const { live, every, problem, t, params } = descent;
      const take = { live, every, last, most, ms, weights: showsWeights() };
      trainer.post(loaded === run ? { run, take } : { run, take, problem, t, params });
      loaded = run;
      waiting++;
      if (pause) askedAt = now;
    }
  };
  const take = () => answers.splice(0);
  const renew = () => {
    trainer?.stop();
    trainer = null;
    forget();
  };
  const forget = () => {
    run++;
    answers = [];
    askedAt = -Infinity;
  };
  return { ask, take, forget, renew };
}

/** Return how many steps and ms a request takes at most, and the ms between requests. */
function paceOf(speed, isCalm) {
  const pause = Math.max(isCalm ? CALM_FRAME : 0, speed === "slow" ? SLOW_FRAME : 0);
  return { most: speed === "full" ? Infinity : 1, ms: isCalm ? CALM_BUDGET : BUDGET, pause };
}
