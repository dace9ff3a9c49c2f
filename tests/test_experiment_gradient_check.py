from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from experiments import Result, gradient_check
from experiments.gradient_check import main, relative_difference
from jaxnet.backprop import Gradients, backward

pytestmark = pytest.mark.slow

M = 9


def small(**settings: Any) -> Result:
    return main(size=3, pictures=M, n_h=3, **settings)


@pytest.fixture(scope="module")
def result() -> Result:
    return small()


@pytest.fixture
def with_formulas(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the experiment with some of the formulas changed."""

    def run(**changes: Callable[[Gradients], jax.Array]) -> Result:
        def changed(*arguments: object) -> Gradients:
            right = backward(*arguments)  # type: ignore[arg-type]
            return right._replace(**{name: change(right) for name, change in changes.items()})

        monkeypatch.setattr(gradient_check, "backward", changed)
        return small()

    return run


def test_the_formulas_are_the_derivatives(result: Result) -> None:
    assert result.holds
    assert (result.numbers["pixels"], result.numbers["pictures"]) == (9, 9)
    for field in Gradients._fields:
        differences = {way: column[field] for way, column in result.numbers["differences"].items()}
        assert differences["float64, jax.grad"] < 1e-14
        assert differences["float64, differences"] < 1e-8
        assert differences["float32, jax.grad"] < 1e-5
        assert differences["float32, differences"] < 1e-2


def test_every_slip_is_as_far_off_as_it_must_be(result: Result) -> None:
    assert (result.numbers["slips"], result.numbers["slips found"]) == (13, 13)
    for row in result.numbers["slipped"].values():
        assert row["dA2: wrong sign"] == pytest.approx(2)
        assert row["dW2: no 1/m"] == pytest.approx(M - 1)
        assert row["db1: no 1/m"] == pytest.approx(M - 1)
        assert row["dW1: 1/m twice"] == pytest.approx(1 - 1 / M)


def test_relu_hides_the_slope_at_a1(result: Result) -> None:
    assert result.numbers["not found with relu"] == "dZ1: slope at A1, not Z1"
    assert result.numbers["not found with sigmoid"] == "none"


def test_shapes_catch_the_missing_transpose_unless_x_is_square() -> None:
    result = main(size=3, pictures=7, n_h=3)
    assert result.holds
    assert result.numbers["slips"] == 12
    assert "dW1: X, not Xᵀ" not in result.numbers["slipped"]["relu"]


@pytest.mark.parametrize("field", ["dA2", "dW1"])
def test_a_wrong_formula_is_not_taken_for_right(
    field: str, with_formulas: Callable[..., Result]
) -> None:
    result = with_formulas(**{field: lambda right: 1.001 * getattr(right, field)})
    assert not result.holds
    for way, column in result.numbers["differences"].items():
        assert column[field] == pytest.approx(1e-3, rel=0.1 if "float64" in way else 5)
    right = result.numbers["differences"]["float64, jax.grad"]
    assert max(right[other] for other in right if other != field) < 1e-14


def test_a_formula_that_is_not_a_number_is_not_taken_for_right(
    with_formulas: Callable[..., Result],
) -> None:
    assert not with_formulas(db1=lambda right: np.nan * right.db1).holds


def test_a_check_that_allows_everything_finds_nothing() -> None:
    result = small(allowance=1e12)
    assert not result.holds
    assert result.numbers["slips found"] == 0


def test_derivatives_that_are_all_0_prove_nothing() -> None:
    assert relative_difference(np.zeros(3), np.zeros(3)) == np.inf
    assert relative_difference(np.array([1.0, 2.0]), np.array([1.0, 4.0])) == 0.5
