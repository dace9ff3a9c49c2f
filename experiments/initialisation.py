"""Do weights that start equal stay equal, and what does a network with such weights miss?

A network is trained from five starts: all weights zero, all the same number, and random ones of
three sizes. From zero only the output bias learns, so that the cost stops at the entropy of the
labels, that of always predicting the class rate. From equal weights every hidden unit is given the
same update at every step: all that is ever added to W1 has rank 1, and the eight units are one.
(The article's section "The network's first attempt".)

    python -m experiments.initialisation

Expect the equal units to stay equal bit by bit. After 2,500 iterations the cost is 0.644 from zero,
which is the entropy; 0.54 from 0.001 in every weight; and 0.14, 0.07 and 0.03 from random weights
× 10⁻⁶, × 0.01 and He's, with eight different units each. One unit is not nothing: on the built-in
drawings the constant start gets to 0.08 in 20,000 iterations, on the cats it stays at 0.50. Six
seconds.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes

from experiments import BLACK, BLUE, GRAY, GREEN, ORANGE, RED, Result, at_least, new_figure, run
from jaxnet import (
    Params,
    accuracy,
    fit_in_chunks,
    init_params,
    label_entropy,
    load_dataset,
    sgd,
    start_descent,
    sweep,
    to_columns,
    to_row,
)

CLAIM = "Weights that start equal stay equal, so a network needs small random ones."

# Of the first weights of the random starts, as init_params knows them.
SCALES: dict[str, float | str] = {"random × 10⁻⁶": 1e-6, "random × 0.01": 0.01, "random, He": "he"}
COLORS = {"zeros": GRAY, "constant": RED} | dict(zip(SCALES, (ORANGE, BLUE, GREEN), strict=True))
ROUNDING = 1e-9  # as a share of what is compared


class Trace(NamedTuple):
    """How one network went from its start; all but the ends is the largest at any time."""

    costs: np.ndarray  # (iterations,)
    accuracy: float  # at the end, on the training pictures
    apart: float  # two hidden units, as a share of the longest
    rank: int  # of what has been added to W1
    update: np.ndarray  # (n_h, n_x), at the end
    units: np.ndarray  # (n_h, n_x + 2), at the end


def main(
    data: str = "sketches",
    seed: int = 0,
    seeds: int = 10,
    n_h: int = 8,
    constant: float = 0.001,
    jitter: float = 0.0,
    learning_rate: float = 0.0075,
    iterations: int = 2500,
) -> Result:
    """Follow one network from each start, and train many from the random ones.

    `constant` is the weight of the constant start; at 0.001 its Z1 is about as large as that of
    random × 0.01. `jitter` makes these weights unequal, by this share of them.
    """
    at_least(1, seeds=seeds, n_h=n_h)
    train = load_dataset(data).train
    with jax.enable_x64(True):
        X = to_columns(train.images, dtype=jnp.float64)
        Y = to_row(train.labels, dtype=jnp.float64)
        entropy = label_entropy(Y)
        key = jax.random.key(seed)
        starts = {
            name: init_params(key, len(X), n_h, scale=scale, dtype=jnp.float64)
            for name, scale in {"zeros": 0.0, "constant": jitter, **SCALES}.items()
        }
        noise = starts["constant"]
        starts["constant"] |= {name: constant * (1 + noise[name]) for name in ("W1", "W2")}
        traces = {
            name: follow(start, X, Y, learning_rate, iterations) for name, start in starts.items()
        }
        # These show only how the costs scatter: float32 will do, and takes a third of the time.
        many = sweep(
            jax.vmap(jax.random.key)(np.arange(seed, seed + seeds)),
            X.astype(jnp.float32),
            Y.astype(jnp.float32),
            learning_rates=(learning_rate,),
            scales=tuple(SCALES.values()),
            n_h=n_h,
            iterations=iterations,
            keep_costs=True,
        )
    assert many.costs is not None
    low, median, high = np.percentile(many.costs[0], (5, 50, 95), axis=1)  # (scales, iterations)
    spread = {name: (low[i], median[i], high[i]) for i, name in enumerate(SCALES)}
    different = {name: count_different(trace.units) for name, trace in traces.items()}

    print(f"label entropy {entropy:.4f}; random starts: the median cost of {seeds} seeds\n")
    print("start            cost (5 to 95 %)          accuracy  units  rank    apart")
    for name, trace in traces.items():
        costs = [float(curve[-1]) for curve in spread.get(name, 3 * (trace.costs,))]
        shown = f"{costs[1]:.4f}" + (f" ({costs[0]:.4f} to {costs[2]:.4f})" * (name in spread))
        print(
            f"{name:15}  {shown:25} {trace.accuracy:8.1%} {different[name]:6} {trace.rank:5} "
            f"{trace.apart:8.1e}"
        )

    zeros, same = traces["zeros"], traces["constant"]
    worst = float(high[:, -1].max())
    numbers = {
        "largest difference of units that started equal": max(zeros.apart, same.apart),
        "different hidden units, constant": different["constant"],
        "different hidden units, fewest of a random start": min(different[name] for name in SCALES),
        "rank of the update, constant": same.rank,
        "largest weight of a hidden unit, zeros": float(np.abs(zeros.units).max()),
        "label entropy": entropy,
        "cost, zeros": float(zeros.costs[-1]),
        "cost, constant": float(same.costs[-1]),
    }
    numbers |= {f"cost, {name}, median": float(spread[name][1][-1]) for name in SCALES}
    numbers |= {"cost, 95th percentile of the worst random start": worst}
    holds = (
        max(zeros.apart, same.apart) <= ROUNDING
        and different["zeros"] == different["constant"] == same.rank == 1
        and not zeros.units.any()
        and abs(zeros.costs[-1] - entropy) <= 0.01 * entropy
        and all(different[name] == n_h for name in SCALES)
        and worst < min(zeros.costs[-1], same.costs[-1])
    )
    figure, ((left, right),) = new_figure(CLAIM, 1, 2, width_ratios=(5, 6))
    draw_costs(left, traces, spread, entropy)
    draw_updates(right, traces, train.images.shape[1:3])
    return Result(CLAIM, bool(holds), numbers, figure)


def follow(
    params: Params, X: jax.Array, Y: jax.Array, learning_rate: float, iterations: int
) -> Trace:
    """Train, and compare the hidden units after every hundred iterations."""
    apart, rank = largest_difference(units(params)), 0
    descent = start_descent(params, X, sgd(learning_rate))
    for here in fit_in_chunks(descent, Y, iterations=iterations, chunk=100):
        update = np.asarray(here.params["W1"] - params["W1"])
        sizes = np.linalg.svd(update, compute_uv=False)
        rank = max(rank, int(np.sum(sizes > ROUNDING * sizes[0])))
        apart = max(apart, largest_difference(units(here.params)))
    share = float(accuracy(here.params, X, Y))
    return Trace(here.costs, share, apart, rank, update, units(here.params))


def units(params: Params) -> np.ndarray:
    """Lay all that belongs to a hidden unit in a row: its weights, bias and output weight."""
    return np.hstack([params["W1"], params["b1"], params["W2"].T])  # (n_h, n_x + 2)


def largest_difference(rows: np.ndarray) -> float:
    """Compute the largest distance between two rows, as a share of the longest; 0 if all are 0."""
    longest = np.linalg.norm(rows, axis=1).max()
    apart = max(np.linalg.norm(rows - row, axis=1).max() for row in rows)
    return float(apart / longest) if longest else 0.0


def count_different(rows: np.ndarray) -> int:
    """Count the rows that differ by more than rounding from each row before them."""
    allowed = ROUNDING * np.linalg.norm(rows, axis=1).max()
    distances = np.linalg.norm(rows[:, None] - rows, axis=2)
    return sum(bool(np.all(distances[i, :i] > allowed)) for i in range(len(rows)))


def draw_costs(
    axes: Axes,
    traces: dict[str, Trace],
    spread: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    entropy: float,
) -> None:
    """Draw the cost from each start, and for the random ones 5 to 95 % of the seeds."""
    axes.axhline(entropy, color=BLACK, linestyle=":", label="entropy of the labels")
    for name, trace in traces.items():
        low, median, high = spread.get(name, 3 * (trace.costs,))
        times = np.arange(len(median))
        axes.fill_between(times, low, high, color=COLORS[name], alpha=0.25, linewidth=0)
        axes.plot(median, color=COLORS[name], label=name)
    axes.set(xlabel="iteration", ylabel="cost", ylim=(0, None))
    axes.set_title("random starts: median and 5–95 % of the seeds", fontsize=13)
    axes.legend(fontsize=10)


def draw_updates(axes: Axes, traces: dict[str, Trace], shape: tuple[int, ...]) -> None:
    """Draw what was added to each row of W1 as a picture, each start on its own scale."""
    gap = 6
    rows = []
    for trace in traces.values():
        tiles = (trace.update / (np.abs(trace.update).max() or 1)).reshape(-1, *shape)
        framed = np.pad(tiles, ((0, 0), (gap, gap), (gap, gap)), constant_values=np.nan)
        rows.append(np.hstack(list(framed)))
    n_h = len(trace.update)
    axes.imshow(np.vstack(rows), cmap="gray", vmin=-1, vmax=1)
    height, width = (length + 2 * gap for length in shape)
    axes.set_xticks(width * (np.arange(n_h) + 0.5), [str(unit + 1) for unit in range(n_h)])
    axes.set_yticks(height * (np.arange(len(rows)) + 0.5), list(traces))
    axes.set_xlabel("hidden unit")
    axes.set_title("the change of each hidden unit's weights", fontsize=13)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


if __name__ == "__main__":
    run(main)
