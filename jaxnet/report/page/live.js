// The camera's controls on a page that began empty: a burst of pictures for a class, and the live picture.

import { make, mark, write } from "./dom.js";
import { makeCamera, whyNoCamera } from "./camera.js";
import { networkInput } from "./input.js";
import { percent, say } from "./strings.js";

const BURST_EVERY = 120; // ms between the pictures of a burst
const LIVE_EVERY = 100; // ms between live pictures

/** Make the controls: open the camera, and hold a button to take pictures of a class. */
export function makeCameraControls(empty, state, act) {
  const camera = makeCamera();
  const reason = make("p", { class: "note", role: "alert" });
  let why = whyNoCamera();
  const toggle = make("button", {
    type: "button",
    onclick: async () => {
      if (camera.isOpen) camera.close();
      else why = await camera.open();
      act.draw();
    },
  });
  const bursts = [0, 1].map((label) => makeBurst(camera, empty, state, act, label));
  const live = make("b", {});
  const buttons = make("div", { class: "buttons" }, toggle, ...bursts);
  const element = make("div", { class: "heap camera" }, buttons, camera.element, live, reason);
  const draw = () => {
    write(toggle, say(camera.isOpen ? "camera.close" : "camera.open"));
    mark(camera.element, "aria-label", say("camera.picture"));
    bursts.forEach((button, label) => {
      button.hidden = !camera.isOpen;
      write(button, say("camera.hold", { name: state.heaps[label].name.trim() || "AB"[label] }));
    });
    write(reason, why ? say(why) : camera.isOpen ? say("camera.note") : "");
  };
  return { element, camera, live, draw };
}

/** Make the button of a class that takes pictures while it is held, by mouse, finger or Space. */
function makeBurst(camera, empty, state, act, label) {
  let timer = 0;
  const take = (burst) => {
    const colors = act.room() > 0 ? camera.take(empty) : null;
    if (colors) act.put(label, [{ colors, burst }]);
    act.draw();
  };
  const begin = () => {
    if (timer || !camera.isOpen) return;
    const burst = performance.now();
    state.bursting = true;
    take(burst);
    timer = setInterval(() => take(burst), BURST_EVERY);
  };
  const end = () => {
    if (!timer) return;
    clearInterval(timer);
    [timer, state.bursting] = [0, false];
    if (act.room() <= 0) act.tell(["begin.full", { most: state.most }]);
    else act.draw();
  };
  const button = make("button", { type: "button", onpointerdown: begin, hidden: true });
  for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, end);
  const isKey = ({ key }) => key === " " || key === "Enter";
  button.addEventListener("keydown", (event) => {
    if (!isKey(event)) return;
    event.preventDefault();
    event.stopPropagation(); // Space would play
    begin();
  });
  button.addEventListener("keyup", end);
  return button;
}

/** Pass what the camera sees through the network, once there is one: as a photo, which every view shows. */
export function addLive(empty, begin, { camera, live }) {
  setInterval(() => {
    const { app, state } = begin;
    if (!camera.isOpen) write(live, "");
    if (!app || !camera.isOpen || state.bursting || document.hidden) return;
    const colors = camera.take(empty);
    if (!colors) return;
    app.descent.setPhoto(networkInput(colors, empty.color), colors);
    app.ui.picture = { split: "photo", at: 0 };
    const { stages, finite, data } = app.descent;
    write(live, say("says", { yes: data.classes[1], p: percent(finite ? stages.photo.A2[0] : NaN) }));
    if (!app.ui.playing) app.draw();
  }, LIVE_EVERY);
}
