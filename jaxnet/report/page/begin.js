// The page that begins empty: two heaps of pictures, dropped or taken with the camera, become a training.

import { percent, say } from "./strings.js";
import { byId, make, write } from "./dom.js";
import { findAlike, holdOut, lopsided } from "./alike.js";
import { listChosen, listDropped, thin } from "./gather.js";
import { addLive, makeCameraControls } from "./live.js";
import { paintColors } from "./colors.js";
import { readPhoto } from "./input.js";
import { isRunFile, readRun, whyNoFile, writeRun } from "./run_file.js";

export const MOST_PICTURES = 600; // with more, the steps would be slow
const FEW = 10; // held-out pictures, below which an interval says next to nothing

/**
 * Make the first section of a page that begins empty.
 *
 * empty: what the page states without pictures; train: called with the pictures, each with its label and whether
 * it is held out, and the names of the classes; openRun: called with what `readRun` returns.
 */
export function makeBegin(empty, { train, openRun }) {
  const state = { heaps: [0, 1].map(() => ({ name: "", pictures: [] })), told: [], busy: null, alike: null, unsaved: false, most: MOST_PICTURES };
  const begin = { state, app: null, draw: () => {} };
  const act = makeActions(empty, state, begin, { train, openRun });
  const cards = [0, 1].map((label) => makeHeapCard(empty, state, label, act));
  const camera = makeCameraControls(empty, state, act);
  const list = make("ul", {});
  const findings = make("div", { class: "findings", "aria-live": "polite" }, list);
  const trainIt = make("button", { type: "button", class: "primary", say: "begin.train", onclick: act.train });
  const file = make("input", { type: "file", accept: ".safetensors", hidden: true, id: "runFile" });
  file.addEventListener("change", () => {
    if (file.files[0]) act.add(0, [{ name: "", files: [...file.files] }]);
    file.value = "";
  });
  const openIt = make("button", { type: "button", say: "begin.open", onclick: () => file.click() });
  const keep = make("button", { type: "button", say: "begin.keep", onclick: () => keepFile(state, act, begin.app) });
  byId("begin").append(
    make("p", { class: "note", say: "begin.note" }),
    make("div", { class: "heaps" }, ...cards.map(({ element }) => element), camera.element),
    findings,
    make("div", { class: "buttons" }, trainIt, openIt, file, keep),
  );
  addDropping(act);
  let drawn = "";
  begin.draw = () => {
    for (const card of cards) card.draw();
    camera.draw();
    const wanted = JSON.stringify([document.documentElement.lang, state.told, state.busy, namesOf(state), !begin.app]);
    if (drawn === wanted && state.alike && !state.changed) return;
    drawn = wanted;
    state.changed = false;
    const counts = state.heaps.map(({ pictures }) => pictures.length);
    trainIt.disabled = state.busy !== null || counts.includes(0);
    keep.disabled = !begin.app;
    const lines = [...(state.busy ? [say("begin.reading", state.busy)] : []), ...state.told.map(tellIn), ...findingsOf(state)];
    if (list.textContent !== lines.join("")) list.replaceChildren(...lines.map((line) => make("li", {}, line)));
  };
  begin.act = act;
  addLive(empty, begin, camera);
  addEventListener("beforeunload", (event) => {
    if (state.unsaved) event.preventDefault();
  });
  return begin;
}

const tellIn = ([key, values]) => say(key, values);

