"""Does a lower cost mean a higher accuracy, on the training pictures and on others?

Training lowers the cost of the training pictures, in the hope of accuracy. So the rank correlation
of costs and accuracies is taken (Spearman's ρ: −1 if a lower cost always goes with a higher
accuracy): across networks of many learning rates and seeds, with the cost they were trained on; and
over the time of single runs, with the cost of the very pictures whose accuracy it is. The claim
holds for a set of pictures if both ρ are at most −0.7, so that half of the variance of the ranks is
explained, and altogether if it does for the training and for the test pictures. (The article's
section "Conclusion".)

    python -m experiments.cost_and_accuracy

Expect ρ = −0.98 and −0.99 on the training pictures, but −0.62 and −0.48 on the test pictures: no.
There the accuracy reaches 88 % early, and 84 % is left where the cost is lowest (it is a yes with
`--iterations 1000`: −0.85 and −0.95). On the article's cats −0.94 and −0.97, but −0.83 and +0.82:
their test accuracy climbs from 34 % to about 50 % (always saying "cat" scores 66 %) while their
test cost climbs, too, from 0.7 to 1.3; more cats are found, and the mistakes grow more confident.
Seven seconds.
"""

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from scipy.stats import spearmanr

from experiments import BLACK, BLUE, GRAY, Result, at_least, new_figure, run, space_rates
from jaxnet import (
    DataError,
    Params,
    accuracy,
    fit_in_chunks,
    init_params,
    load_dataset,
    loss,
    sgd,
    start_descent,
    sweep,
    to_columns,
    to_row,
)

CLAIM = "Minimising the cost maximises the accuracy."

SETS = {"train": "training", "test": "test"}


def main(
    data: str = "sketches",
    least: float = 0.0005,
    greatest: float = 0.02,
    rates: int = 8,
    seeds: int = 8,
    learning_rate: float = 0.0075,
    iterations: int = 2500,
    chunk: int = 50,
    strong: float = 0.7,
) -> Result:
    """Sweep the rates, and follow a run of every seed; correlate costs and accuracies."""
    at_least(1, seeds=seeds, chunk=chunk)
    steps = space_rates(least, greatest, rates)
    dataset = load_dataset(data)
    if dataset.test is None:
        raise DataError(f"{data} has no test pictures", "a test split", "hold some pictures out")
    with jax.enable_x64(True):
        sets = {
            name: (
                to_columns(split.images, dtype=jnp.float64),
                to_row(split.labels, dtype=jnp.float64),
            )
            for name, split in dataset.splits.items()
        }
        X, Y = sets["train"]
        keys = jax.vmap(jax.random.key)(np.arange(seeds))
        networks = sweep(
            keys, X, Y, learning_rates=steps.tolist(), iterations=iterations, test=sets["test"]
        )

        @jax.jit
        def measure(params: Params) -> list[list[jax.Array]]:
            return [[loss(params, X, Y), accuracy(params, X, Y)] for X, Y in sets.values()]

        # The cost and the accuracy on each set; NaN after the end of a run that overflows.
        ways = np.full((seeds, -(-iterations // chunk), len(sets), 2), np.nan)
        for way, key in zip(ways, keys, strict=True):
            params = init_params(key, len(X), dtype=X.dtype)
            descent = start_descent(params, X, sgd(learning_rate))
            reached = fit_in_chunks(descent, Y, iterations=iterations, chunk=chunk)
            for row, so_far in enumerate(reached):
                way[row] = measure(so_far.params)

    last_costs = networks.last_costs[:, 0]  # (rates, seeds)
    numbers: dict[str, float | str] = {}
    found = {}
    print("              ρ across    ρ within runs (5–95 %)          accuracy")
    print("pictures      networks                              cheapest  best  constant")
    for column, (name, words) in enumerate(SETS.items()):
        accuracies = networks.train_accuracies if name == "train" else networks.test_accuracies
        assert accuracies is not None
        accuracies = accuracies[:, 0]
        across = rank_correlation(last_costs, accuracies)
        within = [rank_correlation(*way[:, column].T) for way in ways]
        low, middle, high = np.percentile(within, (5, 50, 95))
        cheapest = float(accuracies.flat[np.nanargmin(last_costs)])
        p = float(dataset.splits[name].labels.mean())
        found[name] = accuracies, across, middle, max(p, 1 - p)
        print(
            f"{words:12} {across:+9.2f} {middle:+9.2f} ({low:+.2f} to {high:+.2f})"
            f" {cheapest:13.1%} {np.nanmax(accuracies):6.1%} {max(p, 1 - p):6.1%}"
        )
        numbers |= {
            f"{words} pictures": "yes" if max(across, middle) <= -strong else "no",
            f"{words} pictures: ρ across networks": across,
            f"{words} pictures: ρ within a run": float(middle),
            f"{words} pictures: accuracy of the cheapest network": cheapest,
            f"{words} pictures: best accuracy": float(np.nanmax(accuracies)),
            f"{words} pictures: best constant": max(p, 1 - p),
        }

    figure, (panels,) = new_figure(CLAIM, 1, 3, sharey=True)
    names = list(SETS)
    for axes, (costs_of, name) in zip(
        panels, (("train", "train"), ("train", "test"), ("test", "test")), strict=True
    ):
        accuracies, across, middle, constant = found[name]
        for way in ways:
            of_cost, of_accuracy = way[:, names.index(costs_of), 0], way[:, names.index(name), 1]
            axes.plot(of_cost, 100 * of_accuracy, "s-", color=GRAY, linewidth=1, markevery=[-1])
        axes.axhline(100 * constant, color=BLACK, linestyle=":")
        said = []
        if costs_of == "train":
            colors = np.broadcast_to(steps[:, None], accuracies.shape)
            spots = axes.scatter(last_costs, 100 * accuracies, 40, colors, norm=LogNorm(), zorder=3)
            said.append(f"ρ = {across:+.2f} across networks")
        if costs_of == name:
            said.append(f"ρ = {middle:+.2f} within runs")
        axes.set_title("\n".join(said).replace("-", "−"), fontsize=13)
        axes.set(xlabel=f"cost of the {SETS[costs_of]} pictures")
        axes.set_ylabel(f"{SETS[name]} accuracy, %")
    figure.colorbar(spots, ax=panels, label="learning rate of a network")
    figure.legend(
        handles=[
            Line2D([], [], color=GRAY, linewidth=1, marker="s", label="a run, to its end"),
            Line2D([], [], color=BLUE, linewidth=0, marker="o", label="a trained network"),
            Line2D([], [], color=BLACK, linestyle=":", label="best constant answer"),
        ],
        loc="outside lower center",
        ncols=3,
    )
    holds = all(numbers[f"{words} pictures"] == "yes" for words in SETS.values())
    return Result(CLAIM, holds, numbers, figure)


def rank_correlation(costs: np.ndarray, accuracies: np.ndarray) -> float:
    """Compute Spearman's ρ; 0 if one of the two never changes, and so follows nothing."""
    finite = np.isfinite(costs) & np.isfinite(accuracies)
    costs, accuracies = costs[finite], accuracies[finite]
    if len(np.unique(costs)) < 2 or len(np.unique(accuracies)) < 2:
        return 0.0
    return float(spearmanr(costs, accuracies).statistic)


if __name__ == "__main__":
    run(main)
