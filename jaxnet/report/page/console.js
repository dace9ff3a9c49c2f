// window.jaxnet, for scripts and tests.
//
// state() returns iteration, outcome, settings, train and test (cost, costs,
// correct, accuracy, probabilities), b1, W2, b2, rises, snapshots. step(n) takes n steps at once, and returns
// the state; more than MOST_AT_ONCE are taken as by run(n), which plays them: the page shows them, Pause
// stops them, and a promise of the state is returned.
// set(settings) changes some of learning_rate, weight_decay, weight_scale, hidden_units, activation, start,
// seed, pixel_scale, silenced and frozen (lists of units from 0), reset() goes back to the initial weights, and
// undo() takes back the last change; each returns the state. An unknown name or an invalid value is a
// RangeError.

const MOST_AT_ONCE = 1000;

/** Offer the functions of the app to scripts. */
export function exposeApp(app) {
  const { descent, ui } = app;
  window.jaxnet = {
    state: () => ({ ...descent.state(), playing: ui.playing, frames: app.frames }),
    step: (n = 1) => {
      if (checkSteps(n) > MOST_AT_ONCE) return window.jaxnet.run(n);
      app.step(n);
      return window.jaxnet.state();
    },
    run: async (n) => {
      await app.run(checkSteps(n));
      return window.jaxnet.state();
    },
    set: (settings) => {
      app.change(settings);
      return window.jaxnet.state();
    },
    reset: () => {
      app.reset();
      return window.jaxnet.state();
    },
    undo: () => {
      app.undo();
      return window.jaxnet.state();
    },
  };
}

function checkSteps(n) {
  if (!(Number.isInteger(n) && n > 0)) throw new RangeError(`${n} is not a number of steps, 1 or more`);
  return n;
}
