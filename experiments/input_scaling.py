"""Must the pixels be scaled down before a network is shown them?

The same networks are given raw pixels [0, 255], unit ones [0, 1] and symmetric ones [−1, 1], with
sigmoid and with ReLU hidden units. Before the first step: which share of the hidden units is stuck
(a sigmoid with a slope below 0.01 for a picture, a ReLU that is on for every picture or off for
every one), which share of the gradient gets through them, mean |dZ1| / mean |dA1|, and how long
dW1 is. After the training: the cost and how it ended, for many seeds. The claim is held against the
symmetric scale; the others stand beside it. (The article's section "Linear functions and
non-linear activation functions".)

    python -m experiments.input_scaling

Expect 93 % saturated sigmoid units with raw pixels and none otherwise; then a cost of 0.643 (raw:
a plateau, always predicting the class rate costs 0.644), 0.576 (unit) and 0.449 (symmetric). On the
article's cats it is 0.636, 0.621 and 0.558: there the sigmoid is slow with unit pixels, too. ReLU
needs the scaling as well, though nothing saturates: raw pixels make a step 16,000 times as long
(127.5², once for the gradient and once for what a weight does), and the units die. Seven seconds.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments import BLACK, BLUE, GRAY, ORANGE, Result, at_least, new_figure, run
from jaxnet import (
    Activation,
    Params,
    backward,
    forward,
    init_params,
    label_entropy,
    load_dataset,
    relu,
    sigmoid,
    sweep,
    to_columns,
    to_row,
)

CLAIM = "Inputs must be scaled down, or sigmoid units saturate and learning stalls."

INTERVALS = {"raw": "[0, 255]", "unit": "[0, 1]", "symmetric": "[−1, 1]"}
COLORS = {sigmoid: BLUE, relu: ORANGE}
SATURATED = 0.01  # a slope below it, a 25th of the sigmoid's steepest


@functools.partial(jax.jit, static_argnames="hidden")
def look_at_start(
    networks: Params, X: jax.Array, Y: jax.Array, hidden: Activation
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Compute for each network the share of stuck units, the share that gets through, and ‖dW1‖."""

    def look(params: Params) -> tuple[jax.Array, jax.Array, jax.Array]:
        slope = hidden.slope(forward(params, X, hidden).Z1)  # (n_h, m)
        one_sided = jnp.all(slope == slope[:, :1], axis=1)
        stuck = jnp.mean(one_sided if hidden is relu else slope < SATURATED)
        gradients = backward(params, X, Y, hidden)
        through = jnp.sum(jnp.abs(gradients.dZ1)) / jnp.sum(jnp.abs(gradients.dA1))
        return stuck, through, jnp.linalg.norm(gradients.dW1)

    return jax.vmap(look)(networks)


def main(
    data: str = "sketches",
    seeds: int = 8,
    n_h: int = 8,
    first_scale: float = 0.01,
    learning_rate: float = 0.0075,
    iterations: int = 2500,
) -> Result:
    """Look at fresh networks on each scale, then train them, and compare."""
    at_least(1, seeds=seeds, n_h=n_h)
    dataset = load_dataset(data)
    keys = jax.vmap(jax.random.key)(np.arange(seeds))
    stuck, cost = {}, {}
    numbers: dict[str, float | str] = {}
    print("hidden   pixels        stuck  through    ‖dW1‖  last cost (5–95 %)   outcome")
    with jax.enable_x64(True):
        Y = to_row(dataset.train.labels, dtype=jnp.float64)
        entropy = label_entropy(Y)
        n_x = dataset.train.images[0, ..., 0].size
        draw = functools.partial(init_params, n_x=n_x, n_h=n_h, scale=first_scale, dtype=Y.dtype)
        networks = jax.jit(jax.vmap(draw))(keys)
        settings: dict[str, Any] = {"n_h": n_h, "iterations": iterations}
        settings |= {"learning_rates": [learning_rate], "scales": [first_scale]}
        for hidden in COLORS:
            for scale in INTERVALS:
                X = to_columns(dataset.train.images, scale=scale, dtype=jnp.float64)
                start = look_at_start(networks, X, Y, hidden)
                trained = sweep(keys, X, Y, hidden, **settings)
                here = hidden, scale
                stuck[here], through, length = map(np.asarray, start)
                cost[here] = trained.last_costs[0, 0]
                names, counts = np.unique(trained.outcomes, return_counts=True)
                mostly = names[counts.argmax()]
                low, middle, high = np.percentile(cost[here], (5, 50, 95))
                print(
                    f"{hidden.name:8} {scale:9} {np.median(stuck[here]):9.1%}"
                    f" {np.median(through):8.3f} {np.median(length):8.2g}"
                    f"  {middle:.3f} ({low:.3f}–{high:.3f})"
                    f"  {mostly} {counts.max()}/{seeds}"
                )
                numbers |= {
                    f"{hidden.name} {scale}: stuck": float(np.median(stuck[here])),
                    f"{hidden.name} {scale}: gets through": float(np.median(through)),
                    f"{hidden.name} {scale}: norm of dW1": float(np.median(length)),
                    f"{hidden.name} {scale}: last cost": float(middle),
                    f"{hidden.name} {scale}: outcome": f"{mostly} {counts.max()}/{seeds}",
                }
    raw, scaled = cost[sigmoid, "raw"], cost[sigmoid, "symmetric"]
    saturates = np.median(stuck[sigmoid, "raw"]) > 0.5 > 0.1 > stuck[sigmoid, "symmetric"].max()
    # What is learnt is what the cost has fallen below that of always predicting the class rate.
    half = entropy - np.median(raw) < (entropy - np.median(scaled)) / 2
    stalls = half and np.percentile(scaled, 95) < np.percentile(raw, 5)

    figure, ((left, right),) = new_figure(CLAIM, 1, 2)
    places = np.arange(len(INTERVALS))
    for side, (hidden, color) in zip((-0.18, 0.18), COLORS.items(), strict=True):
        shares = np.array([100 * stuck[hidden, scale] for scale in INTERVALS])  # (scales, seeds)
        means = {sigmoid: "sigmoid: slope below 0.01", relu: "ReLU: always on or always off"}
        left.bar(places + side, np.median(shares, axis=1), 0.32, color=color, label=means[hidden])
        reach = np.abs(np.percentile(shares, (5, 95), axis=1) - np.median(shares, axis=1))
        left.errorbar(places + side, np.median(shares, axis=1), reach, fmt="none", color=BLACK)
        for place in places[np.median(shares, axis=1) == 0]:
            left.text(place + side, 2, "0", color=color, ha="center")
        for place, scale in zip(places, INTERVALS, strict=True):
            spots = place + side + np.linspace(-0.12, 0.12, seeds)
            label = {"relu": "ReLU"}.get(hidden.name, hidden.name) if place == 0 else None
            right.plot(spots, cost[hidden, scale], "o", markersize=5, color=color, label=label)
    right.axhline(entropy, color=GRAY, linestyle="--", label="always the class rate")
    left.set(ylabel="stuck units before the first step, %", ylim=(0, 130))
    left.set_yticks(range(0, 101, 20))
    right.set(ylabel=f"cost after {iterations:,} iterations", ylim=(0, None))
    for axes in (left, right):
        axes.set_xticks(places, [f"{scale}\n{bounds}" for scale, bounds in INTERVALS.items()])
        axes.set_xlabel("scale of the pixels")
        axes.grid(axis="x", visible=False)
        axes.legend()
    return Result(CLAIM, bool(saturates and stalls), numbers, figure)


if __name__ == "__main__":
    run(main)
