"""Does this network learn exactly as the one in the course that the article follows?

The course published the costs of its 12288–7–1 network (colour pixels / 255, ReLU, sigmoid) on the
same cat pictures: 2,500 iterations of full-batch gradient descent in float64, from parameters that
NumPy draws from seed 1. So every digit can be compared. (The article's sections "Forward
propagation" to "Repeat".)

    python -m experiments.course_table

Expect differences below 1e-12 for all 25 costs, and the accuracies 1.0 and 0.72. It takes ten
seconds, and needs the cats themselves, since other pictures have other costs.
"""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from experiments import BLUE, ORANGE, Result, at_least, new_figure, run
from jaxnet import Params, accuracy, fit, load_dataset, to_columns, to_row
from jaxnet.errors import require_number

CLAIM = "The published costs of the course are reproduced to twelve digits."

# The cost before update 0, 100, …, 2400.
PUBLISHED_COSTS = [
    0.6930497356599888,
    0.6464320953428849,
    0.6325140647912677,
    0.6015024920354665,
    0.5601966311605747,
    0.5158304772764729,
    0.47549013139433255,
    0.43391631512257495,
    0.4007977536203886,
    0.3580705011323798,
    0.3394281538366412,
    0.3052753636196264,
    0.2749137728213015,
    0.24681768210614846,
    0.19850735037466108,
    0.17448318112556654,
    0.17080762978096023,
    0.11306524562164728,
    0.09629426845937154,
    0.08342617959726861,
    0.07439078704319084,
    0.06630748132267932,
    0.05919329501038171,
    0.053361403485605564,
    0.04855478562877018,
]


def course_params(seed: int, n_x: int, n_h: int) -> Params:
    """Draw the parameters as the course does, with NumPy's old generator."""
    draw = np.random.RandomState(seed).randn
    start = {"W1": draw(n_h, n_x) * 0.01, "b1": np.zeros((n_h, 1))}
    start |= {"W2": draw(1, n_h) * 0.01, "b2": np.zeros((1, 1))}
    return {name: jnp.asarray(array) for name, array in start.items()}


def main(
    data: str = "catvnoncat",
    seed: int = 1,
    n_h: int = 7,
    learning_rate: float = 0.0075,
    iterations: int = 2500,
    basis: Literal["auto", "pixels", "span"] = "pixels",
    tolerance: float = 1e-12,
) -> Result:
    """Train as the course does, and compare the costs."""
    at_least(1, n_h=n_h)
    require_number("seed", seed, 0, 2**32 - 1)  # the range of NumPy
    dataset = load_dataset(data)
    with jax.enable_x64(True):
        columns = {
            name: (
                to_columns(split.images, color="rgb", pixel_scale="unit", dtype=jnp.float64),
                to_row(split.labels, dtype=jnp.float64),
            )
            for name, split in dataset.splits.items()
        }
        X, Y = columns["train"]
        params = course_params(seed, len(X), n_h)
        trained = fit(params, X, Y, learning_rate=learning_rate, iterations=iterations, basis=basis)
        accuracies = {
            name: float(accuracy(trained.params, X, Y)) for name, (X, Y) in columns.items()
        }
    costs = trained.costs[::100][: len(PUBLISHED_COSTS)]
    published = np.array(PUBLISHED_COSTS[: len(costs)])
    print("iteration            published               jaxnet  difference")
    for row, (theirs, ours) in enumerate(zip(published, costs, strict=True)):
        print(f"{100 * row:9}  {theirs:.17f}  {ours:.17f}  {ours - theirs:10.1e}")
    differences = np.abs(costs - published)

    figure, ((left, right),) = new_figure(CLAIM, 1, 2)
    left.plot(trained.costs, color=BLUE, label="jaxnet, every iteration")
    left.plot(100 * np.arange(len(costs)), published, "o", color=ORANGE, label="published")
    left.set(xlabel="iteration", ylabel="cost")
    left.legend()
    right.plot(100 * np.arange(len(costs)), np.maximum(differences, 1e-17), "o-", color=BLUE)
    right.axhline(tolerance, color=ORANGE, label="twelve digits")
    right.set(xlabel="iteration", ylabel="difference of the costs", yscale="log")
    right.legend()
    return Result(
        CLAIM,
        bool(differences.max() <= tolerance),
        {"largest difference": float(differences.max())}
        | {f"{name} accuracy": value for name, value in accuracies.items()},
        figure,
    )


if __name__ == "__main__":
    run(main)
