// The state of the page in its address, after the #: only what differs from the run's own.

import { ownSettings } from "./settings.js";

const UI = ["lang", "theme", "box"];

/** Write settings and appearance into the address. */
export function writeAddress(lesson, ui) {
  const own = { ...ownSettings(lesson.data), silenced: [], frozen: [] };
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(lesson.settings)) {
    if (String(value) !== String(own[name])) parts.set(name, String(value));
  }
  for (const name of UI) if (ui[name] !== ui.first[name]) parts.set(name, ui[name]);
  if (location.hash.slice(1) !== parts.toString()) history.replaceState(null, "", `#${parts}`);
}

/** Read them back: settings by their types, and what else is known; nonsense is left out. */
export function readAddress(lesson) {
  const settings = {};
  const appearance = {};
  for (const [name, text] of new URLSearchParams(location.hash.slice(1))) {
    if (UI.includes(name)) appearance[name] = text;
    else if (name === "silenced" || name === "frozen")
      settings[name] = text ? text.split(",").map(Number) : [];
    else if (["activation", "start", "scale"].includes(name) || text === "he") settings[name] = text;
    else settings[name] = text === "" ? NaN : Number(text);
  }
  const fine = {};
  for (const [name, value] of Object.entries(settings))
    if (lesson.allows({ [name]: value })) fine[name] = value;
  return { settings: fine, appearance };
}
