// What the curves are compared with: an interval, the constant answer, the class rate.

/** Compute the Wilson interval of a share, 95 %. */
export function wilson(right, m) {
  const z = 1.959963984540054;
  const p = right / m;
  const d = 1 + (z * z) / m;
  const center = (p + (z * z) / (2 * m)) / d;
  const half = (z / d) * Math.sqrt((p * (1 - p)) / m + (z * z) / (4 * m * m));
  return [Math.max(0, center - half), Math.min(1, center + half)];
}

/** Say the share of the more frequent class of the training pictures in a split. */
export function constantShare(data, name) {
  const positive = mostFrequent(data);
  const { Y } = data.splits[name];
  return Y.reduce((sum, y) => sum + (y === positive), 0) / Y.length;
}

export function mostFrequent({ splits: { train } }) {
  return train.Y.reduce((sum, y) => sum + y, 0) * 2 > train.m ? 1 : 0;
}

/** Say the cost that the class rate alone reaches. */
export function labelEntropy({ splits: { train } }) {
  const total = train.weights.reduce((sum, w) => sum + w, 0);
  const p = train.Y.reduce((sum, y, j) => sum + y * train.weights[j], 0) / total;
  return [p, 1 - p].reduce((sum, share) => sum - (share > 0 ? share * Math.log(share) : 0), 0);
}
