import jax
import numpy as np
import pytest

from experiments import Result
from experiments.vanishing_gradient import main
from jaxnet import init_params, load_dataset, to_columns, to_row
from jaxnet.data.dataset import Dataset
from jaxnet.normals import make_key

SIZES = ("1", "10", "100", "1,000", "10,000")


@pytest.fixture(scope="module")
def result() -> Result:
    return main(seeds=8)


def test_the_sigmoid_lets_less_and_less_through(result: Result) -> None:
    assert result.holds
    shares = [result.numbers[f"sigmoid, weights × {size}: gets through"] for size in SIZES]
    assert shares[0] == pytest.approx(0.246, abs=0.003)
    assert shares[4] < 0.001
    assert shares == sorted(shares, reverse=True)
    slopes = [result.numbers[f"sigmoid, weights × {size}: median slope"] for size in SIZES]
    assert slopes[2] < 1e-4
    assert slopes[3] < 1e-40


def test_relu_lets_about_half_through(result: Result) -> None:
    for size in SIZES:
        share = result.numbers[f"relu, weights × {size}: gets through"]
        assert share == pytest.approx(0.5, abs=0.1)


def test_growing_inputs_is_growing_weights(result: Result) -> None:
    inputs = main(seeds=8, grow="inputs").numbers
    for name, value in result.numbers.items():
        assert inputs[name.replace("weights", "inputs")] == pytest.approx(value, rel=1e-9)


def test_the_share_is_a_mean_of_slopes_weighed_by_what_arrives(result: Result) -> None:
    train = load_dataset("sketches").train
    with jax.enable_x64(True):
        X, Y = (
            np.asarray(array, np.float64)
            for array in (to_columns(train.images), to_row(train.labels))
        )
        networks = [init_params(make_key(seed), 4096, dtype=np.float64) for seed in range(8)]
    shares = []
    for params in networks:
        W1, W2 = (np.asarray(params[name]) for name in ("W1", "W2"))
        A1 = 1 / (1 + np.exp(-10 * (W1 @ X)))
        arriving = np.abs(W2.T * (1 / (1 + np.exp(-(W2 @ A1))) - Y))
        shares.append(np.average(A1 * (1 - A1), weights=arriving))
    share = result.numbers["sigmoid, weights × 10: gets through"]
    assert share == pytest.approx(np.median(shares), rel=1e-6)


@pytest.mark.parametrize("settings", [{"decades": 1}, {"weight_scale": 1e-8}])
def test_units_that_are_not_saturated_let_the_gradient_through(settings: dict[str, float]) -> None:
    result = main(seeds=8, **settings)  # type: ignore[arg-type]
    assert not result.holds


def test_it_holds_on_the_cats(cats: Dataset) -> None:
    assert main("catvnoncat", seeds=8).holds
