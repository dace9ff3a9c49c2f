// Making elements. Text is only ever inserted as text, so that no name can become markup.

import { say } from "./strings.js";

const SVG = "http://www.w3.org/2000/svg";
const MATH = "http://www.w3.org/1998/Math/MathML";

/** Make an element: attributes, "on…" listeners, `say` and `label` as keys of strings, children. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Make an SVG element. */
export function makeSvg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Make a MathML element. */
export function makeMath(tag, ...children) {
  return fill(document.createElementNS(MATH, tag), {}, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "say") element.dataset.say = value;
    else if (name === "label") element.dataset.label = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Return the element with an id. */
export const byId = (id) => document.getElementById(id);

let session = new AbortController();

/** Listen to an event, of the window or of what outlives the views, until the session ends. */
export function listen(target, type, act, capture = false) {
  target.addEventListener(type, act, { capture, signal: session.signal });
}

/** Call a function when the session ends. */
export function onEnd(act) {
  session.signal.addEventListener("abort", act);
}

/** End the session: the page is about to be made anew, with other pictures. */
export function endSession() {
  session.abort();
  session = new AbortController();
}

/** Set the text of an element if it differs, which saves the browser a new layout. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set an attribute if it differs. */
export function mark(element, name, value) {
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Set every fixed text in the chosen language. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-say]")) write(element, say(element.dataset.say));
  for (const element of root.querySelectorAll("[data-label]"))
    mark(element, "aria-label", say(element.dataset.label));
}

/** Make the options of a select element, with the texts `prefix.value`. */
export function choices(prefix, values) {
  return values.map((value) => make("option", { value, say: `${prefix}.${value}` }));
}

/** Write a matrix as the article does: a letter with its layer as an index, Z₁. */
export function symbol(name) {
  const [, letters, layer] = /^(\D+)(\d?)$/.exec(name);
  return make("span", { class: "symbol" }, letters, ...(layer ? [make("sub", {}, layer)] : []));
}
