// Undo and redo: the states of the descent before each change.

const MOST_STATES = 20; // each may hold 240 snapshots of its own
const MOST_ITERATIONS = 2e6; // whose numbers these states hold together
const SAME_CHANGE = 1000; // ms within which changes of one slider count as one

/** Make the history of a descent's states, and the actions that return to them. */
export function makeUndo(descent) {
  const past = [];
  const future = [];
  let last = { label: null, at: 0 };

  function move(from, to) {
    if (!from.length) return;
    to.push(descent.copy());
    descent.restore(from.pop());
    last.label = null;
  }

  /** Change the descent, and keep its state before. Changes of one label that follow each other are one. */
  function change(label, act) {
    const at = performance.now();
    const goesOn = label !== null && label === last.label && at - last.at < SAME_CHANGE;
    const before = goesOn ? null : descent.copy();
    act();
    last = { label, at };
    if (!before || isAt(descent, before)) return;
    before.isLost = descent.start !== before.start || descent.t < before.t;
    past.push(before);
    const total = () => past.reduce((sum, { t }) => sum + t, 0);
    while (past.length > MOST_STATES || (past.length > 1 && total() > MOST_ITERATIONS)) past.shift();
    future.length = 0;
  }

  /** Hold the present state with all that can be undone; `goBack` returns to it. */
  function hold() {
    const [copy, earlier, later] = [descent.copy(), [...past], [...future]];
    const goBack = () => {
      descent.restore(copy);
      past.splice(0, past.length, ...earlier);
      future.splice(0, future.length, ...later);
      last.label = null;
    };
    return { copy, goBack };
  }

  return {
    change,
    hold,
    undo: () => move(past, future),
    redo: () => move(future, past),
    canUndo: () => past.length > 0,
    canRedo: () => future.length > 0,
    /** The training before the latest change that took steps back or began anew; undefined without one. */
    lost: () => past.findLast(({ isLost, t }) => isLost && t > 0),
  };
}

/** Return whether a descent is at the iteration and has the settings of a copy. */
function isAt({ t, settings }, copy) {
  return t === copy.t && JSON.stringify(settings) === JSON.stringify(copy.settings);
}
