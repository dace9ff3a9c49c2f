"""Does a large negative bias kill a ReLU unit for good, and can a leaky one recover?

All hidden biases start at −k times the root mean square of Z1, for several k and seeds; each
network is trained with ReLU and with leaky ReLU. A unit is dead if its Z1 is positive on no
training picture. Then the slope of ReLU is exactly 0, and with it every gradient of the unit; the
slope of leaky ReLU is 0.01. (The article's section "Linear functions and non-linear activation
functions".)

    python -m experiments.dead_relu

Expect 132 of 200 units to be dead at the start. With ReLU their gradients are exactly 0, training
changes no bit of their weights, and none recovers; 6 more units die during training. With leaky
ReLU all 132 change, and 64 are active again after 1,000 iterations. This depends on the settings:
with those of `jaxnet train` (--weight-scale 0.01 --learning-rate 0.0075) the gradient of a unit is
as small as its output weight, no unit recovers, and the answer is no. It takes six seconds.
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

# At the first bias that kills nine units in ten, a quarter of the leaky ones must recover.
KILLED, REVIVED = 0.9, 0.25
EVERY = 25  # iterations


class Life(NamedTuple):
    """The units of a network, each field (n_h,); of many networks, (biases, seeds, n_h)."""

    gradient: np.ndarray  # the largest element of its dW1 and db1, before or after training
    moved: np.ndarray  # whether training has changed any bit of its W1 or b1
    active: np.ndarray  # whether its Z1 is positive on any picture after training


class Study(NamedTuple):
    """The results of all networks."""

    ratios: np.ndarray  # (biases,): the hidden bias at the start, in typical Z1
    dead: np.ndarray  # (biases, seeds, n_h): at the start
    lives: dict[str, Life]  # by activation
    at: int  # the index of the first bias that kills nine in ten, or of the last bias
    kills: bool  # whether one does
    paths: dict[str, np.ndarray]  # by activation, as `follow` returns them


def main(
    data: str = "sketches",
    seed: int = 0,
    seeds: int = 5,
    n_h: int = 8,
    weight_scale: str = "he",
    largest: float = 8.0,
    biases: int = 5,
    learning_rate: float = 0.1,
    iterations: int = 1000,
) -> Result:
    """Train networks at `biases` biases, from 0 to −`largest` times the typical Z1.

    `weight_scale` is that of the initial weights, "he" or a number.
    """
    at_least(1, seeds=seeds, n_h=n_h, biases=biases)
    train = load_dataset(data).train
    ratios = 0.0 - np.linspace(0, largest, biases)
    scale: float | str = weight_scale
    with contextlib.suppress(ValueError):  # init_params refuses any other text
        scale = float(weight_scale)
    with jax.enable_x64(True):
        X = to_columns(train.images, dtype=jnp.float64)
        Y = to_row(train.labels, dtype=jnp.float64)
        drawn = [
            init_params(jax.random.key(s), len(X), n_h, weight_scale=scale, dtype=jnp.float64)
            for s in range(seed, seed + seeds)
        ]
        typical = [float(jnp.sqrt(jnp.mean(forward(params, X).Z1 ** 2))) for params in drawn]
        # One descent for all biases of a network, since its slow preparation needs W1 and X only.
        descents = [start_descent(params, X, sgd(learning_rate)) for params in drawn]
        starts = [
            lower_biases(descent, ratio * z)
            for ratio in ratios
            for descent, z in zip(descents, typical, strict=True)
        ]
        study = examine(starts, Y, ratios, iterations)
    print_table(study)

    at, dead, lives = study.at, study.dead, study.lives
    revived = float(lives["leaky ReLU"].active[at][dead[at]].mean()) if study.kills else 0.0
    stays = not any(field[dead].any() for field in lives["ReLU"])
    learns = bool(lives["leaky ReLU"].moved[dead].all())
    figure, ((left, right),) = new_figure(CLAIM, 1, 2)
    draw_shares(left, ratios, dead, lives)
    draw_paths(right, study.paths, iterations)
    shown = f"{ratios[at]:g}".replace("-", "−")
    right.set_title(f"dead units of one network, bias {shown} × typical Z1", fontsize=13)
    holds = study.kills and stays and learns and revived >= REVIVED
    return Result(CLAIM, holds, count_units(study, revived), figure)


def lower_biases(descent: Descent, bias: float) -> Descent:
    """Add `bias` to the hidden biases from which a descent starts."""
    params, opt_state = descent.state
    state = TrainState(params | {"b1": params["b1"] + bias}, opt_state)
    return dataclasses.replace(descent, state=state)


def examine(starts: list[Descent], Y: jax.Array, ratios: np.ndarray, iterations: int) -> Study:
    """Train every network with both activations; `starts` are in the order (biases, seeds)."""
    seeds = len(starts) // len(ratios)
    shape = (len(ratios), seeds, len(starts[0].params["b1"]))
    dead = np.array([highest_Z1(start.params, start.X) <= 0 for start in starts]).reshape(shape)
    lives = {}
    for name, hidden in HIDDEN.items():
        each = [live(start, Y, hidden, iterations) for start in starts]
        lives[name] = Life(*(np.reshape(field, shape) for field in zip(*each, strict=True)))
    shares = dead.mean(axis=(1, 2))
    kills = bool(shares.max() >= KILLED)
    at = int(np.argmax(shares >= KILLED)) if kills else len(ratios) - 1
    first = starts[at * seeds]
    paths = {name: follow(first, Y, hidden, iterations) for name, hidden in HIDDEN.items()}
    return Study(ratios, dead, lives, at, kills, paths)


@jax.jit
def highest_Z1(params: Params, X: jax.Array) -> jax.Array:
    """Compute the highest Z1 of each hidden unit over all pictures, (n_h,)."""
    return forward(params, X).Z1.max(axis=1)


def live(start: Descent, Y: jax.Array, hidden: Activation, iterations: int) -> Life:
    """Train a network, and compare its units before and after."""
    *_, end = fit_in_chunks(start, Y, hidden, iterations=iterations)
    points = (start.params, end.params)
    before, after = (np.hstack([params["W1"], params["b1"]]) for params in points)
    gradients = [gradient_of(params, start.X, Y, hidden) for params in points]
    sizes = [np.abs(np.hstack([dp["W1"], dp["b1"]])).max(axis=1) for dp in gradients]
    active = highest_Z1(end.params, start.X) > 0
    return Life(np.maximum(*sizes), (before != after).any(axis=1), np.asarray(active))


gradient_of = jax.jit(jax.grad(loss), static_argnums=3)


def follow(start: Descent, Y: jax.Array, hidden: Activation, iterations: int) -> np.ndarray:
    """Record the highest Z1 of the units that start dead: (measurements, units)."""
    fits = fit_in_chunks(start, Y, hidden, iterations=iterations, chunk=EVERY)
    points = (start.params, *(fit.params for fit in fits))
    path = np.stack([highest_Z1(params, start.X) for params in points])
    return path[:, path[0] <= 0]


def print_table(study: Study) -> None:
    """Print for each bias how many units are dead at the start, and what becomes of them."""
    dead = study.dead
    print("bias, in     units         of the units dead at the start")
    print("typical Z1         dead   ReLU: moved  active   leaky ReLU: moved  active")
    for row, ratio in enumerate(study.ratios):
        columns = [ratio, dead[row].size, dead[row].sum()]
        for life in study.lives.values():
            columns += [life.moved[row][dead[row]].sum(), life.active[row][dead[row]].sum()]
        print("{:10.2f} {:6} {:6} {:12} {:7} {:19} {:7}".format(*columns))


def count_units(study: Study, revived: float) -> dict[str, Any]:
    """Make the numbers that decide; `revived` is the share of leaky units that recover."""
    dead, lives = study.dead, study.lives
    numbers: dict[str, Any] = {
        f"largest gradient of a dead unit, {name}": float(life.gradient[dead].max(initial=0))
        for name, life in lives.items()
    }
    numbers |= {"units": dead.size, "units dead at the start": int(dead.sum())}
    for name, life in lives.items():
        numbers[f"of these moved, {name}"] = int(life.moved[dead].sum())
        numbers[f"of these active after training, {name}"] = int(life.active[dead].sum())
    first = float(study.ratios[study.at]) if study.kills else "none"
    return numbers | {
        "first bias that kills nine in ten, in typical Z1": first,
        "share that revived at this bias, leaky ReLU": revived,
        "units that died in training, ReLU": int((~dead & ~lives["ReLU"].active).sum()),
    }


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
    """Draw the highest Z1 of each unit during training, on a scale that is linear up to ±1."""
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
