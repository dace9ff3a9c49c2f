"""Which share of the gradient passes a layer of sigmoid units, and of ReLU units?

On its way back the gradient is multiplied by the slope, dZ1 = dA1 ∘ g′(Z1). So the share that
passes is mean |dZ1| / mean |dA1|, a weighted mean of the slopes: neither the size of the gradient
that arrives nor that of the pixels matters. It is measured in untrained networks of many seeds,
whose initial weights are multiplied by 1, 10, … 10,000. Multiplying the inputs instead (`--grow
inputs`) gives the same Z1 and the same share. (The article's section "Linear functions and
non-linear activation functions".)

    python -m experiments.vanishing_gradient

Expect the share to fall from 0.25 to 0.0002 with sigmoid units, and to stay at 0.51 with ReLU (0.36
to 0.65 between seeds). The mean slope of the sigmoid stays above the median, because for a few
pictures a unit is near z = 0; the median slope falls exponentially, to 2e-7 at 100 times and 4e-67
at 1,000 times the weights. It takes three seconds.
"""

import functools
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes

from experiments import BLUE, GRAY, ORANGE, Result, at_least, draw_networks, new_figure, run
from jaxnet import (
    Activation,
    Params,
    backward,
    forward,
    load_dataset,
    relu,
    sigmoid,
    to_columns,
    to_row,
)

CLAIM = (
    "The slope of the sigmoid vanishes at both ends, so hardly any gradient gets through a "
    "saturated layer; ReLU lets through half of it, whatever the size."
)

COLORS = {sigmoid: BLUE, relu: ORANGE}


class Passage(NamedTuple):
    """The gradient and the hidden layer; after `main` has stacked them, each (sizes, seeds)."""

    share: jax.Array  # mean |dZ1| / mean |dA1|
    slope: jax.Array  # the median of g′(Z1)
    length: jax.Array  # ‖dW1‖
    reach: jax.Array  # 90 % of Z1 are within ± this


def main(
    data: str = "sketches",
    grow: Literal["weights", "inputs"] = "weights",
    decades: int = 4,
    seeds: int = 64,
    n_h: int = 8,
    weight_scale: float = 0.01,
) -> Result:
    """Grow the weights or the inputs of untrained networks, and measure what passes."""
    at_least(1, seeds=seeds, n_h=n_h, decades=decades)
    train = load_dataset(data).train
    sizes = [10**decade for decade in range(decades + 1)]
    passages: dict[Activation, Passage] = {}
    with jax.enable_x64(True):
        X = to_columns(train.images, dtype=jnp.float64)
        Y = to_row(train.labels, dtype=jnp.float64)
        networks = draw_networks(seeds, len(X), n_h, weight_scale, X.dtype)
        for hidden in COLORS:
            of_sizes = [
                pass_back(networks, X, Y, hidden, float(size))
                if grow == "weights"
                else pass_back(networks, size * X, Y, hidden, 1.0)
                for size in sizes
            ]
            passages[hidden] = jax.tree.map(lambda *rows: np.stack(rows), *of_sizes)

    shares = {hidden: spread(passage.share) for hidden, passage in passages.items()}
    numbers: dict[str, float] = {}
    print(f"{grow} ×   hidden   gets through (5–95 %)        median slope    ‖dW1‖")
    for hidden, passage in passages.items():
        for row, size in enumerate(sizes):
            low, share, high = shares[hidden][:, row]
            slope, length = np.median(passage.slope[row]), np.median(passage.length[row])
            # The median slope of ReLU is 0 or 1 by chance.
            typical = f"{slope:14.2g}" if hidden is sigmoid else f"{'–':>14}"
            print(
                f"{size:9,}   {hidden.name:8} {share:.5f} ({low:.5f}–{high:.5f})"
                f"  {typical} {length:8.2g}"
            )
            numbers[f"{hidden.name}, {grow} × {size:,}: gets through"] = float(share)
            if hidden is sigmoid:
                numbers[f"sigmoid, {grow} × {size:,}: median slope"] = float(slope)
    vanishes = np.all(np.diff(shares[sigmoid]) < 0) and shares[sigmoid][2, -1] < 0.01
    passes = np.all(np.abs(shares[relu][1] - 0.5) < 0.1) and shares[relu][0].min() > 0.05

    figure, ((left, right),) = new_figure(CLAIM, 1, 2)
    draw_slopes(left, sizes, passages[sigmoid], grow)
    draw_shares(right, sizes, shares, passages[sigmoid])
    right.set(xlabel=f"size of the {grow}", ylabel="share of the gradient that gets through")
    return Result(CLAIM, bool(vanishes and passes), numbers, figure)


