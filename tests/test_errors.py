import copy
import multiprocessing
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Problem

from jaxnet.activations import leaky_relu
from jaxnet.errors import (
    DataError,
    DivergenceError,
    JaxnetError,
    ModelFileError,
    UsageError,
    require_choice,
    require_integer,
    require_number,
)
from jaxnet.training import fit

KINDS: list[type[JaxnetError]] = [DataError, ModelFileError, UsageError, JaxnetError]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_what_was_found_and_expected_and_what_to_do(kind: type[JaxnetError]) -> None:
    error = kind("3 labels", "one a picture", "add some")
    assert str(error) == "3 labels\n  expected: one a picture\n  to do:    add some"
    assert isinstance(error, JaxnetError)
    assert isinstance(error, ValueError) == (kind in (DataError, UsageError))
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert (again.found, again.expected, again.remedy) == (
            "3 labels",
            "one a picture",
            "add some",
        )


def diverge() -> None:
    """Train a network whose numbers overflow."""
    X = jnp.linspace(-1, 1, 12).reshape(3, 4)
    params = {"W1": jnp.ones((2, 3)), "b1": jnp.ones((2, 1))}
    params |= {"W2": jnp.ones((1, 2)), "b2": jnp.ones((1, 1))}
    Y = jnp.asarray([[0.0, 1.0, 0.0, 1.0]])
    fit(params, X, Y, leaky_relu, learning_rate=1e30, iterations=9)


@pytest.mark.slow
def test_a_divergence_error_comes_whole_from_another_process() -> None:
    with pytest.raises(DivergenceError) as here:
        diverge()
    with (
        multiprocessing.get_context("spawn").Pool(1) as pool,
        pytest.raises(DivergenceError) as there,
    ):
        pool.apply(diverge)
    assert str(there.value) == str(here.value)
    ours, theirs = here.value.fit, there.value.fit
    np.testing.assert_array_equal(theirs.costs, ours.costs)
    assert theirs.outcome == "not finite"
    for name, leaf in ours.params.items():
        np.testing.assert_array_equal(theirs.params[name], leaf)


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.int64(1), jnp.asarray(0.25)])
def test_numbers_in_their_range(value: Any) -> None:
    require_number("share", value, 0, 1)


def test_the_ends_of_a_range_belong_to_it() -> None:
    for value in (2, 5):
        require_number("n", value, 2, 5)
        require_integer("n", value, 2, 5)
    for value in (1, 6):
        with pytest.raises(UsageError, match=f"n is {value}"):
            require_number("n", value, 2, 5)
        with pytest.raises(UsageError, match=f"n is {value}"):
            require_integer("n", value, 2, 5)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (np.nan, "share is nan"),
        (np.inf, "share is inf"),
        ("0.5", 'share is "0.5"'),
        (True, "share is True of type bool"),
        (None, "share is None of type NoneType"),
        ([0.5], r"share is \[0.5\] of type list"),
        (np.ones((1, 1)), "of type ndarray"),
        (1j, "of type complex"),
        ("x" * 100, "share is"),
        (np.zeros(100), "…"),
    ],
)
def test_what_is_no_number_in_the_range(value: Any, found: str) -> None:
    with pytest.raises(UsageError, match=found) as caught:
        require_number("share", value, 0, np.inf)
    assert len(caught.value.found.splitlines()) == 1


def test_a_traced_number_passes() -> None:
    def double(share: Any) -> Any:
        require_number("share", share, 1, 2)
        return 2 * share

    assert jax.jit(double)(7.0) == 14


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_integers(value: Any) -> None:
    require_integer("n", value, 1)
    require_integer("n", value, 3, 3)


@pytest.mark.parametrize(
    ("value", "found", "remedy"),
    [
        (3.0, "n is 3.0 of type float", "write n=3"),
        (np.float32(3), "n is ", "write n=3"),
        (3.5, "n is 3.5 of type float", "give an integer as n"),
        (np.inf, "n is inf of type float", "give an integer as n"),
        (np.nan, "n is nan of type float", "give an integer as n"),
        (True, "n is True of type bool", "give an integer as n"),
        ("3", 'n is "3"', "give an integer as n"),
        (np.array(3), "n is array", "give an integer as n"),
        (0, "n is 0", "give such a n"),
    ],
)
def test_what_is_no_integer_in_the_range(value: Any, found: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        require_integer("n", value, 1)
    assert found in caught.value.found
    assert caught.value.remedy == remedy


def test_choices() -> None:
    require_choice("color", "gray", ("gray", "rgb"))
    for value in ("grey", None, 0, ["gray"]):
        with pytest.raises(UsageError, match="color is") as caught:
            require_choice("color", value, ("gray", "rgb"))
        assert caught.value.expected == '"gray" or "rgb"'


@pytest.mark.parametrize(
    ("least", "greatest", "expected"),
    [
        (0, 1, "a finite number from 0 to 1"),
        (0, 1e6, "a finite number from 0 to 1,000,000"),
        (0.5, np.inf, "a finite number, 0.5 or more"),
        (0, float(np.finfo(np.float64).max), "a finite number, 0 or more"),
    ],
)
def test_a_range_in_words(least: float, greatest: float, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        require_number("n", -1, least, greatest)
    assert caught.value.expected == expected


def test_the_descent_of_an_error_goes_on(tiny: Problem) -> None:
    with pytest.raises(DivergenceError) as caught:
        fit(tiny.params, tiny.X, tiny.Y, learning_rate=1e200, iterations=9)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.fit.descent.optimizer is not None
    assert {leaf.dtype for leaf in again.fit.params.values()} == {np.dtype("float64")}
