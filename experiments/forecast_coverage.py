"""Do the bands of a forecast contain the true score at four times the pictures, as often as said?

Data sets of m pictures are drawn from six kinds: sketches of 16 × 16 pixels, or normal features of
which some carry a signal; each also with noisy labels, and once without any signal. Each data set
has its learning curve measured with the default sizes, subsets and seeds, and forecast. It is
counted how often the 90 % band contains the true score at four times the pictures, and what each
forecast concludes. The true score is known: it is the mean over networks that are trained on fresh
subsets of large drawn sets and tested on the rest of these.

    python -m experiments.forecast_coverage

It takes six minutes on one core; `--kinds` chooses some of the kinds, `--data-sets` how many are
drawn of each. Expect no: of 240 bands 212 contain it (88 %), but only 30 of 40 where the score is
near 50 % and just begins to rise.
"""

import dataclasses
import itertools
from collections.abc import Callable
from typing import NamedTuple, get_args

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from experiments import BLACK, BLUE, GRAY, Result, at_least, balanced_accuracy, new_figure, run
from jaxnet import (
    Examples,
    Forecast,
    Settings,
    forecast,
    learning_curve,
    make_examples,
    to_columns,
    train_seeds,
)
from jaxnet.data.hold_out import draw_held_out
from jaxnet.data.sketches import draw_sketches
from jaxnet.errors import UsageError
from jaxnet.evaluation.forecast import REACH, Verdict
from jaxnet.many.learning_curve import SEEDS
from jaxnet.progress import silent

CLAIM = "The 90 % bands of a forecast contain the true score in at least 80 of 100 data sets."
LEAST = 80  # of 100

SETTINGS = Settings(iterations=300, learning_rate=0.2)
FEATURES, SIZE = 1000, 16

# Pictures of which the truth draws so many subsets; the rest of them are the test pictures.
LARGE, SUBSETS = 4000, 6

Drawn = tuple[np.ndarray, np.ndarray]
Draw = Callable[[np.random.Generator, int], Drawn]


