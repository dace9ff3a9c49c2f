from typing import Any, get_args

import jax
import jitted
import numpy as np
import pytest
from conftest import Problem

from jaxnet.activations import Activation, leaky_relu, relu
from jaxnet.errors import DataError, DivergenceError, UsageError
from jaxnet.examples import make_examples
from jaxnet.many.grid import Grid
from jaxnet.many.sweep import sweep
from jaxnet.network import Params, init_params
from jaxnet.outcomes import (
    FAILED,
    Outcome,
    any_active,
    judge,
    label_entropy,
    late_cost,
    late_cost_until,
    outcome,
)
from jaxnet.settings import Settings
from jaxnet.training import fit


def test_label_entropy() -> None:
    assert label_entropy(row(*[1] * 72, *[0] * 137)) == pytest.approx(0.6440, abs=5e-5)
    assert label_entropy(row(0, 1)) == pytest.approx(np.log(2))
    assert label_entropy(row(1, 1, 0), row(0, 2, 2)) == pytest.approx(np.log(2))
    assert label_entropy(row(1, 1, 1)) == 0
    assert label_entropy(row(1, 0, 1), row(0.7, 0, 0.1)) == 0


def test_outcomes(tiny: Problem) -> None:
    entropy = label_entropy(tiny.Y)
    still: Any = {name: np.zeros_like(leaf) for name, leaf in tiny.params.items()}
    unknown: Any = tiny.params | {"b2": np.full((1, 1), np.nan)}

    def end(
        last: float, first: float = 0.5, params: Params = tiny.params, hidden: Activation = relu
    ) -> str:
        costs = np.r_[first, np.full(94, 0.5), np.full(5, last)]
        return outcome(params, tiny.X, tiny.Y, hidden, costs=costs)

    assert end(0.5 * entropy) == "learning"
    assert end(0.98 * entropy) == "learning"
    assert end(0.995 * entropy) == end(1.005 * entropy) == "plateau"
    assert end(1.02 * entropy) == "diverged"
    assert end(1.02 * entropy, first=1.01 * entropy) == "diverged"
    assert end(1.02 * entropy, first=1.02 * entropy) == "slow"
    assert end(1.02 * entropy, first=9.0) == "slow"
    assert end(0.5 * entropy, params=still) == "dead"
    assert end(np.nan, params=still) == "not finite"
    assert end(0.5 * entropy, params=still, hidden=leaky_relu) == "learning"
    assert end(np.nan) == end(np.inf) == "not finite"
    assert end(0.1, params=unknown) == "not finite"


def test_many_runs_are_judged_at_once() -> None:
    cases = [
        (False, True, 1.0, np.nan, "not finite"),
        (False, False, 1.0, 0.1, "not finite"),
        (True, False, 1.0, 0.1, "dead"),
        (True, False, 1.0, 9.0, "dead"),
        (True, True, 1.0, 0.601, "plateau"),
        (True, True, 0.1, 0.599, "plateau"),
        (True, True, 0.69, 0.7, "diverged"),
        (True, True, 0.7, 0.7, "slow"),
        (True, True, 0.8, 0.7, "slow"),
        (True, True, 1.0, 0.5, "learning"),
        (True, True, 0.1, 0.5, "learning"),
    ]
    finite, active, first, late, expected = map(np.array, zip(*cases, strict=True))
    assert judge(finite, active, first, late, 0.6).tolist() == expected.tolist()


def test_the_plateau_reaches_one_percent_to_both_sides() -> None:
    # An entropy of 100 is none, but 1 % of it is a whole number.
    late = np.array([98.99, 99.0, 100.0, 101.0, 101.01])
    expected = ["learning", "plateau", "plateau", "plateau", "slow"]
    assert judge(True, True, 200.0, late, 100.0).tolist() == expected


