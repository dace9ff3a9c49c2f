"""Does the article's network learn to distinguish cats from other things?

The network 4096 → 8 ReLU → 1 sigmoid is trained as in the article, from 64 seeds. A test accuracy
is uncertain for two reasons, which are reported separately: it differs between seeds, and the test
pictures are few. For the second, the accuracy of the median network has a 95 % Wilson interval. It
is compared with the best constant answer. Which constant is best is known from the test labels
only; the constant that the training labels suggest is shown as well. The claim holds if the whole
interval lies above the best constant. (The whole article.)

    python -m experiments.cats

Expect yes on the drawn cats: the median network is right on 43 of 50 test pictures, 86 % (interval
74 % to 93 %; between seeds 84 % to 86 %); the best constant has 66 %. On the article's cats
(`--data catvnoncat`) expect no: 99.5 % on the training pictures, but 52 % on the test pictures
(interval 38 % to 65 %; between seeds 42 % to 62 %), where the constant answer "cat" has 66 %. It
takes six seconds.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy.stats import binomtest

from experiments import BLACK, BLUE, GRAY, ORANGE, Result, at_least, new_figure, run
from jaxnet import (
    DataError,
    Dataset,
    Examples,
    Grid,
    Params,
    Settings,
    Sweep,
    fit_in_chunks,
    init_params,
    label_entropy,
    load_dataset,
    sgd,
    start_descent,
    sweep,
    to_examples,
)
from jaxnet.report.figures import FAR_ABOVE

CLAIM = "The article's network learns to distinguish cats from other things."

# Puts a legend below the axes, where it hides nothing.
BELOW: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "fontsize": 11}

# Larger costs are not drawn: an axis cannot reach the largest number of float64.
MOST_DRAWN = 1e100

IN_HINDSIGHT = "the best constant, in hindsight"


class Scores(NamedTuple):
    """The test accuracy of all networks, and what it is compared with."""

    each: np.ndarray  # (seeds,)
    median: float
    low: float  # of the 95 % Wilson interval of the median
    high: float
    constants: dict[str, float]


def main(
    data: str = "sketches",
    seeds: int = 64,
    n_h: int = 8,
    learning_rate: float = 0.0075,
    iterations: int = 2500,
) -> Result:
    """Train a network from every seed, score them, and show the weights of the first."""
    at_least(1, seeds=seeds, n_h=n_h)
    dataset = load_dataset(data)
    if dataset.test is None:
        raise DataError(
            f"{data} has no test pictures",
            "a test split",
            "hold out some pictures as the test split",
        )
    settings = Settings(
        hidden_units=n_h, learning_rate=learning_rate, iterations=iterations, precision="float64"
    )
    with jax.enable_x64(True):
        examples = to_examples(dataset, settings)
        networks = sweep(
            examples["train"],
            Grid(learning_rates=(learning_rate,), seeds=seeds),
            settings,
            test=examples["test"],
            keep_costs=True,
        )
        first = train_first(examples["train"], settings)
        entropy = label_entropy(examples["train"].Y)
    assert networks.costs is not None
    scores = score(networks, dataset)
    names, counts = np.unique(networks.outcomes, return_counts=True)
    outcomes = ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True))
    train = np.percentile(np.nan_to_num(networks.train_accuracies), (5, 50, 95))
    test = np.percentile(scores.each, (5, 50, 95))
    print(f"{seeds} networks: {outcomes}")
    print_scores(scores, train, test)

    title = f"{CLAIM[:-1]} ({data})."
    figure, (panels,) = new_figure(title, 1, 3, height=6, width_ratios=(5, 5, 3))
    draw_costs(panels[0], networks.costs[0, 0, 0], entropy)
    draw_scores(panels[1], scores)
    draw_units(panels[2], first, dataset.train.images.shape[1:3])
    numbers = {
        "test accuracy, median network": scores.median,
        "its Wilson interval, low": scores.low,
        "its Wilson interval, high": scores.high,
        **scores.constants,
        "test accuracy, 5th percentile of the seeds": float(test[0]),
        "test accuracy, 95th percentile of the seeds": float(test[2]),
        "training accuracy, median": float(train[1]),
        "networks that learn": int((networks.outcomes == "learning").sum()),
        "outcomes": outcomes,
    }
    return Result(CLAIM, bool(scores.low > scores.constants[IN_HINDSIGHT]), numbers, figure)


def score(networks: Sweep, dataset: Dataset) -> Scores:
    """Compute the test accuracies, the interval of the median one, and the constants' accuracy."""
    assert networks.test_accuracies is not None
    assert dataset.test is not None
    pictures = len(dataset.test.labels)
    # A network whose numbers are not finite has no correct answer.
    correct = np.round(np.nan_to_num(networks.test_accuracies[0, 0, 0]) * pictures).astype(int)
    median = int(np.percentile(correct, 50, method="lower"))
    interval = binomtest(median, pictures).proportion_ci(method="wilson")
    share = float(dataset.test.labels.mean())
    frequent = int(dataset.train.labels.mean() > 0.5)
    constants = {
        f'always "{dataset.classes[frequent]}" (most of training)': share
        if frequent
        else 1 - share,
        IN_HINDSIGHT: max(share, 1 - share),
    }
    low, high = float(interval.low), float(interval.high)
    return Scores(correct / pictures, median / pictures, low, high, constants)


