// The state of the page in its address, after the #: only what differs from the run's settings.

import { ownSettings } from "./settings.js";

const UI = ["lang", "theme", "box", "diagram"];

/** Write settings and appearance into the address. */
export function writeAddress(descent, ui) {
  const own = ownSettings(descent.data);
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(descent.settings)) {
    if (String(value) !== String(own[name])) parts.set(name, String(value));
  }
  for (const name of UI) if (ui[name] !== ui.first[name]) parts.set(name, ui[name]);
  if (location.hash.slice(1) !== parts.toString()) history.replaceState(null, "", `#${parts}`);
}

/** Read settings and appearance from the address; invalid values are ignored. */
export function readAddress(descent) {
  const settings = {};
  const appearance = {};
  for (const [name, text] of new URLSearchParams(location.hash.slice(1))) {
    if (UI.includes(name)) appearance[name] = text;
    else if (name === "silenced" || name === "frozen")
      settings[name] = text ? text.split(",").map(Number) : [];
    else if (["activation", "start", "pixel_scale"].includes(name) || text === "he") settings[name] = text;
    else settings[name] = text === "" ? NaN : Number(text);
  }
  const valid = Object.entries(settings).filter(([name, value]) => descent.allows({ [name]: value }));
  return { settings: Object.fromEntries(valid), appearance };
}
