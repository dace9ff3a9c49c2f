"""Are the article's formulas the derivatives, and which slips does a gradient check detect?

Each of the eight derivatives is computed in three ways: by its formula, by `jax.grad`, and by
central differences (f(x + h) − f(x − h)) / 2h of every element, where h is the cube root of the
machine precision ε. Then common slips, such as a missing 1/m, are made on purpose, each in one
formula, and compared with the differences. The pictures are reduced to as many pixels as there are
pictures: X is square, so that a missing transpose does not fail by its shape. Pictures near the
kink of ReLU are left out, since a difference across it is no derivative. (The article's section
"Using backpropagation to adjust weights and biases".)

    python -m experiments.gradient_check

Expect relative differences of up to 5e-16 from jax.grad and 3e-9 from the differences in float64,
3e-7 and 1e-3 in float32; and all 13 slips detected, the smallest at 0.14. One of them, the slope
taken at A1 instead of Z1, is detected with sigmoid hidden units only: for A1 = ReLU(Z1) the slope
of ReLU is the same at both, so that the formula is still correct. It takes five seconds.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from matplotlib.axes import Axes

from experiments import BLACK, BLUE, GREEN, ORANGE, Result, at_least, new_figure, run
from jaxnet import (
    ACTIVATIONS,
    Activation,
    Gradients,
    Params,
    Preprocessing,
    UsageError,
    backward,
    forward,
    init_params,
    load_dataset,
    loss,
    sigmoid,
    to_row,
)

CLAIM = "The article's formulas are the derivatives; a check catches the usual slips."

FIELDS = Gradients._fields
HIDDEN = ("relu", "sigmoid")
PRECISIONS = ("float64", "float32")
WAYS = {"jax.grad": 1, "differences": 2 / 3}  # the expected difference is ε to this power
EPSILONS = {precision: float(np.finfo(precision).eps) for precision in PRECISIONS}


class Compared(NamedTuple):
    """The relative differences, as dicts of dicts."""

    formulas: dict[str, np.ndarray]  # "precision, way" -> (fields,), the larger of both HIDDEN
    slips: dict[str, dict[str, float]]  # activation -> slip -> difference


def main(
    data: str = "sketches",
    seed: int = 0,
    size: int = 8,
    pictures: int = 64,
    n_h: int = 8,
    step: float = 1.0,
    allowance: float = 1000.0,
) -> Result:
    """Compare the formulas with jax.grad and with differences; then make the slips.

    `step` is h in cube roots of ε. `allowance` is the allowed difference in units of the expected
    one: ε for jax.grad, ε^⅔ for central differences.
    """
    at_least(1, size=size, pictures=pictures, n_h=n_h)
    train = load_dataset(data).train
    steps = {precision: step * epsilon ** (1 / 3) for precision, epsilon in EPSILONS.items()}
    allowed = {
        f"{precision}, {way}": allowance * epsilon**power
        for precision, epsilon in EPSILONS.items()
        for way, power in WAYS.items()
    }
    with jax.enable_x64(True):
        X = Preprocessing(size, size).columns(train.images, jnp.float64)
        Y = to_row(train.labels, dtype=jnp.float64)
        key = jax.random.key(seed)
        params = init_params(key, len(X), n_h, weight_scale="he", dtype=jnp.float64)
        distances = np.abs(np.asarray(forward(params, X).Z1)).min(axis=0)
        far = np.flatnonzero(distances > 2 * steps["float32"])[:pictures]
        if not far.size:
            raise UsageError(
                f"no picture is further from a kink than twice h, {steps['float32']:.2g}",
                "pictures for which the cost is smooth within h",
                "give a smaller step or fewer hidden units",
            )
        compared = compare(params, X[:, far], Y[:, far], steps)
    print_tables(compared, allowed)

    bound = allowed["float64, differences"]
    numbers = list_numbers(compared, bound) | {"pixels": len(X), "pictures": len(far)}
    agree = all(bool((compared.formulas[key] <= allowed[key]).all()) for key in allowed)
    figure, ((left, right),) = new_figure(CLAIM, 1, 2)
    draw_differences(left, compared.formulas)
    draw_slips(right, compared.slips, bound)
    detects = numbers["slips found"] == numbers["slips"]
    return Result(CLAIM, agree and detects, numbers, figure)


def compare(params: Params, X: jax.Array, Y: jax.Array, steps: dict[str, float]) -> Compared:
    """Compute all derivatives in all ways and both precisions, and the slips in float64.

    Args:
        params: In float64, as X and Y.
        X: (n_x, m).
        Y: (1, m).
        steps: h for each precision.
    """
    formulas = {f"{kind}, {way}": np.zeros(len(FIELDS)) for kind in PRECISIONS for way in WAYS}
    slips: dict[str, dict[str, float]] = {}
    for name in HIDDEN:
        hidden = ACTIVATIONS[name]
        for precision in PRECISIONS:
            rounded: tuple[Params, jax.Array, jax.Array] = jax.tree.map(
                lambda array, to=precision: array.astype(to), (params, X, Y)
            )
            ours = jax.device_get(backward(*rounded, hidden))
            others = jax.device_get(derive(*rounded, hidden, steps[precision]))
            for way, theirs in zip(WAYS, others, strict=True):
                differences = list(map(relative_difference, ours, theirs))
                key = f"{precision}, {way}"
                formulas[key] = np.maximum(formulas[key], differences)
            if precision == "float64":
                slips[name] = {
                    slip: relative_difference(wrong, getattr(theirs, slip.partition(":")[0]))
                    for slip, wrong in make_slips(ours, params, X, Y, hidden).items()
                }
    return Compared(formulas, slips)


def list_numbers(compared: Compared, bound: float) -> dict[str, Any]:
    """Make the numbers that decide; a slip is detected if it differs by more than `bound`."""
    formulas, slips = compared
    missed = {name: [slip for slip in row if not row[slip] > bound] for name, row in slips.items()}
    detected = [size for row in slips.values() for size in row.values() if size > bound]
    undetected = set(missed["relu"]) & set(missed["sigmoid"])
    numbers: dict[str, Any] = {
        f"largest difference, {key}": float(column.max()) for key, column in formulas.items()
    }
    numbers |= {"slips": len(slips["relu"]), "slips found": len(slips["relu"]) - len(undetected)}
    numbers |= {f"not found with {name}": ", ".join(row) or "none" for name, row in missed.items()}
    return numbers | {
        "smallest difference of a slip that is found": min(detected, default=0.0),
        "differences": {
            key: dict(zip(FIELDS, column.tolist(), strict=True)) for key, column in formulas.items()
        },
        "slipped": slips,
    }


def print_tables(compared: Compared, allowed: dict[str, float]) -> None:
    """Print the differences of the formulas, and those of the slips."""
    formulas, slips = compared
    print("the formula against" + "".join(f"{key.partition(', ')[0]:>14}" for key in formulas))
    print("                   " + "".join(f"{key.partition(', ')[2]:>14}" for key in formulas))
    for row, field in enumerate(FIELDS):
        print(f"{field:19}" + "".join(f"{column[row]:14.1e}" for column in formulas.values()))
    print("allowed            " + "".join(f"{allowed[key]:14.1e}" for key in formulas))
    print(f"\n{'slip':26}" + "".join(f"{name:>12}" for name in HIDDEN))
    for slip in slips["relu"]:
        print(f"{slip:26}" + "".join(f"{slips[name][slip]:12.1e}" for name in HIDDEN))


@functools.partial(jax.jit, static_argnames="hidden")
def derive(
    params: Params, X: jax.Array, Y: jax.Array, hidden: Activation, h: float
) -> tuple[Gradients, Gradients]:
    """Compute the eight derivatives by jax.grad and by differences."""
    m = Y.size
    shapes = params | forward(params, X, hidden)._asdict()
    zeros, unravel = ravel_pytree({name: jnp.zeros_like(leaf) for name, leaf in shapes.items()})

    def losses(nudges: jax.Array) -> jax.Array:
        """Sum the losses, with an addition to every quantity that is computed before."""
        add = unravel(nudges)
        W1, b1, W2, b2 = (params[name] + add[name] for name in ("W1", "b1", "W2", "b2"))
        Z1 = W1 @ X + b1 + add["Z1"]
        A1 = hidden(Z1) + add["A1"]
        Z2 = W2 @ A1 + b2 + add["Z2"]
        A2 = sigmoid(Z2) + add["A2"]
        return -jnp.sum(Y * jnp.log(A2) + (1 - Y) * jnp.log(1 - A2))

    def difference(element: jax.Array) -> jax.Array:
        nudge = zeros.at[element].set(h)
        return (losses(nudge) - losses(-nudge)) / (2 * h)

    def gradients(slopes: jax.Array) -> Gradients:
        # dA and dZ are derivatives of each example's own loss, on which no other column depends:
        # those of the sum are the same. dW and db are derivatives of the mean.
        leaves = unravel(slopes).items()
        return Gradients(
            **{f"d{name}": leaf / m if name in params else leaf for name, leaf in leaves}
        )

    by_jax = gradients(jax.grad(losses)(zeros))
    of_loss = jax.grad(loss)(params, X, Y, hidden)
    by_jax = by_jax._replace(**{f"d{name}": leaf for name, leaf in of_loss.items()})
    return by_jax, gradients(jax.vmap(difference)(jnp.arange(zeros.size)))


def make_slips(
    right: Gradients, params: Params, X: jax.Array, Y: jax.Array, hidden: Activation
) -> dict[str, np.ndarray]:
    """Make each slip in the formula of the derivative that its name begins with."""
    Z1, A1, _, A2 = jax.device_get(forward(params, X, hidden))
    m = Y.size
    slips = {
        "dA2: wrong sign": -right.dA2,
        "dA2: (1 − Y) term left out": np.where(Y == 1, right.dA2, 0.0),
        "dZ2: A2 without − Y": A2,
        "dW2: no 1/m": right.dW2 * m,
        "dW2: Z1 for A1": right.dZ2 @ Z1.T / m,
        "db2: no sum": right.dZ2 / m,
        "dA1: dA2 for dZ2": np.asarray(params["W2"]).T @ right.dA2,
        "dZ1: slope left out": right.dA1,
        "dZ1: slope at A1, not Z1": right.dA1 * np.asarray(hidden.slope(A1)),
        "dW1: dA1 for dZ1": right.dA1 @ X.T / m,
        "dW1: 1/m twice": right.dW1 / m,
        "db1: no 1/m": right.db1 * m,
    }
    if X.shape == (m, m):
        slips["dW1: X, not Xᵀ"] = right.dZ1 @ X / m
    return slips


def relative_difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Compute the largest difference, relative to the largest element of `theirs`.

    It is infinite if a number is not finite, and if all of `theirs` are 0, which proves nothing.
    """
    difference, largest = np.abs(ours - theirs).max(), np.abs(theirs).max()
    return float(difference / largest) if largest > 0 and np.isfinite(difference) else np.inf


