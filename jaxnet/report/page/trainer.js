// A trainer: it answers messages by steps, in a worker or, where there is none, in the page itself.

import { PIXEL_SCALES, addPictures } from "./data.js";
import { onEnd } from "./dom.js";
import { scaleRows } from "./engine.js";
import { evaluate, takeSteps } from "./steps.js";
import { tryRate } from "./trials.js";

/**
 * Make a trainer: a function from a message to its answer.
 *
 * A message has any of: `pictures`, the bytes of the training pictures with their n_x, once; `problem`, with
 * W1, the scale of the pixels, and the t and params to go on from; `take`, the request for steps, with live
 * settings, `every`, the last iteration, at most how many steps and ms, and whether the weights are wanted; or
 * `trial`, the request for a training of its own from there, as `tryRate` takes it.
 */
export function makeTrainer() {
  let pictures = null;
  let problem = null;
  let point = null;
  return (message) => {
    if (message.pictures) pictures = message.pictures;
    if (message.problem) {
      problem = message.problem;
      point = { t: message.t, params: message.params, now: null };
    }
    if (message.trial) return { trial: tryRate(problem, point.params, message.trial) };
    if (!message.take) return null;
    const { live, every, last, most, ms, weights } = message.take;
    point.now ??= evaluate(problem, point.params, live.mask);
    if (point.mask && String(point.mask) !== String(live.mask))
      point.now = evaluate(problem, point.params, live.mask);
    const count = Math.min(most, last - point.t);
    const batch = takeSteps(problem, point, live, every, count, performance.now() + ms);
    point = { t: batch.t, params: batch.params, now: batch.now, mask: live.mask };
    if (weights && pictures)
      batch.W1 = addPictures(
        scaleRows(problem.W1, batch.params.s),
        batch.params.C,
        pictures.pixels,
        pictures.n_x,
        problem.scale,
      );
    return { run: message.run, batch };
  };
}

/** Answer messages in a worker. */
export function serve(scope) {
  const trainer = makeTrainer();
  scope.onmessage = ({ data }) => {
    const answer = trainer(data);
    if (answer) scope.postMessage(answer, answer.batch?.W1 ? [answer.batch.W1.buffer] : []);
  };
}

/**
 * Start a trainer, in a worker that runs the page's own script, or else in the page.
 *
 * `receive` is called with each answer, `use` with the trainer: `post` sends a message, `stop` ends it, and
 * `ahead` says how many requests may be under way. With two, a worker need not wait for the page to draw. If the browser
 * cannot start the worker after all, `use` is called again.
 */
export function startAnyTrainer(receive, use) {
  if (typeof Worker === "undefined") {
    use(startLocalTrainer(receive));
    return;
  }
  const script = document.querySelector("script[type=module]").textContent;
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(address); // of a file, Chromium starts no module as a worker
  worker.onmessage = ({ data }) => receive(data);
  worker.onerror = () => use(startLocalTrainer(receive));
  const stop = () => {
    worker.onerror = null;
    worker.terminate();
  };
  onEnd(stop);
  use({ post: (message) => worker.postMessage(message), ahead: 2, stop });
}

/** Train in the page, in slices between its frames. */
function startLocalTrainer(receive) {
  const trainer = makeTrainer();
  const post = (message) => {
    if (message.take || message.trial) setTimeout(() => receive(trainer(message)));
    else trainer(message);
  };
  return { post, ahead: 1, stop: () => {} };
}