/** Make what the controls do: add pictures to a heap, remove them, train. */
function makeActions(empty, state, begin, { train, openRun }) {
  const act = {
    draw: () => begin.draw(),
    tell: (...told) => {
      state.told = told.filter(Boolean);
      begin.draw();
    },
  };
  /** Add pictures, which are decoded already. */
  act.put = (label, pictures) => {
    state.heaps[label].pictures.push(...pictures);
    [state.alike, state.unsaved, state.changed] = [null, true, true];
  };
  act.room = () => MOST_PICTURES - state.heaps.reduce((sum, { pictures }) => sum + pictures.length, 0);
  act.clear = (label) => {
    state.heaps[label].pictures = [];
    [state.alike, state.told, state.changed] = [null, [], true];
    begin.draw();
  };
  act.add = async (label, dropped) => {
    if (state.busy) return;
    const file = dropped[0]?.files[0];
    if (dropped.length === 1 && dropped[0].files.length === 1 && isRunFile(file)) {
      await openFile(empty, state, act, file, openRun);
      return;
    }
    const heaps = assign(state, label, dropped);
    if (!heaps) {
      act.tell(["begin.folders", { n: dropped.length, names: dropped.map(({ name }) => `“${name}”`).join(", ") }]);
      return;
    }
    await readHeaps(empty, state, act, heaps);
  };
  act.train = () => {
    const pictures = state.heaps.flatMap((heap, label) => heap.pictures.map((picture) => ({ ...picture, label })));
    state.alike ??= alikeOf(state);
    const labels = pictures.map((picture) => picture.label);
    const held = holdOut(labels, state.alike.group);
    state.unsaved = true;
    act.tell();
    train(pictures.map((picture, at) => ({ ...picture, held: held[at] })), namesOf(state));
  };
  return act;
}

/** Open a file of a run; what was there stays if it cannot be read. */
async function openFile(empty, state, act, file, openRun) {
  try {
    const read = readRun(await file.arrayBuffer(), empty);
    state.heaps.forEach((heap, label) => {
      heap.name = read.run.classes[label];
      heap.pictures = read.pictures.filter((picture) => picture.label === label);
    });
    [state.alike, state.changed, state.unsaved] = [null, true, false];
    openRun(read);
    act.tell(["begin.opened", { name: file.name }]);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    act.tell([`run.${error.message}`, { name: file.name }]);
  }
}