def test_where_all_labels_are_of_one_class_it_learns_if_it_comes_below_its_start() -> None:
    late = np.array([0.0, 1e-9, 0.699, 0.7, 0.701])
    expected = ["learning", "learning", "learning", "slow", "diverged"]
    assert judge(True, True, 0.7, late, 0.0).tolist() == expected


def test_the_entropies_of_many_runs_may_differ() -> None:
    entropy = np.array([[0.6], [0.0], [0.3]])
    first, late = np.array([[0.7, 0.5]] * 3), np.array([[0.6, 0.6]] * 3)
    expected = [["plateau", "plateau"], ["learning", "diverged"], ["slow", "diverged"]]
    assert judge(True, True, first, late, entropy).tolist() == expected


def test_what_has_failed_is_some_of_the_outcomes() -> None:
    assert set(get_args(Outcome)) - set(FAILED) == {"learning", "plateau", "slow"}
    assert len(FAILED) == 3


def test_the_late_cost_is_the_mean_of_the_last_twentieth() -> None:
    costs = np.arange(200.0).reshape(2, 100)
    np.testing.assert_array_equal(late_cost(costs), [97.0, 197.0])
    assert late_cost(np.array([3.0])) == 3.0


@pytest.mark.parametrize(("length", "expected"), [(20, 19), (21, 19.5), (30, 28.5), (41, 39)])
def test_a_part_of_an_iteration_counts_whole(length: int, expected: float) -> None:
    assert late_cost(np.arange(length, dtype=float)) == expected
    assert float(jax.jit(late_cost)(np.arange(length, dtype=np.float32))) == expected


compute_until = jax.jit(late_cost_until, static_argnums=2)


@pytest.mark.parametrize("made", [1, 19, 20, 21, 40, 41, 100])
@pytest.mark.parametrize("epoch", [1, 30])
def test_the_late_cost_until_an_update_is_that_of_those_before(made: int, epoch: int) -> None:
    costs = np.arange(100, dtype=np.float32) ** 2
    until = compute_until(made, np.where(np.arange(100) < made, costs, np.float32(np.nan)), epoch)
    np.testing.assert_allclose(until, late_cost(costs[:made], epoch), rtol=1e-6)


def test_the_late_cost_of_equal_costs_is_not_above_them() -> None:
    compute = jax.jit(late_cost)
    for cost in np.random.default_rng(0).uniform(0.1, 2, 200).astype(np.float32):
        assert float(late_cost(np.full(2500, cost))) == cost
        assert float(compute(np.full(2500, cost))) == cost


def test_the_late_cost_is_finite_though_the_sum_of_the_costs_is_not() -> None:
    costs = np.full(60, 3e38, np.float32)
    costs[0] = 0.7
    assert late_cost(costs) == pytest.approx(3e38)
    assert float(jax.jit(late_cost)(costs)) == pytest.approx(3e38)


def test_a_picture_of_weight_0_is_no_training_picture(tiny: Problem) -> None:
    X, Y = jax.device_put((np.eye(5), np.array([[0.0, 1.0, 1.0, 0.0, 1.0]])))
    # The one hidden unit is active on picture 2 alone.
    numbers = {"W1": np.eye(5)[2:3], "b1": [[-0.5]], "W2": [[1.0]], "b2": [[0.0]]}
    params = {name: jax.device_put(np.array(values)) for name, values in numbers.items()}
    costs, weights = np.array([0.7, 0.1]), np.ones((1, 5))
    without_2 = np.where(np.arange(5) == 2, 0, weights)
    for w, expected in ((None, "learning"), (weights, "learning"), (without_2, "dead")):
        assert outcome(params, X, Y, costs=costs, weights=jax.device_put(w)) == expected


# Training itself: `fit`, in pixels and in the span, and a sweep.


def draw(m: int = 7, seed: int = 1) -> jax.Array:
    X = np.random.default_rng(seed).uniform(-1, 1, (5, m))
    return jax.device_put(X.astype(np.float32))


def row(*numbers: float) -> jax.Array:
    return jax.device_put(np.array([numbers], np.float32))


