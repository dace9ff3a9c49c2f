import numpy as np
import pytest

from experiments.learning_rate import main, share_raised


def test_the_steps_that_raise_the_cost_are_counted_until_a_run_ends() -> None:
    costs = np.array(
        [
            [[0.7, 0.6, 0.5, 0.4, 0.3], [0.7, 0.6, 0.5, 0.5, 0.4]],
            [[0.7, 0.8, 0.6, 0.9, 0.5], [0.7, 0.9, np.inf, np.nan, np.nan]],
        ]
    )
    assert share_raised(costs).tolist() == [0, 4 / 6]


@pytest.mark.slow
def test_rates_from_too_small_to_too_large() -> None:
    result = main(rates=6, seeds=2, iterations=300, edge_iterations=150)
    assert result.holds
    numbers = result.numbers
    assert 0.01 < numbers["best rate"] < 2
    assert numbers["median cost at 0.0001, times that at the best"] > 2
    assert numbers["share of steps that raise the cost, at most"] > 0.5
    assert numbers["share of networks that are slow at 0.0001"] == 1
    assert numbers["share of networks that learn at 10"] == 0
    assert numbers["error of 1 − αλ"] < 1e-3
    peaks = [value for name, value in numbers.items() if name.startswith("peak of λ")]
    assert len(peaks) == 3
    assert min(peaks) > 0.8


@pytest.mark.slow
def test_small_rates_alone_do_not_overshoot() -> None:
    result = main(greatest=0.01, rates=2, seeds=2, iterations=50, edge_iterations=15)
    assert not result.holds
    assert result.numbers["share of steps that raise the cost, at most"] == 0
