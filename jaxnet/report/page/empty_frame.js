// The frame of a page that is still empty: its language, and what its address keeps.

import { LANGUAGES, say, setLanguage } from "./strings.js";
import { byId, make, mark, translate } from "./dom.js";
import { readTheme } from "./colors.js";

const OF_APPEARANCE = ["lang", "theme"];

/** Leave the language and the theme only in the address: the rest is of pictures that are no longer here. */
export function keepAppearance() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const kept = new URLSearchParams([...parts].filter(([name]) => OF_APPEARANCE.includes(name)));
  history.replaceState(null, "", `${location.href.split("#")[0]}#${kept}`);
}

/** Show the empty page in its language, with the button that changes it; `draw` writes what is not fixed. */
export function openFrame(draw) {
  const parts = new URLSearchParams(location.hash.slice(1));
  const usual = navigator.language.startsWith("zh") ? "zh" : "en";
  let lang = LANGUAGES.includes(parts.get("lang")) ? parts.get("lang") : usual;
  const show = () => {
    setLanguage(lang);
    mark(document.documentElement, "lang", lang === "zh" ? "zh-Hans" : "en");
    mark(document.documentElement, "data-theme", parts.get("theme") ?? "auto");
    readTheme();
    translate(document.body);
    byId("holds").textContent = say("holdsNothing");
    draw();
  };
  const change = () => {
    lang = LANGUAGES[1 - LANGUAGES.indexOf(lang)];
    parts.set("lang", lang);
    history.replaceState(null, "", `${location.href.split("#")[0]}#${parts}`);
    show();
  };
  byId("appearance").append(make("button", { type: "button", say: "language", label: "languageLabel", onclick: change }));
  show();
}