def draw_small_sketches(generator: np.random.Generator, m: int) -> Drawn:
    """Draw grey sketches as columns X (n_x, m), and their labels (m,)."""
    images, labels, _ = draw_sketches(m, 0, seed=int(generator.integers(2**32))).train
    X = np.asarray(to_columns(images)).reshape(SIZE, 64 // SIZE, SIZE, 64 // SIZE, m)
    # Each pixel four times, so that the initial weights and the rate fit as with the other kinds.
    return X.mean(axis=(1, 3)).reshape(-1, m).repeat(4, axis=0), labels.astype(int)


def draw_normals(
    generator: np.random.Generator, m: int, deviation: float, carriers: int, signal: float
) -> Drawn:
    """Draw normal features X (n_x, m), of which the first carry a signal, and labels (m,)."""
    labels = (generator.random(m) < 0.4).astype(int)
    X = generator.normal(0, deviation, (FEATURES, m))
    X[:carriers] += signal * (2 * labels - 1)
    return X, labels


def draw_weak(generator: np.random.Generator, m: int) -> Drawn:
    """Draw 120 of 1,000 features with a weak signal."""
    return draw_normals(generator, m, 0.5, 120, 0.07)


def draw_strong(generator: np.random.Generator, m: int) -> Drawn:
    """Draw 300 of 1,000 features with a strong signal."""
    return draw_normals(generator, m, 0.15, 300, 0.5)


# By name, what draws the pictures, and the share of labels that are flipped (None: all shuffled).
KINDS: dict[str, tuple[Draw, float | None]] = {
    "sketches": (draw_small_sketches, 0.0),
    "sketches-none": (draw_small_sketches, None),
    "sketches-noisy": (draw_small_sketches, 0.2),
    "weak": (draw_weak, 0.0),
    "weak-noisy": (draw_weak, 0.15),
    "strong-noisy": (draw_strong, 0.2),
}


class Covered(NamedTuple):
    """What the forecasts of one kind say.

    Attributes:
        kind: The name of the kind.
        now: The true score with m pictures.
        far: The true score with four times as many.
        forecasts: One of each data set.
    """

    kind: str
    now: float
    far: float
    forecasts: list[Forecast]

    def covered(self) -> int:
        """Count the bands that contain the true score at four times the pictures."""
        return sum(one.then.low <= self.far <= one.then.high for one in self.forecasts)

    def verdicts(self) -> dict[str, int]:
        """Count each verdict."""
        given = [one.verdict for one in self.forecasts]
        return {verdict: given.count(verdict) for verdict in get_args(Verdict)}


def draw(kind: str, generator: np.random.Generator, m: int) -> Drawn:
    """Draw X (n_x, m) in float32 and labels (m,) of a kind."""
    picture, flipped = KINDS[kind]
    X, labels = picture(generator, m)
    if flipped is None:
        labels = generator.permutation(labels)
    else:
        labels = np.where(generator.random(m) < flipped, 1 - labels, labels)
    return X.astype(np.float32), labels


def to_examples(X: np.ndarray, labels: np.ndarray) -> Examples:
    """Make examples of columns and labels."""
    return make_examples(jnp.asarray(X), jnp.asarray(labels[None], jnp.float32))


def measure_truth(kind: str, size: int, large_sets: int, seed: int) -> float:
    """Compute the mean balanced accuracy of networks of subsets of so many pictures, on others."""
    generator, scores = np.random.default_rng((seed, 1)), []
    for _ in range(large_sets):
        X, labels = draw(kind, generator, LARGE)
        for number in range(SUBSETS):
            kept = draw_held_out(labels, (seed, size, number), None, size / LARGE)
            networks = train_seeds(
                to_examples(X[:, kept], labels[kept]),
                dataclasses.replace(SETTINGS, seed=SEEDS * number),
                seeds=SEEDS,
                test=to_examples(X[:, ~kept], labels[~kept]),
                track=silent,
            )
            scores.append(balanced_accuracy(networks.probabilities["test"], labels[~kept]))
    return float(np.mean(scores))


def simulate(kind: str, m: int, data_sets: int, large_sets: int, seed: int) -> Covered:
    """Forecast the learning curves of data sets of a kind, whose truth is measured."""
    now, far = (measure_truth(kind, size, large_sets, seed) for size in (m, REACH * m))
    generator, forecasts = np.random.default_rng((seed, 2)), []
    for _ in range(data_sets):
        data = to_examples(*draw(kind, generator, m))
        forecasts.append(forecast(learning_curve(data, SETTINGS, track=silent)))
    return Covered(kind, now, far, forecasts)


def plot(counts: list[Covered], m: int) -> Figure:
    """Draw every band, in the order of its middle, and the true scores."""
    figure, axes = new_figure(CLAIM, 2, (len(counts) + 1) // 2, height=6.5, sharey=True)
    for panel, one in itertools.zip_longest(axes.flat, counts):
        if one is None:
            panel.remove()
            continue
        bands = np.array(sorted(forecast.then for forecast in one.forecasts))
        outside = (one.far < bands[:, 1]) | (bands[:, 2] < one.far)
        colors = np.where(outside, BLACK, BLUE)
        panel.vlines(np.arange(len(bands)), 100 * bands[:, 1], 100 * bands[:, 2], colors=colors)
        panel.axhline(100 * one.far, color=GRAY)
        panel.set(title=f"{one.kind}: {one.covered()} of {len(bands)}", xticks=())
    for panel in axes[:, 0]:
        panel.set_ylabel(f"forecast for {REACH * m:,}, %")
    return figure


def main(
    kinds: str = ",".join(KINDS),
    m: int = 80,
    data_sets: int = 40,
    large_sets: int = 5,
    seed: int = 1,
) -> Result:
    """Forecast drawn data sets, and count the bands that contain the true score."""
    at_least(1, data_sets=data_sets, large_sets=large_sets)
    at_least(20, m=m)
    at_least(0, seed=seed)
    names = kinds.split(",")
    if unknown := [name for name in names if name not in KINDS]:
        raise UsageError(f'"{unknown[0]}" is no kind', ", ".join(KINDS), "give some of these")
    print("kind             now  ×4   covered        flat / unclear / rises")
    counts = []
    for kind in names:
        one = simulate(kind, m, data_sets, large_sets, seed)
        counts.append(one)
        given = one.verdicts()
        print(
            f"{kind:15}{one.now:6.1%}{one.far:6.1%}{one.covered():4} of {data_sets:4}   "
            f"{given['flat']} / {given['unclear']} / {given['rises']}",
            flush=True,
        )
    shares = {one.kind: 100 * one.covered() / data_sets for one in counts}
    lowest = min(shares, key=lambda kind: shares[kind])
    numbers = {
        "the fewest of 100": shares[lowest],
        "of the kind": lowest,
        "of 100, all kinds": float(np.mean(list(shares.values()))),
        "counts": {
            one.kind: {"now": one.now, "far": one.far, "covered": one.covered()} | one.verdicts()
            for one in counts
        },
    }
    return Result(CLAIM, shares[lowest] >= LEAST, numbers, plot(counts, m))


if __name__ == "__main__":
    run(main)
