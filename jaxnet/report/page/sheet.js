// The state of the page on one printed sheet, with its settings.

import { byId, listen, make } from "./dom.js";
import { commandLine, whyNoCommand } from "./command.js";
import { say } from "./strings.js";

const LONGEST_ADDRESS = 300; // letters; longer ones, of lessons of one's own, nobody copies from paper

/** Make the button that prints one sheet. A browser's own command prints the whole page. */
export function makeSheet(app) {
  const sheet = byId("sheet");
  const { dataset } = document.documentElement;
  const print = () => {
    app.writeAddress();
    const parts = entriesOf(app).map(([name, text, kind = ""]) => [
      make("dt", {}, name),
      make("dd", { class: kind }, text),
    ]);
    sheet.replaceChildren(...parts.flat());
    dataset.sheet = "";
    window.print();
  };
  listen(window, "afterprint", () => delete dataset.sheet);
  byId("setup").append(make("button", { type: "button", say: "printSheet", onclick: print }));
  return () => {};
}

/** List what the sheet tells of the settings, each with its name. */
function entriesOf({ descent }) {
  const { data, settings } = descent;
  const numbers = (units) => units.map((unit) => unit + 1).join(", ");
  const entries = [
    [`α ${say("learningRate")}`, String(settings.learning_rate)],
    [say("hiddenUnits"), String(settings.hidden_units)],
    [say("activation"), say(`activation.${settings.activation}`)],
    [say("start"), say(`start.${settings.start}`)],
    [say("seed"), String(settings.start === "random" ? settings.seed : data.settings.seed)],
    [say("weightScale"), settings.weight_scale === "he" ? say("he") : String(settings.weight_scale)],
    [say("pixelScale"), say(`pixel_scale.${settings.pixel_scale}`)],
    [say("weightDecay"), String(settings.weight_decay)],
    [say("labels"), say(`labels.${settings.labels}`)],
  ];
  if (settings.silenced.length) entries.push([say("silencedUnit"), numbers(settings.silenced)]);
  if (settings.frozen.length) entries.push([say("frozenUnit"), numbers(settings.frozen)]);
  if (whyNoCommand(descent) === null && descent.isPlain)
    entries.push([say("commandName"), commandLine(descent), "whole"]);
  const state = location.hash;
  if (state.length > 1 && state.length < LONGEST_ADDRESS) entries.push([say("addressEnd"), state, "whole"]);
  return entries;
}
