// Pointing at an iteration of the curves, with the mouse, a finger or the keys.

import { LEFT, RIGHT, WIDTH } from "./charts.js";

/**
 * Let an iteration be pointed at.
 *
 * `endOf` gives the last iteration of the axis. `pointed` is null while none is pointed at; whenever it
 * changes, `redraw` is called.
 */
export function makePointing(app, element, svg, endOf, redraw) {
  const pointing = { pointed: null };
  const point = (t) => {
    pointing.pointed = t;
    redraw();
  };
  const iterationAt = (event) => {
    const box = svg.getBoundingClientRect();
    const share = (((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT);
    return Math.max(0, Math.min(app.descent.t, Math.round(share * endOf())));
  };
  const goThere = (t) => {
    pointing.pointed = null;
    app.goTo(t);
  };
  element.addEventListener("pointermove", (event) => point(iterationAt(event)));
  element.addEventListener("pointerleave", () => point(null));
  element.addEventListener("blur", () => point(null));
  element.addEventListener("click", (event) => goThere(iterationAt(event)));
  element.addEventListener("keydown", (event) => {
    const { t } = app.descent;
    const stride = event.shiftKey ? 10 : 1;
    const from = pointing.pointed ?? t;
    if (event.key === "ArrowLeft") point(Math.max(0, from - stride));
    else if (event.key === "ArrowRight") point(Math.min(t, from + stride));
    else if (event.key === "Enter") goThere(from);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return pointing;
}
