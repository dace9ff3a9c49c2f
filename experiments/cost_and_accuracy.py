"""Does a lower cost go with a higher accuracy, on the training pictures and on others?

Training lowers the cost of the training pictures; the accuracy is what matters. Their relation is
measured by the rank correlation (Spearman's ρ: −1 if a lower cost always goes with a higher
accuracy). It is computed across networks of many learning rates and seeds, from the training cost;
and over the iterations of single runs, from the cost of the same pictures as the accuracy. The
claim holds for a set of pictures if both ρ are at most −0.7, which explains half of the variance of
the ranks. It holds altogether if it holds for the training and for the test pictures. (The
article's section "Conclusion".)

    python -m experiments.cost_and_accuracy

Expect no: ρ = −0.98 and −0.99 on the training pictures, but −0.62 and −0.48 on the test pictures.
There the accuracy reaches 88 % early, and is 84 % where the cost is lowest. With `--iterations
1000` the answer is yes (−0.85 and −0.95). On the article's cats ρ is −0.94 and −0.97 on the
training pictures, −0.83 and +0.82 on the test pictures: their accuracy rises from 34 % to about
50 % (the best constant has 66 %), while their cost rises as well, from 0.7 to 1.3. More cats are
recognised, and the errors become more confident. It takes seven seconds.
"""

from typing import NamedTuple

import jax
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.stats import spearmanr

from experiments import BLACK, BLUE, GRAY, Result, at_least, new_figure, run, space_rates
from jaxnet import (
    DataError,
    Examples,
    Grid,
    Params,
    Settings,
    accuracy,
    fit_in_chunks,
    init_params,
    load_dataset,
    loss,
    sgd,
    start_descent,
    sweep,
    to_examples,
)

CLAIM = "Minimising the cost maximises the accuracy."

SETS = {"train": "training", "test": "test"}


class Relation(NamedTuple):
    """How cost and accuracy are related on one set of pictures."""

    accuracies: np.ndarray  # (rates, seeds)
    across: float  # ρ across networks
    within: tuple[float, float, float]  # ρ within a run: the 5th, 50th and 95th percentile
    cheapest: float  # the accuracy of the network with the lowest training cost
    constant: float  # the accuracy of the best constant answer


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
    alphas = space_rates(least, greatest, rates)
    dataset = load_dataset(data)
    if dataset.test is None:
        raise DataError(
            f"{data} has no test pictures",
            "a test split",
            "hold out some pictures as the test split",
        )
    settings = Settings(learning_rate=learning_rate, iterations=iterations, precision="float64")
    with jax.enable_x64(True):
        sets = to_examples(dataset, settings)
        grid = Grid(learning_rates=tuple(alphas.tolist()), seeds=seeds)
        networks = sweep(sets["train"], grid, settings, test=sets["test"])
        runs = np.array([follow(sets, settings, seed, chunk) for seed in range(seeds)])
    last_costs = networks.last_costs[0, :, 0]  # (rates, seeds)
    assert networks.test_accuracies is not None
    relations = {}
    for i, (name, accuracies) in enumerate(
        (("train", networks.train_accuracies), ("test", networks.test_accuracies))
    ):
        share = float(dataset.splits[name].labels.mean())
        relations[name] = relate(last_costs, accuracies[0, :, 0], runs[:, :, i], share)

    numbers: dict[str, float | str] = {}
    print("              ρ across    ρ within runs (5–95 %)          accuracy")
    print("pictures      networks                              cheapest  best  constant")
    for name, relation in relations.items():
        words, best = SETS[name], float(np.nanmax(relation.accuracies))
        low, middle, high = relation.within
        print(
            f"{words:12} {relation.across:+9.2f} {middle:+9.2f} ({low:+.2f} to {high:+.2f})"
            f" {relation.cheapest:13.1%} {best:6.1%} {relation.constant:6.1%}"
        )
        numbers |= {
            f"{words} pictures": "yes" if max(relation.across, middle) <= -strong else "no",
            f"{words} pictures: ρ across networks": relation.across,
            f"{words} pictures: ρ within a run": middle,
            f"{words} pictures: accuracy of the cheapest network": relation.cheapest,
            f"{words} pictures: best accuracy": best,
            f"{words} pictures: best constant": relation.constant,
        }
    holds = all(numbers[f"{words} pictures"] == "yes" for words in SETS.values())
    return Result(CLAIM, holds, numbers, draw(alphas, last_costs, runs, relations))


