// Pointing at an iteration of the curves, with the mouse, a finger or the keys.

import { LEFT, RIGHT, WIDTH } from "./charts.js";

const AT_END = 0.01; // of the axis: a click that is not farther from the end of the curve means its end

/**
 * Let an iteration be pointed at.
 *
 * `endOf` gives the last iteration of the axis. `pointed` is null while none is pointed at; whenever it
 * changes, `redraw` is called. A click goes back to there; beyond the curve, it plays to there.
 */
export function makePointing(app, element, svgs, endOf, redraw) {
  const pointing = { pointed: null };
  const point = (t) => {
    pointing.pointed = t;
    redraw();
  };
  const iterationAt = (event) => {
    // The chart below the pointer counts: the two may stand side by side.
    const boxes = svgs.map((svg) => svg.getBoundingClientRect());
    const box = boxes.findLast(({ left, top }) => event.clientX >= left && event.clientY >= top) ?? boxes[0];
    const share = (((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT);
    return Math.max(0, Math.min(endOf(), Math.round(share * endOf())));
  };
  const goThere = (t) => {
    pointing.pointed = null;
    app.goTo(t);
  };
  element.addEventListener("pointermove", (event) => point(Math.min(app.descent.t, iterationAt(event))));
  element.addEventListener("pointerleave", () => point(null));
  element.addEventListener("blur", () => point(null));
  element.addEventListener("click", (event) => {
    const t = iterationAt(event);
    if (t - app.descent.t > AT_END * endOf()) app.playTo(t);
    else goThere(Math.min(t, app.descent.t));
  });
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
