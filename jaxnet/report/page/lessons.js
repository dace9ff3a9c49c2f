// Lessons: their cards, and the bar of the open one.

import { VIEWS, cut, readLessons, whyNot } from "./lesson_format.js";
import { brief, fillHoles, inLanguage, percent, say } from "./strings.js";
import { byId, listen, make, mark, translate, write } from "./dom.js";
import { BOX_NAMES } from "./diagram.js";
import { MEASURES } from "./measures.js";

const MOST_FAULTS = 8; // further ones of a file are not told
const MOST_BYTES = 1e6; // of a file that are read: more than any valid one has

/** Return whether a file that was dropped on the page is one of lessons. */
export const isLessonFile = ({ name, type }) => type === "application/json" || /\.json$/i.test(name);

/** Make the cards of the lessons; `source` is the JSON of those that the page comes with. */
export function makeLessons(app, source) {
  const { descent, ui } = app;
  const opener = make("button", {
    type: "button",
    say: "lessonsButton",
    "aria-controls": "lessons",
    onclick: () => app.choose({ lessons: !ui.lessons }),
  });
  byId("appearance").prepend(opener);
  const shelf = addLists(app, source);
  const cards = make("div", { class: "lessonCards" });
  const told = makeFaults();
  byId("lessons").append(
    make("p", { class: "note", say: "lessonsNote" }),
    cards,
    makeFileOpener(shelf.take),
    told.element,
  );
  let shown = "";
  return () => {
    byId("lessons").hidden = !ui.lessons;
    mark(opener, "aria-expanded", ui.lessons);
    if (!ui.lessons) return;
    const { list, faults } = shelf;
    const texts = list.map(({ lesson }) => cardTexts(descent, lesson));
    const wanted = JSON.stringify(texts);
    if (shown !== wanted)
      cards.replaceChildren(...list.map((entry, at) => makeLessonCard(app, entry, texts[at])));
    shown = wanted;
    told.draw(faults, ui.lang);
  };
}

