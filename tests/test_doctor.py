"""Every check passes on a healthy network, and fails on one that is broken in just its way.

That each passes on the real pipeline is tested with the command."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet.activations import Activation, leaky_relu, relu, sigmoid
from jaxnet.backprop import Gradients, backward
from jaxnet.data.columns import Preprocessing, balancing_weights
from jaxnet.evaluation.doctor.check import Check, require_small
from jaxnet.evaluation.doctor.course import check_finite, check_gap, check_learnt
from jaxnet.evaluation.doctor.derivatives import check_derivatives
from jaxnet.evaluation.doctor.examine import check_trained
from jaxnet.evaluation.doctor.laws import (
    check_duplicated_data,
    check_jit,
    check_permuted_units,
    check_precision,
    check_rescaled_units,
    check_span,
    check_weightless_columns,
)
from jaxnet.evaluation.doctor.steps import check_rising_steps, check_sharpness, check_step_size
from jaxnet.evaluation.doctor.subjects import Pipeline, Trained, make_pictures, prepare
from jaxnet.evaluation.doctor.trials import (
    check_blank_pictures,
    check_first_cost,
    check_shuffled_labels,
    check_two_pictures,
)
from jaxnet.evaluation.doctor.units import (
    check_always_on_units,
    check_dead_units,
    check_duplicated_units,
    check_saturated_units,
)
from jaxnet.network import Forward, Params, forward, forward_from, init_params, loss
from jaxnet.optimizer import sgd
from jaxnet.outcomes import label_entropy
from jaxnet.runs.model_file import Model
from jaxnet.training import fit

pytestmark = pytest.mark.usefixtures("x64")

PipelineCheck = Callable[[Pipeline], Check]
TrainedCheck = Callable[[Trained], Check]


def slip(field: str, change: Callable[..., jax.Array]) -> Callable[..., Gradients]:
    """Make a backward with one wrong formula: of the right derivatives, params, X, Y and hidden."""

    def wrong(
        params: Params, X: jax.Array, Y: jax.Array, hidden: Activation = relu, weights: Any = None
    ) -> Gradients:
        right = backward(params, X, Y, hidden, weights)
        return right._replace(**{field: change(right, params, X, Y, hidden)})

    return wrong


def sum_for_mean(
    params: Params, X: jax.Array, Y: jax.Array, hidden: Activation = relu, weights: Any = None
) -> jax.Array:
    m = Y.size if weights is None else jnp.sum(weights)
    return m * loss(params, X, Y, hidden, weights)


def divided_by_m(
    params: Params, X: jax.Array, Y: jax.Array, hidden: Activation = relu, weights: Any = None
) -> jax.Array:
    cost = loss(params, X, Y, hidden, weights)
    return cost if weights is None else cost * jnp.sum(weights) / Y.size


def uphill_on_class_0(params: Params, X: jax.Array, Y: jax.Array, *others: Any) -> jax.Array:
    return loss(params, X, Y, *others) - 2 * jnp.mean((1 - Y) * forward(params, X, *others[:1]).Z2)


def crooked(params: Params, *others: Any) -> jax.Array:
    size = jnp.sum(params["W1"])
    return loss(params, *others) + size - jax.lax.stop_gradient(size)


def from_a2(params: Params, X: jax.Array, Y: jax.Array, *others: Any) -> jax.Array:
    A2 = forward(params, X, *others[:1]).A2
    return -jnp.mean(Y * jnp.log(A2) + (1 - Y) * jnp.log(1 - A2))


def counting() -> Callable[..., jax.Array]:
    calls: list[int] = []

    def cost(*arguments: Any) -> jax.Array:
        calls.append(1)
        return len(calls) * loss(*arguments)

    return cost


def no_weights(params: Params, X: jax.Array, Y: jax.Array, *others: Any) -> Gradients:
    return backward(params, X, Y, *others[:1])


def first_unit_twice(params: Params, X: jax.Array, hidden: Activation = relu) -> Forward:
    right = forward(params, X, hidden)
    A1 = right.A1.at[0].multiply(2.0)
    return right._replace(A2=jax.nn.sigmoid(params["W2"] @ A1 + params["b2"]))


def soft(params: Params, X: jax.Array, _: object = relu) -> Forward:
    return forward(params, X, Activation("soft", jax.nn.softplus, jax.nn.sigmoid))


def in_bfloat16(params: Params, X: jax.Array, hidden: Activation = relu) -> Forward:
    W1 = params["W1"].astype(jnp.bfloat16).astype(X.dtype)
    if X.dtype == jnp.float64:
        W1 = params["W1"]
    return forward_from(W1 @ X + params["b1"], params["W2"], params["b2"], hidden)


def biased(*arguments: Any, **settings: Any) -> Params:
    params = init_params(*arguments, **settings)
    return params | {"b2": params["b2"] + 1.0}


def redrawn(key: jax.Array, n_x: int, n_h: int = 8, *, scale: Any = 0.01, dtype: Any) -> Params:
    right = init_params(key, n_x, n_h, scale=scale, dtype=dtype)
    return right | {"W1": scale * jax.random.normal(key, (n_h, n_x), dtype)}


def label_in_a_pixel(images: np.ndarray, labels: np.ndarray) -> tuple[jax.Array, jax.Array]:
    X, Y = prepare(images, labels)
    return X.at[0].set(4 * Y[0] - 2), Y


def wrong_way(params: Params, X: jax.Array, Y: jax.Array, **settings: Any) -> Any:
    there = fit(params, X, Y, **settings)
    return Ended({name: 2 * params[name] - there.params[name] for name in params}, there.costs)


def deaf(params: Params, X: jax.Array, Y: jax.Array, **settings: Any) -> Any:
    return fit(params, X, jnp.ones_like(Y), **settings)


def without_b2(params: Params, X: jax.Array, Y: jax.Array, **settings: Any) -> Any:
    there = fit(params, X, Y, **settings)
    return Ended(there.params | {"b2": params["b2"]}, there.costs)


def span_without_b1(params: Params, X: jax.Array, Y: jax.Array, **settings: Any) -> Any:
    there = fit(params, X, Y, **settings)
    in_span = settings.get("basis") == "span"
    return Ended(there.params | ({"b1": params["b1"]} if in_span else {}), there.costs)


class Ended:
    """What a broken fit returns."""

    def __init__(self, params: Params, costs: np.ndarray) -> None:
        self.params, self.costs = params, costs


SLIPS: dict[str, Callable[..., jax.Array]] = {
    "dA2": lambda g, params, X, Y, hidden: -g.dA2,  # the sign
    "dW2": lambda g, params, X, Y, hidden: g.dW2 * Y.size,  # no 1/m
    "db2": lambda g, params, X, Y, hidden: g.dZ2 / Y.size,  # no sum
    "dZ1": lambda g, params, X, Y, hidden: g.dA1 * hidden.slope(forward(params, X, hidden).A1),
    "dW1": lambda g, params, X, Y, hidden: g.dZ1 @ X / Y.size,  # no transpose
}


@pytest.mark.parametrize("field", SLIPS)
def test_a_slip_in_a_formula_is_found_and_named(field: str) -> None:
    broken = Pipeline(backward=slip(field, SLIPS[field]))
    check = check_derivatives(broken)
    assert check.verdict == "fail"
    assert check.number > 0.01
    assert check.meaning.startswith(f"the formula of {field}:")
    assert check.remedy
    assert check_first_cost(broken).verdict == "pass"


# What is broken, the check that sees it, and one that looks at the same piece and does not.
BROKEN: dict[str, tuple[Pipeline, PipelineCheck, PipelineCheck]] = {
    "cost summed": (Pipeline(loss=sum_for_mean), check_first_cost, check_jit),
    "biases not 0": (Pipeline(init_params=biased), check_first_cost, check_two_pictures),
    "uphill": (Pipeline(fit=wrong_way), check_two_pictures, check_first_cost),
    "labels ignored": (Pipeline(fit=deaf), check_two_pictures, check_shuffled_labels),
    "b2 not trained": (Pipeline(fit=without_b2), check_blank_pictures, check_two_pictures),
    "label in a pixel": (Pipeline(label_in_a_pixel), check_blank_pictures, check_two_pictures),
    "label foreseen": (Pipeline(label_in_a_pixel), check_shuffled_labels, check_first_cost),
    "one unit unlike": (
        Pipeline(forward=first_unit_twice),
        check_permuted_units,
        check_rescaled_units,
    ),
    "no ReLU": (Pipeline(forward=soft), check_rescaled_units, check_permuted_units),
    "cost without 1/m": (
        Pipeline(loss=sum_for_mean),
        check_duplicated_data,
        check_permuted_units,
    ),
    "dW1 without 1/m": (
        Pipeline(backward=slip("dW1", lambda g, params, X, Y, hidden: g.dW1 * Y.size)),
        check_duplicated_data,
        check_permuted_units,
    ),
    "m for Σ w": (Pipeline(loss=divided_by_m), check_weightless_columns, check_duplicated_data),
    "w left out": (Pipeline(backward=no_weights), check_weightless_columns, check_duplicated_data),
    "span drops b1": (Pipeline(fit=span_without_b1), check_span, check_two_pictures),
    "bfloat16": (Pipeline(forward=in_bfloat16), check_precision, check_permuted_units),
    "log of A2": (Pipeline(loss=from_a2), check_precision, check_first_cost),
    "other draws": (Pipeline(init_params=redrawn), check_precision, check_first_cost),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_fails_its_check_and_not_another(case: str) -> None:
    pipeline, seen_by, spared_by = BROKEN[case]
    check = seen_by(pipeline)
    assert check.verdict == "fail"
    assert check.remedy
    assert spared_by(pipeline).verdict == "pass"


def test_a_loss_with_a_wrong_slope_is_told_from_a_wrong_formula() -> None:
    check = check_derivatives(Pipeline(loss=uphill_on_class_0))
    assert check.verdict == "fail"
    assert "the formula of dW1" in check.meaning
    assert "jax.grad" not in check.meaning
    check = check_derivatives(Pipeline(loss=crooked))
    assert check.verdict == "fail"
    assert "jax.grad by dW1" in check.meaning
    assert "the formula" not in check.meaning


def test_a_function_that_remembers_is_not_the_same_compiled() -> None:
    assert check_jit(Pipeline(loss=counting())).verdict == "fail"


def test_what_is_no_number_is_not_small() -> None:
    for number, verdict in ((0.1, "pass"), (0.2, "fail"), (math.inf, "fail"), (math.nan, "fail")):
        found = require_small("a law", number, 0.1, holds="yes", broken="no", remedy="mend it")
        assert found.verdict == verdict
        assert found.meaning == ("yes" if verdict == "pass" else "no")
        assert found.remedy == ("" if verdict == "pass" else "mend it")


def make_trained(hidden: Activation = relu) -> Trained:
    X, Y = prepare(*make_pictures(90))
    params = init_params(jax.random.key(1), len(X), 4, scale="he", dtype=X.dtype)
    end = fit(params, X[:, :60], Y[:, :60], hidden, learning_rate=0.1, iterations=300)
    model = Model(
        end.params,
        Preprocessing(6, 6),
        ("no", "yes"),
        hidden,
        end.costs,
        {"learning_rate": 0.1, "optimizer": "sgd"},
    )
    return Trained(model, X[:, :60], Y[:, :60], None, (X[:, 60:], Y[:, 60:]))


def changed(trained: Trained, **changes: Any) -> Trained:
    """Change parameters, costs or settings of the model."""
    model = trained.model
    params = model.params | {name: changes.pop(name) for name in (*model.params,) & changes.keys()}
    settings = changes.pop("settings", {})
    kept = {
        "costs": model.costs,
        "hidden": model.hidden,
        "settings": model.settings | settings,
    } | changes
    return trained._replace(model=Model(params, model.preprocessing, model.classes, **kept))


@pytest.fixture(scope="module")
def healthy() -> Trained:
    with jax.enable_x64(True):
        return make_trained()


@pytest.mark.parametrize("hidden", [relu, leaky_relu, sigmoid], ids=lambda g: g.name)
def test_a_healthy_network_passes_every_check(hidden: Activation) -> None:
    trained = make_trained(hidden)
    checks = check_trained(trained)
    assert len({check.name for check in checks}) == len(checks) == 10
    assert {check.name: check.verdict for check in checks} == {
        check.name: "pass" for check in checks
    }
    unasked = {check.name for check in checks if math.isnan(check.number)}
    assert (
        unasked
        == {
            relu: {"saturated hidden units"},
            leaky_relu: {"saturated hidden units", "dead hidden units"},
            sigmoid: {"always-on hidden units"},
        }[hidden]
    )


def some(array: jax.Array, change: Callable[[jax.Array], jax.Array], rows: Any) -> jax.Array:
    return array.at[rows].set(change(array[rows]))


@pytest.mark.parametrize(
    ("check", "hidden", "push", "worst"),
    [
        (check_dead_units, relu, -1e3, "fail"),
        (check_always_on_units, relu, 1e3, "warn"),
        (check_always_on_units, leaky_relu, 1e3, "warn"),
        (check_saturated_units, sigmoid, 1e2, "fail"),
        (check_saturated_units, sigmoid, -1e2, "fail"),
    ],
)
def test_units_are_counted(
    check: TrainedCheck, hidden: Activation, push: float, worst: str
) -> None:
    trained = make_trained(hidden)
    b1 = trained.model.params["b1"]
    one = check(changed(trained, b1=b1.at[2].add(push)))
    assert (one.verdict, one.number, one.found) == ("warn", 1, "1 of 4")
    every = check(changed(trained, b1=b1 + push))
    assert (every.verdict, every.number, every.found) == (worst, 4, "4 of 4")
    assert every.meaning != one.meaning
    assert every.remedy


def test_a_unit_is_saturated_where_its_slope_is_under_a_hundredth_of_the_largest() -> None:
    trained = make_trained(sigmoid)
    W1, b1 = trained.model.params["W1"].at[2].set(0.0), trained.model.params["b1"]
    edge = math.log(397.997)  # σ′(z) = 0.01 / 4
    assert float(sigmoid.slope(jnp.asarray(edge))) == pytest.approx(0.0025, rel=1e-4)
    for z, count in ((edge - 0.01, 0), (edge + 0.01, 1)):
        check = check_saturated_units(changed(trained, W1=W1, b1=b1.at[2].set(z)))
        assert check.number == count


def test_units_that_look_for_the_same_are_counted(healthy: Trained) -> None:
    W1, b1 = healthy.model.params["W1"], healthy.model.params["b1"]
    longer = changed(healthy, W1=W1.at[3].set(5 * W1[0]), b1=b1.at[3].set(5 * b1[0]))
    one = check_duplicated_units(longer)
    assert (one.verdict, one.number) == ("warn", 1)
    # For a sigmoid five times the weights is another unit.
    assert check_duplicated_units(changed(longer, hidden=sigmoid)).verdict == "pass"
    opposite = changed(healthy, W1=W1.at[3].set(-W1[0]), b1=b1.at[3].set(-b1[0]))
    assert check_duplicated_units(opposite).verdict == "pass"
    moved = changed(healthy, W1=W1.at[3].set(1.1 * W1[0]), b1=b1.at[3].set(b1[0] + W1.std() * 6))
    assert check_duplicated_units(moved).verdict == "pass"
    length = jnp.linalg.norm(jnp.append(W1[0], b1[0]))
    for angle, count in ((0.039, 1), (0.041, 0)):
        b1_3 = b1[0] + angle * length
        turned = changed(healthy, W1=W1.at[3].set(W1[0]), b1=b1.at[3].set(b1_3), hidden=sigmoid)
        assert check_duplicated_units(turned).number == count
    for hidden in (relu, sigmoid):
        same = changed(healthy, W1=W1[:1].repeat(4, 0), b1=b1[:1].repeat(4, 0), hidden=hidden)
        every = check_duplicated_units(same)
        assert (every.verdict, every.number) == ("fail", 3)
    none = check_duplicated_units(changed(healthy, W1=0 * W1, b1=0 * b1))
    assert (none.verdict, none.number) == ("fail", 3)


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, "pass"), (0.3, "warn"), (3.0, "fail"), (1e-17, "warn")]
)
def test_the_next_step_is_measured_against_the_weights(
    factor: float, verdict: str, healthy: Trained
) -> None:
    params, X, Y = healthy.model.params, healthy.X, healthy.Y
    right = backward(params, X, Y)
    shares = [
        float(jnp.linalg.norm(slope) / jnp.linalg.norm(params[name]))
        for name, slope in (("W1", right.dW1), ("W2", right.dW2))
    ]
    rate = 0.1 if factor == 1 else factor / (max(shares) if factor > 1e-3 else 1)
    check = check_step_size(changed(healthy, settings={"learning_rate": rate}))
    assert check.verdict == verdict
    pick = min if factor < 1e-3 else max
    assert check.number == pytest.approx(rate * pick(shares), rel=1e-9)


def test_a_layer_without_a_gradient_stands_still(healthy: Trained) -> None:
    dead = changed(healthy, b1=healthy.model.params["b1"] - 1e3)
    check = check_step_size(dead)
    assert (check.verdict, check.number) == ("warn", 0)
    zero = changed(healthy, W1=0 * healthy.model.params["W1"])
    assert (check_step_size(zero).verdict, check_step_size(zero).number) == ("fail", math.inf)
    params = healthy.model.params
    huge = changed(healthy, W1=1e300 * params["W1"], W2=1e300 * params["W2"])
    check = check_step_size(huge)
    assert check.verdict == "fail"
    assert math.isnan(check.number)


@pytest.mark.parametrize("check", [check_step_size, check_sharpness])
def test_where_the_rate_says_nothing_nothing_is_judged(
    check: TrainedCheck, healthy: Trained
) -> None:
    for settings, why in (
        ({"optimizer": "adam"}, "adam scales"),
        ({"learning_rate": 0.0}, "names"),
    ):
        found = check(changed(healthy, settings=settings))
        assert found.verdict == "pass"
        assert found.found.startswith(f"does not apply: {why}" if why != "names" else "does not")
        assert why in found.found


def test_steps_that_raise_the_cost_are_counted(healthy: Trained) -> None:
    falling = np.linspace(1, 0.5, 101)
    for rises, verdict in ((0, "pass"), (1, "pass"), (2, "warn"), (50, "warn"), (51, "fail")):
        costs = falling.copy()
        costs[1 : 1 + rises] = 1 + 0.01 * np.arange(1, rises + 1)
        check = check_rising_steps(changed(healthy, costs=costs))
        assert (check.verdict, check.number) == (verdict, rises)
    rounded = np.full(101, 0.3, np.float32)
    rounded[::2] = np.nextafter(np.float32(0.3), np.float32(1))
    assert check_rising_steps(changed(healthy, costs=rounded)).number == 0
    overflowed = np.append(falling[:2], np.nan)
    assert check_rising_steps(changed(healthy, costs=overflowed)).number == 1
    assert "does not apply" in check_rising_steps(changed(healthy, costs=falling[:1])).found


MOMENTA = [(0.0, False), (0.9, False), (0.9, True), (0.0, True)]


@pytest.mark.parametrize(("momentum", "nesterov"), MOMENTA)
def test_the_sharpness_is_judged_by_what_the_optimizer_can_stand(
    momentum: float, nesterov: bool, healthy: Trained
) -> None:
    λ = check_sharpness(healthy).number
    for share, verdict in ((0.98, "pass"), (1.02, "warn")):
        # On the parabola λ x² / 2 the border is seen: below it x shrinks, above it grows.
        limit = 2.0 if not momentum else 3.8 / 2.8 if nesterov else 3.8
        rate = share * limit / λ
        optimizer = sgd(rate, momentum, nesterov)
        x: Params = {"x": jnp.ones(())}
        state = optimizer.init(x)
        for _ in range(400):
            steps, state = optimizer.update({"x": λ * x["x"]}, state, x)
            x = {"x": x["x"] + steps["x"]}
        assert (abs(float(x["x"])) < 1) == (verdict == "pass")
        settings = {"learning_rate": rate, "momentum": momentum, "nesterov": nesterov}
        check = check_sharpness(changed(healthy, settings=settings))
        assert check.verdict == verdict
        assert check.number == pytest.approx(λ)


def test_the_sharpness_of_dead_and_of_overflowing_networks(healthy: Trained) -> None:
    params = healthy.model.params
    dead = check_sharpness(changed(healthy, b1=params["b1"] - 1e3))
    assert "does not apply" in dead.found
    huge = check_sharpness(changed(healthy, W1=1e300 * params["W1"], W2=1e300 * params["W2"]))
    assert (huge.verdict, huge.found) == ("warn", "λ could not be computed")


def test_what_is_learnt_is_named(healthy: Trained) -> None:
    entropy, ln2 = label_entropy(healthy.Y), math.log(2)
    assert entropy == pytest.approx(math.log(3) - 2 / 3 * ln2)  # a third is of class 1

    def name(costs: Any, trained: Trained = healthy, **changes: Any) -> str:
        check = check_learnt(changed(trained, costs=np.asarray(costs), **changes))
        assert (
            (check.verdict == "pass") == (check.remedy == "") == (" learning" in f" {check.found}")
        )
        return check.found.partition(": ")[0]

    balanced = healthy._replace(weights=balancing_weights(healthy.Y))
    assert name(np.full(100, 0.3)) == "learning"
    assert name(np.full(100, ln2)) == "plateau at ln 2"
    assert name(np.full(100, 1.005 * entropy)) == "plateau at the label entropy"
    assert name(np.full(100, ln2), balanced) == "plateau at the label entropy, which is ln 2 here"
    assert name(np.linspace(0.9, 0.67, 100)) == "too short"
    assert name(np.append(np.linspace(0.9, 0.66, 99), 0.67)) == "diverged"
    assert name(np.full(100, 0.8)) == "diverged"
    assert name([0.7, math.inf]) == "not finite"
    assert name(np.full(100, 0.3), b1=healthy.model.params["b1"] - 1e3) == "dead"


def test_what_is_learnt_without_costs_and_without_the_training_pictures(healthy: Trained) -> None:
    check = check_learnt(changed(healthy, costs=np.empty(0)))
    assert check.number == float(loss(healthy.model.params, healthy.X, healthy.Y))
    assert check.verdict == "pass"
    for judge in (check_learnt, check_gap):
        assert "does not apply" in judge(healthy._replace(same=False)).found


def test_what_is_no_number_is_found(healthy: Trained) -> None:
    check = check_finite(changed(healthy, costs=np.array([0.7, np.inf, np.nan])))
    assert (check.verdict, check.number) == ("fail", 2)
    assert check.found == "the cost at iteration 1 is inf"
    W1 = healthy.model.params["W1"].at[0, :3].set(jnp.nan)
    (only,) = check_trained(changed(healthy, W1=W1))
    assert (only.verdict, only.number, only.found) == ("fail", 3, "3 of W1")


def test_a_gap_beyond_chance_is_told(healthy: Trained) -> None:
    assert healthy.test is not None
    X, Y = healthy.test
    for wrong, verdict in ((1, "pass"), (10, "warn")):
        flipped = Y.at[:, :wrong].set(1 - Y[:, :wrong])
        check = check_gap(healthy._replace(test=(X, flipped)))
        assert check.verdict == verdict
        assert check.number == pytest.approx(wrong / 30)
    assert check.found == "100 % − 67 % = 33 points [18 to 51]"
    assert "does not apply" in check_gap(healthy._replace(test=None)).found
