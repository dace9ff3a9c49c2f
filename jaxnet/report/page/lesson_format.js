// The format of a lesson "predict, then try", and what is wrong with one; docs/lessons.md describes it.
//
// A fault is the key of a text with its values, so that it can be told in either language.

import { MEASURES, OUTCOMES } from "./measures.js";
import { LANGUAGES, holesOf } from "./strings.js";
import { SPEEDS, isAllowed, ownSettings } from "./settings.js";
import { readPicture } from "./address.js";

export const VIEWS = ["way", "curves", "pictures", "setup", "chosen", "units", "network"];
export const LARGEST_VOTE = "largest vote";

const PARTS = ["id", "title", "text", "set", "train", "ask", "answers", "then", "run", "measure", "look"];
const NEEDED = ["title", "ask", "answers", "measure", "look"];
const LENGTHS = { id: 40, title: 80, text: 600, ask: 300, answer: 160, because: 600 }; // of texts, in letters
const LONGEST_FILE = 200_000; // letters of a file
const LIMITS = { lessons: 40, answers: 6, steps: 20_000 };
const TIMES = ["learning_rate", "weight_scale"]; // may be told as a multiple of the run's own

// The holes of texts: those that are known from the beginning, and those that the answer has, too.
const KNOWN = ["yes", "no", "units", "rate", "steps"];
const ANSWERED = [...KNOWN, "value", "first", "last", "train", "test", "rises"];

/** Read a file of one lesson, or of a list of them: those that are valid, and the faults of the others. */
export function readLessons(text, data, boxes) {
  const faults = [];
  if (text.length > LONGEST_FILE) return { lessons: [], faults: [["fault.file", { n: LONGEST_FILE }]] };
  let read;
  try {
    read = JSON.parse(text);
  } catch (error) {
    return { lessons: [], faults: [["fault.json", { message: cut(error.message, 120) }]] };
  }
  const list = Array.isArray(read) ? read : [read];
  if (!list.length || list.length > LIMITS.lessons)
    return { lessons: [], faults: [["fault.count", { n: list.length, most: LIMITS.lessons }]] };
  const lessons = list.filter((lesson, at) => {
    const where = Array.isArray(read) ? `[${at + 1}]` : "";
    const found = faultsOf(lesson, where, data, boxes);
    faults.push(...found);
    return !found.length;
  });
  return { lessons, faults };
}

/** Return the key of the text that says why a valid lesson cannot be tried on this page; null if it can. */
export function whyNot({ measure }, data) {
  const { needs } = MEASURES[measure];
  if (needs === "test" && !data.splits.test) return "needsTest";
  return needs === "pictures" && !data.pictures ? "needsPictures" : null;
}

/** Return the settings that a lesson asks for; `own` are those of the run. */
export function settingsOf(wished = {}, own, unit) {
  const given = Object.entries(wished).filter(([name]) => Object.hasOwn(own, name));
  return Object.fromEntries(given.map(([name, value]) => [name, settingOf(name, value, own, unit)]));
}

