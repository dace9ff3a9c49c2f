// References for the curves: an interval, constant prediction, the class rate.

/** Compute the 95 % Wilson interval of a share. */
export function wilson(correct, m) {
  const z = 1.959963984540054;
  const p = correct / m;
  const d = 1 + (z * z) / m;
  const center = (p + (z * z) / (2 * m)) / d;
  const half = (z / d) * Math.sqrt((p * (1 - p)) / m + (z * z) / (4 * m * m));
  return [Math.max(0, center - half), Math.min(1, center + half)];
}

/** Compute the accuracy, on a split, of always predicting the most frequent class of the training set. */
export function constantShare(data, name) {
  const positive = mostFrequent(data);
  const { Y } = data.splits[name];
  return Y.reduce((sum, y) => sum + (y === positive), 0) / Y.length;
}

/** Return the most frequent class of the training set. */
export function mostFrequent({ splits: { train } }) {
  return train.Y.reduce((sum, y) => sum + y, 0) * 2 > train.m ? 1 : 0;
}

/** Compute the label entropy: the cost of always predicting the class rate. */
export function labelEntropy({ splits: { train } }) {
  const total = train.weights.reduce((sum, w) => sum + w, 0);
  const p = train.Y.reduce((sum, y, j) => sum + y * train.weights[j], 0) / total;
  return [p, 1 - p].reduce((sum, share) => sum - (share > 0 ? share * Math.log(share) : 0), 0);
}
