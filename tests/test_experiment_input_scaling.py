import jax
import numpy as np
import pytest

from experiments import Result
from experiments.input_scaling import main
from jaxnet import init_params, load_dataset, to_columns
from jaxnet.data.dataset import Dataset

# A sigmoid on raw pixels is at the mercy of rounding: its costs are those of optimized programs.
pytestmark = [pytest.mark.optimized, pytest.mark.slow]


@pytest.fixture(scope="module")
def result() -> Result:
    return main(seeds=2, iterations=600)


def test_raw_pixels_saturate_sigmoid_units_and_scaled_ones_do_not(result: Result) -> None:
    assert result.holds
    assert result.numbers["sigmoid raw: stuck"] > 0.9
    assert result.numbers["sigmoid raw: gets through"] < 0.01
    for scale in ("unit", "symmetric"):
        assert result.numbers[f"sigmoid {scale}: stuck"] == 0.0
        assert result.numbers[f"sigmoid {scale}: gets through"] == pytest.approx(0.246, abs=0.003)


def test_a_unit_is_stuck_where_z_is_beyond_4_585(result: Result) -> None:
    X = to_columns(load_dataset("sketches").train.images, pixel_scale="raw")
    beyond = [
        np.mean(np.abs(np.asarray(init_params(jax.random.key(seed), 4096)["W1"] @ X)) > 4.585)
        for seed in range(2)
    ]
    assert result.numbers["sigmoid raw: stuck"] == pytest.approx(np.median(beyond), abs=1e-3)


def test_relu_is_stuck_alike_with_raw_and_unit_pixels_but_only_raw_kill_it(result: Result) -> None:
    numbers = result.numbers
    assert numbers["relu raw: stuck"] == numbers["relu unit: stuck"] > 0
    assert numbers["relu symmetric: stuck"] == 0.0
    assert numbers["relu raw: outcome"] == "dead 2/2"
    assert numbers["relu unit: outcome"] == numbers["relu symmetric: outcome"] == "learning 2/2"


def test_costs_fall_with_scaling_only(result: Result) -> None:
    costs = [result.numbers[f"sigmoid {name}: last cost"] for name in ("symmetric", "unit", "raw")]
    assert costs == sorted(costs)
    assert costs[2] == pytest.approx(0.643, abs=0.005)


def test_raw_pixels_saturate_nothing_if_the_weights_are_as_small_instead() -> None:
    result = main(seeds=2, iterations=600, weight_scale=1e-6)
    assert not result.holds
    assert result.numbers["sigmoid raw: stuck"] == 0.0


@pytest.mark.slow
def test_it_holds_on_the_cats(cats: Dataset) -> None:
    result = main("catvnoncat", seeds=2)
    assert result.holds
    assert result.numbers["sigmoid raw: last cost"] > 0.62
