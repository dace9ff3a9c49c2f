"""What happens in one step of training, number by number, and does it lower the cost as predicted?

One network takes one step: every quantity is printed with its shape, range and size, forward, back,
and after the update. To first order the step changes the cost by −α‖∇J‖², where ‖∇J‖² is the sum of
the squares of dW1, db1, dW2 and db2. So, for many rates α and many seeds, in float64, the fall of
the cost in one step is divided by the predicted one: the ratio must go to 1 as α goes to 0. (The
article's sections "Forward propagation" to "Using backpropagation to adjust weights and biases".)

    python -m experiments.one_step

Expect the cost to fall from 0.69169 to 0.69141 at α = 0.0075, and over 16 seeds to fall by 99.6 to
100.0 % of what is predicted. At α = 1e-6 the ratio is 1 to within 6e-7; at α = 1 it is 0.88, and at
α = 10 the step overshoots and the cost rises. Most of ‖∇J‖² is db2²: the first thing that is learnt
is how frequent each class is. Five seconds.
"""

import jax
import jax.numpy as jnp
import numpy as np

from experiments import (
    BLUE,
    GRAY,
    GREEN,
    ORANGE,
    RED,
    Result,
    at_least,
    new_figure,
    run,
    space_rates,
)
from jaxnet import (
    TrainState,
    UsageError,
    backward,
    forward,
    init_params,
    load_dataset,
    loss,
    make_update,
    sgd,
    sweep,
    to_columns,
    to_row,
)

CLAIM = "One step against the gradient lowers the cost by about α‖∇J‖²."

PARAMETERS = ("W1", "b1", "W2", "b2")


def rms(A: jax.Array) -> float:
    """Compute the root mean square, which does not grow with the number of elements."""
    return float(jnp.sqrt(jnp.mean(A**2)))


def main(
    data: str = "sketches",
    seed: int = 0,
    seeds: int = 16,
    n_h: int = 8,
    learning_rate: float = 0.0075,
    least: float = 1e-6,
    greatest: float = 100.0,
    rates: int = 25,
    about: float = 0.05,
    tolerance: float = 1e-4,
) -> Result:
    """Take one step with real numbers; then compare steps of many sizes with the prediction."""
    at_least(1, seeds=seeds, n_h=n_h)
    if not 0 < learning_rate < np.inf:
        raise UsageError(f"the learning rate is {learning_rate}", "one above 0", "give 0.01, say")
    alphas = np.append(space_rates(least, greatest, rates), learning_rate)
    train = load_dataset(data).train
    with jax.enable_x64(True):
        X = to_columns(train.images, dtype=jnp.float64)
        Y = to_row(train.labels, dtype=jnp.float64)
        keys = jax.vmap(jax.random.key)(np.arange(seed, seed + seeds))
        starts = [init_params(key, len(X), n_h, dtype=jnp.float64) for key in keys]
        back = jax.jit(backward)
        gradients = [back(params, X, Y)._asdict() for params in starts]
        squares = np.array([[jnp.sum(of[f"d{p}"] ** 2) for p in PARAMETERS] for of in gradients])
        # The costs before the first update and before the second: what one step changes.
        swept = sweep(
            keys, X, Y, learning_rates=alphas.tolist(), n_h=n_h, iterations=2, keep_costs=True
        )

        params, optimizer = starts[0], sgd(learning_rate)
        start = TrainState(params, optimizer.init(params))
        (after, _), cost = make_update(optimizer)(start, X, Y)
        new_cost = loss(after, X, Y)
        steps = {f"Δ{name}": after[name] - params[name] for name in PARAMETERS}
        forth = {"X": X} | params | forward(params, X)._asdict()
        forth = {
            name: forth[name] for name in ("X", "W1", "b1", "Z1", "A1", "W2", "b2", "Z2", "A2")
        }
        groups = {"forward": forth, "back": gradients[0], "step": steps}
        groups["after"] = {f"{name} after": after[name] for name in PARAMETERS}
        print("          shape            least   greatest       norm  root mean square")
        sizes: dict[str, dict[str, float]] = {group: {} for group in groups}
        for group, quantities in groups.items():
            for name, A in quantities.items():
                sizes[group][name] = rms(A)
                numbers = f"{A.min():10.3g} {A.max():10.3g} {jnp.linalg.norm(A):10.3g}"
                print(f"{name:9} {A.shape!s:11} {numbers} {sizes[group][name]:17.3g}")
    costs = np.asarray(swept.costs)[:, 0]  # (rates, seeds, 2)
    falls = costs[..., 0] - costs[..., 1]  # (rates, seeds)
    predicted = alphas[:, np.newaxis] * squares.sum(axis=1)
    spread = np.percentile(falls / predicted, (5, 50, 95), axis=1).T  # (rates, 3)
    low, median, high = spread[-1]
    print(f"\ncost {cost:.6f} → {new_cost:.6f} at α = {learning_rate:g}")
    print("\n       α  fall / predicted: 5 %     median       95 %  of the seeds")
    for i in range(0, rates, 3):
        print("{:8.1e}  {:21.7f} {:10.7f} {:10.7f}".format(alphas[i], *spread[i]))

    figure, ((left, right),) = new_figure(CLAIM, 1, 2, width_ratios=(1.25, 1))
    x, y = alphas[:-1], np.median(predicted[:-1], axis=1)
    lower, middle, upper = np.percentile(falls[:-1], (5, 50, 95), axis=1)
    left.plot(x, y, "--", color=GRAY, label="predicted, α‖∇J‖²")
    left.plot(x[middle > 0], middle[middle > 0], color=BLUE, label=f"median of {seeds} seeds")
    left.fill_between(
        x,
        lower,
        upper,
        where=lower > 0,
        color=BLUE,
        alpha=0.3,
        lw=0,
        label="5 to 95 % of them",
    )
    left.axvline(learning_rate, color=GREEN, linestyle=":", label=f"α = {learning_rate:g}")
    if (middle <= 0).any():
        begin = x[middle <= 0].min()
        left.axvspan(begin, greatest, color=RED, alpha=0.3, lw=0, label="the cost rises")
    left.set(xlabel="learning rate α", xscale="log", yscale="log")
    left.set(ylabel="fall of the cost in one step", ylim=(y[0] / 3, 3 * y[-1]))
    left.legend(loc="upper left")
    for group, color in (("forward", BLUE), ("back", ORANGE), ("step", GREEN)):
        shown = {name: size for name, size in sizes[group].items() if size > 0}
        right.plot(list(shown.values()), list(shown), "o", color=color, label=group)
    right.set(xscale="log", xlabel="typical size (root mean square)")
    right.tick_params("y", labelsize="small", length=0)
    right.invert_yaxis()
    right.legend(loc="lower right")

    away = np.abs(falls[0] / predicted[0] - 1).max()
    return Result(
        CLAIM,
        bool(max(abs(low - 1), abs(high - 1)) <= about and away <= tolerance),
        {
            f"fall / predicted at α = {learning_rate:g}, median": float(median),
            "5th percentile": float(low),
            "95th percentile": float(high),
            f"greatest |fall / predicted − 1| at α = {least:g}": float(away),
            "cost before the step": float(cost),
            "cost after the step": float(new_cost),
            "predicted fall of this cost": float(predicted[-1, 0]),
            "share of db2² in ‖∇J‖², median": float(np.median(squares[:, 3] / squares.sum(axis=1))),
        },
        figure,
    )


if __name__ == "__main__":
    run(main)
