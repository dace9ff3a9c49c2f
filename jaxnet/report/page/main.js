// The page: one descent, its views, the keys, and window.jaxnet.

import { BOX_NAMES, makeDiagram } from "./diagram.js";
import { LANGUAGES, setLanguage } from "./strings.js";
import { Descent } from "./descent.js";
import { handleKeys } from "./keys.js";
import { THEMES, makeFrame } from "./frame.js";
import { announce, makeApp } from "./play.js";
import { byId } from "./dom.js";
import { exposeApp } from "./console.js";
import { makeChosen } from "./chosen.js";
import { makeCurves } from "./curves.js";
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

function open() {
  const source = byId("data");
  const descent = new Descent(readData(source.textContent));
  const lessons = byId("lessonFile");
  for (const read of [source, lessons]) read.remove();
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
    [makeLessons(app, lessons.textContent), "lessons"],
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
  );
  addEventListener("hashchange", () => applyAddress(app.set)());
  handleKeys(app);
  app.draw();
  app.watch();
  announce(app);
  exposeApp(app);
  replay();
  document.documentElement.dataset.ready = "";
}

// In a worker, which runs this very script, there is no page.
if (typeof document === "undefined") serve(globalThis);
else open();