/** Keep the training as a file, which the browser saves. */
function keepFile(state, act, { descent }) {
  const reason = whyNoFile(descent);
  if (reason) {
    act.tell([reason, {}]);
    return;
  }
  const name = `${namesOf(state).join("-").replace(/[^\p{L}\p{N}-]+/gu, "_")}.safetensors`;
  const address = URL.createObjectURL(new Blob([writeRun(descent)], { type: "application/octet-stream" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  state.unsaved = false;
  act.tell(["begin.kept", { name }]);
}

/** Find the heaps that files are for: folders by their order, or one folder or loose files for a class; or null. */
function assign(state, label, dropped) {
  const folders = dropped.filter(({ name }) => name);
  if (dropped.length === 1) return [[label, dropped[0]]];
  if (folders.length !== dropped.length || folders.length !== 2) return dropped.length ? null : [];
  return folders.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((heap, at) => [at, heap]);
}

/** Read the files of heaps, one after the other, and tell what was not read. */
async function readHeaps(empty, state, act, heaps) {
  const told = [];
  const room = Math.max(0, act.room());
  const of = heaps.reduce((sum, [, { files }]) => sum + files.length, 0);
  if (of > room) told.push(["begin.tooMany", { of, room, most: MOST_PICTURES }]);
  const share = Math.min(1, room / of);
  const wanted = heaps.map(([label, { name, files }]) => [label, name, thin(files, Math.floor(files.length * share))]);
  const total = wanted.reduce((sum, [, , files]) => sum + files.length, 0);
  const bad = [];
  let n = 0;
  for (const [label, name, files] of wanted) {
    const heap = state.heaps[label];
    if (name && !heap.name) heap.name = name;
    for (const file of files) {
      state.busy = { n: ++n, of: total };
      if (n % 5 === 1) act.draw();
      try {
        act.put(label, [{ colors: await readPhoto(file, empty) }]);
      } catch {
        bad.push(file.name);
      }
    }
  }
  if (bad.length) told.push(["begin.bad", { n: bad.length, name: bad[0] }]);
  state.busy = null;
  act.tell(...told);
}

/** Let pictures be dropped on the section, on one class or on the whole of it. */
function addDropping(act) {
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => {
    event.preventDefault();
    const isHere = event.target.closest("#begin") || document.body.dataset.empty !== undefined;
    if (!isHere) return;
    const label = Number(event.target.closest("[data-heap]")?.dataset.heap ?? 0);
    let dropped;
    try {
      dropped = await listDropped(event.dataTransfer);
    } catch {
      act.tell(["begin.noFolder", {}]);
      return;
    }
    act.add(label, dropped);
  });
}

/** Make the card of a class: its name, its pictures, and how to add some. */
function makeHeapCard(empty, state, label, act) {
  const name = make("input", { type: "text", maxlength: 40, label: `begin.name${label}` });
  const input = make("input", { type: "file", accept: "image/*", multiple: true, hidden: true, id: `heapFiles${label}` });
  const folder = make("input", { type: "file", webkitdirectory: true, hidden: true, id: `heapFolder${label}` });
  for (const field of [input, folder]) {
    field.addEventListener("change", () => {
      act.add(label, listChosen(field.files));
      field.value = "";
    });
  }
  name.addEventListener("input", () => (state.heaps[label].name = name.value));
  const count = make("b", {});
  const thumbs = make("div", { class: "heapThumbs", role: "group", tabindex: 0, label: `begin.pictures${label}` });
  const clear = make("button", { type: "button", say: "begin.clear", onclick: () => act.clear(label) });
  const button = (key, field) => make("button", { type: "button", say: key, onclick: () => field.click() });
  const element = make(
    "div",
    { class: "heap", "data-heap": label },
    make("label", { class: "line" }, make("span", { say: `begin.name${label}` }), name),
    make("p", {}, count),
    thumbs,
    make("div", { class: "buttons" }, button("begin.choose", input), button("begin.folder", folder), clear, input, folder),
    make("p", { class: "note", say: "begin.drop" }),
  );
  let shown = [];
  const draw = () => {
    const { pictures } = state.heaps[label];
    if (document.activeElement !== name) name.value = state.heaps[label].name;
    write(count, say("begin.count", { n: pictures.length }));
    clear.disabled = !pictures.length;
    if (shown.length > pictures.length || shown.some((picture, at) => picture !== pictures[at])) {
      thumbs.replaceChildren();
      shown = [];
    }
    for (const picture of pictures.slice(shown.length)) {
      const canvas = make("canvas", { "aria-hidden": "true" });
      paintColors(canvas, picture.colors, empty);
      thumbs.prepend(canvas);
      shown.push(picture);
    }
  };
  return { element, draw };
}

/** Return the names of the classes; one that was not named is A or B. */
export function namesOf({ heaps }) {
  const names = heaps.map(({ name }, label) => name.trim() || "AB"[label]);
  return names[0] === names[1] ? names.map((name, label) => `${name} ${label + 1}`) : names;
}

function alikeOf({ heaps }) {
  return findAlike(heaps.flatMap(({ pictures }, label) => pictures.map((picture) => ({ ...picture, label }))));
}

/** Say what to know of the pictures: a class without any, few, alike, lopsided; and what will be held out. */
function findingsOf(state) {
  const counts = state.heaps.map(({ pictures }) => pictures.length);
  const names = namesOf(state);
  if (!counts[0] && !counts[1]) return [];
  const missing = counts.indexOf(0);
  if (missing >= 0) return [say("begin.oneClass", { name: names[missing] })];
  if (state.busy || state.bursting) return [];
  state.alike ??= alikeOf(state);
  const { equal, near, contradicting, group } = state.alike;
  const labels = counts.flatMap((count, label) => Array(count).fill(label));
  const held = holdOut(labels, group).filter(Boolean).length;
  const large = lopsided(counts);
  return [
    held ? say("begin.held", { n: held, m: labels.length - held }) : say("begin.noneHeld"),
    held && held < FEW ? say("begin.few", { n: held }) : "",
    equal ? say("begin.equal", { n: equal }) : "",
    near ? say("begin.near", { n: near }) : "",
    contradicting ? say("begin.contradicting", { n: contradicting }) : "",
    large === null
      ? ""
      : say("begin.lopsided", { name: names[large], share: percent(counts[large] / labels.length) }),
  ].filter(Boolean);
}
