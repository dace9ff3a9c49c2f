import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest

from experiments import Result, initialisation
from experiments.initialisation import count_different, largest_difference, main
from jaxnet import Examples, Grid, Settings, load_dataset, sweep
from jaxnet.data.dataset import Dataset


class Found(Exception):  # noqa: N818
    """Carries the seeds of a sweep out of the experiment."""

    def __init__(self, seeds: range) -> None:
        super().__init__()
        self.seeds = seeds


FAST = {"seeds": 2, "learning_rate": 0.3, "iterations": 400}


class Trained(NamedTuple):
    """What the experiment finds, and the networks that it trains from random starts."""

    result: Result
    many: Any


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the sketches at 16 × 16, which takes less time to multiply with each other."""
    path = tmp_path_factory.mktemp("small") / "small.h5"
    with h5py.File(path, "w") as file:
        for name, (images, labels, _) in load_dataset("sketches").splits.items():
            parts = images.reshape(-1, 16, 4, 16, 4, 3)
            file[f"{name}_set_x"] = parts.mean((2, 4)).round().astype(np.uint8)
            file[f"{name}_set_y"] = labels
        file["list_classes"] = np.array([b"other", b"cat"])
    return str(path)


@pytest.fixture(scope="module")
def trained(small: str) -> Trained:
    swept = []

    def spy(*arguments: Any, **options: Any) -> Any:
        swept.append(sweep(*arguments, **options))
        return swept[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(initialisation, "sweep", spy)
        return Trained(main(small, **FAST), swept[0])  # type: ignore[arg-type]


@pytest.fixture
def result(trained: Trained) -> Result:
    return trained.result


@pytest.fixture
def random_starts_learn(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the trained networks of the random starts in place of ones that are trained briefly."""
    monkeypatch.setattr(initialisation, "sweep", lambda *arguments, **options: trained.many)


def test_equal_units_stay_equal_and_random_ones_learn_more(result: Result) -> None:
    numbers = result.numbers
    assert result.holds
    assert numbers["largest difference of units that started equal"] <= 1e-12
    assert numbers["different hidden units, constant"] == 1
    assert numbers["different hidden units, fewest of a random start"] == 8
    assert numbers["rank of the update, constant"] == 1
    assert numbers["cost, 95th percentile of the worst random start"] < numbers["cost, constant"]


def test_from_zero_only_the_output_bias_learns(result: Result) -> None:
    rate = 72 / 209  # cats among the pictures
    entropy = -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)
    assert result.numbers["largest weight of a hidden unit, zeros"] == 0.0
    assert result.numbers["label entropy"] == pytest.approx(entropy, rel=1e-12)
    assert result.numbers["cost, zeros"] == pytest.approx(entropy, rel=1e-4)


def test_units_that_do_not_start_equal_do_not_stay_so(
    small: str, random_starts_learn: None
) -> None:
    result = main(small, seeds=2, iterations=5, jitter=1e-3)
    assert not result.holds
    assert result.numbers["different hidden units, constant"] == 8
    assert result.numbers["rank of the update, constant"] > 1
    assert result.numbers["largest difference of units that started equal"] > 1e-4


def test_too_few_iterations_show_no_need_of_random_weights(
    small: str, random_starts_learn: None
) -> None:
    result = main(small, seeds=2, iterations=5)
    assert not result.holds
    assert result.numbers["largest difference of units that started equal"] <= 1e-12
    assert result.numbers["cost, zeros"] > 1.01 * result.numbers["label entropy"]


def test_the_random_starts_are_those_of_the_seeds(
    monkeypatch: pytest.MonkeyPatch, h5: Callable[..., Path]
) -> None:
    def spy(examples: Examples, grid: Grid, settings: Settings, **more: Any) -> None:
        raise Found(range(settings.seed, settings.seed + grid.seeds))

    monkeypatch.setattr(initialisation, "follow", lambda *arguments: None)
    monkeypatch.setattr(initialisation, "sweep", spy)
    with pytest.raises(Found) as found:
        main(str(h5()), seed=3, seeds=2)
    assert list(found.value.seeds) == [3, 4]


def test_units_are_counted_and_compared_up_to_rounding() -> None:
    rows = np.array([[3.0, 4.0], [3.0, 4.0 + 1e-12], [3.0, -4.0], [0.0, 0.0]])
    assert count_different(rows) == 3
    assert count_different(np.zeros((4, 2))) == 1
    assert largest_difference(rows) == pytest.approx(8 / 5)
    assert largest_difference(rows[:2]) == pytest.approx(2e-13, rel=1e-3)
    assert largest_difference(np.zeros((4, 2))) == 0.0


@pytest.mark.slow
def test_the_cats_need_random_weights(cats: Dataset) -> None:
    result = main("catvnoncat", seeds=2)
    assert result.holds
    assert result.numbers["label entropy"] == pytest.approx(0.644, abs=5e-4)
    assert result.numbers["cost, constant"] == pytest.approx(0.522, abs=2e-3)
