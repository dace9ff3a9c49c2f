"""Does a large negative bias kill a ReLU unit for ever, and can leaky ReLU bring it back?

All hidden biases start at −k times the typical size (root mean square) of Z1, for several k and
seeds, and each network is trained with ReLU and with leaky ReLU. A unit is dead if its Z1 is
positive on no training picture: then the slope of ReLU, and with it every gradient of the unit, is
exactly 0, while leaky ReLU has the slope 0.01. (The article's section "Linear functions and
non-linear activation functions".)

    python -m experiments.dead_relu

Expect 132 of 200 units to be dead at the start. With ReLU their gradients are exactly 0, training
changes no bit of their weights, and none comes back; it even kills 6 others. With leaky ReLU all
132 move, and 64 are active again after 1,000 iterations. But not always: with the defaults of
training (--scale 0.01 --learning-rate 0.0075) what reaches a unit is as small as its output weight,
none comes back, and the answer is No. Six seconds.
"""

import contextlib
import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes

from experiments import BLACK, BLUE, ORANGE, Result, at_least, new_figure, run
from jaxnet import (
    Activation,
    Descent,
    Params,
    TrainState,
    fit_in_chunks,
    forward,
    init_params,
    leaky_relu,
    load_dataset,
    loss,
    relu,
    sgd,
    start_descent,
    to_columns,
    to_row,
)

CLAIM = "A large negative bias kills a ReLU unit for good; a leaky one can revive."

HIDDEN = {"ReLU": relu, "leaky ReLU": leaky_relu}
COLORS = {"ReLU": BLUE, "leaky ReLU": ORANGE}

# At the first bias that kills nine units in ten, a quarter of these must come back if leaky.
KILLED, REVIVED = 0.9, 0.25
EVERY = 25  # iterations


class Life(NamedTuple):
    """What becomes of the units of a network, each (n_h,); of many, (biases, seeds, n_h)."""

    gradient: np.ndarray  # the largest element of its dW1 and db1, before or after training
    moved: np.ndarray  # whether training has changed any bit of its W1 or b1
    active: np.ndarray  # whether its Z1 is positive on any picture after training


def main(
    data: str = "sketches",
    seed: int = 0,
    seeds: int = 5,
    n_h: int = 8,
    scale: str = "he",
    largest: float = 8.0,
    biases: int = 5,
    learning_rate: float = 0.1,
    iterations: int = 1000,
) -> Result:
    """Train networks at `biases` biases, from 0 to −`largest` times the typical Z1.

    `scale` is that of the first weights, "he" or a number.
    """
    at_least(1, seeds=seeds, n_h=n_h, biases=biases)
    train = load_dataset(data).train
    ratios = 0.0 - np.linspace(0, largest, biases)  # of the biases to the typical Z1
    with jax.enable_x64(True):
        X = to_columns(train.images, dtype=jnp.float64)
        Y = to_row(train.labels, dtype=jnp.float64)
        size: float | str = scale
        with contextlib.suppress(ValueError):  # what is no number is for init_params to understand
            size = float(scale)
        keys = jax.vmap(jax.random.key)(np.arange(seed, seed + seeds))
        drawn = [init_params(key, len(X), n_h, scale=size, dtype=jnp.float64) for key in keys]
        typical = [float(jnp.sqrt(jnp.mean(forward(params, X).Z1 ** 2))) for params in drawn]
        # One for all biases of a network: what takes long in it depends on W1 and X alone.
        descents = [start_descent(params, X, sgd(learning_rate)) for params in drawn]
        starts = [
            lower_biases(descent, ratio * z)
            for ratio in ratios
            for descent, z in zip(descents, typical, strict=True)
        ]
        shape = (biases, seeds, n_h)
        dead = np.array([highest_Z1(start.params, X) <= 0 for start in starts]).reshape(shape)
        lives = {}
        for name, hidden in HIDDEN.items():
            each = [live(start, Y, hidden, iterations) for start in starts]
            lives[name] = Life(*(np.reshape(field, shape) for field in zip(*each, strict=True)))
        shares = dead.mean(axis=(1, 2))
        kills = bool(shares.max() >= KILLED)
        at = int(np.argmax(shares >= KILLED)) if kills else biases - 1
        first = starts[at * seeds]
        paths = {name: follow(first, Y, hidden, iterations) for name, hidden in HIDDEN.items()}

    print("bias, in     units         of the units dead at the start")
    print("typical Z1         dead   ReLU: moved  active   leaky ReLU: moved  active")
    for row, ratio in enumerate(ratios):
        columns = [ratio, dead[row].size, dead[row].sum()]
        for life in lives.values():
            columns += [life.moved[row][dead[row]].sum(), life.active[row][dead[row]].sum()]
        print("{:10.2f} {:6} {:6} {:12} {:7} {:19} {:7}".format(*columns))

    numbers: dict[str, Any] = {
        f"largest gradient of a dead unit, {name}": float(life.gradient[dead].max(initial=0))
        for name, life in lives.items()
    }
    numbers |= {"units": dead.size, "units dead at the start": int(dead.sum())}
    for name, life in lives.items():
        numbers[f"of these moved, {name}"] = int(life.moved[dead].sum())
        numbers[f"of these active after training, {name}"] = int(life.active[dead].sum())
    back = float(lives["leaky ReLU"].active[at][dead[at]].mean()) if kills else 0.0
    numbers |= {
        "first bias that kills nine in ten, in typical Z1": float(ratios[at]) if kills else "none",
        "share that came back there, leaky ReLU": back,
        "units that died in training, ReLU": int((~dead & ~lives["ReLU"].active).sum()),
    }
    stays = not any(field[dead].any() for field in lives["ReLU"])
    learns = bool(lives["leaky ReLU"].moved[dead].all())

    figure, ((left, right),) = new_figure(CLAIM, 1, 2)
    draw_shares(left, ratios, dead, lives)
    draw_paths(right, paths, iterations)
    shown = f"{ratios[at]:g}".replace("-", "−")
    right.set_title(f"dead units of one network, bias {shown} × typical Z1", fontsize=13)
    return Result(CLAIM, kills and stays and learns and back >= REVIVED, numbers, figure)