/** Add to the app what opens a lesson; the list holds those of the page, then those of the latest file. */
function addLists(app, source) {
  const { data } = app.descent;
  const own = readLessons(source, data, BOX_NAMES).lessons.map((lesson) => ({ lesson, address: lesson.id }));
  const shelf = { list: own, faults: [] };
  const canTry = ({ lesson }) => !whyNot(lesson, data);
  const showCards = () => {
    app.choose({ lessons: true });
    byId("lessons").scrollIntoView();
  };

  /** Take the lessons of a file; one alone begins at once. */
  shelf.take = (text) => {
    const { lessons, faults } = readLessons(text, data, BOX_NAMES);
    const taken = lessons.map((lesson) => ({ lesson, address: JSON.stringify(lesson) }));
    Object.assign(shelf, { faults, list: [...own, ...taken] });
    if (taken.length === 1 && !faults.length && canTry(taken[0])) app.beginLesson(taken[0]);
    else showCards();
  };

  /** Open the lesson of an address, by its name or as JSON; without one, end the open lesson. */
  app.openLesson = (text) => {
    const { lesson } = app.ui;
    if (lesson) app.choose({ lesson: null, speed: lesson.kept.ui.speed }); // the address has set another state
    if (text === undefined) return;
    const named = own.find(({ address }) => address === text);
    if (named && canTry(named)) app.beginLesson(named);
    else if (/^\s*[[{]/.test(text)) shelf.take(text);
    else {
      const known = own.map(({ address }) => address).join(", ");
      shelf.faults = named ? [] : [["fault.unnamed", { found: cut(text, 40), known }]];
      showCards();
    }
  };

  /** Return the next lesson that can be tried; undefined if there is none. */
  app.nextLesson = () => {
    const at = shelf.list.findIndex(({ address }) => address === app.ui.lesson.address);
    return [...shelf.list.slice(at + 1), ...shelf.list.slice(0, Math.max(0, at))].find(canTry);
  };
  return shelf;
}

/** Write the texts of a card: title, and question or why the lesson cannot be tried. */
function cardTexts(descent, lesson) {
  const values = holeValues(descent, lesson);
  const reason = whyNot(lesson, descent.data);
  const text = reason ? say(reason) : fillHoles(inLanguage(lesson.ask), values);
  return { title: fillHoles(inLanguage(lesson.title), values), text, disabled: reason !== null };
}

/** Make the card of a lesson. */
function makeLessonCard(app, entry, { title, text, disabled }) {
  return make(
    "button",
    { type: "button", class: "lessonCard", disabled, onclick: () => app.beginLesson(entry) },
    make("strong", {}, title),
    make("span", {}, text),
  );
}

/** Make the button that opens a file of lessons; one may be dropped on the page, too. */
function makeFileOpener(take) {
  const input = make("input", { type: "file", accept: ".json,application/json" });
  const open = async (file) => take(await file.slice(0, MOST_BYTES).text());
  input.addEventListener("change", () => {
    if (input.files[0]) open(input.files[0]);
    input.value = ""; // so that the same file can be opened again once it is mended
  });
  listen(window, "dragover", (event) => event.preventDefault());
  listen(window, "drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer.files[0];
    if (file && isLessonFile(file)) open(file);
  });
  return make("button", { type: "button", class: "file", say: "openLesson", onclick: () => input.click() });
}

/** Make the list of what is wrong with a file of lessons. */
function makeFaults() {
  const head = make("p", { say: "lessonRefused" });
  const lines = make("ul", {});
  const element = make("div", { class: "faults", role: "alert" });
  let shown = [];
  const draw = (faults, lang) => {
    if (shown[0] === faults && shown[1] === lang) return; // or it would be read out again
    shown = [faults, lang];
    const texts = faults.slice(0, MOST_FAULTS).map(([key, values]) => say(key, values));
    if (faults.length > MOST_FAULTS) texts.push("…");
    element.replaceChildren(...(texts.length ? [head, lines] : []));
    lines.replaceChildren(...texts.map((text) => make("li", {}, text)));
    translate(element);
  };
  return { element, draw };
}

/** Collect what the texts of a lesson may show: with `course`, when the answer is told. */
function holeValues({ data, n_h, settings }, lesson, course) {
  const known = {
    no: data.classes[0],
    yes: data.classes[1],
    units: n_h,
    rate: settings.learning_rate,
    steps: lesson.run ?? 0,
  };
  if (!course?.values) return known;
  const { first, last, train, test, rises, steps } = course.values;
  const [value, shares] = [writeValue(lesson.measure, course.value), { train, test }];
  for (const name of Object.keys(shares)) shares[name] = percent(shares[name]);
  return { ...known, ...shares, value, first: brief(first, 4), last: brief(last, 4), rises, steps };
}

function writeValue(measure, value) {
  const { unit } = MEASURES[measure];
  if (unit === "percent") return percent(value / 100);
  return unit === "points" ? value.toFixed(1).replace("-", "−") : String(value);
}

/** Make the bar of the open lesson, which stays in view below the sections. */
export function makeLessonBar(app) {
  const { descent, ui } = app;
  const bar = byId("lesson");
  const title = make("h2", { tabindex: -1 });
  const back = make("button", { type: "button", say: "lessonBack", onclick: app.leaveLesson });
  const body = make("div", {});
  const said = make("p", { class: "said", role: "status" });
  const actions = make("div", { class: "buttons" });
  bar.append(make("div", { class: "lessonHead" }, title, back), body, said, actions);
  let shown = "";
  let opened = null;
  return () => {
    const course = ui.lesson;
    bar.hidden = !course;
    for (const id of VIEWS) byId(id).classList.toggle("look", course?.lesson.look === id);
    if (!course) return;
    const { lesson, stage, halted, guess } = course;
    const wanted = JSON.stringify([ui.lang, course.address, stage, halted, guess, course.values]);
    if (shown === wanted && opened === course) return;
    const isNew = opened !== course;
    const moves = isNew || bar.contains(document.activeElement);
    [shown, opened] = [wanted, course];
    const values = holeValues(descent, lesson, course);
    write(title, fillHoles(inLanguage(lesson.title), values));
    body.replaceChildren(...textsOf(course, values));
    write(said, sentenceOf(course, descent, values));
    actions.replaceChildren(...actionsOf(app, course, values));
    translate(bar);
    if (stage === "told" || stage === "runs" || stage === "photo") byId(lesson.look).scrollIntoView();
    if (moves) title.focus({ preventScroll: true });
  };
}

/** Write what the bar says of a course before its end. */
function textsOf({ lesson, stage, guess, goal }, values) {
  const fill = (text) => fillHoles(inLanguage(text), values);
  const line = (text, kind = "") => make("p", { class: kind }, text);
  const texts = [];
  if ((stage === "asked" || stage === "waits") && lesson.text) texts.push(line(fill(lesson.text)));
  if (stage === "waits" && goal) texts.push(line(say("lessonWaits", { n: goal }), "note"));
  if (stage === "asked") texts.push(line(fill(lesson.ask), "ask"));
  if (stage === "runs" || stage === "photo") {
    texts.push(line(say("yourGuess", { guess: fill(lesson.answers[guess].text) })));
    texts.push(line(`${say("lookAt")}${say("colon")}${say(lesson.look)}`, "note"));
  }
  if (stage === "photo") texts.push(line(say("lessonPhoto"), "ask"));
  return texts;
}

/** Compare the guess with what happened, in a sentence. */
function sentenceOf({ lesson, stage, halted, guess, truth, goal }, { t }, values) {
  const fill = (text) => fillHoles(inLanguage(text), values);
  if (stage === "changed") return say("lessonChanged");
  if (halted) return say("lessonHalted", { t, n: goal });
  if (stage !== "told") return "";
  const guessed = fill(lesson.answers[guess].text);
  if (truth < 0) return say("guessNone", { guess: guessed, t });
  const { text, because } = lesson.answers[truth];
  const key = guess === truth ? "guessRight" : "guessWrong";
  const gap = inLanguage({ en: " ", zh: "" });
  return [say(key, { guess: guessed, truth: fill(text) }), ...(because ? [fill(because)] : [])].join(gap);
}

/** Make the buttons of a stage. */
function actionsOf(app, course, values) {
  const { lesson, stage, halted } = course;
  const press = (key, onclick, kind = "") => make("button", { type: "button", say: key, onclick, class: kind });
  if (halted) return [press("lessonGoOn", app.goOn, "primary")];
  if (stage === "asked")
    return lesson.answers.map(({ text }, at) =>
      make(
        "button",
        { type: "button", class: "guess", onclick: () => app.guess(at) },
        fillHoles(inLanguage(text), values),
      ),
    );
  if (stage === "photo")
    return [press("choosePhoto", () => byId("pictures").querySelector("input[type=file]").click(), "primary")];
  if (stage !== "told" && stage !== "changed") return [];
  const again = press("lessonAgain", () => app.beginLesson(course));
  const next = app.nextLesson();
  return next ? [again, press("lessonNext", () => app.beginLesson(next))] : [again];
}
