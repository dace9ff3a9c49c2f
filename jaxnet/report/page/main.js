// The page: one descent, its views, the keys, and window.jaxnet.

import { BOX_NAMES, makeDiagram } from "./diagram.js";
import { LANGUAGES, setLanguage } from "./strings.js";
import { Descent } from "./descent.js";
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

/** Handle the keys, unless the focused element needs them itself. */
function handleKeys(app) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    const typing = target.matches("input:not([type=range]), select");
    const pressing = target.matches("button");
    const sliding = target.matches("[type=range]") && key.startsWith("Arrow");
    const rate = app.descent.settings.learning_rate;
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
  const descent = new Descent(readData(source.textContent));
  source.remove();
  const app = makeApp(descent);
  const { ui } = app;
  const applyAddress = () => {
    const { settings, appearance } = readAddress(descent);
    if (LANGUAGES.includes(appearance.lang)) ui.lang = appearance.lang;
    if (THEMES.includes(appearance.theme)) ui.theme = appearance.theme;
    if (BOX_NAMES.includes(appearance.box)) ui.box = appearance.box;
    descent.set({ ...ownSettings(descent.data), ...settings });
  };
  applyAddress();
  setLanguage(ui.lang);
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
    applyAddress();
    app.draw();
  });
  handleKeys(app);
  app.draw();
  app.watch();
  announce(descent);
  // For scripts and tests. state() returns iteration, outcome, settings, train and test (cost, costs,
  // correct, accuracy, probabilities), b1, W2, b2, rises, snapshots. step(n) takes n steps, set(settings)
  // changes some of learning_rate, weight_scale, hidden_units, activation, start, seed, pixel_scale,
  // silenced and frozen (lists of units from 0), and reset() goes back to the initial weights; each
  // returns the state. An unknown name or an invalid value is a RangeError.
  window.jaxnet = {
    state: () => ({ ...descent.state(), playing: ui.playing, frames: app.frames }),
    step: (n = 1) => {
      if (!(Number.isInteger(n) && n > 0)) throw new RangeError(`${n} is not a number of steps, 1 or more`);
      app.step(n);
      return window.jaxnet.state();
    },
    set: (settings) => {
      descent.set(settings);
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
