// Title, notes, language and theme.

import { LANGUAGES, say, setLanguage } from "./strings.js";
import { byId, listen, make, mark, translate, write } from "./dom.js";
import { readTheme } from "./colors.js";

export const THEMES = ["auto", "light", "dark"];

/** Make title, notes, and the choice of language and theme. */
export function makeFrame(app) {
  const { data } = app.descent;
  const { ui } = app;
  const language = make("button", {
    type: "button",
    say: "language",
    label: "languageLabel",
    onclick: () => {
      app.choose({ lang: LANGUAGES[1 - LANGUAGES.indexOf(ui.lang)] });
    },
  });
  const theme = make("button", {
    type: "button",
    onclick: () => app.choose({ theme: THEMES[(THEMES.indexOf(ui.theme) + 1) % THEMES.length] }),
  });
  byId("appearance").append(language, theme);
  const pictures = Object.values(data.splits).reduce((sum, { m }) => sum + m, 0);
  const of = Object.values(data.splits).reduce((sum, split) => sum + split.of, 0);
  listen(matchMedia("(prefers-color-scheme: dark)"), "change", () => {
    readTheme();
    app.draw();
  });
  if (data.fullClasses.some((name, at) => name !== data.classes[at]))
    byId("subtitle").title = data.fullClasses.join(" / ");
  let shown = "";
  return () => {
    const [no, yes] = data.classes;
    write(byId("subtitle"), say("subtitle", { units: app.descent.n_h, yes, no }));
    if (shown === ui.lang + ui.theme) return;
    shown = ui.lang + ui.theme;
    mark(document.documentElement, "lang", ui.lang === "zh" ? "zh-Hans" : "en");
    mark(document.documentElement, "data-theme", ui.theme);
    readTheme();
    translate(document.body);
    document.title = `${say("title")} – ${data.settings.data ?? data.source}`;
    write(theme, `${say("theme")}${say("colon")}${say(`theme.${ui.theme}`)}`);
    write(
      byId("notes"),
      [
        describeSource(data, ui.lang, pictures),
        data.same_data ? "" : say("otherData"),
        pictures < of ? say("sample", { m: pictures, of }) : "",
        otherRule(data.settings),
        data.ensemble ? say("ensemble", { n: data.ensemble }) : "",
      ]
        .filter(Boolean)
        .join(" · "),
    );
    write(byId("holds"), say(data.pictures ? "holds" : "holdsNot", { m: pictures }));
  };
}

/** Describe the pictures. The run's own description is English; in Chinese their name and number are shown. */
function describeSource({ settings, source, nothing }, lang, m) {
  if (nothing) return say("madeHere", { m });
  if (lang === "en") return source;
  return settings.data ? say("holdsSource", { name: settings.data, m }) : "";
}

/** Name the update rule of the run if it is not plain gradient descent. */
function otherRule({ optimizer, momentum, nesterov, batch, mirrored, shift }) {
  const rules = [];
  if (optimizer === "adam") rules.push("Adam");
  if (momentum) rules.push(`momentum ${momentum}${nesterov ? " (Nesterov)" : ""}`);
  if (batch) rules.push(say("miniBatches", { batch }));
  if (mirrored) rules.push(say("mirrored"));
  if (shift) rules.push(say("shifted", { shift }));
  if (rules.length) return say("otherRule", { rule: rules.join(", ") });
  return "";
}
