import math
from collections.abc import Callable
from pathlib import Path

import jax
import pytest

from experiments import Result, one_step
from experiments.one_step import main
from jaxnet import Gradients, Params, backward

RATIO = "fall / predicted at α = 0.0075, median"
LIMIT = "greatest |fall / predicted − 1| at α = 1e-06"


@pytest.fixture(scope="module")
def sketches() -> Result:
    return main(seeds=1, rates=2)


def test_one_step_falls_as_predicted(sketches: Result) -> None:
    assert sketches.holds
    assert sketches.numbers[RATIO] == pytest.approx(1, abs=0.01)
    assert sketches.numbers[LIMIT] < 1e-5
    assert sketches.numbers["cost before the step"] == pytest.approx(math.log(2), abs=0.01)


def test_steps_in_pixels_and_in_the_span_agree(sketches: Result) -> None:
    # The ratio is from a sweep in the span; the costs are from one update in pixels.
    numbers = sketches.numbers
    fall = numbers["cost before the step"] - numbers["cost after the step"]
    ratio = fall / numbers["predicted fall of this cost"]
    assert ratio == pytest.approx(numbers[RATIO], rel=1e-9)


def test_a_small_rate_is_exact_on_any_pictures(h5: Callable[..., Path]) -> None:
    result = main(data=str(h5()), seeds=2, rates=2, n_h=3)
    assert result.holds
    assert result.numbers[LIMIT] < 1e-5
    assert 0 < result.numbers["share of db2² in ‖∇J‖², median"] < 1


def test_too_large_a_step_raises_the_cost(h5: Callable[..., Path]) -> None:
    result = main(data=str(h5()), seeds=2, rates=2, n_h=3, learning_rate=1000.0)
    assert not result.holds
    assert result.numbers["fall / predicted at α = 1000, median"] < 0
    assert result.numbers["cost after the step"] > result.numbers["cost before the step"]


def test_a_rate_may_be_among_the_others(h5: Callable[..., Path]) -> None:
    result = main(data=str(h5()), seeds=2, rates=3, n_h=3, least=0.0075)
    alone = main(data=str(h5()), seeds=2, rates=2, n_h=3)  # three different rates, too
    assert result.numbers[RATIO] == alone.numbers[RATIO]


def test_no_limit_is_shown_by_large_rates(h5: Callable[..., Path]) -> None:
    assert not main(data=str(h5()), seeds=2, rates=2, n_h=3, least=0.1).holds


def test_a_wrong_gradient_is_noticed(
    h5: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(params: Params, X: jax.Array, Y: jax.Array) -> Gradients:
        gradients = backward(params, X, Y)
        return gradients._replace(dW2=1.1 * gradients.dW2)

    monkeypatch.setattr(one_step, "backward", forgetful)
    assert not main(data=str(h5()), seeds=2, rates=2, n_h=3).holds
