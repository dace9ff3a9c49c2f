// The article's formulas as MathML, with their shapes.

import { make, makeMath } from "./dom.js";
import { say } from "./strings.js";

// W1^T is a transpose, {a|b} a fraction; where it says ¦, a narrow page may break the line.
const FORMULAS = {
  W1: ["W1 ← W1 − α dW1", "W1: (n_h, n_x)"],
  b1: ["b1 ← b1 − α db1", "b1: (n_h, 1)"],
  W2: ["W2 ← W2 − α dW2", "W2: (1, n_h)"],
  b2: ["b2 ← b2 − α db2", "b2: (1, 1)"],
  Z1: ["Z1 = W1 X + b1", "(n_h, n_x) (n_x, m) + (n_h, 1) = (n_h, m)"],
  A1: ["A1 = g ( Z1 )", "g (n_h, m) = (n_h, m)"],
  Z2: ["Z2 = W2 A1 + b2", "(1, n_h) (n_h, m) + (1, 1) = (1, m)"],
  A2: ["A2 = σ ( Z2 ) ¦ = {1|1 + e^−Z2}", "σ (1, m) = (1, m)"],
  J: ["J = − {1|m} Σ ( y log a ¦ + ( 1 − y ) log ( 1 − a ) )", "mean of (1, m) = ()"],
  dA2: ["dA2 = − {Y|A2} ¦ + {1 − Y|1 − A2}", "(1, m) / (1, m) + (1, m) / (1, m) = (1, m)"],
  dZ2: ["dZ2 = A2 − Y", "(1, m) − (1, m) = (1, m)"],
  dW2: ["dW2 = {1|m} dZ2 A1^T", "(1, m) (m, n_h) = (1, n_h)"],
  db2: ["db2 = {1|m} Σ dZ2", "mean of (1, m) = (1, 1)"],
  dA1: ["dA1 = W2^T dZ2", "(n_h, 1) (1, m) = (n_h, m)"],
  dZ1: ["dZ1 = dA1 ∘ g' ( Z1 )", "(n_h, m) ∘ (n_h, m) = (n_h, m)"],
  dW1: ["dW1 = {1|m} dZ1 X^T", "(n_h, m) (m, n_x) = (n_h, n_x)"],
  db1: ["db1 = {1|m} Σ dZ1", "means of the rows of (n_h, m) = (n_h, 1)"],
};

const INPUTS = { symmetric: "x = {p|127.5} − 1", unit: "x = {p|255}", raw: "x = p" };

const SLOPES = {
  relu: ["g ( z ) = max ( 0 , z )", "g' ( z ) = 1 if z > 0 , ¦ else 0"],
  leaky_relu: ["g ( z ) = z if z > 0 , ¦ else 0.01 z", "g' ( z ) = 1 if z > 0 , ¦ else 0.01"],
  sigmoid: ["g ( z ) = σ ( z )", "g' ( z ) = σ ( z ) ¦ σ ( −z )"],
};

/** List the formulas of a box, each a line of MathML in one or more parts. */
export function formulasOf(name, { pixel_scale, activation, weight_decay }) {
  const lines = name === "X" ? [INPUTS[pixel_scale]] : [FORMULAS[name][0]];
  if (weight_decay && isDecayed(name)) lines[0] += ` ¦ + λ ${name.slice(1)}`;
  if (name === "A1") lines.push(SLOPES[activation][0]);
  if (name === "dZ1") lines.push(SLOPES[activation][1]);
  return lines.map((line) =>
    make("div", { class: "formulaLine" }, ...line.split(" ¦ ").map((part) => makeMath("math", row(part)))),
  );
}

/** Return whether weight decay adds λ W to a box. */
export function isDecayed(name) {
  return name === "dW1" || name === "dW2";
}

/** Write the shapes of a formula in numbers. */
export function shapesOf(name, sizes) {
  const text = name === "X" ? "X: (n_x, m)" : FORMULAS[name][1];
  const said = text.replace("means of the rows of", say("rowMeans")).replace("mean of", say("mean"));
  return said.replace(/n_h|n_x|\bm\b(?!ean)/g, (letter) => String(sizes[letter]));
}

function row(text) {
  const tokens = text.match(/\{[^|]*\|[^}]*\}|[^\s{}]+/g);
  return makeMath("mrow", ...tokens.map(token));
}

function token(text) {
  if (text.startsWith("{")) {
    const [above, below] = text.slice(1, -1).split("|");
    return makeMath("mfrac", row(above), row(below));
  }
  const [base, above] = text.split("^");
  if (above)
    return makeMath("msup", token(base), above.startsWith("−") ? row(`− ${above.slice(1)}`) : token(above));
  const named = /^(d?[A-Zb])(\d)$/.exec(text);
  if (named)
    return makeMath(
      "msub",
      makeMath("mrow", ...[...named[1]].map((letter) => makeMath("mi", letter))),
      makeMath("mn", named[2]),
    );
  if (text === "α") return makeMath("mrow", makeMath("mi", text), makeMath("mtext", "\u2009"));
  if (/^[\d.]+$/.test(text)) return makeMath("mn", text);
  if (/^(if|else)$/.test(text)) return makeMath("mtext", `\u00a0${text}\u00a0`);
  return makeMath(/^[=+−·∘()←,>Σ]$/.test(text) ? "mo" : "mi", text.replace("'", "′"));
}
