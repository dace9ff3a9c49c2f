"""Must the pixels be scaled down before a network is trained on them?

The same networks are given raw pixels [0, 255], unit pixels [0, 1] and symmetric pixels [−1, 1],
with sigmoid and with ReLU hidden units. Before the first step three numbers are measured: the share
of stuck hidden units (a sigmoid with a slope below 0.01 for a picture; a ReLU that is active for
every picture or for none), the share of the gradient that passes the hidden layer, mean |dZ1| /
mean |dA1|, and the norm of dW1. After the training: the cost and the outcome, for many seeds. The
claim compares raw pixels with symmetric ones; unit pixels are shown as well. (The article's section
"Linear functions and non-linear activation functions".)

    python -m experiments.input_scaling

Expect 93 % saturated sigmoid units with raw pixels and none otherwise; then a cost of 0.643 (raw: a
plateau, since the class rate alone costs 0.644), 0.576 (unit) and 0.449 (symmetric). On the
article's cats it is 0.636, 0.621 and 0.558: here unit pixels are slow as well.
ReLU needs the scaling as well, though nothing saturates: raw pixels make the effect of a step
16,000 times as large (127.5²: once by the gradient, once by the weight's own factor), and the units
die. It takes seven seconds.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes

from experiments import (
    BLACK,
    BLUE,
    GRAY,
    ORANGE,
    Result,
    at_least,
    draw_networks,
    new_figure,
    run,
)
from jaxnet import (
    Activation,
    Dataset,
    Grid,
    Params,
    Settings,
    backward,
    forward,
    label_entropy,
    load_dataset,
    make_examples,
    relu,
    sigmoid,
    sweep,
    to_columns,
    to_row,
)

CLAIM = "Inputs must be scaled down, or sigmoid units saturate and learning stalls."

INTERVALS = {"raw": "[0, 255]", "unit": "[0, 1]", "symmetric": "[−1, 1]"}
COLORS = {sigmoid: BLUE, relu: ORANGE}
SATURATED = 0.01  # a smaller slope is a 25th of the sigmoid's largest


class Measured(NamedTuple):
    """The networks of all seeds with one activation and one pixel scale, each (seeds,)."""

    stuck: np.ndarray  # the share of stuck units before the first step
    through: np.ndarray  # the share of the gradient that passes the hidden layer
    length: np.ndarray  # ‖dW1‖
    cost: np.ndarray  # the last one
    outcomes: np.ndarray


# By activation and pixel scale.
Results = dict[tuple[Activation, str], Measured]


def main(
    data: str = "sketches",
    seeds: int = 8,
    n_h: int = 8,
    weight_scale: float = 0.01,
    learning_rate: float = 0.0075,
    iterations: int = 2500,
) -> Result:
    """Measure untrained networks with each pixel scale, then train them, and compare."""
    at_least(1, seeds=seeds, n_h=n_h)
    dataset = load_dataset(data)
    results: Results = {}
    numbers: dict[str, float | str] = {}
    with jax.enable_x64(True):
        entropy = label_entropy(to_row(dataset.train.labels, dtype=jnp.float64))
        for hidden in COLORS:
            settings = Settings(
                hidden_units=n_h,
                activation=hidden.name,
                weight_scale=weight_scale,
                learning_rate=learning_rate,
                iterations=iterations,
                precision="float64",
            )
            for scale in INTERVALS:
                results[hidden, scale] = measure(dataset, scale, settings, seeds)
    print("hidden   pixels        stuck  through    ‖dW1‖  last cost (5–95 %)   outcome")
    for (hidden, scale), measured in results.items():
        names, counts = np.unique(measured.outcomes, return_counts=True)
        frequent = f"{names[counts.argmax()]} {counts.max()}/{seeds}"
        stuck, through, length = (float(np.median(each)) for each in measured[:3])
        low, middle, high = np.percentile(measured.cost, (5, 50, 95))
        print(
            f"{hidden.name:8} {scale:9} {stuck:9.1%} {through:8.3f} {length:8.2g}"
            f"  {middle:.3f} ({low:.3f}–{high:.3f})  {frequent}"
        )
        numbers |= {
            f"{hidden.name} {scale}: stuck": stuck,
            f"{hidden.name} {scale}: gets through": through,
            f"{hidden.name} {scale}: norm of dW1": length,
            f"{hidden.name} {scale}: last cost": float(middle),
            f"{hidden.name} {scale}: outcome": frequent,
        }
    figure, ((left, right),) = new_figure(CLAIM, 1, 2)
    draw_stuck(left, results)
    draw_costs(right, results, entropy, iterations)
    return Result(CLAIM, judge(results, entropy), numbers, figure)


def measure(dataset: Dataset, scale: str, settings: Settings, seeds: int) -> Measured:
    """Measure untrained networks of the seeds 0, 1, … with one pixel scale, and train them."""
    X = to_columns(dataset.train.images, pixel_scale=scale, dtype=jnp.float64)
    Y = to_row(dataset.train.labels, dtype=jnp.float64)
    weight_scale = float(settings.weight_scale)
    networks = draw_networks(seeds, len(X), settings.hidden_units, weight_scale, X.dtype)
    stuck, through, length = measure_start(networks, X, Y, settings.hidden)
    grid = Grid((settings.learning_rate,), (weight_scale,), seeds, (settings.activation,))
    trained = sweep(make_examples(X, Y), grid, settings)
    costs, outcomes = trained.last_costs[0, 0, 0], trained.outcomes[0, 0, 0]
    return Measured(*map(np.asarray, (stuck, through, length, costs, outcomes)))


@functools.partial(jax.jit, static_argnames="hidden")
def measure_start(
    networks: Params, X: jax.Array, Y: jax.Array, hidden: Activation
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Compute the share of stuck units, the share that passes, and ‖dW1‖, each (networks,)."""

    def measure_one(params: Params) -> tuple[jax.Array, jax.Array, jax.Array]:
        slope = hidden.slope(forward(params, X, hidden).Z1)  # (n_h, m)
        one_sided = jnp.all(slope == slope[:, :1], axis=1)
        stuck = jnp.mean(one_sided if hidden is relu else slope < SATURATED)
        gradients = backward(params, X, Y, hidden)
        through = jnp.sum(jnp.abs(gradients.dZ1)) / jnp.sum(jnp.abs(gradients.dA1))
        return stuck, through, jnp.linalg.norm(gradients.dW1)

    return jax.vmap(measure_one)(networks)


