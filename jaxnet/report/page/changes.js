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
  app.canUndo = undo.canUndo;
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
