// The keys of the page.

import { listen } from "./dom.js";

// Elements of which a mouse click has had its effect: after it, Space plays instead of repeating the click.
const PRESSED = "button, summary, select, input[type=checkbox]";

/** Handle the keys, unless the focused element needs them itself. */
export function handleKeys(app) {
  let pointed = false;
  listen(window, "pointerdown", () => (pointed = true), true);
  listen(window, "keydown", (event) => {
    if (event.key === "Tab") pointed = false;
    const act = actionOf(app, event, pointed);
    if (!act) return;
    event.preventDefault();
    act();
  });
  listen(window, "keyup", (event) => {
    // Firefox presses a button when Space is released.
    if (event.key === " " && pointed && event.target.matches(PRESSED)) event.preventDefault();
  });
}

/** Return what a key does; undefined if the focused element uses it. */
function actionOf(app, { target, key, shiftKey, ctrlKey, metaKey, altKey }, pointed) {
  const typing = target.matches("input:not([type=range], [type=checkbox])");
  if (typing || altKey) return undefined;
  if (ctrlKey || metaKey) {
    return { z: () => (shiftKey ? app.redo() : app.undo()), Z: app.redo, y: app.redo }[key];
  }
  if (key === " ") return target.matches(PRESSED) && !pointed ? undefined : app.toggle;
  if (target.matches("select, [type=checkbox]")) return undefined;
  if (target.matches("[type=range]") && key.startsWith("Arrow")) return undefined;
  const moment = {
    ArrowRight: shiftKey ? undefined : app.nextMoment,
    ArrowLeft: app.lastMoment,
    Escape: app.slowMotion,
  }[key];
  if (app.ui.slow && moment) return moment;
  const rate = app.descent.settings.learning_rate;
  const turn = (by) => () => app.set({ learning_rate: Number((rate * by).toPrecision(3)) });
  return {
    ArrowRight: () => app.step(shiftKey ? 10 : 1),
    ArrowLeft: app.back,
    "+": turn(10 ** 0.05),
    "-": turn(10 ** -0.05),
    s: app.slowMotion,
    S: app.slowMotion,
    r: app.reset,
    R: app.reset,
  }[key];
}
