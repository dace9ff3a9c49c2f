// The page: one lesson, its views, the clock that plays it, the keys, and window.jaxnet.

import { BOX_NAMES, makeDiagram } from "./diagram.js";
import { LANGUAGES, brief, percent, say, speakIn } from "./strings.js";
import { Lesson } from "./lesson.js";
import { byId, make, mark, translate, write } from "./dom.js";
import { makeChosen, makePictures } from "./pictures.js";
import { makeCurves } from "./curves.js";
import { makeMatrix } from "./matrix.js";
import { makePhoto } from "./photo.js";
import { makeSetup, makeTransport } from "./controls.js";
import { makeUnits } from "./units.js";
import { readAddress, writeAddress } from "./address.js";
import { readData } from "./data.js";
import { ownSettings } from "./starts.js";
import { readTheme } from "./colors.js";

const THEMES = ["auto", "light", "dark"];
const FRAME = 38; // ms a frame may take while it plays, with all that the browser does in it
const LEAST = 8; // ms a frame steps at least, however long it takes to draw
const CALM_FRAME = 500; // ms between frames for those who wish for less motion
const ADDRESS_AFTER = 250; // ms
const STEPS_A_FRAME = { slow: 1, medium: 10, full: Infinity };

function makeApp(lesson) {
  const lang = navigator.language.startsWith("zh") ? "zh" : "en";
  const first = { lang, theme: "auto", box: "Z1" };
  const ui = { ...first, first, playing: false, speed: "full", picture: { split: "train", at: lesson.data.splits.train.Y.indexOf(1) }, shown: "train", byLoss: true, logarithmic: false };
  const app = { lesson, ui, views: [], frames: 0 };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let lastFrame = 0, stepped = 0, others = 20, addressed = 0;
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
    if (calm.matches && now - lastFrame < CALM_FRAME) return;
    others += 0.2 * (Math.min(now - lastFrame, 2 * FRAME) - stepped - others);
    lastFrame = now;
    const until = now + Math.max(LEAST, FRAME - others), most = STEPS_A_FRAME[ui.speed];
    let made = 0;
    do lesson.step(1); while (++made < most && lesson.finite && performance.now() < until);
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
  app.back = () => { ui.playing = false; lesson.back(); settled(); };
  app.goTo = (t) => { ui.playing = false; lesson.goTo(t); settled(); };
  app.reset = () => { ui.playing = false; lesson.reset(); settled(); };
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
function announce({ t, history, data }) {
  const { costs, right } = history.train;
  write(byId("spoken"), say("said", { t, cost: brief(costs[t], 4), right: percent(right[t] / data.splits.train.m) }));
}

/** Make what stands around the lesson: names, notes, language and theme. */
function makeFrame(app) {
  const { data } = app.lesson, { ui } = app;
  const language = make("button", { type: "button", say: "language", label: "languageLabel", onclick: () => {
    app.choose({ lang: LANGUAGES[1 - LANGUAGES.indexOf(ui.lang)] });
  } });
  const theme = make("button", { type: "button", onclick: () => app.choose({ theme: THEMES[(THEMES.indexOf(ui.theme) + 1) % THEMES.length] }) });
  byId("appearance").append(language, theme);
  const pictures = Object.values(data.splits).reduce((sum, { m }) => sum + m, 0);
  const of = Object.values(data.splits).reduce((sum, split) => sum + split.of, 0);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readTheme(); app.draw(); });
  let shown = "";
  return () => {
    write(byId("subtitle"), say("subtitle", { units: app.lesson.n_h, yes: data.classes[1], no: data.classes[0] }));
    if (shown === ui.lang + ui.theme) return;
    shown = ui.lang + ui.theme;
    mark(document.documentElement, "lang", ui.lang === "zh" ? "zh-Hans" : "en");
    mark(document.documentElement, "data-theme", ui.theme);
    readTheme();
    translate(document.body);
    document.title = `${say("title")} – ${data.source}`;
    write(theme, `${say("theme")}: ${say(`theme.${ui.theme}`)}`);
    write(byId("subtitle"), say("subtitle", { units: app.lesson.n_h, yes: data.classes[1], no: data.classes[0] }));
    write(byId("notes"), [data.source, pictures < of ? say("aloneTrain", { m: pictures, of }) : "", otherRule(data.settings)].filter(Boolean).join(" · "));
    write(byId("holds"), say(data.pictures ? "holds" : "holdsNot", { m: pictures }));
  };
}

/** Say if the run was trained by another rule than plain gradient descent. */
function otherRule({ optimizer, momentum, nesterov }) {
  if (optimizer !== undefined && optimizer !== "sgd") return say("otherRule", { rule: "Adam" });
  if (momentum) return say("otherRule", { rule: `momentum ${momentum}${nesterov ? " (Nesterov)" : ""}` });
  return "";
}

/** Obey the keys, unless the element that has the focus needs them itself. */
function obeyKeys(app) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    const typing = target.matches("input, select, textarea"), pressing = target.matches("button, summary");
    const rate = app.lesson.settings.learning_rate, turn = (by) => app.set({ learning_rate: Number((rate * by).toPrecision(3)) });
    const act = {
      " ": () => app.toggle(),
      ArrowRight: () => app.step(event.shiftKey ? 10 : 1),
      ArrowLeft: () => app.back(),
      ArrowUp: () => turn(10 ** 0.05),
      ArrowDown: () => turn(10 ** -0.05),
      r: () => app.reset(),
      R: () => app.reset(),
    }[key];
    if (!act || typing || (pressing && key === " ")) return;
    event.preventDefault();
    act();
  });
}

function open() {
  const source = byId("data"), lesson = new Lesson(readData(source.textContent));
  source.remove();
  const app = makeApp(lesson), { ui } = app;
  const obeyAddress = () => {
    const { settings, appearance } = readAddress(lesson);
    if (LANGUAGES.includes(appearance.lang)) ui.lang = appearance.lang;
    if (THEMES.includes(appearance.theme)) ui.theme = appearance.theme;
    if (BOX_NAMES.includes(appearance.box)) ui.box = appearance.box;
    lesson.set({ ...ownSettings(lesson.data), silenced: [], frozen: [], ...settings });
  };
  obeyAddress();
  speakIn(ui.lang);
  app.views = [
    [makeFrame(app), "frame"],
    [makeTransport(app), "transport"],
    [makeDiagram(app), "network"],
    [makeMatrix(app), "network"],
    [makeUnits(app), "units"],
    [makeCurves(app), "curves"],
    [makePictures(app), "pictures"],
    [makeChosen(app), "chosen"],
    [makeSetup(app), "setup"],
  ];
  makePhoto(app);
  addEventListener("hashchange", () => { obeyAddress(); app.draw(); });
  obeyKeys(app);
  app.draw();
  app.watch();
  announce(lesson);
  // For lessons and tests. state(): iteration, settings, train and test (cost, costs, right, accuracy,
  // probabilities), b1, W2, b2, rises, snapshots. step(n) takes n steps, set(settings) changes some of
  // learning_rate, weight_scale, hidden_units, activation, start, seed, scale, silenced and frozen (lists
  // of units from 0), and reset() begins anew; each returns the state. What is no setting, or out of
  // its range, is a RangeError.
  window.jaxnet = {
    state: () => ({ ...lesson.state(), playing: ui.playing, frames: app.frames }),
    step: (n = 1) => { app.step(n); return window.jaxnet.state(); },
    set: (settings) => { lesson.set(settings); app.set({}); return window.jaxnet.state(); },
    reset: () => { app.reset(); return window.jaxnet.state(); },
  };
  document.documentElement.dataset.ready = "";
}

open();