@functools.partial(jax.jit, static_argnames="hidden")
def pass_back(
    networks: Params, X: jax.Array, Y: jax.Array, hidden: Activation, size: float
) -> Passage:
    """Compute the gradients of each network, its W1 multiplied by `size`."""

    def measure(params: Params) -> Passage:
        params = params | {"W1": size * params["W1"]}
        Z1 = forward(params, X, hidden).Z1
        gradients = backward(params, X, Y, hidden)
        return Passage(
            jnp.mean(jnp.abs(gradients.dZ1)) / jnp.mean(jnp.abs(gradients.dA1)),
            jnp.median(hidden.slope(Z1)),
            jnp.linalg.norm(gradients.dW1),
            jnp.quantile(jnp.abs(Z1), 0.9),
        )

    return jax.vmap(measure)(networks)


def spread(values: jax.Array) -> np.ndarray:
    """Compute the 5th, 50th and 95th percentile over the seeds, the last axis: (3, …)."""
    return np.percentile(np.asarray(values), (5, 50, 95), axis=-1)


def draw_slopes(axes: Axes, sizes: list[int], passage: Passage, grow: str) -> None:
    """Draw both slopes over z, and below them the range of Z1 at each size."""
    with jax.enable_x64(True):
        Z = np.concatenate([-np.logspace(7, -2, 400), np.logspace(-2, 7, 400)])
        for hidden, name in ((sigmoid, "sigmoid"), (relu, "ReLU")):
            axes.plot(Z, jax.jit(hidden.slope)(Z), color=COLORS[hidden], label=name)
    for row, size in enumerate(sizes):
        reach = np.median(passage.reach[row])
        height = -0.1 * (row + 1)
        axes.plot([-reach, reach], [height, height], color=GRAY, linewidth=5)
        axes.annotate(
            f"× {size:,}", (reach, height), (6, 0), textcoords="offset points", va="center"
        )
    axes.set_xscale("asinh")  # like a logarithm at both ends
    axes.set_xticks([-1e4, -100, 0, 100, 1e4], ["−10⁴", "−100", "0", "100", "10⁴"])
    axes.set_yticks(np.linspace(0, 1, 5))
    axes.set(xlabel=f"z; bars: 90 % of Z1, {grow} × size", ylabel="slope g′(z)", xlim=(-4e6, 4e6))
    axes.legend(loc="upper left")


def draw_shares(
    axes: Axes, sizes: list[int], shares: dict[Activation, np.ndarray], passage: Passage
) -> None:
    """Draw the share that passes, with 5 to 95 % of the seeds, and the sigmoid's median slope."""
    for hidden, (low, share, high) in shares.items():
        axes.fill_between(sizes, low, high, color=COLORS[hidden], alpha=0.25, linewidth=0)
        axes.plot(sizes, share, "o-", color=COLORS[hidden])
    slopes = np.maximum(np.median(passage.slope, axis=1), 1e-300)
    axes.plot(sizes, slopes, "s--", color=BLUE)
    axes.text(2, 0.9, "ReLU: mean slope", color=ORANGE)
    axes.text(sizes[-1] ** 0.5, 0.06, "sigmoid: mean slope", color=BLUE)
    axes.text(1, 0.0002, "sigmoid:\nmedian slope", color=BLUE)
    axes.set(xscale="log", yscale="log", ylim=(1e-6, 2))


if __name__ == "__main__":
    run(main)
