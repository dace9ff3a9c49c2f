// The clock that plays the lesson, and what may be done with it: every view calls these.

import { brief, percent, say, speakIn } from "./strings.js";
import { byId, write } from "./dom.js";
import { writeAddress } from "./address.js";

const FRAME = 38; // ms a frame may take while it plays, with all that the browser does in it
const LEAST = 8; // ms a frame steps at least, however long it takes to draw
const CALM_FRAME = 500; // ms between frames for those who wish for less motion
const ADDRESS_AFTER = 250; // ms
const STEPS_A_FRAME = { slow: 1, medium: 1, full: Infinity };
const SLOW_FRAME = 200; // ms between the steps of a slow play

/** Make the app: the lesson, what is shown of it, and the acts that change either. */
export function makeApp(lesson) {
  const lang = navigator.language.startsWith("zh") ? "zh" : "en";
  const first = { lang, theme: "auto", box: "Z1" };
  const ui = {
    ...first,
    first,
    playing: false,
    speed: "full",
    picture: { split: "train", at: lesson.data.splits.train.Y.indexOf(1) },
    shown: "train",
    byLoss: true,
    logarithmic: false,
  };
  const app = { lesson, ui, views: [], frames: 0 };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let lastFrame = 0;
  let stepped = 0;
  let others = 20;
  let addressed = 0;
  const hidden = new Set();

  // While it plays, what is scrolled out of sight is not drawn.
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
    for (const section of document.querySelectorAll("section")) watcher.observe(section);
  };
  const settled = () => {
    speakIn(ui.lang);
    if (!ui.playing) announce(lesson);
    clearTimeout(addressed); // browsers refuse an address that changes with every frame
    addressed = setTimeout(() => writeAddress(lesson, ui), ADDRESS_AFTER);
    app.draw();
  };
  const frame = () => {
    if (!ui.playing) return;
    requestAnimationFrame(frame);
    const now = performance.now();
    const pause = Math.max(calm.matches ? CALM_FRAME : 0, ui.speed === "slow" ? SLOW_FRAME : 0);
    if (now - lastFrame < pause) return;
    others += 0.2 * (Math.min(now - lastFrame, 2 * FRAME) - stepped - others);
    lastFrame = now;
    const until = now + Math.max(LEAST, FRAME - others);
    const most = STEPS_A_FRAME[ui.speed];
    let made = 0;
    do lesson.step(1);
    while (++made < most && lesson.finite && performance.now() < until);
    stepped = performance.now() - now;
    if (!lesson.finite) app.pause();
    else app.draw();
  };
  app.play = () => {
    if (ui.playing) return;
    ui.playing = true;
    lesson.keep();
    app.draw();
    requestAnimationFrame(frame);
  };
  app.pause = () => {
    ui.playing = false;
    settled();
  };
  app.toggle = () => (ui.playing ? app.pause() : app.play());
  app.step = (n) => {
    lesson.keep();
    lesson.step(n);
    settled();
  };
  app.back = () => {
    ui.playing = false;
    lesson.back();
    settled();
  };
  app.goTo = (t) => {
    ui.playing = false;
    lesson.goTo(t);
    settled();
  };
  app.reset = () => {
    ui.playing = false;
    lesson.reset();
    settled();
  };
  app.set = (settings) => {
    try {
      lesson.set(settings);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // a field that holds no fit number yet
    }
    settled();
  };
  app.choose = (changes) => {
    Object.assign(ui, changes);
    settled();
  };
  return app;
}

/** Tell a screen reader where the descent stands. */
export function announce({ t, history, data }) {
  const { costs, right } = history.train;
  write(
    byId("spoken"),
    say("said", { t, cost: brief(costs[t], 4), right: percent(right[t] / data.splits.train.m) }),
  );
}