def lower_biases(descent: Descent, bias: float) -> Descent:
    """Add `bias` to the hidden biases from which a descent starts."""
    params, opt_state = descent.state
    state = TrainState(params | {"b1": params["b1"] + bias}, opt_state)
    return dataclasses.replace(descent, state=state)


@jax.jit
def highest_Z1(params: Params, X: jax.Array) -> jax.Array:
    """Find the highest Z1 of each hidden unit over all pictures, (n_h,)."""
    return forward(params, X).Z1.max(axis=1)


def live(start: Descent, Y: jax.Array, hidden: Activation, iterations: int) -> Life:
    """Train a network and see what becomes of its units."""
    *_, end = fit_in_chunks(start, Y, hidden, iterations=iterations)
    points = (start.params, end.params)
    before, after = (np.hstack([params["W1"], params["b1"]]) for params in points)
    gradients = [gradient_of(params, start.X, Y, hidden) for params in points]
    sizes = [np.abs(np.hstack([dp["W1"], dp["b1"]])).max(axis=1) for dp in gradients]
    active = highest_Z1(end.params, start.X) > 0
    return Life(np.maximum(*sizes), (before != after).any(axis=1), np.asarray(active))


gradient_of = jax.jit(jax.grad(loss), static_argnums=3)


def follow(start: Descent, Y: jax.Array, hidden: Activation, iterations: int) -> np.ndarray:
    """Follow the highest Z1 of the units that start dead, (looks, units)."""
    fits = fit_in_chunks(start, Y, hidden, iterations=iterations, chunk=EVERY)
    points = (start.params, *(fit.params for fit in fits))
    path = np.stack([highest_Z1(params, start.X) for params in points])
    return path[:, path[0] <= 0]


def draw_shares(axes: Axes, bias: np.ndarray, dead: np.ndarray, lives: dict[str, Life]) -> None:
    """Draw the share of active units at each bias: the mean, and 5 to 95 % of the networks."""
    for name, life in lives.items():
        shares = 100 * life.active.mean(axis=2)  # (biases, seeds)
        low, high = np.percentile(shares, [5, 95], axis=1)
        axes.fill_between(bias, low, high, color=COLORS[name], alpha=0.25, linewidth=0)
        axes.plot(bias, shares.mean(axis=1), "o-", color=COLORS[name], label=f"{name}, trained")
    axes.plot(bias, 100 * (1 - dead.mean(axis=(1, 2))), ":", color=BLACK, label="before training")
    axes.set(xlabel="hidden bias at the start, in typical Z1", ylabel="active units, %")
    axes.set_title("mean and 5–95 % of the networks", fontsize=13)
    axes.legend(fontsize=11, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3)


def draw_paths(axes: Axes, paths: dict[str, np.ndarray], iterations: int) -> None:
    """Draw the highest Z1 of each unit during training, linear up to ±1."""
    for name, path in paths.items():
        times = np.minimum(EVERY * np.arange(len(path)), iterations)
        axes.plot(times, path, color=COLORS[name])
        axes.plot([], [], color=COLORS[name], label=name)
    axes.axhline(0, color=BLACK, linestyle="--", label="dead below")
    axes.set(xlabel="iteration", ylabel="highest Z1 over all pictures")
    axes.set_yscale("symlog", linthresh=1)
    axes.legend(fontsize=11, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3)


if __name__ == "__main__":
    run(main)