def follow(sets: dict[str, Examples], settings: Settings, seed: int, chunk: int) -> np.ndarray:
    """Train one network; measure cost and accuracy on each set after every chunk.

    Returns:
        (measurements, sets, 2); NaN after the end of a run whose numbers are not finite.
    """
    X, Y, _ = sets["train"]
    params = init_params(jax.random.key(seed), len(X), dtype=X.dtype)
    descent = start_descent(params, X, sgd(settings.learning_rate))
    path = np.full((-(-settings.iterations // chunk), len(sets), 2), np.nan)
    fits = fit_in_chunks(descent, Y, iterations=settings.iterations, chunk=chunk)
    for row, fit in zip(path, fits, strict=False):
        row[:] = measure(fit.params, list(sets.values()))
    return path


@jax.jit
def measure(params: Params, sets: list[Examples]) -> list[list[jax.Array]]:
    """Compute the cost and the accuracy on each set of examples."""
    return [[loss(params, X, Y), accuracy(params, X, Y)] for X, Y, _ in sets]


def relate(
    last_costs: np.ndarray, accuracies: np.ndarray, runs: np.ndarray, share: float
) -> Relation:
    """Correlate costs and accuracies on one set of pictures.

    Args:
        last_costs: The training costs of the networks, (rates, seeds).
        accuracies: Their accuracies on these pictures, likewise.
        runs: Cost and accuracy on these pictures along each run, (runs, measurements, 2).
        share: The share of positives among the pictures.
    """
    within = [rank_correlation(*run.T) for run in runs]
    low, middle, high = (float(ρ) for ρ in np.percentile(within, (5, 50, 95)))
    cheapest = float(accuracies.flat[np.nanargmin(last_costs)])
    across = rank_correlation(last_costs, accuracies)
    return Relation(accuracies, across, (low, middle, high), cheapest, max(share, 1 - share))


def rank_correlation(costs: np.ndarray, accuracies: np.ndarray) -> float:
    """Compute Spearman's ρ; 0 if one of the two is constant, and so depends on nothing."""
    finite = np.isfinite(costs) & np.isfinite(accuracies)
    costs, accuracies = costs[finite], accuracies[finite]
    if len(np.unique(costs)) < 2 or len(np.unique(accuracies)) < 2:
        return 0.0
    return float(spearmanr(costs, accuracies).statistic)


def draw(
    alphas: np.ndarray, last_costs: np.ndarray, runs: np.ndarray, relations: dict[str, Relation]
) -> Figure:
    """Draw accuracy against cost, for networks and along runs."""
    figure, (panels,) = new_figure(CLAIM, 1, 3, sharey=True)
    names = list(SETS)
    for axes, (costs_of, name) in zip(
        panels, (("train", "train"), ("train", "test"), ("test", "test")), strict=True
    ):
        relation = relations[name]
        for path in runs:
            costs, accuracies = path[:, names.index(costs_of), 0], path[:, names.index(name), 1]
            axes.plot(costs, 100 * accuracies, "s-", color=GRAY, linewidth=1, markevery=[-1])
        axes.axhline(100 * relation.constant, color=BLACK, linestyle=":")
        title = []
        if costs_of == "train":
            colors = np.broadcast_to(alphas[:, None], last_costs.shape)
            percent = 100 * relation.accuracies
            spots = axes.scatter(last_costs, percent, 40, colors, norm=LogNorm(), zorder=3)
            title.append(f"ρ = {relation.across:+.2f} across networks")
        if costs_of == name:
            title.append(f"ρ = {relation.within[1]:+.2f} within runs")
        axes.set_title("\n".join(title).replace("-", "−"), fontsize=13)
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
    return figure


if __name__ == "__main__":
    run(main)