function settingOf(name, value, own, unit) {
  if (name === "silenced" && value === LARGEST_VOTE) return [unit];
  if (TIMES.includes(name) && isObject(value)) return Number((own[name] * value.times).toPrecision(3));
  return value;
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** Cut a text to a number of letters. */
export function cut(text, most) {
  const letters = [...text];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}

/** Write what was found in a few letters. */
function shown(value) {
  if (Array.isArray(value)) return `[${value.length}]`;
  if (isObject(value)) return `{${cut(Object.keys(value).join(", "), 40)}}`;
  return typeof value === "string" ? `“${cut(value, 40)}”` : String(value);
}

/** List the faults of a lesson. */
function faultsOf(lesson, where, data, boxes) {
  const faults = [];
  const path = (...parts) => [where, ...parts].filter(Boolean).join(" ") || "JSON";
  const fault = (key, place, values = {}) =>
    faults.push([`fault.${key}`, { where: path(...place), ...values }]);
  const check = { fault, data, boxes };
  if (!checkKeys(check, lesson, [], PARTS, NEEDED)) return faults;
  for (const name of ["title", "text", "ask"])
    if (name in lesson) checkText(check, lesson[name], [name], LENGTHS[name], KNOWN);
  if ("id" in lesson && !(typeof lesson.id === "string" && /^[\w-]{1,40}$/.test(lesson.id)))
    fault("id", ["id"], { found: shown(lesson.id), n: LENGTHS.id });
  for (const name of ["train", "run"]) {
    const steps = lesson[name] ?? 0;
    if (!(Number.isInteger(steps) && steps >= 0 && steps <= LIMITS.steps))
      fault("steps", [name], { found: shown(steps), most: LIMITS.steps });
  }
  checkChoice(check, lesson.measure, ["measure"], Object.keys(MEASURES));
  checkChoice(check, lesson.look, ["look"], VIEWS);
  for (const name of ["set", "then"]) if (name in lesson) checkSet(check, lesson[name], name);
  checkAnswers(check, lesson);
  return faults;
}

/** Check the names of an object's parts; return whether it is one. */
function checkKeys({ fault }, object, place, known, needed) {
  if (!isObject(object)) {
    fault("object", place, { found: shown(object) });
    return false;
  }
  for (const name of Object.keys(object).filter((name) => !known.includes(name)))
    fault("unknown", place, { found: shown(name), known: known.join(", ") });
  for (const name of needed.filter((name) => !Object.hasOwn(object, name))) fault("missing", place, { name });
  return true;
}

function checkChoice({ fault }, value, place, known) {
  if (value !== undefined && !known.includes(value))
    fault("choice", place, { found: shown(value), known: known.join(", ") });
}

/** Check a text: one for all languages, or one for each. */
function checkText(check, value, place, most, holes) {
  const { fault } = check;
  if (isObject(value)) {
    checkKeys(check, value, place, LANGUAGES, []);
    if (!Object.keys(value).length) fault("text", place, { found: shown(value) });
    for (const code of LANGUAGES)
      if (Object.hasOwn(value, code)) checkLetters(check, value[code], [...place, code], most, holes);
  } else checkLetters(check, value, place, most, holes);
}

function checkLetters({ fault }, text, place, most, holes) {
  if (typeof text !== "string" || !text.trim()) {
    if (text !== undefined) fault("text", place, { found: shown(text) });
    return;
  }
  const n = [...text].length;
  if (n > most) fault("long", place, { n, most });
  const other = holesOf(text).find((name) => !holes.includes(name));
  if (other !== undefined) fault("hole", place, { found: `{${cut(other, 40)}}`, known: holes.join(", ") });
}

/** Check settings, and with `set` the state of the page, too. */
function checkSet(check, set, part) {
  const { fault, data, boxes } = check;
  const own = ownSettings(data);
  const page = part === "set" ? ["picture", "box", "speed"] : [];
  if (!checkKeys(check, set, [part], [...Object.keys(own), ...page], [])) return;
  for (const [name, value] of Object.entries(set)) {
    const place = [part, name];
    if (name === "box") checkChoice(check, value, place, boxes);
    else if (name === "speed") checkChoice(check, value, place, SPEEDS);
    else if (name === "picture") {
      const isPicture = typeof value === "string" && readPicture(value, data) !== null;
      if (!isPicture) fault("picture", place, { found: shown(value) });
    } else if (Object.hasOwn(own, name)) {
      const times = TIMES.includes(name) && isObject(value);
      if (times) checkKeys(check, value, place, ["times"], ["times"]);
      if (times && !Object.hasOwn(value, "times")) continue;
      const setting = settingOf(name, value, own, 0);
      if (!isAllowed(name, setting, data))
        fault("setting", place, { found: shown(times ? value.times : value) });
    }
  }
}

/** Check the answers: each but the last one has a condition. */
function checkAnswers(check, { answers, measure }) {
  const { fault } = check;
  if (answers === undefined) return;
  if (!Array.isArray(answers) || answers.length < 2 || answers.length > LIMITS.answers) {
    fault("answers", ["answers"], { found: shown(answers), most: LIMITS.answers });
    return;
  }
  const condition = measure === "outcome" ? "is" : "below";
  let least = -Infinity;
  answers.forEach((answer, at) => {
    const place = [`answers[${at + 1}]`];
    const isLast = at === answers.length - 1;
    if (!checkKeys(check, answer, place, ["text", "because", "below", "is"], ["text"])) return;
    checkText(check, answer.text, [...place, "text"], LENGTHS.answer, KNOWN);
    if ("because" in answer) checkText(check, answer.because, [...place, "because"], LENGTHS.because, ANSWERED);
    const given = ["below", "is"].filter((name) => name in answer);
    if (isLast ? given.length : String(given) !== condition) {
      fault(isLast ? "last" : "condition", place, { condition });
    } else if (!isLast) least = checkCondition(check, answer, place, least);
  });
}

/** Check the condition of an answer; return what the next one must exceed. */
function checkCondition({ fault }, { is, below }, place, least) {
  if (is !== undefined) {
    const isList = Array.isArray(is) && is.length > 0 && is.every((name) => OUTCOMES.includes(name));
    if (!isList) fault("outcomes", [...place, "is"], { found: shown(is), known: OUTCOMES.join(", ") });
  } else if (!Number.isFinite(below)) fault("number", [...place, "below"], { found: shown(below) });
  else if (below <= least) fault("order", [...place, "below"], { found: shown(below) });
  else return below;
  return least;
}
