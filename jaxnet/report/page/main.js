// The page: one descent, its views, the keys, and window.jaxnet.

import { keepAppearance, openFrame } from "./empty_frame.js";
import { BOX_NAMES, makeDiagram } from "./diagram.js";
import { LANGUAGES, setLanguage } from "./strings.js";
import { Descent } from "./descent.js";
import { handleKeys } from "./keys.js";
import { THEMES, makeFrame } from "./frame.js";
import { announce, makeApp } from "./play.js";
import { byId, endSession, listen, write } from "./dom.js";
import { exposeApp } from "./console.js";
import { makeBegin } from "./begin.js";
import { makeChosen } from "./chosen.js";
import { makeCurves } from "./curves.js";
import { makeData } from "./made.js";
import { makeHelp } from "./help.js";
import { makeLessonBar, makeLessons } from "./lessons.js";
import { makeMatrix } from "./matrix.js";
import { makePhoto } from "./photo.js";
import { makePictures } from "./pictures.js";
import { makeRates } from "./rates.js";
import { makeSetup } from "./setup.js";
import { makeSheet } from "./sheet.js";
import { makeSlowMotion } from "./slow.js";
import { makeTransport } from "./transport.js";
import { makeUnits } from "./units.js";
import { makeWay } from "./way.js";
import { ownSettings } from "./settings.js";
import { readAddress } from "./address.js";
import { readData } from "./data.js";
import { serve } from "./trainer.js";

/** Make the page of data; `lessons` is the text of the lesson file, `more` are further views. */
function openPage(data, lessons, more = []) {
  const descent = new Descent(data);
  const app = makeApp(descent);
  const { ui } = app;
  const applyAddress = (set) => {
    const { settings, appearance, lesson, picture, t, steps } = readAddress(descent);
    if (LANGUAGES.includes(appearance.lang)) ui.lang = appearance.lang;
    if (THEMES.includes(appearance.theme)) ui.theme = appearance.theme;
    if (BOX_NAMES.includes(appearance.box)) ui.box = appearance.box;
    ui.lessons = appearance.lessons === "true";
    ui.diagram = appearance.diagram === "true" || "box" in appearance;
    ui.slow = appearance.slow === "true";
    ui.unit = Math.max(0, Math.floor(Number(appearance.unit))) || 0;
    if (picture) Object.assign(ui, { picture, shown: picture.split });
    set({ ...ownSettings(descent.data), ...settings });
    return async () => {
      if (t !== descent.t) await app.replay(steps, t);
      app.openLesson(lesson);
    };
  };
  const replay = applyAddress((settings) => descent.set(settings));
  setLanguage(ui.lang);
  app.views.push(
    [makeFrame(app), "frame"],
    [makeTransport(app), "transport"],
    [makeLessons(app, lessons), "lessons"],
    [makeLessonBar(app), "lesson"],
    [makeWay(app), "way"],
    [makeDiagram(app), "network"],
    [makeMatrix(app), "network"],
    [makeSlowMotion(app), "network"],
    [makeUnits(app), "units"],
    [makeCurves(app), "curves"],
    [makeRates(app), "curves"],
    [makePictures(app), "pictures"],
    [makePhoto(app), "pictures"],
    [makeChosen(app), "chosen"],
    [makeSetup(app), "setup"],
    [makeSheet(app), "setup"],
    [makeHelp(app), "help"],
    ...more,
  );
  listen(window, "hashchange", () => applyAddress(app.set)());
  handleKeys(app);
  app.draw();
  app.watch();
  announce(app);
  exposeApp(app);
  replay();
  return app;
}

/** Open the page: of a run, or empty. */
function open() {
  const sources = [byId("data"), byId("lessonFile")];
  const [data, lessons] = sources.map((source) => source.textContent);
  for (const source of sources) source.remove();
  const read = readData(data);
  if (read.nothing) openEmpty(read, lessons);
  else openPage(read, lessons);
  document.documentElement.dataset.ready = "";
}

/** Return the settings of a new training: those of the one before it, or the defaults. */
function presentSettings(descent, { settings, pixel_scale }) {
  if (!descent) return { settings, pixel_scale };
  const names = Object.keys(descent.settings).filter((name) => name in settings);
  const present = Object.fromEntries(names.map((name) => [name, descent.settings[name]]));
  return { settings: { ...settings, ...present }, pixel_scale: descent.settings.pixel_scale };
}

/** Open an empty page, on which each training makes all sections but the first one anew. */
function openEmpty(empty, lessons) {
  const rest = () => [...document.querySelectorAll("#appearance, main > :not(#begin)")];
  const fresh = rest().map((element) => element.cloneNode(true));
  const renew = (data) => {
    if (begin.app?.ui.playing) begin.app.pause();
    endSession();
    rest().forEach((element, at) => element.replaceWith(fresh[at].cloneNode(true)));
    delete document.body.dataset.empty;
    keepAppearance();
    begin.app = openPage(data, lessons, [[begin.draw, "begin"]]);
    return begin.app;
  };
  const begin = makeBegin(empty, {
    train: (pictures, classes) => {
      renew(makeData(empty, pictures, { classes, ...presentSettings(begin.app?.descent, empty) }));
    },
    openRun: ({ pictures, run, point }) => {
      renew(makeData(empty, pictures, run)).descent.goOn(point);
      begin.app.draw();
    },
  });
  document.body.dataset.empty = "";
  byId("begin").hidden = false;
  write(byId("subtitle"), "");
  openFrame(begin.draw);
}

// In a worker, which runs this very script, there is no page.
if (typeof document === "undefined") serve(globalThis);
else open();
