"""Do weights that are equal at the start stay equal, and what does such a network not learn?

A network is trained from five starts: all weights 0, all weights the same number, and random
weights of three scales. From 0 only the output bias changes, and the cost stops at the label
entropy, the cost of always predicting the class rate. From equal weights every hidden unit gets the
same update at every step: the sum of all updates of W1 has rank 1, and the eight units compute the
same. (The article's section "The network's first attempt".)

    python -m experiments.initialisation

Expect the equal units to stay equal to the bit. After 2,500 iterations the cost is 0.644 from 0,
which is the label entropy; 0.54 from weights of 0.001; and 0.14, 0.07 and 0.03 from random weights
× 10⁻⁶, × 0.01 and He's, with eight different units each. A single unit does learn something: on the
drawings the constant start reaches 0.08 in 20,000 iterations, on the real cats it stays at 0.50. It
takes six seconds.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes

from experiments import BLACK, BLUE, GRAY, GREEN, ORANGE, RED, Result, at_least, new_figure, run
from jaxnet import (
    Grid,
    Params,
    Settings,
    accuracy,
    fit_in_chunks,
    init_params,
    label_entropy,
    load_dataset,
    make_examples,
    sgd,
    start_descent,
    sweep,
    to_columns,
    to_row,
)

CLAIM = "Weights that start equal stay equal, so a network needs small random ones."

# The weight scales of the random starts, as init_params takes them.
SCALES: dict[str, float | str] = {"random × 10⁻⁶": 1e-6, "random × 0.01": 0.01, "random, He": "he"}
COLORS = {"zeros": GRAY, "constant": RED} | dict(zip(SCALES, (ORANGE, BLUE, GREEN), strict=True))
ROUNDING = 1e-9  # the relative difference that is attributed to rounding

# The 5th percentile, the median and the 95th percentile of the costs, each (iterations,).
Spread = tuple[np.ndarray, np.ndarray, np.ndarray]


class Trace(NamedTuple):
    """The training of one network; `apart` and `rank` are the largest at any time."""

    costs: np.ndarray  # (iterations,)
    accuracy: float  # at the end, on the training pictures
    apart: float  # the distance of two hidden units, relative to the longest
    rank: int  # of the change of W1
    update: np.ndarray  # the change of W1 at the end, (n_h, n_x)
    units: np.ndarray  # at the end, (n_h, n_x + 2)


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

    `constant` is the weight of the constant start; with 0.001 its Z1 is about as large as that of
    random × 0.01. `jitter` makes these weights unequal, by this share of them.
    """
    at_least(1, seeds=seeds, n_h=n_h)
    train = load_dataset(data).train
    with jax.enable_x64(True):
        X = to_columns(train.images, dtype=jnp.float64)
        Y = to_row(train.labels, dtype=jnp.float64)
        entropy = label_entropy(Y)
        starts = draw_starts(jax.random.key(seed), len(X), n_h, constant, jitter)
        traces = {
            name: follow(start, X, Y, learning_rate, iterations) for name, start in starts.items()
        }
        # For the spread of the costs float32 is enough, and takes a third of the time.
        many = sweep(
            make_examples(X.astype(jnp.float32), Y.astype(jnp.float32)),
            Grid((learning_rate,), tuple(SCALES.values()), seeds),
            Settings(hidden_units=n_h, seed=seed, iterations=iterations),
            keep_costs=True,
        )
    assert many.costs is not None
    low, median, high = np.percentile(many.costs[0, 0], (5, 50, 95), axis=1)  # (scales, iterations)
    spread: dict[str, Spread] = {
        name: (low[i], median[i], high[i]) for i, name in enumerate(SCALES)
    }
    print(f"label entropy {entropy:.4f}; random starts: the median cost of {seeds} seeds\n")
    print_table(traces, spread)
    figure, ((left, right),) = new_figure(CLAIM, 1, 2, width_ratios=(5, 6))
    draw_costs(left, traces, spread, entropy)
    draw_updates(right, traces, train.images.shape[1:3])
    holds, numbers = judge_traces(traces, spread, entropy)
    return Result(CLAIM, holds, numbers, figure)


def draw_starts(
    key: jax.Array, n_x: int, n_h: int, constant: float, jitter: float
) -> dict[str, Params]:
    """Make the initial parameters of each start, in float64."""
    starts = {
        name: init_params(key, n_x, n_h, weight_scale=scale, dtype=jnp.float64)
        for name, scale in {"zeros": 0.0, "constant": jitter, **SCALES}.items()
    }
    noise = starts["constant"]
    starts["constant"] |= jax.device_put(
        {name: constant * (1 + np.asarray(noise[name])) for name in ("W1", "W2")}
    )
    return starts


def judge_traces(
    traces: dict[str, Trace], spread: dict[str, Spread], entropy: float
) -> tuple[bool, dict[str, float]]:
    """Compute whether the claim holds, and the numbers that decide."""
    zeros, same = traces["zeros"], traces["constant"]
    different = {name: count_different(trace.units) for name, trace in traces.items()}
    n_h = len(zeros.units)
    worst = max(float(high[-1]) for _, _, high in spread.values())
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
    return bool(holds), numbers


def print_table(traces: dict[str, Trace], spread: dict[str, Spread]) -> None:
    """Print the last cost, the accuracy and the differences of the units for each start."""
    print("start            cost (5 to 95 %)          accuracy  units  rank    apart")
    for name, trace in traces.items():
        low, median, high = (float(curve[-1]) for curve in spread.get(name, 3 * (trace.costs,)))
        shown = f"{median:.4f}" + (f" ({low:.4f} to {high:.4f})" * (name in spread))
        print(
            f"{name:15}  {shown:25} {trace.accuracy:8.1%} {count_different(trace.units):6} "
            f"{trace.rank:5} {trace.apart:8.1e}"
        )


def follow(
    params: Params, X: jax.Array, Y: jax.Array, learning_rate: float, iterations: int
) -> Trace:
    """Train, and compare the hidden units after every hundred iterations."""
    apart, rank = largest_difference(units(params)), 0
    descent = start_descent(params, X, sgd(learning_rate))
    for fit in fit_in_chunks(descent, Y, iterations=iterations, chunk=100):
        update = np.asarray(fit.params["W1"]) - np.asarray(params["W1"])
        sizes = np.linalg.svd(update, compute_uv=False)
        rank = max(rank, int(np.sum(sizes > ROUNDING * sizes[0])))
        apart = max(apart, largest_difference(units(fit.params)))
    share = float(accuracy(fit.params, X, Y))
    return Trace(fit.costs, share, apart, rank, update, units(fit.params))


def units(params: Params) -> np.ndarray:
    """Join the parameters of each hidden unit in a row: weights, bias and output weight."""
    return np.hstack([params["W1"], params["b1"], params["W2"].T])  # (n_h, n_x + 2)


def largest_difference(rows: np.ndarray) -> float:
    """Compute the largest distance of two rows, relative to the longest; 0 if all are 0."""
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
    spread: dict[str, Spread],
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
    """Draw the change of each row of W1 as a picture, each start on its own scale."""
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
