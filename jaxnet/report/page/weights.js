// The weights of the hidden units as pictures.

import { asPicture, limitOf } from "./colors.js";

let made = { of: null, pictures: [], limit: 0 };

/**
 * Return the weights of each unit as a picture (height, width), and the limit of their colour scale.
 *
 * Without pictures in the page, the weights are those at the end of the run. They are made once for an
 * iteration, whichever views show them.
 */
export function weightPictures(descent) {
  const { data, n_h } = descent;
  const first = descent.weightsOf(0);
  const matrix = first ? descent.W1 : data.W1_end;
  if (made.of !== matrix || made.pictures.length !== n_h) {
    const row = (unit) => matrix.subarray(unit * data.n_x, (unit + 1) * data.n_x);
    const pictures = Array.from({ length: n_h }, (_, unit) => asPicture(row(unit), data));
    made = { of: matrix, pictures, limit: Math.max(...pictures.map(limitOf)) };
  }
  return made;
}
