// Pictures that are alike, what is held out, and what to know about a heap of pictures before it is trained on.

import { drawOrder } from "./draw.js";

const ALIKE = 0.985; // the least correlation of the pixels of near duplicates, as in likeness.py
const SHARE = 0.2; // of each class, that is held out
const LOPSIDED = 2; // times as many pictures in one class as in the other, from which on it is told

/**
 * Find the pictures that are alike, as groups: `group`, of each picture a number.
 *
 * A group is of pictures that are equal, or whose grey pixels correlate by ALIKE, directly or by others, and of
 * those that were taken in one burst. Also returns how many pictures equal an earlier one, how many only
 * resemble one, and how many of these have another label.
 */
export function findAlike(pictures) {
  const group = pictures.map((_, at) => at);
  const rootOf = (at) => (group[at] === at ? at : (group[at] = rootOf(group[at])));
  const found = { equal: 0, near: 0, contradicting: 0 };
  const first = new Map(); // the first picture of each kind of bytes, and its column
  const bursts = new Map();
  const join = (j, i) => {
    if (pictures[j].label !== pictures[i].label) found.contradicting++;
    group[rootOf(j)] = rootOf(i);
  };
  pictures.forEach(({ colors, burst }, j) => {
    const bytes = String.fromCharCode(...colors);
    const equal = first.get(bytes);
    if (equal) {
      found.equal++;
      join(j, equal.at);
    } else {
      const column = standardise(colors);
      const near = [...first.values()].filter((other) => correlate(other.column, column) >= ALIKE);
      if (near.length) found.near++;
      for (const { at } of near) join(j, at);
      first.set(bytes, { at: j, column });
    }
    if (burst === undefined) return;
    if (bursts.has(burst)) group[rootOf(j)] = rootOf(bursts.get(burst));
    else bursts.set(burst, j);
  });
  return { ...found, group: group.map((_, at) => rootOf(at)) };
}

/** Make the grey of a picture have mean 0 and norm 1, so that a product is a correlation. */
function standardise(colors) {
  const grey = Float32Array.from(
    { length: colors.length / 3 },
    (_, at) => 0.299 * colors[3 * at] + 0.587 * colors[3 * at + 1] + 0.114 * colors[3 * at + 2],
  );
  const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
  const norm = Math.sqrt(grey.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return norm < 1e-3 ? grey.map(() => 1 / Math.sqrt(grey.length)) : grey.map((value) => (value - mean) / norm);
}

function correlate(first, second) {
  let sum = 0;
  for (let at = 0; at < first.length; at++) sum += first[at] * second[at];
  return sum;
}

/** Choose the held-out pictures: about a share of each class, never all of it, and no group in part. */
export function holdOut(labels, group, seed = 0) {
  const members = new Map();
  group.forEach((name, at) => members.set(name, [...(members.get(name) ?? []), at]));
  const groups = [...members.values()].map((list) => ({ list, counts: countClasses(list.map((at) => labels[at])) }));
  const total = countClasses(labels);
  const held = [0, 0];
  const chosen = new Set();
  const distance = (counts) =>
    counts.reduce((sum, count, label) => sum + ((count - SHARE * total[label]) / Math.max(total[label], 1)) ** 2, 0);
  // The second time, a class without any held-out picture takes the first group that it can.
  for (const onlyMissing of [false, true]) {
    for (const at of drawOrder(seed, groups.length)) {
      const { counts } = groups[at];
      const then = held.map((count, label) => count + counts[label]);
      const leavesSome = counts.every((count, label) => count === 0 || then[label] < total[label]);
      const wanted = onlyMissing
        ? counts.some((count, label) => held[label] === 0 && count > 0)
        : distance(then) < distance(held);
      if (!leavesSome || !wanted || chosen.has(at)) continue;
      chosen.add(at);
      held.splice(0, 2, ...then);
    }
  }
  const taken = new Set([...chosen].flatMap((at) => groups[at].list));
  return labels.map((_, at) => taken.has(at));
}

/** Count the pictures of either class. */
export function countClasses(labels) {
  return [0, 1].map((label) => labels.filter((one) => one === label).length);
}

/** Return the class that has far more pictures than the other; null if there is none. */
export function lopsided([zero, one]) {
  if (Math.max(zero, one) < LOPSIDED * Math.min(zero, one)) return null;
  return one > zero ? 1 : 0;
}
