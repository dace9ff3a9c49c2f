"""Every check passes on a healthy network, and fails on one that is broken in just its way.

That each passes on the library's own pipeline is tested with the command.
"""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jitted
import numpy as np
import pytest

from jaxnet.activations import Activation, leaky_relu, relu, sigmoid
from jaxnet.backprop import Gradients, backward
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import DataError, UsageError
from jaxnet.evaluation.doctor import all_checks, derivatives
from jaxnet.evaluation.doctor.all_checks import (
    PIPELINE_CHECKS,
    RUN_CHECKS,
    check_pipeline,
    check_run,
)
from jaxnet.evaluation.doctor.check import Check, Result, require_small
from jaxnet.evaluation.doctor.derivatives import check_derivatives
from jaxnet.evaluation.doctor.invariances import (
    check_duplicated_data,
    check_jit,
    check_permuted_units,
    check_precision,
    check_rescaled_units,
    check_span,
    check_weightless_columns,
)
from jaxnet.evaluation.doctor.pipeline import Pipeline, make_pictures, prepare
from jaxnet.evaluation.doctor.result import check_finite, check_gap, check_outcome
from jaxnet.evaluation.doctor.short_trainings import (
    check_blank_pictures,
    check_first_cost,
    check_shuffled_labels,
    check_two_pictures,
)
from jaxnet.evaluation.doctor.steps import check_rising_steps, check_sharpness, check_step_size
from jaxnet.evaluation.doctor.trained import Trained, trained_network
from jaxnet.evaluation.doctor.units import (
    check_always_on_units,
    check_dead_units,
    check_duplicated_units,
    check_saturated_units,
)
from jaxnet.examples import Examples, balancing_weights
from jaxnet.network import Forward, Params, forward, forward_from, init_params, loss
from jaxnet.optimizer import sgd
from jaxnet.outcomes import label_entropy
from jaxnet.report.checks import describe_check
from jaxnet.runs.checkpoint import Checkpoint
from jaxnet.runs.run import Run
from jaxnet.settings import Settings
from jaxnet.training import fit

pytestmark = pytest.mark.usefixtures("x64")

PipelineCheck = Callable[[Pipeline], Result]
RunCheck = Callable[[Trained], Result]

NAMES: dict[Any, str] = {check: name for name, check in (PIPELINE_CHECKS | RUN_CHECKS).items()}


def make(check: Callable[[Any], Result], subject: Pipeline | Trained) -> Check:
    """Make one check, which must have a text, and a remedy unless it passes."""
    made = Check(NAMES[check], *check(subject))
    found, meaning, remedy = describe_check(made)
    assert found
    assert meaning
    assert (remedy == "") == (made.verdict == "pass")
    return made


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


def counting(factor: float) -> Callable[..., jax.Array]:
    """Make a cost of one parameter, which each further call multiplies by a factor."""
    calls: list[int] = []

    def cost(params: Params, *_: Any) -> jax.Array:
        calls.append(1)
        return factor ** len(calls) * params["b2"][0, 0]

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
    return params | {"b2": jnp.ones_like(params["b2"])}


def redrawn(
    key: jax.Array, n_x: int, n_h: int = 8, *, weight_scale: Any = 0.01, dtype: Any
) -> Params:
    right = init_params(key, n_x, n_h, weight_scale=weight_scale, dtype=dtype)
    return right | {"W1": weight_scale * jax.random.normal(key, (n_h, n_x), dtype)}


def label_in_a_pixel(images: np.ndarray, labels: np.ndarray) -> tuple[jax.Array, jax.Array]:
    X, Y = prepare(images, labels)
    return jax.device_put(put(np.asarray(X), 0, 4 * np.asarray(Y)[0] - 2)), Y


def wrong_way(params: Params, X: jax.Array, Y: jax.Array, **settings: Any) -> Any:
    end = fit(params, X, Y, **settings)
    back = {name: 2 * np.asarray(params[name]) - end.params[name] for name in params}
    return Ended(jax.device_put(back), end.costs)


def deaf(params: Params, X: jax.Array, Y: jax.Array, **settings: Any) -> Any:
    return fit(params, X, jax.device_put(np.ones_like(Y)), **settings)


