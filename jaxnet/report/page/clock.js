// The clock that plays the descent: a trainer takes the steps, and each frame shows the latest of them.

import { startLocalTrainer, startTrainer } from "./trainer.js";

const BUDGET = 14; // ms of steps in a request, so that about fifty answers come in a second
const SLOW_FRAME = 200; // ms between the steps of a slow play
const CALM_FRAME = 500; // ms between frames if the user prefers reduced motion
const CALM_BUDGET = 200;

/**
 * Make the clock. `start` plays to an iteration, `stop` ends it at the iteration that is shown.
 *
 * Steps that the trainer has taken beyond what was shown are dropped. So are those that it took before a
 * change; only a change of live settings leaves it going, with the next request.
 */
export function makeClock(app, onEnd) {
  const { descent, ui } = app;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let trainer = null;
  let run = 0;
  let loaded = null; // the run that the trainer knows
  let waiting = 0; // requests without an answer
  let answers = [];
  let last = Infinity;
  let askedAt = -Infinity;
  let shown = null; // the parameters that the latest answers have led to

  const receive = (answer) => {
    waiting--;
    if (answer.run === run) answers.push(answer.batch);
  };

  function begin() {
    const beginLocally = () => {
      [trainer, loaded, waiting] = [startLocalTrainer(receive), null, 0];
      sendPictures();
    };
    const sendPictures = () => {
      const { n_x, splits } = descent.data;
      if (splits.train.pixels) trainer.post({ pictures: { n_x, pixels: splits.train.pixels } });
    };
    if (typeof Worker === "undefined") {
      beginLocally();
      return;
    }
    trainer = startTrainer(receive, beginLocally);
    sendPictures();
  }

  function ask() {
    const full = ui.speed === "full";
    const pause = Math.max(calm.matches ? CALM_FRAME : 0, ui.speed === "slow" ? SLOW_FRAME : 0);
    const now = performance.now();
    while (waiting < (full && !pause ? trainer.ahead : 1) && now - askedAt >= pause) {
      const take = {
        live: descent.live,
        every: descent.every,
        last,
        most: full ? Infinity : 1,
        ms: calm.matches ? CALM_BUDGET : BUDGET,
        weights: app.showsWeights(),
      };
      const { problem, t, params } = descent;
      trainer.post(loaded === run ? { run, take } : { run, take, problem, t, params });
      loaded = run;
      waiting++;
      if (pause) askedAt = now;
    }
  }

  function forget() {
    run++;
    answers = [];
    shown = descent.params;
  }

  function frame() {
    if (!ui.playing) return;
    requestAnimationFrame(frame);
    if (shown !== descent.params) forget();
    const batches = answers;
    answers = [];
    for (const batch of batches) descent.absorb(batch);
    shown = descent.params;
    if (!descent.finite || descent.t >= last) {
      onEnd();
      return;
    }
    ask();
    if (batches.length) app.draw();
  }

  return {
    start: (until) => {
      if (!trainer) begin();
      last = until;
      forget();
      askedAt = -Infinity;
      requestAnimationFrame(frame);
    },
    stop: forget,
    target: () => last,
  };
}