def outcomes_of(
    X: jax.Array, Y: jax.Array, weights: jax.Array | None = None, **changes: Any
) -> tuple[list[str], Params, np.ndarray]:
    """Train from one seed in pixels, in the span and in a sweep.

    Returns:
        The three outcomes, and the parameters and costs of the span's training, if it is finite.
    """
    usual: dict[str, Any] = {"hidden_units": 2, "activation": "leaky_relu", "iterations": 1}
    settings = Settings(**(usual | changes))
    params = init_params(jax.random.key(settings.seed), 5, 2, weight_scale=settings.weight_scale)
    chosen = {name: getattr(settings, name) for name in ("learning_rate", "momentum", "iterations")}
    ends, last = [], None
    for basis in ("pixels", "span"):
        try:
            last = fit(params, X, Y, settings.hidden, weights=weights, basis=basis, **chosen)
            ends.append(str(last.outcome))
        except DivergenceError as error:
            ends.append(str(error.fit.outcome))
    grid = Grid((settings.learning_rate,), (settings.weight_scale,), 1, (settings.activation,))
    swept = sweep(make_examples(X, Y, weights), grid, settings)
    ends.append(str(swept.outcomes[0, 0, 0, 0]))
    assert np.isnan(swept.train_accuracies[0, 0, 0, 0]) == (ends[-1] == "not finite")
    return ends, {} if last is None else last.params, np.array([] if last is None else last.costs)


ONE_OF_SEVEN = (0, 0, 0, 1, 0, 0, 0)
THREE_OF_SEVEN = (0, 1, 1, 0, 1, 0, 0)


@pytest.mark.parametrize(
    ("labels", "changes", "expected"),
    [
        (ONE_OF_SEVEN, {"learning_rate": 1e-4, "weight_scale": 0.01}, "slow"),
        (ONE_OF_SEVEN, {"learning_rate": 0.0}, "slow"),
        (ONE_OF_SEVEN, {"learning_rate": 0.5}, "learning"),
        (ONE_OF_SEVEN, {"learning_rate": 1e3, "activation": "relu"}, "dead"),
        (ONE_OF_SEVEN, {"learning_rate": 1e3}, "not finite"),
        (THREE_OF_SEVEN, {"learning_rate": 0.1, "weight_scale": 0.01}, "plateau"),
        (THREE_OF_SEVEN, {"learning_rate": 30.0}, "diverged"),
        ((1,) * 7, {"learning_rate": 0.1}, "learning"),
        ((1,) * 7, {"learning_rate": 0.0}, "slow"),
    ],
)
def test_training_and_a_sweep_come_to_the_same_outcome(
    labels: tuple[int, ...], changes: dict[str, Any], expected: str
) -> None:
    changes = {"weight_scale": 0.5, "iterations": 50} | changes
    X, Y = draw(), row(*labels)
    start = init_params(jax.random.key(0), 5, 2, weight_scale=changes["weight_scale"])
    assert any_active(start, X)  # so that the dead have died
    assert outcomes_of(X, Y, **changes)[0] == [expected] * 3


def test_example_weights_decide_the_entropy() -> None:
    """Weighted so that both classes count alike, ln 2 at the start is already the label entropy."""
    X, Y, balanced = draw(), row(*ONE_OF_SEVEN), row(*(7 / (12, 2)[y] for y in ONE_OF_SEVEN))
    settings: dict[str, Any] = {"learning_rate": 1e-4, "weight_scale": 0.01, "iterations": 50}
    assert outcomes_of(X, Y, balanced, **settings)[0] == ["plateau"] * 3
    assert outcomes_of(X, Y, **settings)[0] == ["slow"] * 3


# Pictures so dark that huge weights make no huge Z1, and a seed by which both units grow alike.
DARK: Any
ONES: Any
DARK, ONES = np.full((5, 7), 1e-12, np.float32), np.ones((1, 7), np.float32)
HUGE: dict[str, Any] = {"learning_rate": 3e38, "seed": 133}