def without_b2(params: Params, X: jax.Array, Y: jax.Array, **settings: Any) -> Any:
    end = fit(params, X, Y, **settings)
    return Ended(end.params | {"b2": params["b2"]}, end.costs)


def span_without_b1(params: Params, X: jax.Array, Y: jax.Array, **settings: Any) -> Any:
    end = fit(params, X, Y, **settings)
    in_span = settings.get("basis") == "span"
    return Ended(end.params | ({"b1": params["b1"]} if in_span else {}), end.costs)


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
def test_a_slip_in_a_formula_is_named(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # For one activation; with ReLU g′(A1) would be g′(Z1).
    monkeypatch.setattr(derivatives, "ACTIVATIONS", {"sigmoid": sigmoid})
    broken = Pipeline(backward=slip(field, SLIPS[field]))
    check = make(check_derivatives, broken)
    assert (check.verdict, check.case) == ("fail", "formulas")
    assert check.number > 0.01
    assert (check.values["formulas"], check.values["gradients"]) == ((field,), ())
    assert make(check_first_cost, broken).verdict == "pass"


# What is broken, the check that fails by it, and one of the same function that passes.
BROKEN: dict[str, tuple[Pipeline, PipelineCheck, PipelineCheck]] = {
    "cost summed": (Pipeline(loss=sum_for_mean), check_first_cost, check_weightless_columns),
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
    pipeline, failing, passing = BROKEN[case]
    assert make(failing, pipeline).verdict == "fail"
    assert make(passing, pipeline).verdict == "pass"


def test_blank_pictures_tell_a_label_in_x_from_a_bias_that_is_not_trained() -> None:
    for pipeline, case in (
        (Pipeline(label_in_a_pixel), "below"),
        (Pipeline(fit=without_b2), "above"),
    ):
        assert make(check_blank_pictures, pipeline).case == case


def only(monkeypatch: pytest.MonkeyPatch, *checks: PipelineCheck) -> None:
    """Make these checks only, and the derivatives for one activation only."""
    monkeypatch.setattr(derivatives, "ACTIVATIONS", {"relu": relu})
    monkeypatch.setattr(all_checks, "PIPELINE_CHECKS", {NAMES[check]: check for check in checks})


def test_a_loss_with_a_wrong_gradient_is_told_from_a_wrong_formula(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(monkeypatch)
    check = make(check_derivatives, Pipeline(loss=uphill_on_class_0))
    assert (check.verdict, check.case) == ("fail", "formulas")
    assert "dW1" in check.values["formulas"]
    check = make(check_derivatives, Pipeline(loss=crooked))
    assert (check.verdict, check.case) == ("fail", "gradients")
    assert check.values["gradients"] == ("dW1",)
    both = Pipeline(loss=crooked, backward=slip("db1", lambda g, *_: 2 * g.db1))
    check = make(check_derivatives, both)
    assert check.case == "both"
    assert (check.values["formulas"], check.values["gradients"]) == (("db1",), ("dW1",))


def test_a_function_with_a_memory_differs_when_compiled() -> None:
    assert make(check_jit, Pipeline(loss=counting(1.0))).verdict == "pass"
    assert make(check_jit, Pipeline(loss=counting(1.001))).verdict == "fail"


def test_nan_is_not_small() -> None:
    for number, verdict in ((0.1, "pass"), (0.2, "fail"), (math.inf, "fail"), (math.nan, "fail")):
        result = require_small(number, 0.1, number=3.0, other=1)
        case = "ok" if verdict == "pass" else "off"
        assert result == (verdict, 3.0, case, {"bound": 0.1, "other": 1})


def test_an_error_of_an_own_function_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, check_derivatives, check_duplicated_data, check_permuted_units)
    # X is square in the first check, and not in the second: there the product has no meaning.
    no_transpose = slip("dW1", SLIPS["dW1"])
    wrong, raised, right = check_pipeline(Pipeline(backward=no_transpose))
    assert (wrong.case, wrong.values["formulas"]) == ("formulas", ("dW1",))
    assert (raised.name, raised.verdict, raised.case) == ("duplicated data", "fail", "raised")
    assert raised.applies
    assert math.isnan(raised.number)
    assert raised.values["error"].startswith("TypeError: dot_general")
    assert right.verdict == "pass"


def test_another_shape_is_a_wrong_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, check_derivatives)
    flat = slip("db1", lambda g, *_: g.db1[:, 0])  # no keepdims
    (check,) = check_pipeline(Pipeline(backward=flat))
    assert (check.number, check.values["formulas"]) == (math.inf, ("db1",))
    missing = slip("db2", lambda *_: None)  # type: ignore[arg-type]
    (check,) = check_pipeline(Pipeline(backward=missing))
    assert check.values["formulas"] == ("db2",)


def in_numpy(params: Any, X: Any, Y: Any, hidden: Any = relu, weights: Any = None) -> Any:
    return np.maximum(params["W1"] @ X, 0)


def with_an_if(params: Any, X: Any, Y: Any, hidden: Any = relu, weights: Any = None) -> Any:
    return X if Y.sum() > 0 else Y


def with_a_slip(params: Any, X: Any, Y: Any, hidden: Any = relu, weights: Any = None) -> Any:
    return params["w1"] @ X


class NoHash:
    __hash__ = None  # type: ignore[assignment]

    def __call__(self) -> None: ...


# A function that is not like the library's, and what the error says of it.
UNLIKE: dict[str, tuple[dict[str, Any], str]] = {
    "three arguments": (
        {"backward": lambda params, X, Y: None},
        "backward of the pipeline takes (params, X, Y)\n",
    ),
    "keywords only": (
        {"loss": lambda params, *, X, Y: None},
        "loss of the pipeline takes (params, *, X, Y)",
    ),
    "a tuple": (
        {"backward": lambda *arguments: tuple(backward(*arguments))},
        "backward of the pipeline returns a tuple",
    ),
    "a dict": (
        {"backward": lambda *arguments: backward(*arguments)._asdict()},
        "backward of the pipeline returns a dict",
    ),
    "only with weights": (
        {"backward": lambda *arguments: backward(*arguments) if len(arguments) < 4 else None},
        "backward of the pipeline returns a NoneType",
    ),
    "in NumPy": ({"backward": in_numpy}, "backward of the pipeline uses the values of its arrays"),
    "with an if": ({"loss": with_an_if}, "loss of the pipeline uses the values of its arrays"),
    "an error": ({"backward": with_a_slip}, "backward of the pipeline raises KeyError: 'w1'"),
    "no function": ({"loss": 3.0}, "loss of the pipeline is of type float"),
    "no hash": ({"loss": NoHash()}, "loss of the pipeline is a NoHash, which has no hash"),
    "a loss for each": (
        {"loss": lambda params, X, Y, *_: Y[0]},
        "loss of the pipeline returns an array of shape (5,)",
    ),
    "A2 only": (
        {"forward": lambda *arguments: forward(*arguments).A2},
        "forward of the pipeline returns an array of shape (1, 5)",
    ),
    "flat biases": (
        {"init_params": lambda *a, **k: init_params(*a, **k) | {"b2": jnp.zeros(1)}},
        "init_params of the pipeline returns something that does not fit: params holds W1 (8, 5)",
    ),
    "X in rows": (
        {"prepare": lambda *arguments: (prepare(*arguments)[0].T, prepare(*arguments)[1])},
        "prepare of the pipeline returns something that does not fit: Y has shape (1, 3)",
    ),
    "params of fit": (
        {"fit": lambda *a, **k: fit(*a, **k).params},
        "fit of the pipeline returns a dict",
    ),
    "fit with a fixed rate": (
        {"fit": lambda params, X, Y, iterations: None},
        "fit of the pipeline takes (params, X, Y, iterations)",
    ),
}


@pytest.mark.parametrize("case", UNLIKE)
def test_an_own_function_that_is_unlike_the_librarys_is_refused(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(_: Pipeline) -> Result:
        raise AssertionError("a check was made")

    monkeypatch.setattr(all_checks, "PIPELINE_CHECKS", {"first cost": computed})
    functions, problem = UNLIKE[case]
    (name,) = functions
    with pytest.raises(UsageError) as caught:
        check_pipeline(Pipeline(**functions))
    assert str(caught.value).startswith(problem)
    assert caught.value.expected.startswith(f"a function {name}(")
    assert caught.value.remedy


def test_a_function_in_place_of_a_pipeline_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Pipeline\(backward=mine\)"):
        check_pipeline(backward)  # type: ignore[arg-type]


def test_the_librarys_own_functions_pass_as_if_they_were_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(monkeypatch, check_permuted_units)
    own = Pipeline(
        **{
            name: lambda *a, function=function, **k: function(*a, **k)
            for name, function in Pipeline()._asdict().items()
        }
    )
    (check,) = check_pipeline(own)
    assert check.verdict == "pass"


@functools.cache
def make_trained(hidden: Activation = relu) -> Trained:
    X, Y = prepare(*make_pictures(90))
    params = init_params(jax.random.key(1), len(X), 4, weight_scale="he", dtype=X.dtype)
    train, test = (
        Examples(*jax.device_put((np.asarray(X)[:, part], np.asarray(Y)[:, part])))
        for part in (slice(60), slice(60, None))
    )
    end = fit(params, train.X, train.Y, hidden, learning_rate=0.1, iterations=300)
    return Trained(end.params, hidden, end.costs, train, test, Settings(learning_rate=0.1))


def changed(trained: Trained, **changes: Any) -> Trained:
    """Change fields, or parameters by their names."""
    names = trained.params.keys() & changes
    params = trained.params | jax.device_put({name: changes.pop(name) for name in names})
    return trained._replace(params=params, **changes)


def array_of(trained: Trained, name: str) -> np.ndarray:
    """Copy a parameter into an array that can be written to."""
    return np.array(trained.params[name])


def put(array: np.ndarray, place: Any, value: Any) -> np.ndarray:
    """Copy an array with other numbers in one place."""
    changed = array.copy()
    changed[place] = value
    return changed


@pytest.fixture(scope="module")
def healthy() -> Trained:
    with jax.enable_x64(True):
        return make_trained()


@pytest.mark.parametrize("hidden", [relu, leaky_relu, sigmoid], ids=lambda g: g.name)
def test_a_healthy_network_passes_every_check(hidden: Activation) -> None:
    trained = make_trained(hidden)
    checks = [make(check, trained) for check in RUN_CHECKS.values()]
    assert {check.name: check.verdict for check in checks} == dict.fromkeys(RUN_CHECKS, "pass")
    assert len(RUN_CHECKS) == 10
    not_applying = {check.name for check in checks if not check.applies}
    assert (
        not_applying
        == {
            relu: {"saturated hidden units"},
            leaky_relu: {"saturated hidden units", "dead hidden units"},
            sigmoid: {"always-on hidden units"},
        }[hidden]
    )
    assert {check.name for check in checks if math.isnan(check.number)} == not_applying


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
def test_units_are_counted(check: RunCheck, hidden: Activation, push: float, worst: str) -> None:
    trained = make_trained(hidden)
    b1 = array_of(trained, "b1")
    one = make(check, changed(trained, b1=put(b1, 2, b1[2] + push)))
    assert one[1:] == ("warn", 1, "some", {"units": 4})
    three = make(check, changed(trained, b1=put(b1, slice(3), b1[:3] + push)))
    assert three[1:4] == ("warn", 3, "some")
    every = make(check, changed(trained, b1=b1 + push))
    assert every[1:] == (worst, 4, "every", {"units": 4})


def test_a_unit_is_saturated_where_its_slope_is_under_a_hundredth_of_the_largest() -> None:
    trained = make_trained(sigmoid)
    W1, b1 = put(array_of(trained, "W1"), 2, 0.0), array_of(trained, "b1")
    edge = math.log(397.997)  # σ′(z) = e^z / (1 + e^z)² = 0.01 / 4
    assert 397.997 / 398.997**2 == pytest.approx(0.0025, rel=1e-4)
    for z, count in ((edge - 0.01, 0), (edge + 0.01, 1)):
        check = make(check_saturated_units, changed(trained, W1=W1, b1=put(b1, 2, z)))
        assert check.number == count


def test_units_with_the_same_weights_are_counted(healthy: Trained) -> None:
    W1, b1 = array_of(healthy, "W1"), array_of(healthy, "b1")
    longer = changed(healthy, W1=put(W1, 3, 5 * W1[0]), b1=put(b1, 3, 5 * b1[0]))
    one = make(check_duplicated_units, longer)
    assert (one.verdict, one.number) == ("warn", 1)
    # For a sigmoid five times the weights is another unit.
    assert make(check_duplicated_units, changed(longer, hidden=sigmoid)).verdict == "pass"
    opposite = changed(healthy, W1=put(W1, 3, -W1[0]), b1=put(b1, 3, -b1[0]))
    assert make(check_duplicated_units, opposite).verdict == "pass"
    farther = b1[0] + 6 * W1.std()
    moved = changed(healthy, W1=put(W1, 3, 1.1 * W1[0]), b1=put(b1, 3, farther))
    assert make(check_duplicated_units, moved).verdict == "pass"
    length = np.linalg.norm(np.append(W1[0], b1[0]))
    for angle, count in ((0.039, 1), (0.041, 0)):
        b1_3 = b1[0] + angle * length
        turned = changed(healthy, W1=put(W1, 3, W1[0]), b1=put(b1, 3, b1_3), hidden=sigmoid)
        assert make(check_duplicated_units, turned).number == count
    for hidden in (relu, sigmoid):
        same = changed(healthy, W1=W1[:1].repeat(4, 0), b1=b1[:1].repeat(4, 0), hidden=hidden)
        every = make(check_duplicated_units, same)
        assert every[1:] == ("fail", 3, "every", {"units": 4})
    zero = make(check_duplicated_units, changed(healthy, W1=0 * W1, b1=0 * b1))
    assert (zero.verdict, zero.number) == ("fail", 3)


@pytest.mark.parametrize(
    ("factor", "verdict", "case"),
    [
        (1.0, "pass", "ok"),
        (0.099, "pass", "ok"),
        (0.101, "warn", "coarse"),
        (0.99, "warn", "coarse"),
        (1.01, "fail", "whole"),
        (1e-17, "warn", "too small"),
    ],
)
def test_the_next_step_is_measured_against_the_weights(
    factor: float, verdict: str, case: str, healthy: Trained
) -> None:
    right = jitted.backward(healthy.params, healthy.train.X, healthy.train.Y)
    shares = [
        float(np.linalg.norm(slope) / np.linalg.norm(healthy.params[name]))
        for name, slope in (("W1", right.dW1), ("W2", right.dW2))
    ]
    rate = 0.1 if factor == 1 else factor / (max(shares) if factor > 1e-3 else 1)
    check = make(check_step_size, changed(healthy, settings=Settings(learning_rate=rate)))
    assert (check.verdict, check.case) == (verdict, case)
    pick = min if factor < 1e-3 else max
    assert check.number == pytest.approx(rate * pick(shares), rel=1e-9)


def test_a_layer_without_a_gradient_takes_too_small_a_step(healthy: Trained) -> None:
    params = {name: array_of(healthy, name) for name in healthy.params}
    dead = changed(healthy, b1=params["b1"] - 1e3)
    check = make(check_step_size, dead)
    assert (check.verdict, check.number) == ("warn", 0)
    zero = changed(healthy, W1=0 * params["W1"])
    check = make(check_step_size, zero)
    assert (check.verdict, check.number) == ("fail", math.inf)
    huge = changed(healthy, W1=1e300 * params["W1"], W2=1e300 * params["W2"])
    check = make(check_step_size, huge)
    assert check.verdict == "fail"
    assert math.isnan(check.number)


@pytest.mark.parametrize("check", [check_step_size, check_sharpness])
@pytest.mark.parametrize(
    ("settings", "case", "values"),
    [
        (Settings(optimizer="adam"), "not sgd", {"optimizer": "adam"}),
        (Settings(learning_rate=0.0), "rate 0", {}),
        (None, "no settings", {}),
    ],
)
def test_the_steps_are_not_judged_without_a_rate_of_sgd(
    check: RunCheck, settings: Settings | None, case: str, values: Any, healthy: Trained
) -> None:
    made = make(check, changed(healthy, settings=settings))
    assert not made.applies
    assert (made.verdict, made.case, made.values) == ("pass", case, values)


def test_steps_that_raise_the_cost_are_counted(healthy: Trained) -> None:
    falling = np.linspace(1, 0.5, 101)
    for rises, verdict in ((0, "pass"), (1, "pass"), (2, "warn"), (50, "warn"), (51, "fail")):
        costs = falling.copy()
        costs[1 : 1 + rises] = 1 + 0.01 * np.arange(1, rises + 1)
        check = make(check_rising_steps, changed(healthy, costs=costs))
        assert (check.verdict, check.number) == (verdict, rises)
    rounded = np.full(101, 0.3, np.float32)
    rounded[::2] = np.nextafter(np.float32(0.3), np.float32(1))
    assert make(check_rising_steps, changed(healthy, costs=rounded)).number == 0
    overflowed = np.append(falling[:2], np.nan)
    assert make(check_rising_steps, changed(healthy, costs=overflowed)).number == 1
    assert make(check_rising_steps, changed(healthy, costs=falling[:1])).case == "no costs"
    decayed = changed(healthy, costs=falling[::-1], objectives=falling)
    assert make(check_rising_steps, decayed).number == 0


@functools.partial(jax.jit, static_argnames="update")
def take_steps(x: Any, state: Any, λ: float, update: Callable[..., Any]) -> Any:
    """Make 400 steps on the parabola λ x² / 2."""

    def step(_: int, at: tuple[Any, Any]) -> tuple[Any, Any]:
        x, state = at
        steps, state = update(λ * x, state, x)
        return x + steps, state

    return jax.lax.fori_loop(0, 400, step, (x, state))


MOMENTA = [(0.0, False), (0.9, False), (0.9, True), (0.0, True)]


@pytest.mark.parametrize(("momentum", "nesterov"), MOMENTA)
def test_the_sharpness_is_judged_by_the_limit_of_the_optimizer(
    momentum: float, nesterov: bool, healthy: Trained
) -> None:
    λ = make(check_sharpness, healthy).number
    for share, verdict in ((0.98, "pass"), (1.02, "warn")):
        # On the parabola λ x² / 2 x shrinks below the limit, and grows above.
        limit = 2.0 if not momentum else 3.8 / 2.8 if nesterov else 3.8
        rate = share * limit / λ
        optimizer = sgd(rate, momentum, nesterov)

        start = np.ones(())
        x, _ = take_steps(start, optimizer.init(start), λ, optimizer.update)
        assert (abs(float(x)) < 1) == (verdict == "pass")
        settings = Settings(learning_rate=rate, momentum=momentum, nesterov=nesterov)
        check = make(check_sharpness, changed(healthy, settings=settings))
        assert check.verdict == verdict
        assert check.number == pytest.approx(λ)
        assert check.values["limit"] == pytest.approx(limit / rate)
        if verdict == "warn":
            assert check.values["largest_rate"] == pytest.approx(limit / λ)


def test_the_steps_of_a_training_with_weight_decay_are_those_of_the_objective(
    healthy: Trained,
) -> None:
    assert healthy.settings is not None
    settings = dataclasses.replace(healthy.settings, weight_decay=0.5)
    decayed = changed(healthy, settings=settings)
    X, Y, weights = healthy.train
    slopes = jitted.backward(healthy.params, X, Y, healthy.hidden, weights, weight_decay=0.5)
    ratio = np.linalg.norm(slopes.dW2) / np.linalg.norm(healthy.params["W2"])
    made = make(check_step_size, decayed)
    assert made.values["W2"] == pytest.approx(float(settings.learning_rate * ratio))
    # The direction of the largest curvature lies in the weights and the biases.
    plain, found = (make(check_sharpness, trained).number for trained in (healthy, decayed))
    assert plain * 1.001 < found < plain + 0.5


def test_the_sharpness_of_dead_and_of_overflowing_networks(healthy: Trained) -> None:
    params = {name: array_of(healthy, name) for name in healthy.params}
    dead = make(check_sharpness, changed(healthy, b1=params["b1"] - 1e3))
    assert (dead.applies, dead.case) == (False, "no active unit")
    huge = make(check_sharpness, changed(healthy, W1=1e300 * params["W1"], W2=1e300 * params["W2"]))
    assert (huge.verdict, huge.case) == ("warn", "not computed")
    assert huge.applies


def test_the_outcome_is_named(healthy: Trained) -> None:
    Y = healthy.train.Y
    entropy, ln2 = label_entropy(Y), math.log(2)
    assert entropy == pytest.approx(math.log(3) - 2 / 3 * ln2)  # a third is of class 1

    def name(costs: Any, trained: Trained = healthy, **changes: Any) -> tuple[str, str]:
        check = make(check_outcome, changed(trained, costs=np.asarray(costs), **changes))
        return check.case, check.verdict

    balanced = healthy._replace(train=healthy.train._replace(weights=balancing_weights(Y)))
    assert name(np.full(100, 0.3)) == ("learning", "pass")
    assert name(np.full(100, 1.005 * entropy)) == ("plateau", "warn")
    assert name(np.full(100, ln2), balanced) == ("plateau", "warn")
    assert name(np.linspace(0.9, 0.67, 100)) == ("slow", "warn")
    assert name(np.append(0.701, np.full(99, 1.009 * ln2))) == ("slow at ln 2", "warn")
    assert name(np.append(0.701, np.full(99, 1.011 * ln2))) == ("slow", "warn")
    assert name(np.append(0.9, np.full(99, 0.989 * ln2))) == ("slow", "warn")
    assert name(np.append(0.69, np.full(99, ln2))) == ("diverged", "fail")
    assert name(np.append(0.7, np.full(99, 0.8))) == ("diverged", "fail")
    assert name([0.7, math.inf]) == ("not finite", "fail")
    assert name(np.full(100, 0.3), stopped=True) == ("not finite", "fail")
    assert name(np.full(100, 0.3), b1=array_of(healthy, "b1") - 1e3) == ("dead", "fail")


def test_the_outcome_without_costs_and_without_the_training_pictures(healthy: Trained) -> None:
    X, Y, _ = healthy.train
    check = make(check_outcome, changed(healthy, costs=np.empty(0)))
    assert check.number == float(loss(healthy.params, X, Y))
    assert check.case == "learning"
    high = changed(healthy, costs=np.empty(0), b2=array_of(healthy, "b2") + 30)
    assert make(check_outcome, high)[1:2] + make(check_outcome, high)[3:4] == ("warn", "above")
    for check_one in (check_outcome, check_gap):
        other = make(check_one, healthy._replace(same=False))
        assert (other.applies, other.case) == (False, "other training set")


def test_numbers_that_are_not_finite_are_counted(healthy: Trained) -> None:
    W1 = put(array_of(healthy, "W1"), np.s_[0, :3], np.nan)
    infinite = np.array([0.7, np.inf, np.nan])
    for changes, number, case in (
        ({}, 0, "ok"),
        ({"costs": infinite}, 2, "costs"),
        ({"costs": infinite, "stopped": True}, 2, "costs"),
        ({"stopped": True}, 1, "stopped"),
        ({"W1": W1}, 3, "parameters"),
        ({"W1": W1, "costs": infinite}, 5, "parameters and costs"),
    ):
        check = make(check_finite, changed(healthy, **changes))
        assert (check.number, check.case) == (number, case)
        assert check.values["parameters"] == ({"W1": 3} if "W1" in changes else {})
        if "costs" in changes:
            assert (check.values["iteration"], check.values["cost"]) == (1, math.inf)


def test_a_gap_beyond_chance_is_a_warning(healthy: Trained) -> None:
    assert healthy.test is not None
    X, Y = healthy.test.X, np.asarray(healthy.test.Y)
    for wrong, case in ((1, "ok"), (10, "overfit")):
        flipped = jax.device_put(np.where(np.arange(Y.size) < wrong, 1 - Y, Y))
        check = make(check_gap, healthy._replace(test=Examples(X, flipped)))
        assert (check.verdict, check.case) == ("warn" if case == "overfit" else "pass", case)
        assert check.number == pytest.approx(wrong / 30)
    rounded = {name: round(share, 2) for name, share in check.values.items()}
    assert rounded == {"train": 1, "test": 0.67, "low": 0.18, "high": 0.51}
    assert make(check_gap, healthy._replace(test=None)).case == "no test set"


def as_run(trained: Trained, data: Dataset, **changes: Any) -> Run:
    fields: dict[str, Any] = {
        "preprocessing": Preprocessing(6, 6),
        "classes": ("no", "yes"),
        "hidden": trained.hidden,
        "descent": Checkpoint(trained.params, trained.costs),
        "costs": trained.costs,
        "outcome": "learning",
        "settings": trained.settings,
        "data_source": None,
        "origin": {"train_sha256": data.train_sha256},
    }
    return Run(**(fields | changes))


@pytest.fixture(scope="module")
def pictures() -> Dataset:
    images, labels = make_pictures(90)
    test = Split(images[60:], labels[60:])
    return Dataset(Split(images[:60], labels[:60]), test, ("no", "yes"))


def test_a_run_and_a_data_set_are_put_together(healthy: Trained, pictures: Dataset) -> None:
    trained = trained_network(as_run(healthy, pictures), pictures)
    assert trained.same
    assert not trained.stopped
    for ours, theirs in ((trained.train, healthy.train), (trained.test, healthy.test)):
        assert ours is not None
        assert theirs is not None
        np.testing.assert_array_equal(ours.X, theirs.X)
        np.testing.assert_array_equal(ours.Y, theirs.Y)
        assert ours.weights is None
    balanced = as_run(healthy, pictures, settings=Settings(balanced=True), outcome="not finite")
    other = Dataset(pictures.train, None, ("no", "other"))
    trained = trained_network(balanced, other)
    np.testing.assert_array_equal(trained.train.weights, balancing_weights(healthy.train.Y))
    assert (trained.same, trained.stopped, trained.test) == (False, True, None)
    unknown = as_run(healthy, pictures, settings=None, origin={})
    assert not trained_network(unknown, pictures).same


def test_a_run_is_checked_on_a_data_set(healthy: Trained, pictures: Dataset) -> None:
    with jax.enable_x64(False):  # float64 is allowed inside
        checks = check_run(as_run(healthy, pictures), pictures)
    assert checks == tuple(Check(name, *check(healthy)) for name, check in RUN_CHECKS.items())
    W1 = put(array_of(healthy, "W1"), np.s_[0, :3], np.nan)
    (finite,) = check_run(as_run(changed(healthy, W1=W1), pictures), pictures)
    assert finite[:4] == ("finite numbers", "fail", 3, "parameters")
    labels = np.zeros(60, int)
    one_class = Dataset(Split(pictures.train.images, labels), None, ("no", "yes"))
    with pytest.raises(DataError, match="every training picture"):
        check_run(as_run(healthy, pictures), one_class)
    model = as_run(healthy, pictures).model
    for arguments, found in (
        ((model, pictures), "run is of type Model"),
        ((as_run(healthy, pictures), pictures.train), "data is of type Split"),
    ):
        with pytest.raises(UsageError, match=found):
            check_run(*arguments)


def test_units_of_an_own_activation_are_compared_as_they_are(healthy: Trained) -> None:
    swish = Activation("swish", jax.nn.swish, jax.vmap(jax.vmap(jax.grad(jax.nn.swish))))
    W1, b1 = array_of(healthy, "W1"), array_of(healthy, "b1")
    longer = changed(healthy, W1=put(W1, 3, 5 * W1[0]), b1=put(b1, 3, 5 * b1[0]), hidden=swish)
    assert make(check_duplicated_units, longer).verdict == "pass"
    assert make(check_always_on_units, longer).case == "not piecewise linear"


def test_too_little_memory_is_no_fault_of_the_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise MemoryError

    with pytest.raises(MemoryError):
        check_pipeline(Pipeline(loss=fail))
    monkeypatch.setattr(all_checks, "PIPELINE_CHECKS", {"a check": fail})
    with pytest.raises(MemoryError):
        check_pipeline()
