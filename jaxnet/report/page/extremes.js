// Which iterations of a long curve are drawn: of each interval its lowest and its highest value.

const MOST = 200; // intervals; more could not be distinguished in a chart of this width

/**
 * Make a function from a growing list of values to the places at which its curve is drawn.
 *
 * It reads only the values that were added since. A list that was cut is another array.
 */
export function makeExtremes() {
  let values = null;
  let size = 1; // of an interval
  let read = 0;
  let low = [];
  let high = [];

  function add(t) {
    const at = Math.floor(t / size);
    if (at === low.length) {
      low.push(t);
      high.push(t);
    }
    if (values[t] < values[low[at]]) low[at] = t;
    if (values[t] > values[high[at]]) high[at] = t;
    if (low.length > MOST) merge();
  }

  function merge() {
    size *= 2;
    const pairs = (places, isBetter) =>
      places.flatMap((t, at) => {
        if (at % 2) return [];
        const next = places[at + 1] ?? t;
        return [isBetter(values[next], values[t]) ? next : t];
      });
    low = pairs(low, (a, b) => a < b);
    high = pairs(high, (a, b) => a > b);
  }

  return (list) => {
    if (list !== values || list.length < read) {
      [values, size, read, low, high] = [list, 1, 0, [], []];
    }
    while (read < list.length) add(read++);
    const places = new Set([0]);
    for (let at = 0; at < low.length; at++) {
      places.add(Math.min(low[at], high[at]));
      places.add(Math.max(low[at], high[at]));
    }
    places.add(list.length - 1);
    return [...places];
  };
}