def test_parameters_that_are_finite_are_so_though_their_sum_is_not() -> None:
    ends, params, _ = outcomes_of(DARK, ONES, weight_scale=1.5, **HUGE)
    assert all(np.isfinite(leaf).all() for leaf in params.values())
    with np.errstate(over="ignore"):
        assert not np.isfinite(np.sum(params["b1"]))
    assert ends == ["slow"] * 3


def test_one_parameter_that_is_not_finite_is_seen_though_every_cost_is() -> None:
    assert outcomes_of(DARK, ONES, weight_scale=2.6, **HUGE)[0] == ["not finite"] * 3


def test_costs_that_are_finite_are_so_though_their_sum_is_not() -> None:
    # Without weights only b2 is trained; it swings between huge numbers.
    few = row(*ONE_OF_SEVEN)
    settings: dict[str, Any] = {"learning_rate": 3e38, "weight_scale": 0.0, "iterations": 50}
    ends, _, costs = outcomes_of(draw(), few, **settings)
    assert np.isfinite(costs).all()
    with np.errstate(over="ignore"):
        assert not np.isfinite(costs.sum())
    assert ends == ["diverged"] * 3


@pytest.mark.parametrize("largest", [2.5e38, 5e38])
def test_the_weights_of_pixels_may_overflow_where_those_of_the_span_do_not(
    largest: float,
) -> None:
    """Layer 2 stays as it is, so that one huge step moves W1 and b1 alone."""
    Y = row(1, 0, 1, 0, 1, 0, 1)
    X = jax.device_put(np.tile(100 - 200 * np.asarray(Y), (5, 1)))
    settings = Settings(hidden_units=2, activation="leaky_relu", weight_scale=0.5, iterations=1)
    params = init_params(jax.random.key(0), 5, 2, weight_scale=0.5)
    gradients = jax.device_get(jitted.backward(params, X, Y, leaky_relu))
    rate = largest / float(np.abs(gradients.dW1).max())
    for coefficients in (gradients.dZ1 / 7, gradients.db1):
        assert rate * float(np.abs(coefficients).max()) < 1e37
    swept = sweep(make_examples(X, Y), Grid(((rate, 0.0),), (0.5,), 1, ("leaky_relu",)), settings)
    expected = "not finite" if largest > 3.5e38 else "slow"
    assert swept.outcomes[0, 0, 0, 0] == expected
    assert np.isnan(swept.train_accuracies[0, 0, 0, 0]) == (expected == "not finite")


def test_what_does_not_fit(tiny: Problem) -> None:
    params, X, Y, weights = tiny
    costs = np.array([0.7, 0.5])
    for arguments, changes, found in (
        ((params, X.T, Y), {}, "transpose it"),
        ((params, X, Y.T), {}, r"Y has shape \(7, 1\)"),
        ((params, X, Y), {"costs": [0.7, 0.5]}, "costs is of type list"),
        ((params, X, Y), {"costs": costs[:0]}, r"of shape \(0,\)"),
        ((params, X, Y), {"costs": costs[None]}, r"of shape \(1, 2\)"),
        ((params, X, 2 * Y), {}, "labels 0.0, 2.0"),
        ((params, X, Y), {"weights": -weights}, "weights run from"),
    ):
        with pytest.raises(DataError, match=found):
            outcome(*arguments, **({"costs": costs} | changes))
    with pytest.raises(UsageError, match="within jit"):
        jax.jit(lambda Y: outcome(params, X, Y, costs=costs))(Y)
    with pytest.raises(DataError, match=r"shape \(7,\)"):
        label_entropy(Y[0])
    with pytest.raises(DataError, match=r"shape \(7, 1\)"):
        label_entropy(Y, weights.T)
    with pytest.raises(DataError, match=r"labels 0\.0, 2\.0"):
        label_entropy(2 * Y)