def draw_differences(axes: Axes, formulas: dict[str, np.ndarray]) -> None:
    """Draw the differences of the formulas from jax.grad and from the central differences."""
    looks = [(BLUE, BLUE, "o"), (BLUE, "white", "D"), (ORANGE, ORANGE, "o"), (ORANGE, "white", "D")]
    for (key, column), (color, face, marker) in zip(formulas.items(), looks, strict=True):
        shown = np.maximum(column, 1e-17)
        axes.plot(shown, FIELDS, marker, color=color, markerfacecolor=face, label=key)
    axes.set(xlabel="relative difference (0 is drawn at 10⁻¹⁷)", xscale="log", xlim=(5e-18, 1))
    axes.set_title("the correct formulas", fontsize=13)
    axes.invert_yaxis()
    axes.legend(fontsize=10, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)


def draw_slips(axes: Axes, slipped: dict[str, dict[str, float]], bound: float) -> None:
    """Draw the difference of each slip, and the largest one that may be due to rounding."""
    for (name, row), color, marker in zip(slipped.items(), (GREEN, BLACK), ("D", "x"), strict=True):
        shown = np.maximum(list(row.values()), 1e-10)
        axes.plot(shown, list(row), marker, color=color, label=f"{name} hidden units")
        for place, difference in enumerate(row.values()):
            if not difference > bound:
                axes.text(3 * bound, place, f"not detected with {name}", fontsize=10, va="center")
    axes.axvline(bound, color=BLUE, linestyle="--", label="allowed in float64")
    axes.set(xlabel="relative difference from the differences", xscale="log", xlim=(3e-11, 1e3))
    axes.set_title("formulas with a slip", fontsize=13)
    axes.tick_params(axis="y", labelsize=10)
    axes.invert_yaxis()
    axes.legend(fontsize=10, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)


if __name__ == "__main__":
    run(main)