def judge(results: Results, entropy: float) -> bool:
    """Compute whether raw pixels saturate the sigmoid and stall it, and symmetric ones do not."""
    raw, scaled = results[sigmoid, "raw"], results[sigmoid, "symmetric"]
    saturates = np.median(raw.stuck) > 0.5 > 0.1 > scaled.stuck.max()
    # A network has learned what its cost is below that of always predicting the class rate.
    learned, learned_scaled = (entropy - np.median(each.cost) for each in (raw, scaled))
    apart = np.percentile(scaled.cost, 95) < np.percentile(raw.cost, 5)
    return bool(saturates and learned < learned_scaled / 2 and apart)


def label_scales(axes: Axes) -> None:
    """Label the places of the pixel scales."""
    places = range(len(INTERVALS))
    axes.set_xticks(places, [f"{scale}\n{bounds}" for scale, bounds in INTERVALS.items()])
    axes.set_xlabel("scale of the pixels")
    axes.grid(axis="x", visible=False)
    axes.legend()


def draw_stuck(axes: Axes, results: Results) -> None:
    """Draw the share of stuck units: the median, and 5 to 95 % of the seeds."""
    meanings = {sigmoid: "sigmoid: slope below 0.01", relu: "ReLU: always on or always off"}
    places = np.arange(len(INTERVALS))
    for side, (hidden, color) in zip((-0.18, 0.18), COLORS.items(), strict=True):
        shares = np.array([100 * results[hidden, scale].stuck for scale in INTERVALS])
        median = np.median(shares, axis=1)
        axes.bar(places + side, median, 0.32, color=color, label=meanings[hidden])
        reach = np.abs(np.percentile(shares, (5, 95), axis=1) - median)
        axes.errorbar(places + side, median, reach, fmt="none", color=BLACK)
        for place in places[median == 0]:
            axes.text(place + side, 2, "0", color=color, ha="center")
    axes.set(ylabel="stuck units before the first step, %", ylim=(0, 130))
    axes.set_yticks(range(0, 101, 20))
    label_scales(axes)


def draw_costs(axes: Axes, results: Results, entropy: float, iterations: int) -> None:
    """Draw the last cost of every network."""
    for side, (hidden, color) in zip((-0.18, 0.18), COLORS.items(), strict=True):
        for place, scale in enumerate(INTERVALS):
            costs = results[hidden, scale].cost
            spots = place + side + np.linspace(-0.12, 0.12, len(costs))
            label = {"relu": "ReLU"}.get(hidden.name, hidden.name) if place == 0 else None
            axes.plot(spots, costs, "o", markersize=5, color=color, label=label)
    axes.axhline(entropy, color=GRAY, linestyle="--", label="always the class rate")
    axes.set(ylabel=f"cost after {iterations:,} iterations", ylim=(0, None))
    label_scales(axes)


if __name__ == "__main__":
    run(main)
