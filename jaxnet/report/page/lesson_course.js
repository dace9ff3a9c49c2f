// The course of a lesson: it sets the page, waits for the guess, trains, compares, and goes back.

import { LARGEST_VOTE, settingsOf } from "./lesson_format.js";
import { measureOf, stateBefore, truthOf, unitOfLargestVote } from "./measures.js";
import { ownSettings } from "./settings.js";
import { readPicture } from "./address.js";

// The state of the page to which a lesson goes back.
const KEPT = ["picture", "shown", "box", "diagram", "byLoss", "speed"];

/**
 * Add the actions of lessons to the app.
 *
 * `ui.lesson` is the course of the open lesson: the lesson, its address, what is kept, and its stage: "waits"
 * (it trains before the question), "asked", "photo" (it waits for one), "runs", "told", or "changed" (someone
 * changed the settings in between); the guess, and in the end the value of the measure and the true answer.
 */
export function addLessons(app) {
  const { descent, ui } = app;
  const own = ownSettings(descent.data);

  app.beginLesson = ({ lesson, address }) => {
    if (ui.playing) app.pause();
    const kept = ui.lesson?.kept ?? keepAll(app);
    const { picture, box, speed = "full" } = lesson.set ?? {};
    ui.lesson = { lesson, address, kept, stage: "waits", guess: null, goal: lesson.train ?? 0 };
    if (picture) showPicture(ui, readPicture(picture, descent.data));
    if (box) ui.box = box;
    ui.diagram = ui.diagram || Boolean(box) || lesson.look === "network";
    // At the speed of a lesson, less motion would take minutes.
    ui.speed = matchMedia("(prefers-reduced-motion: reduce)").matches ? "full" : speed;
    ui.lessons = false;
    app.begin({ ...own, ...settingsOf(lesson.set, own) });
    ui.lesson.settings = JSON.stringify(descent.settings);
    return app.goOn();
  };

  /** Train up to where the course waits for something; again after a pause. */
  app.goOn = async () => {
    const course = ui.lesson;
    course.halted = false;
    const left = course.goal - descent.t;
    if (left > 0) await app.run(left);
    if (ui.lesson !== course) return;
    advance(app, course);
    app.choose({});
  };

  app.guess = (answer) => {
    const course = ui.lesson;
    if (!isAsSet(course, descent) || course.stage !== "asked") return app.goOn();
    const { then, run = 0 } = course.lesson;
    Object.assign(course, { guess: answer, before: stateBefore(descent, ui.picture), stage: "runs" });
    const unit = then?.silenced === LARGEST_VOTE ? unitOfLargestVote(descent) : null;
    if (then) app.change(settingsOf(then, own, unit));
    course.settings = JSON.stringify(descent.settings);
    course.goal = descent.t + run; // a change may have restarted the descent
    return app.goOn();
  };

  /** Go on with a course that waits for a photo. */
  app.onPhoto = () => {
    if (ui.lesson?.stage !== "photo") return;
    ui.lesson.photo = true;
    app.goOn();
  };

  app.leaveLesson = () => {
    const { kept } = ui.lesson;
    ui.lesson = null;
    Object.assign(ui, kept.ui);
    descent.photo = kept.photo ?? descent.photo;
    app.returnTo(kept.held);
  };
}

function keepAll({ descent, ui, hold }) {
  const state = Object.fromEntries(KEPT.map((name) => [name, ui[name]]));
  return { held: hold(), ui: state, photo: descent.photo };
}

function showPicture(ui, picture) {
  Object.assign(ui, { picture, shown: picture.split });
}

/** Return whether nobody has changed what the lesson set, and no step beyond its goal was taken. */
function isAsSet({ settings, goal }, { settings: present, t }) {
  return settings === JSON.stringify(present) && t <= goal;
}

/** Advance to the next stage of a course, once its steps are taken. */
function advance({ descent }, course) {
  const { measure, answers } = course.lesson;
  if (!isAsSet(course, descent)) course.stage = "changed";
  else if (descent.t < course.goal && descent.finite) course.halted = true;
  else if (course.guess === null) course.stage = "asked";
  else if (measure === "photo probability" && !course.photo) course.stage = "photo";
  else {
    const value = measureOf(measure, descent, course.before);
    Object.assign(course, { stage: "told", value, truth: truthOf(answers, value) });
    course.values = valuesAt(descent, course);
  }
}

/** Collect the numbers that the texts of a lesson may show when the answer is told. */
function valuesAt(descent, { before }) {
  const { t, history, data } = descent;
  const { costs } = history.train;
  const share = (name) => (data.splits[name] ? history[name].correct[t] / data.splits[name].m : NaN);
  return {
    first: before.cost,
    last: costs[t],
    train: share("train"),
    test: share("test"),
    rises: measureOf("rises", descent, before),
    steps: t - before.t,
  };
}
