import os
from types import SimpleNamespace
from typing import Any, Literal

import jax
import numpy as np
import pytest

from experiments import course_table
from experiments.course_table import main
from jaxnet.data.dataset import Dataset
from jaxnet.network import Params
from jaxnet.training import fit

pytestmark = pytest.mark.optimized


def require_reproduced(basis: Literal["pixels", "span"]) -> None:
    result = main(basis=basis)
    assert result.holds
    assert result.numbers["largest difference"] <= 1e-12
    assert result.numbers["train accuracy"] == 1.0
    assert result.numbers["test accuracy"] == pytest.approx(0.72)


def test_the_published_costs_are_reproduced_in_the_span(cats: Dataset) -> None:
    require_reproduced("span")


@pytest.mark.skipif("JAXNET_LARGE_TESTS" not in os.environ, reason="JAXNET_LARGE_TESTS is not set")
def test_the_published_costs_are_reproduced_in_pixels(cats: Dataset) -> None:
    require_reproduced("pixels")


@pytest.mark.slow
def test_the_first_costs_are_reproduced_in_pixels(cats: Dataset) -> None:
    result = main(iterations=101)
    assert result.holds
    assert result.numbers["largest difference"] <= 1e-12


def test_all_costs_are_reproduced_in_rotated_pixels(
    cats: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gradient descent is the same in any orthonormal coordinates: here in 209 for 12,288."""

    def fit_rotated(params: Params, X: jax.Array, Y: jax.Array, **settings: Any) -> SimpleNamespace:
        Q, R = np.linalg.qr(X)
        assert R.shape == (209, 209)
        W1 = np.asarray(params["W1"])
        ended = fit(jax.device_put(params | {"W1": W1 @ Q}), jax.device_put(R), Y, **settings)
        there = jax.device_put(W1 + (np.asarray(ended.params["W1"]) - W1 @ Q) @ Q.T)
        return SimpleNamespace(params=ended.params | {"W1": there}, costs=ended.costs)

    monkeypatch.setattr(course_table, "fit", fit_rotated)
    require_reproduced("pixels")


def test_another_rate_does_not_reproduce_them(cats: Dataset) -> None:
    result = main(iterations=201, learning_rate=0.00750001, basis="span")
    assert not result.holds
    assert 1e-9 < result.numbers["largest difference"] < 1e-6
