"""The values along the axes of a sweep, as they are given and as they are typed."""

from typing import Any

import numpy as np
import pytest

from jaxnet.errors import UsageError
from jaxnet.many.grid import Grid


def test_the_defaults() -> None:
    grid = Grid()
    assert grid.shape == (1, 25, 1, 16)
    assert grid.networks == 400
    assert grid.activations == ("relu",)
    assert grid.weight_scales == (0.01,)
    assert grid.learning_rates[0] == 1e-4
    assert grid.learning_rates[-1] == 1
    ratios = np.divide(grid.learning_rates[1:], grid.learning_rates[:-1])
    np.testing.assert_allclose(ratios, 10 ** (4 / 24), rtol=1e-4)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((0.1, 0.3), (0.1, 0.3)),
        ([0.1, 0.3, 0.1], (0.1, 0.3)),
        (np.array([0.5, 1.0]), (0.5, 1.0)),
        ((1, 0), (1.0, 0.0)),
        (((0.1, 0.2), 0.3, [1, 2]), ((0.1, 0.2), 0.3, (1.0, 2.0))),
        ("0.1, 0.3 ,0.1", (0.1, 0.3)),
        ("0", (0.0,)),
        ("1:100:3", (1.0, 10.0, 100.0)),
        ("0.5,1:4:2", (0.5, 1.0, 4.0)),
        ("1:10:4", (1.0, 2.15443, 4.64159, 10.0)),
    ],
)
def test_learning_rates(given: Any, expected: tuple[Any, ...]) -> None:
    rates = Grid(given).learning_rates
    assert rates == expected
    assert all(type(number) is float for rate in rates for number in np.ravel(rate).tolist())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((0.1, "he"), (0.1, "he")),
        ("he", ("he",)),
        ("0.01,he,0.1:1:2", (0.01, "he", 0.1, 1.0)),
    ],
)
def test_weight_scales(given: Any, expected: tuple[Any, ...]) -> None:
    assert Grid(weight_scales=given).weight_scales == expected


def test_activations() -> None:
    assert Grid(activations="relu, sigmoid,relu").activations == ("relu", "sigmoid")  # type: ignore[arg-type]
    assert Grid(activations=["leaky_relu"]).activations == ("leaky_relu",)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"learning_rates": 0.1}, "learning_rates is 0.1"),
        ({"learning_rates": ()}, "learning_rates is empty"),
        ({"learning_rates": ((0.1, 0.2, 0.3),)}, r"learning_rates holds \(0.1, 0.2, 0.3\)"),
        ({"learning_rates": ("he",)}, 'a value of learning_rates is "he"'),
        ({"learning_rates": "he"}, 'learning_rates is "he"'),
        ({"learning_rates": "1:2"}, 'learning_rates is "1:2"'),
        ({"learning_rates": "2:1:3"}, 'learning_rates is "2:1:3"'),
        ({"learning_rates": "1:1:3"}, 'learning_rates is "1:1:3"'),
        ({"learning_rates": "0:1:3"}, 'learning_rates is "0:1:3"'),
        ({"learning_rates": "1:2:1"}, 'learning_rates is "1:2:1"'),
        ({"learning_rates": "1:2:10001"}, 'learning_rates is "1:2:10001"'),
        ({"learning_rates": "1:2:2.5"}, 'learning_rates is "1:2:2.5"'),
        ({"learning_rates": "-0.1"}, 'learning_rates is "-0.1"'),
        ({"weight_scales": ("xavier",)}, 'weight_scales is "xavier"'),
        ({"weight_scales": ((0.1, 0.2),)}, r"weight_scales holds \(0.1, 0.2\)"),
        ({"weight_scales": (np.inf,)}, "a value of weight_scales is inf"),
        ({"seeds": 0}, "seeds is 0"),
        ({"seeds": 2.0}, "seeds is 2.0"),
        ({"seeds": 100_001}, "seeds is 100001"),
        ({"activations": ("tanh",)}, 'activations is "tanh"'),
        ({"activations": 3}, "activations is 3"),
        ({"activations": ()}, "the number of networks is 0"),
        ({"learning_rates": "1:2:101", "seeds": 100_000}, "the number of networks is 10100000"),
    ],
)
def test_values_that_are_refused(values: dict[str, Any], found: str) -> None:
    with pytest.raises(UsageError, match=found):
        Grid(**values)


def test_the_most_networks() -> None:
    assert Grid("1:2:100", seeds=100_000).networks == 10_000_000  # type: ignore[arg-type]
    assert len(Grid("1:2:10000", seeds=1).learning_rates) == 10_000  # type: ignore[arg-type]
