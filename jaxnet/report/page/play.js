// The loop that plays the descent, and the actions that the views call.

import { brief, percent, say, setLanguage } from "./strings.js";
import { byId, write } from "./dom.js";
import { addChanges } from "./changes.js";
import { writeAddress } from "./address.js";

const FRAME = 38; // ms a frame may take while it plays, with the browser's own work
const LEAST = 8; // ms of steps in each frame at least, however long the drawing takes
const CALM_FRAME = 500; // ms between frames if the user prefers reduced motion
const ADDRESS_AFTER = 250; // ms
const STEPS_A_FRAME = { slow: 1, medium: 1, full: Infinity };
const SLOW_FRAME = 200; // ms between the steps of a slow play

/** Make the app: the descent, the state of the views, and the actions that change either. */
export function makeApp(descent) {
  const lang = navigator.language.startsWith("zh") ? "zh" : "en";
  const first = { lang, theme: "auto", box: "Z1", diagram: false };
  const ui = {
    ...first,
    first,
    playing: false,
    speed: "full",
    picture: { split: "train", at: descent.data.splits.train.Y.indexOf(1) },
    shown: "train",
    byLoss: true,
    logarithmic: false,
  };
  const app = { descent, ui, views: [], frames: 0 };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let lastFrame = 0;
  let stepped = 0;
  let others = 20;
  let addressed = 0;
  let target = Infinity; // the iteration at which playing ends
  let ended = () => {};
  const hidden = new Set();

  // While it plays, sections that are scrolled out of view are not drawn.
  app.draw = () => {
    for (const [draw, id] of app.views) if (!ui.playing || !hidden.has(id)) draw();
    app.frames++;
  };
  app.watch = () => {
    const watcher = new IntersectionObserver((changes) => {
      for (const { target, isIntersecting } of changes) {
        if (isIntersecting) hidden.delete(target.id);
        else hidden.add(target.id);
      }
    });
    for (const section of document.querySelectorAll(".panels section")) watcher.observe(section);
  };
  const settled = () => {
    setLanguage(ui.lang);
    if (!ui.playing) announce(app);
    clearTimeout(addressed); // browsers limit how often the address may change
    addressed = setTimeout(() => writeAddress(descent, ui), ADDRESS_AFTER);
    app.draw();
  };
  const frame = () => {
    if (!ui.playing) {
      ended();
      return;
    }
    requestAnimationFrame(frame);
    const now = performance.now();
    const pause = Math.max(calm.matches ? CALM_FRAME : 0, ui.speed === "slow" ? SLOW_FRAME : 0);
    if (now - lastFrame < pause) return;
    others += 0.2 * (Math.min(now - lastFrame, 2 * FRAME) - stepped - others);
    lastFrame = now;
    const until = now + Math.max(LEAST, FRAME - others);
    const most = STEPS_A_FRAME[ui.speed];
    let made = 0;
    do descent.step(1);
    while (++made < most && descent.finite && descent.t < target && performance.now() < until);
    stepped = performance.now() - now;
    if (!descent.finite || descent.t >= target) app.pause();
    else app.draw();
  };
  app.play = (steps = Infinity) => {
    if (ui.playing || !descent.finite) return;
    target = descent.t + steps;
    ui.playing = true;
    descent.keep();
    app.draw();
    requestAnimationFrame(frame);
  };
  /** Play a number of steps, or fewer if it is paused. */
  app.run = async (steps) => {
    app.pause();
    await new Promise(requestAnimationFrame); // then an earlier play has ended
    app.play(steps);
    if (ui.playing) await new Promise((done) => (ended = done));
  };
  app.pause = () => {
    ui.playing = false;
    settled();
  };
  app.toggle = () => (ui.playing ? app.pause() : app.play());
  app.step = (n) => {
    descent.keep();
    descent.step(n);
    settled();
  };
  addChanges(app, settled);
  app.choose = (changes) => {
    Object.assign(ui, changes);
    settled();
  };
  return app;
}

/** Announce the state of the descent to a screen reader. */
export function announce({ descent: { t, history, data, finite } }) {
  const { costs, correct } = history.train;
  const state = say("said", {
    t,
    cost: brief(costs[t], 4),
    accuracy: percent(correct[t] / data.splits.train.m),
  });
  write(byId("spoken"), finite ? state : `${state} ${say("stopped")}`);
}
