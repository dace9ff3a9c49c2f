// The page: one lesson, its views, the keys, and window.jaxnet.

import { BOX_NAMES, makeDiagram } from "./diagram.js";
import { LANGUAGES, speakIn } from "./strings.js";
import { Lesson } from "./lesson.js";
import { THEMES, makeFrame } from "./frame.js";
import { announce, makeApp } from "./play.js";
import { byId } from "./dom.js";
import { makeChosen } from "./chosen.js";
import { makeCurves } from "./curves.js";
import { makeMatrix } from "./matrix.js";
import { makePhoto } from "./photo.js";
import { makePictures } from "./pictures.js";
import { makeSetup } from "./setup.js";
import { makeTransport } from "./transport.js";
import { makeUnits } from "./units.js";
import { ownSettings } from "./settings.js";
import { readAddress } from "./address.js";
import { readData } from "./data.js";

/** Obey the keys, unless the element that has the focus needs them itself. */
function obeyKeys(app) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    const typing = target.matches("input:not([type=range]), select");
    const pressing = target.matches("button");
    const sliding = target.matches("[type=range]") && key.startsWith("Arrow");
    const rate = app.lesson.settings.learning_rate;
    const turn = (by) => app.set({ learning_rate: Number((rate * by).toPrecision(3)) });
    const act = {
      " ": () => app.toggle(),
      ArrowRight: () => app.step(event.shiftKey ? 10 : 1),
      ArrowLeft: () => app.back(),
      ArrowUp: () => turn(10 ** 0.05),
      ArrowDown: () => turn(10 ** -0.05),
      r: () => app.reset(),
      R: () => app.reset(),
    }[key];
    if (!act || typing || sliding || (pressing && key === " ")) return;
    event.preventDefault();
    act();
  });
}

function open() {
  const source = byId("data");
  const lesson = new Lesson(readData(source.textContent));
  source.remove();
  const app = makeApp(lesson);
  const { ui } = app;
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
    [makePhoto(app), "pictures"],
    [makeChosen(app), "chosen"],
    [makeSetup(app), "setup"],
  ];
  addEventListener("hashchange", () => {
    obeyAddress();
    app.draw();
  });
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
    step: (n = 1) => {
      if (!(Number.isInteger(n) && n > 0)) throw new RangeError(`${n} is no number of steps, 1 or more`);
      app.step(n);
      return window.jaxnet.state();
    },
    set: (settings) => {
      lesson.set(settings);
      app.set({});
      return window.jaxnet.state();
    },
    reset: () => {
      app.reset();
      return window.jaxnet.state();
    },
  };
  document.documentElement.dataset.ready = "";
}

open();
