import dataclasses
import math

import jax.numpy as jnp
import pytest

from experiments import BLUE, GREEN, ORANGE, Result, activation_functions
from experiments.activation_functions import main
from jaxnet import leaky_relu, relu, sigmoid


@pytest.fixture(scope="module")
def result() -> Result:
    return main()


def test_the_sigmoid_is_flat_at_both_ends(result: Result) -> None:
    assert result.holds
    exact = math.exp(-10) / (1 + math.exp(-10)) ** 2
    assert result.numbers["sigmoid, slope at both ends"] == pytest.approx(exact, rel=1e-12)
    assert result.numbers["sigmoid, slope at 0"] == 0.25
    assert result.numbers["sigmoid, slope above 1 % of its height up to |z|"] == 5.98


def test_the_slopes_of_relu(result: Result) -> None:
    assert result.numbers["relu, slopes"] == "0, 1"
    assert result.numbers["relu, slope at 0"] == 0
    assert result.numbers["leaky_relu, slopes"] == "0.01, 1"
    assert result.numbers["leaky_relu, slope at 0"] == 0.01


def test_the_slopes_are_checked(result: Result) -> None:
    assert result.numbers["greatest difference from jax.grad"] < 1e-15
    assert result.numbers["greatest difference from central differences"] < 1e-9


def test_near_0_the_sigmoid_is_not_flat() -> None:
    result = main(reach=1, points=21)
    assert not result.holds
    assert result.numbers["sigmoid, slope at both ends"] == pytest.approx(0.1966, abs=1e-4)


def test_a_slope_in_between_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    half = dataclasses.replace(relu, slope=lambda Z: jnp.heaviside(Z, 0.5))
    colors = {sigmoid: BLUE, half: ORANGE, leaky_relu: GREEN}
    monkeypatch.setattr(activation_functions, "COLORS", colors)
    result = main(points=21)
    assert not result.holds
    assert result.numbers["relu, slopes"] == "0, 0.5, 1"
    assert result.numbers["greatest difference from jax.grad"] == 0.5
