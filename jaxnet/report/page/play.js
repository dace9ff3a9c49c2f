// The app: the descent, the state of the views, and the actions that the views call.

import { addChanges } from "./changes.js";
import { addSlowMotion } from "./slow.js";
import { addLessons } from "./lesson_course.js";
import { brief, percent, say, setLanguage } from "./strings.js";
import { differencesFrom } from "./differences.js";
import { byId, listen, onEnd, write } from "./dom.js";
import { makeClock } from "./clock.js";
import { makeDrawing } from "./views.js";
import { writeAddress } from "./address.js";

const ADDRESS_AFTER = 250; // ms; browsers limit how often the address may change

/** Make the app: the descent, the state of the views, and the actions that change either. */
export function makeApp(descent) {
  const lang = navigator.language.startsWith("zh") ? "zh" : "en";
  const picture = { split: "train", at: descent.data.splits.train.Y.indexOf(1) };
  const first = { lang, theme: "auto", box: "Z1", diagram: false, lessons: false, slow: false, unit: 0, picture };
  const ui = {
    ...first,
    first,
    lesson: null,
    playing: false,
    speed: "full",
    shown: "train",
    byLoss: true,
    logarithmic: false,
  };
  const app = Object.assign(makeDrawing(ui), { descent, ui });
  let addressed = 0;
  onEnd(() => clearTimeout(addressed));
  const settled = () => {
    setLanguage(ui.lang);
    if (!ui.playing) announce(app);
    clearTimeout(addressed);
    addressed = setTimeout(() => writeAddress(descent, ui), ADDRESS_AFTER);
    app.draw();
  };
  addPlaying(app, settled);
  addChanges(app, settled);
  // A browser may drop a page that is not shown; from its address, it comes back to the same state.
  app.writeAddress = () => writeAddress(descent, ui);
  listen(document, "visibilitychange", () => document.hidden && app.writeAddress());
  app.choose = (changes) => {
    Object.assign(ui, changes);
    settled();
  };
  addLessons(app);
  addSlowMotion(app);
  return app;
}

/** Add the actions that take steps; `settled` is called when they end. */
function addPlaying(app, settled) {
  const { descent, ui } = app;
  let ended = () => {};
  app.pause = () => {
    ui.playing = false;
    clock.stop();
    settled();
    ended();
  };
  const clock = makeClock(app, app.pause);
  /** Play, and stop after a number of steps. */
  app.play = (steps = Infinity) => {
    if (ui.playing || !descent.finite) return;
    ui.playing = true;
    ui.slow = false;
    descent.keep();
    clock.start(descent.t + steps);
    app.draw();
  };
  /** Play a number of steps, or fewer if it is paused. */
  app.run = async (steps) => {
    if (ui.playing) app.pause();
    app.play(steps);
    if (ui.playing) await new Promise((done) => (ended = done));
  };
  app.target = clock.target;
  app.toggle = () => {
    if (ui.playing) app.pause();
    else if (ui.lesson?.halted) app.goOn(); // up to where the lesson waits
    else app.play();
  };
  app.step = (n) => {
    descent.keep();
    descent.step(n);
    settled();
  };
}

/** Announce to a screen reader what was changed, and the state of the descent. */
export function announce({ descent: { t, settings, history, data, finite }, ui }) {
  const { costs, correct } = history.train;
  const changes = differencesFrom(settings, ui.announced ?? settings);
  ui.announced = settings;
  const state = say("said", {
    t,
    cost: brief(costs[t], 4),
    accuracy: percent(correct[t] / data.splits.train.m),
  });
  const parts = [changes.join(", "), state, finite ? "" : say("stopped")];
  write(byId("spoken"), parts.filter(Boolean).join(" "));
}
