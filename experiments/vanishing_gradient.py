"""How much of the gradient gets through a layer of sigmoid units, and of ReLU units?

On its way back the gradient is multiplied by the slope, dZ1 = dA1 ∘ g′(Z1). So the share that gets
through is mean |dZ1| / mean |dA1|, a mean of the slopes, whatever the size of the gradient that
arrives or of the pixels it is multiplied with next. It is measured in fresh networks of many seeds
whose first weights are made 1, 10, … 10,000 times as large. Growing the inputs instead
(`--grow inputs`) gives the same Z1 and so the same share. (The article's section "Linear
functions and non-linear activation functions".)

    python -m experiments.vanishing_gradient

Expect the share to fall from 0.25 to 0.0002 with sigmoid units, and to stay at 0.51 with ReLU (0.36
to 0.65 from seed to seed). The sigmoid's mean is held up by the few pictures for which a unit is
near z = 0; the slope for the median picture falls exponentially, to 2e-7 at 100 times and 4e-67 at
1,000. Three seconds.
"""

import functools
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import BLUE, GRAY, ORANGE, Result, at_least, new_figure, run
from jaxnet import (
    Activation,
    Params,
    backward,
    forward,
    init_params,
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
    """How the gradient passes the hidden layer; after `main` has stacked them, (sizes, seeds)."""

    share: jax.Array  # mean |dZ1| / mean |dA1|
    slope: jax.Array  # the median of g′(Z1)
    length: jax.Array  # ‖dW1‖
    reach: jax.Array  # 90 % of Z1 are within ± this


@functools.partial(jax.jit, static_argnames="hidden")
def pass_back(
    networks: Params, X: jax.Array, Y: jax.Array, hidden: Activation, size: float
) -> Passage:
    """Send the gradient back through each network, its W1 made `size` times as large."""

    def look(params: Params) -> Passage:
        params = params | {"W1": size * params["W1"]}
        Z1 = forward(params, X, hidden).Z1
        gradients = backward(params, X, Y, hidden)
        return Passage(
            jnp.mean(jnp.abs(gradients.dZ1)) / jnp.mean(jnp.abs(gradients.dA1)),
            jnp.median(hidden.slope(Z1)),
            jnp.linalg.norm(gradients.dW1),
            jnp.quantile(jnp.abs(Z1), 0.9),
        )

    return jax.vmap(look)(networks)


def main(
    data: str = "sketches",
    grow: Literal["weights", "inputs"] = "weights",
    decades: int = 4,
    seeds: int = 64,
    n_h: int = 8,
    first_scale: float = 0.01,
) -> Result:
    """Grow the weights or the inputs of fresh networks, and see what gets through."""
    at_least(1, seeds=seeds, n_h=n_h, decades=decades)
    train = load_dataset(data).train
    sizes = [10**decade for decade in range(decades + 1)]
    passages: dict[Activation, Passage] = {}
    with jax.enable_x64(True):
        X = to_columns(train.images, dtype=jnp.float64)
        Y = to_row(train.labels, dtype=jnp.float64)
        keys = jax.vmap(jax.random.key)(np.arange(seeds))
        draw = functools.partial(init_params, n_x=len(X), n_h=n_h, scale=first_scale, dtype=X.dtype)
        networks = jax.jit(jax.vmap(draw))(keys)
        for hidden in COLORS:
            found = [
                pass_back(networks, X, Y, hidden, float(size))
                if grow == "weights"
                else pass_back(networks, size * X, Y, hidden, 1.0)
                for size in sizes
            ]
            passages[hidden] = jax.tree.map(lambda *rows: np.stack(rows), *found)

    shares = {hidden: spread(passage.share) for hidden, passage in passages.items()}
    numbers: dict[str, float] = {}
    print(f"{grow} ×   hidden   gets through (5–95 %)        median slope    ‖dW1‖")
    for hidden, passage in passages.items():
        for row, size in enumerate(sizes):
            low, share, high = shares[hidden][:, row]
            slope, length = np.median(passage.slope[row]), np.median(passage.length[row])
            # That of ReLU is 0 or 1, a toss.
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
    with jax.enable_x64(True):
        Z = jnp.concatenate([-jnp.logspace(7, -2, 400), jnp.logspace(-2, 7, 400)])
        for hidden, name in ((sigmoid, "sigmoid"), (relu, "ReLU")):
            left.plot(Z, hidden.slope(Z), color=COLORS[hidden], label=name)
    for row, size in enumerate(sizes):
        reach = np.median(passages[sigmoid].reach[row])
        height = -0.1 * (row + 1)
        left.plot([-reach, reach], [height, height], color=GRAY, linewidth=5)
        left.annotate(
            f"× {size:,}", (reach, height), (6, 0), textcoords="offset points", va="center"
        )
    left.set_xscale("asinh")  # like a logarithm at both ends
    left.set_xticks([-1e4, -100, 0, 100, 1e4], ["−10⁴", "−100", "0", "100", "10⁴"])
    left.set_yticks(np.linspace(0, 1, 5))
    left.set(xlabel=f"z; bars: 90 % of Z1, {grow} × size", ylabel="slope g′(z)", xlim=(-4e6, 4e6))
    left.legend(loc="upper left")
    for hidden in COLORS:
        low, share, high = shares[hidden]
        right.fill_between(sizes, low, high, color=COLORS[hidden], alpha=0.25, linewidth=0)
        right.plot(sizes, share, "o-", color=COLORS[hidden])
    slopes = np.maximum(np.median(passages[sigmoid].slope, axis=1), 1e-300)
    right.plot(sizes, slopes, "s--", color=BLUE)
    right.text(2, 0.9, "ReLU: mean slope", color=ORANGE)
    right.text(sizes[-1] ** 0.5, 0.06, "sigmoid: mean slope", color=BLUE)
    right.text(1, 0.0002, "sigmoid:\nmedian slope", color=BLUE)
    right.set(xscale="log", yscale="log", ylim=(1e-6, 2))
    right.set(xlabel=f"size of the {grow}", ylabel="share of the gradient that gets through")
    return Result(CLAIM, bool(vanishes and passes), numbers, figure)


def spread(values: jax.Array) -> np.ndarray:
    """Compute the 5th, 50th and 95th percentile over the seeds, the last axis: (3, …)."""
    return np.percentile(np.asarray(values), (5, 50, 95), axis=-1)


if __name__ == "__main__":
    run(main)