def train_first(train: Examples, settings: Settings) -> Params:
    """Train the network of the first seed, and return its parameters, which a sweep does not."""
    key = jax.random.key(settings.seed)
    start = init_params(key, len(train.X), settings.hidden_units, dtype=train.X.dtype)
    # Not by `fit`, which raises an error for a network whose numbers are not finite.
    descent = start_descent(start, train.X, sgd(settings.learning_rate))
    *_, last = fit_in_chunks(descent, train.Y, iterations=settings.iterations)
    return last.params


def print_scores(scores: Scores, train: np.ndarray, test: np.ndarray) -> None:
    """Print the accuracies, given their percentiles over the seeds."""
    rows: dict[str, Iterable[float]] = {
        "training accuracy, 5–50–95 % of the seeds": train,
        "test accuracy, 5–50–95 % of the seeds": test,
        "median network, 95 % Wilson interval": (scores.low, scores.median, scores.high),
        **{name: (value,) for name, value in scores.constants.items()},
    }
    for name, values in rows.items():
        print(f"{name:46}" + "".join(f"{value:8.1%}" for value in values))


def draw_costs(axes: Axes, costs: np.ndarray, entropy: float) -> None:
    """Draw the costs (seeds, iterations) over time: the median, and 5 to 95 % of the seeds."""
    costs = np.nan_to_num(costs, nan=np.inf)
    spread = np.percentile(costs, (5, 50, 95), axis=0, method="inverted_cdf")
    low, middle, high = np.where(spread < MOST_DRAWN, spread, np.nan)
    band: dict[str, Any] = {"color": BLUE, "alpha": 0.25, "linewidth": 0}
    axes.fill_between(np.arange(len(low)), low, high, label="5–95 % of the seeds", **band)
    axes.plot(middle, color=BLUE, label="median")
    axes.axhline(entropy, color=GRAY, linestyle="--", label="always the class rate")
    axes.set(xlabel="iteration", ylabel="cost, training pictures")
    if np.nanmax(high, initial=0) > FAR_ABOVE * entropy:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, None)
    axes.legend(**BELOW)


def draw_scores(axes: Axes, scores: Scores) -> None:
    """Draw how many networks have each accuracy, the median one's interval, and the constants."""
    values, counts = np.unique(scores.each, return_counts=True)
    axes.bar(100 * values, counts, 1.2, color=BLUE)
    reach = [[100 * (scores.median - scores.low)], [100 * (scores.high - scores.median)]]
    look: dict[str, Any] = {"fmt": "o", "color": BLACK, "capsize": 4}
    label = "median network, 95 % Wilson interval"
    axes.errorbar(100 * scores.median, 1.12 * counts.max(), xerr=reach, label=label, **look)
    for (name, value), color, style in zip(
        scores.constants.items(), (ORANGE, BLACK), ("-", ":"), strict=True
    ):
        axes.axvline(100 * value, color=color, linestyle=style, label=name)
    axes.legend(**BELOW)
    axes.set(xlabel="test accuracy, %", ylabel="networks", xlim=(0, 100))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def draw_units(axes: Axes, params: Params, shape: tuple[int, int]) -> None:
    """Draw each row of W1 as a picture of this shape, two side by side, its W2 above it."""
    W1, W2 = np.asarray(params["W1"]), np.asarray(params["W2"])[0]
    pictures = W1.reshape(-1, *shape)
    limit = np.abs(W1).max()
    space = shape[0] // 4
    tiles = np.pad(pictures, ((0, len(W1) % 2), (space, 0), (2, 2)), constant_values=np.nan)
    height, width = tiles.shape[1:]
    sheet = tiles.reshape(-1, 2, height, width).swapaxes(1, 2).reshape(-1, 2 * width)
    image = axes.imshow(sheet, cmap="RdBu_r", vmin=-limit, vmax=limit)
    for unit, weight in enumerate(W2):
        row, column = divmod(unit, 2)
        place = ((column + 0.5) * width, row * height + space / 2)
        shown = f"{weight:+.2f}" if abs(weight) < 100 else f"{weight:+.0e}"
        axes.text(*place, shown.replace("-", "−"), ha="center", va="center", fontsize=11)
    axes.set_axis_off()
    axes.set_title("W1 of one network,\nW2 above", fontsize=13)
    axes.figure.colorbar(image, ax=axes, label="weight")


if __name__ == "__main__":
    run(main)
