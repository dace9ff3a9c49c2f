// The state of the page in its address, after the #: only what differs from the run's own page.
//
// Besides settings and appearance: t, the iteration; picture, the chosen one as SPLIT-NUMBER; and steps, what
// the steps were taken with if that changed: FROM*α*SILENCED*FROZEN, units with dots between them, joined by _.
// And lesson: the name of an open lesson, or the lesson itself; beside it the state to which it goes back.

import { isSteady } from "./descent.js";
import { ownSettings } from "./settings.js";

const UI = ["lang", "theme", "box", "diagram", "lessons", "slow", "unit"];
const LISTS = ["silenced", "frozen"];
const FARTHEST = 1e7;

/** Write settings, appearance, iteration and chosen picture into the address. */
export function writeAddress(descent, ui) {
  const { data } = descent;
  const own = ownSettings(data);
  const parts = new URLSearchParams();
  const { kept } = ui.lesson ?? {};
  const at = kept?.held.copy ?? descent;
  const shown = { ...ui, ...kept?.ui };
  for (const [name, value] of Object.entries(at.settings)) {
    if (String(value) !== String(own[name])) parts.set(name, String(value));
  }
  for (const name of UI) if (shown[name] !== ui.first[name]) parts.set(name, shown[name]);
  if (at.t) parts.set("t", at.t);
  if (at.t && !isSteady(at)) parts.set("steps", at.used.map(writeSteps).join("_"));
  if (ui.lesson) parts.set("lesson", ui.lesson.address);
  const { split, at: place } = shown.picture;
  if (split !== "photo" && (split !== ui.first.picture.split || place !== ui.first.picture.at))
    parts.set("picture", `${split}-${data.splits[split].places[place]}`);
  if (location.hash.slice(1) === parts.toString()) return;
  // In a frame of a notebook, the base of relative addresses is the notebook, not the page.
  history.replaceState(null, "", `${location.href.split("#")[0]}#${parts}`);
}

function writeSteps({ from, settings }) {
  const [rate, silenced, frozen] = JSON.parse(settings);
  return [from, rate, silenced.join("."), frozen.join(".")].join("*").replace(/\*+$/, "");
}

/** Read the state from the address; invalid values are ignored. */
export function readAddress(descent) {
  const settings = {};
  const appearance = {};
  const place = {};
  for (const [name, text] of new URLSearchParams(location.hash.slice(1))) {
    if (UI.includes(name)) appearance[name] = text;
    else if (["t", "steps", "picture", "lesson"].includes(name)) place[name] = text;
    else if (LISTS.includes(name)) settings[name] = text ? text.split(",").map(Number) : [];
    else if (["activation", "start", "pixel_scale", "labels"].includes(name) || text === "he") settings[name] = text;
    else settings[name] = text === "" ? NaN : Number(text);
  }
  const valid = Object.entries(settings).filter(([name, value]) => descent.allows({ [name]: value }));
  return {
    settings: Object.fromEntries(valid),
    appearance,
    lesson: place.lesson,
    picture: readPicture(place.picture, descent.data),
    ...readPath(place, descent),
  };
}

/** Read the iteration, and with which live settings it is reached from 0 on. */
function readPath({ t, steps = "" }, descent) {
  const last = Number(t);
  if (!(Number.isInteger(last) && last > 0 && last <= FARTHEST)) return { t: 0, steps: [] };
  const units = (text) => (text ? text.split(".").map(Number) : []);
  const read = steps.split("_").map((part) => {
    const [from, rate, silenced, frozen] = part.split("*");
    const live = { learning_rate: Number(rate), silenced: units(silenced), frozen: units(frozen) };
    return { from: Number(from), live };
  });
  const isValid = read.every(
    ({ from, live }, at) =>
      Number.isInteger(from) &&
      (at ? from > read[at - 1].from : from === 0) &&
      from < last &&
      descent.allows(live),
  );
  return { t: last, steps: steps && isValid ? read : [] };
}

/** Read the chosen picture; null if it does not exist. */
export function readPicture(text = "", { splits }) {
  const [split, number] = text.split("-");
  const at = Object.hasOwn(splits, split) && number ? splits[split].places.indexOf(Number(number)) : -1;
  return at < 0 ? null : { split, at };
}
