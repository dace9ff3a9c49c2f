// The actions that change the descent other than by steps; each can be undone.

import { makeUndo } from "./undo.js";

/** Add the actions to the app; `settled` is called after each. */
export function addChanges(app, settled) {
  const { descent, ui } = app;
  const undo = makeUndo(descent);
  const stop = () => {
    if (ui.playing) app.pause();
  };
  const goBack = (act) => {
    stop();
    undo.change(null, act);
    settled();
  };
  app.back = () => goBack(() => descent.back());
  app.goTo = (t) => goBack(() => descent.goTo(t));
  app.reset = () => goBack(() => descent.reset());
  app.undo = () => {
    stop();
    undo.undo();
    settled();
  };
  app.redo = () => {
    stop();
    undo.redo();
    settled();
  };
  /** Begin anew, with these settings. */
  app.begin = (settings) =>
    goBack(() => {
      descent.set(settings);
      if (descent.t) descent.reset();
    });
  /** Return to a state that was held, and to what could be undone there. */
  app.returnTo = (held) => {
    stop();
    held.goBack();
    settled();
  };
  Object.assign(app, { hold: undo.hold, canUndo: undo.canUndo, canRedo: undo.canRedo, lost: undo.lost });
  /** Play until an iteration; one that is past is reached from the latest snapshot before it. */
  app.playTo = (t) => {
    stop();
    if (t < descent.t) undo.change(null, () => descent.goTo(descent.snapshotBefore(t)));
    if (t > descent.t) app.play(t - descent.t);
    else settled();
  };
  app.replay = (steps, t) => replay(app, steps, t).then(settled);
  app.change = (settings) => {
    // A slider that is moved on makes one change, a click on a button each time one of its own.
    const isNumber = Object.values(settings).every(Number.isFinite);
    undo.change(isNumber ? Object.keys(settings).join() : null, () => descent.set(settings));
    settled();
  };
  app.set = (settings) => {
    try {
      app.change(settings);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // a field with an invalid number
      settled();
    }
  };
}

/** Play from 0 to an iteration as an address tells; `steps` are the live settings from their iterations on. */
async function replay(app, steps, t) {
  const { descent } = app;
  const { learning_rate, silenced, frozen } = descent.settings;
  const last = { learning_rate, silenced, frozen };
  if (descent.t) app.reset();
  if (!t) return;
  const path = steps.length ? steps : [{ from: 0, live: last }];
  for (const [at, { live }] of path.entries()) {
    const until = path[at + 1]?.from ?? t;
    descent.set(live);
    await app.run(until - descent.t);
    if (descent.t !== until) return; // it was stopped, or cannot go on
  }
  descent.set(last);
}
