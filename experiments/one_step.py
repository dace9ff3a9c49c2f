"""What happens in one step of training, number by number, and does the cost fall as predicted?

One network makes one step. Every quantity is printed with its shape, range and size: forward,
backward, and after the update. To first order the step changes the cost by −α‖∇J‖², where ‖∇J‖² is
the sum of the squares of dW1, db1, dW2 and db2. So, for many rates α and many seeds, in float64,
the measured decrease of the cost in one step is divided by the predicted one. The ratio must
approach 1 as α approaches 0. (The article's sections "Forward propagation" to "Using
backpropagation to adjust weights and biases".)

    python -m experiments.one_step

Expect the cost to fall from 0.69169 to 0.69141 at α = 0.0075, and over 16 seeds a decrease of 99.6
to 100.0 % of the prediction. At α = 1e-6 the ratio is 1 to within 6e-7; at α = 1 it is 0.88, and at
α = 10 the step overshoots and the cost rises. The largest part of ‖∇J‖² is db2²: a network first
learns the frequency of the classes. It takes five seconds.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes

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
    Examples,
    Grid,
    Params,
    Settings,
    TrainState,
    UsageError,
    backward,
    forward,
    init_params,
    load_dataset,
    loss,
    make_examples,
    make_update,
    sgd,
    sweep,
    to_columns,
    to_row,
)

CLAIM = "One step against the gradient lowers the cost by about α‖∇J‖²."

PARAMETERS = ("W1", "b1", "W2", "b2")


class Step(NamedTuple):
    """One step of one network."""

    cost: float  # before the step
    new_cost: float
    groups: dict[str, dict[str, np.ndarray]]  # the quantities of "forward", "back", "step", "after"


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
    """Make one step and print its numbers; then compare steps of many sizes with the prediction."""
    at_least(1, seeds=seeds, n_h=n_h)
    if not 0 < learning_rate < np.inf:
        raise UsageError(f"the learning rate is {learning_rate}", "a number above 0", "give 0.01")
    alphas = np.append(space_rates(least, greatest, rates), learning_rate)
    train = load_dataset(data).train
    settings = Settings(hidden_units=n_h, seed=seed, iterations=2, precision="float64")
    with jax.enable_x64(True):
        examples = make_examples(
            to_columns(train.images, dtype=jnp.float64), to_row(train.labels, dtype=jnp.float64)
        )
        squares = square_gradients(examples, settings, seeds)
        falls = measure_falls(examples, settings, seeds, alphas)
        key = jax.random.key(seed)
        params = init_params(key, len(examples.X), n_h, dtype=jnp.float64)
        step = make_step(params, examples, learning_rate)
    print_step(step)
    predicted = alphas[:, np.newaxis] * squares.sum(axis=1)  # (rates, seeds)
    spread = np.percentile(falls / predicted, (5, 50, 95), axis=1).T  # (rates, 3)
    low, median, high = spread[-1]
    print(f"\ncost {step.cost:.6f} → {step.new_cost:.6f} at α = {learning_rate:g}")
    print("\n       α  fall / predicted: 5 %     median       95 %  of the seeds")
    for i in range(0, rates, 3):
        print("{:8.1e}  {:21.7f} {:10.7f} {:10.7f}".format(alphas[i], *spread[i]))

    figure, ((left, right),) = new_figure(CLAIM, 1, 2, width_ratios=(1.25, 1))
    draw_falls(left, alphas, falls, predicted)
    draw_sizes(right, step)
    away = np.abs(falls[0] / predicted[0] - 1).max()
    return Result(
        CLAIM,
        bool(max(abs(low - 1), abs(high - 1)) <= about and away <= tolerance),
        {
            f"fall / predicted at α = {learning_rate:g}, median": float(median),
            "5th percentile": float(low),
            "95th percentile": float(high),
            f"greatest |fall / predicted − 1| at α = {least:g}": float(away),
            "cost before the step": step.cost,
            "cost after the step": step.new_cost,
            "predicted fall of this cost": float(predicted[-1, 0]),
            "share of db2² in ‖∇J‖², median": float(np.median(squares[:, 3] / squares.sum(axis=1))),
        },
        figure,
    )


def square_gradients(examples: Examples, settings: Settings, seeds: int) -> np.ndarray:
    """Compute the sum of the squares of dW1, db1, dW2 and db2 at each start: (seeds, 4)."""
    X, Y, _ = examples
    back = jax.jit(backward)
    squares = []
    for seed in range(settings.seed, settings.seed + seeds):
        params = init_params(jax.random.key(seed), len(X), settings.hidden_units, dtype=X.dtype)
        gradients = back(params, X, Y)._asdict()
        squares.append([float(np.sum(np.square(gradients[f"d{name}"]))) for name in PARAMETERS])
    return np.array(squares)


def measure_falls(
    examples: Examples, settings: Settings, seeds: int, alphas: np.ndarray
) -> np.ndarray:
    """Measure the decrease of the cost in one step at each rate and start: (rates, seeds).

    `settings` has two iterations: the costs are those before the first and the second update.
    """
    grid = Grid(learning_rates=tuple(alphas.tolist()), seeds=seeds)
    swept = sweep(examples, grid, settings, keep_costs=True)
    costs = np.asarray(swept.costs)[0, :, 0]  # (rates, seeds, 2)
    falls = costs[..., 0] - costs[..., 1]
    # A grid has no rate twice, but the rate of the single step may be among the others.
    return falls[[grid.learning_rates.index(alpha) for alpha in alphas]]


def make_step(params: Params, examples: Examples, learning_rate: float) -> Step:
    """Make one step, and collect every quantity by its name."""
    X, Y, _ = examples
    optimizer = sgd(learning_rate)
    start = TrainState(params, optimizer.init(params))
    (after, _), cost = jax.device_get(make_update(optimizer)(start, X, Y))
    known = {"X": X} | params | jax.jit(forward)(params, X)._asdict()
    order = ("X", "W1", "b1", "Z1", "A1", "W2", "b2", "Z2", "A2")
    groups = {
        "forward": {name: known[name] for name in order},
        "back": jax.jit(backward)(params, X, Y)._asdict(),
        "step": {f"Δ{name}": after[name] - np.asarray(params[name]) for name in PARAMETERS},
        "after": {f"{name} after": after[name] for name in PARAMETERS},
    }
    return Step(float(cost), float(jax.jit(loss)(after, X, Y)), jax.device_get(groups))


def rms(A: np.ndarray) -> float:
    """Compute the root mean square, which does not grow with the number of elements."""
    return float(np.sqrt(np.mean(A**2)))


def print_step(step: Step) -> None:
    """Print the shape, the range and the size of every quantity."""
    print("          shape            least   greatest       norm  root mean square")
    for quantities in step.groups.values():
        for name, A in quantities.items():
            numbers = f"{A.min():10.3g} {A.max():10.3g} {np.linalg.norm(A):10.3g}"
            print(f"{name:9} {A.shape!s:11} {numbers} {rms(A):17.3g}")


def draw_falls(axes: Axes, alphas: np.ndarray, falls: np.ndarray, predicted: np.ndarray) -> None:
    """Draw the decrease of the cost against the rate; the last rate is that of the single step."""
    *_, learning_rate = alphas
    x, y = alphas[:-1], np.median(predicted[:-1], axis=1)
    lower, middle, upper = np.percentile(falls[:-1], (5, 50, 95), axis=1)
    axes.plot(x, y, "--", color=GRAY, label="predicted, α‖∇J‖²")
    median = f"median of {falls.shape[1]} seeds"
    axes.plot(x[middle > 0], middle[middle > 0], color=BLUE, label=median)
    band = {"where": lower > 0, "color": BLUE, "alpha": 0.3, "lw": 0}
    axes.fill_between(x, lower, upper, label="5 to 95 % of them", **band)
    axes.axvline(learning_rate, color=GREEN, linestyle=":", label=f"α = {learning_rate:g}")
    if (middle <= 0).any():
        begin = x[middle <= 0].min()
        axes.axvspan(begin, x[-1], color=RED, alpha=0.3, lw=0, label="the cost rises")
    axes.set(xlabel="learning rate α", xscale="log", yscale="log")
    axes.set(ylabel="decrease of the cost in one step", ylim=(y[0] / 3, 3 * y[-1]))
    axes.legend(loc="upper left")


def draw_sizes(axes: Axes, step: Step) -> None:
    """Draw the size of every quantity that is not 0."""
    for group, color in (("forward", BLUE), ("back", ORANGE), ("step", GREEN)):
        sizes = {name: rms(A) for name, A in step.groups[group].items()}
        shown = {name: size for name, size in sizes.items() if size > 0}
        axes.plot(list(shown.values()), list(shown), "o", color=color, label=group)
    axes.set(xscale="log", xlabel="typical size (root mean square)")
    axes.tick_params("y", labelsize="small", length=0)
    axes.invert_yaxis()
    axes.legend(loc="lower right")


if __name__ == "__main__":
    run(main)
