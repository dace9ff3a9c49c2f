// Every picture with its probability, of one split at a time.

import { byId, make, mark } from "./dom.js";
import { answerOf } from "./picture.js";
import { losses } from "./engine.js";
import { paintPicture } from "./colors.js";
import { percent, say } from "./strings.js";

// While it plays, the pictures are sorted again after this time (ms), slowly enough to follow.
const SORT_EVERY = 1500;

// While it plays, the strips below the pictures are drawn again after this time (ms).
const DRAW_EVERY = 200;

/** Keep the canvases of pictures that are scrolled out of their list from being painted with each frame. */
function hideUnseen(list, thumbs) {
  const watcher = new IntersectionObserver(
    (changes) => {
      for (const { target, isIntersecting } of changes) {
        mark(target.firstChild, "class", isIntersecting ? "seen" : "unseen");
      }
    },
    { root: list, rootMargin: "60px" },
  );
  for (const { button } of thumbs) watcher.observe(button);
}

/** Make the list of pictures. */
export function makePictures(app) {
  const { data } = app.descent;
  const tabs = data.names.map((name) =>
    make("button", { type: "button", say: name, onclick: () => app.choose({ shown: name }) }),
  );
  const order = make(
    "select",
    { label: "sorting", onchange: () => app.choose({ byLoss: order.value === "loss" }) },
    make("option", { value: "loss", say: "sortLoss" }),
    make("option", { value: "number", say: "sortNumber" }),
  );
  const list = make("div", { class: "thumbs" });
  byId("pictures").append(make("div", { class: "buttons" }, ...tabs, order), list);
  list.addEventListener("keydown", (event) => moveFocus(event, [...list.children]));
  const thumbs = Object.fromEntries(
    data.names.map((name) => [
      name,
      Array.from({ length: data.splits[name].m }, (_, at) => thumbOf(app, name, at)),
    ]),
  );
  list.style.setProperty("--aspect", data.width / data.height);
  hideUnseen(list, Object.values(thumbs).flat());
  let shown = "";
  let sortedAt = 0;
  let drawnAt = 0;
  let sorted = "";

  return () => {
    const { descent, ui } = app;
    const now = performance.now();
    if (ui.playing && now - drawnAt < DRAW_EVERY) return;
    drawnAt = now;
    const name = ui.shown;
    const { Y } = data.splits[name];
    const { A2, Z2 } = descent.stages[name];
    tabs.forEach((tab, at) => mark(tab, "aria-pressed", data.names[at] === name));
    order.value = ui.byLoss ? "loss" : "number";
    if (shown !== name || sorted !== String(ui.byLoss) || !ui.playing || now - sortedAt > SORT_EVERY) {
      const wanted = orderOf(losses(Z2, Y), ui.byLoss).map((at) => thumbs[name][at].button);
      if (wanted.some((button, at) => list.children[at] !== button) || shown !== name)
        list.replaceChildren(...wanted);
      [shown, sorted, sortedAt] = [name, String(ui.byLoss), now];
    }
    thumbs[name].forEach(({ button, bar }, at) => {
      const share = A2[at].toFixed(2);
      if (bar.dataset.share !== share) {
        bar.dataset.share = share;
        bar.style.setProperty("--share", share);
      }
      const answer = answerOf(descent, A2[at], Y[at]);
      mark(button, "class", answer === "wrong" ? "thumb wrong" : "thumb");
      bar.hidden = answer === "noAnswer";
      const chosen = ui.picture.split === name && ui.picture.at === at;
      mark(button, "aria-pressed", chosen);
      // One tab stop; the arrow keys move between the pictures.
      mark(button, "tabindex", chosen || (at === 0 && ui.picture.split !== name) ? 0 : -1);
      if (!ui.playing) mark(button, "aria-label", describePicture(data, name, at, A2[at], answer));
    });
  };
}

/** Order the pictures by their losses, the largest first, or by their numbers. */
function orderOf(loss, byLoss) {
  const places = [...loss.keys()];
  return byLoss ? places.sort((i, j) => loss[j] - loss[i]) : places;
}

/** Move the focus to the next picture with the arrow keys. */
function moveFocus(event, buttons) {
  const next = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!next) return;
  event.preventDefault();
  event.stopPropagation();
  buttons[buttons.indexOf(event.target) + next]?.focus();
}

/** Name a picture with its probability for a screen reader. */
function describePicture(data, split, at, p, answer) {
  const { places, Y } = data.splits[split];
  return say("pictureLabel", {
    split: say(split),
    n: places[at],
    label: data.classes[Y[at]],
    p: percent(answer === "noAnswer" ? NaN : p),
    answer: say(answer),
  });
}

function thumbOf(app, split, at) {
  const { data } = app.descent;
  const { pixels, places } = data.splits[split];
  const bar = make("span", { class: "bar" });
  const picture = pixels ? make("canvas", {}) : make("span", { class: "number" }, String(places[at]));
  if (pixels) paintPicture(picture, pixels.subarray(at * data.n_x, (at + 1) * data.n_x), data);
  const button = make(
    "button",
    { type: "button", class: "thumb", onclick: () => app.choose({ picture: { split, at } }) },
    picture,
    bar,
  );
  return { button, bar };
}
