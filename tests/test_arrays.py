"""The border: what public functions refuse, in words, before anything is computed."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import Problem

from jaxnet import training
from jaxnet.activations import Activation, relu, sigmoid
from jaxnet.arrays import check_key
from jaxnet.backprop import backward
from jaxnet.curvature import hessian_product, sharpness
from jaxnet.descent import TrainState
from jaxnet.errors import DataError, JaxnetError, UsageError
from jaxnet.examples import Examples, balancing_weights, make_examples, select
from jaxnet.many import leave_one_out as leave_one_out_module
from jaxnet.many import seeds as seeds_module
from jaxnet.many import sweep as sweep_module
from jaxnet.many import ways as ways_module
from jaxnet.many.folds import cross_validate
from jaxnet.many.grid import Grid
from jaxnet.many.leave_one_out import leave_one_out
from jaxnet.many.seeds import train_seeds
from jaxnet.many.sweep import sweep
from jaxnet.network import (
    Params,
    accuracy,
    count_params,
    forward,
    init_params,
    loss,
    predict,
)
from jaxnet.optimizer import sgd
from jaxnet.outcomes import label_entropy, outcome
from jaxnet.settings import Settings
from jaxnet.training import Descent, fit, fit_in_chunks, make_update, start_descent

X: Any = np.random.default_rng(1).normal(size=(5, 7)).astype(np.float32)
Y: Any = np.array([[0, 1, 1, 0, 1, 0, 0]], np.float32)
W: Any = np.linspace(0.5, 2, 7, dtype=np.float32).reshape(1, 7)
SETTINGS = Settings(iterations=2, hidden_units=3)
GRID = Grid((0.1,), (0.1,), 1)


class ComputesError(Exception):
    """Raised where a computation begins."""


def compute(*_: Any, **__: Any) -> Any:
    raise ComputesError


own = Activation("own", compute, compute)


@pytest.fixture(autouse=True)
def begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise ComputesError where many networks are trained, or the span is entered."""
    for module in (sweep_module, seeds_module, leave_one_out_module, ways_module):
        monkeypatch.setattr(module, "train_networks", compute)
    monkeypatch.setattr(training, "enter_span", compute)


@pytest.fixture(scope="module")
def params() -> Params:
    return init_params(jax.random.key(0), 5, 3, weight_scale=0.5)


def step(params: Any, X: Any, Y: Any, w: Any, hidden: Any = own) -> Any:
    make_update(sgd(0.1), hidden)(TrainState(params, ()), X, Y, w)


def chunks(params: Any, X: Any, Y: Any, w: Any, hidden: Any = own) -> Any:
    descent = Descent(TrainState(params, ()), sgd(), X, np.empty(0, np.float32))
    next(fit_in_chunks(descent, Y, hidden, iterations=2, weights=w))


def good() -> Examples:
    return Examples(*jax.device_put((X, Y)))


class Public(NamedTuple):
    """A public function, called with params, X, Y, weights and hidden.

    Attributes:
        call: Calls it.
        takes: Which of "params", "X", "Y", "weights", "hidden" it checks; and "values" if it looks
            at the numbers themselves, which is why it cannot be called within `jit`.
    """

    call: Callable[..., Any]
    takes: str


PUBLIC = {
    "forward": Public(lambda p, X, Y, w, g=own: forward(p, X, g), "params X hidden"),
    "predict": Public(lambda p, X, Y, w, g=own: predict(p, X, g), "params X hidden"),
    "accuracy": Public(lambda p, X, Y, w, g=own: accuracy(p, X, Y, g), "params X Y hidden"),
    "loss": Public(lambda p, X, Y, w, g=own: loss(p, X, Y, g, w), "params X Y weights hidden"),
    "backward": Public(
        lambda p, X, Y, w, g=own: backward(p, X, Y, g, w), "params X Y weights hidden"
    ),
    "hessian_product": Public(
        lambda p, X, Y, w, g=own: hessian_product(p, p, X, Y, g, w), "params X Y weights hidden"
    ),
    "step": Public(step, "params X Y weights hidden"),
    "sharpness": Public(
        lambda p, X, Y, w, g=own: sharpness(p, X, Y, g, w), "params X Y weights hidden values"
    ),
    "outcome": Public(
        lambda p, X, Y, w, g=own: outcome(p, X, Y, g, costs=np.ones(2), weights=w),
        "params X Y weights hidden values",
    ),
    "fit": Public(
        lambda p, X, Y, w, g=own: fit(p, X, Y, g, weights=w, iterations=2, basis="pixels"),
        "params X Y weights hidden values",
    ),
    "fit in the span": Public(
        lambda p, X, Y, w, g=own: fit(p, X, Y, g, weights=w, iterations=2, basis="span"),
        "params X Y weights hidden values",
    ),
    "start_descent": Public(
        lambda p, X, Y, w, g=own: start_descent(p, X, basis="span"), "params X untraced"
    ),
    "fit_in_chunks": Public(chunks, "Y weights hidden values"),
    "make_examples": Public(
        lambda p, X, Y, w, g=own: compute(make_examples(X, Y, w)), "X Y weights values"
    ),
    "sweep": Public(
        lambda p, X, Y, w, g=own: sweep(Examples(X, Y, w), GRID, SETTINGS), "X Y weights values"
    ),
    "sweep's test": Public(
        lambda p, X, Y, w, g=own: sweep(good(), GRID, SETTINGS, test=Examples(X, Y, w)),
        "test X Y weights values",
    ),
    "train_seeds": Public(
        lambda p, X, Y, w, g=own: train_seeds(Examples(X, Y, w), SETTINGS, seeds=2),
        "X Y weights values",
    ),
    "train_seeds' test": Public(
        lambda p, X, Y, w, g=own: train_seeds(good(), SETTINGS, seeds=2, test=Examples(X, Y, w)),
        "test X Y weights values",
    ),
    "cross_validate": Public(
        lambda p, X, Y, w, g=own: cross_validate(Examples(X, Y, w), SETTINGS, folds=2, repeats=1),
        "X Y weights values",
    ),
    "leave_one_out": Public(
        lambda p, X, Y, w, g=own: leave_one_out(Examples(X, Y, w), SETTINGS, seeds=2),
        "X Y weights values",
    ),
    "leave_one_out's test": Public(
        lambda p, X, Y, w, g=own: leave_one_out(good(), SETTINGS, seeds=2, test=Examples(X, Y, w)),
        "test X Y weights values",
    ),
    "label_entropy": Public(
        lambda p, X, Y, w, g=own: compute(label_entropy(Y, w)), "Y weights values"
    ),
    "balancing_weights": Public(lambda p, X, Y, w, g=own: compute(balancing_weights(Y)), "Y"),
    "select": Public(lambda p, X, Y, w, g=own: compute(select(0, Y, w)), "rows"),
    "count_params": Public(lambda p, X, Y, w, g=own: compute(count_params(p)), "params"),
}


def those_taking(*names: str) -> list[str]:
    """List the public functions that check all of these."""
    return [name for name, f in PUBLIC.items() if set(names) <= set(f.takes.split())]


def taking(*names: str) -> pytest.MarkDecorator:
    """Parametrize a test by the public functions that check all of these."""
    return pytest.mark.parametrize("name", those_taking(*names))


def refused_by_all(names: str, parts: tuple[str, ...], *arguments: Any, **options: Any) -> None:
    """Call all functions that check these with the same arguments, which none takes.

    One test for all functions: a test for each takes longer to set up than to run.
    """
    for name in those_taking(*names.split()):
        try:
            refused(lambda name=name: PUBLIC[name].call(*arguments), *parts, **options)  # type: ignore[misc]
        except BaseException as error:
            error.add_note(f"the function: {name}")
            raise


def refused(call: Callable[[], Any], *parts: str, error: type[JaxnetError] = DataError) -> None:
    """Check that a call raises this error, which holds these parts."""
    with pytest.raises(error) as caught:
        call()
    assert isinstance(caught.value, ValueError)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("weights", [None, W])
@pytest.mark.parametrize("name", PUBLIC)
def test_good_arrays_are_computed_with(name: str, weights: Any, params: Params) -> None:
    with pytest.raises(ComputesError):
        PUBLIC[name].call(params, X, Y, weights)


@taking("X")
def test_one_picture_as_a_vector(name: str, params: Params) -> None:
    call = PUBLIC[name].call
    refused(lambda: call(params, X[:, 0], Y[:, :1], None), "X has shape (5,)", "X[:, i : i + 1]")
    refused(lambda: call(params, jax.device_put(X[:, 0]), Y[0, 0], None), "X has shape (5,)")


@taking("X", "params")
def test_pictures_as_rows(name: str, params: Params) -> None:
    call = PUBLIC[name].call
    refused(lambda: call(params, X.T, Y, None), "X has shape (7, 5) for W1 (3, 5)", "X.T")
    refused(lambda: call(params, X[:4], Y, None), "X has shape (4, 7) for W1 (3, 5)", "(5, m)")


@taking("X", "Y", "values")
def test_more_or_fewer_labels_than_pictures(name: str, params: Params) -> None:
    call = PUBLIC[name].call
    refused(lambda: call(params, X[:, :5], Y, None), "Y has shape (1, 7)", "an array (1, 5)")


@taking("test")
def test_test_pictures_of_another_size(name: str, params: Params) -> None:
    refused(lambda: PUBLIC[name].call(params, X.T, Y[:, :5], None), "7 features, the training X 5")


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (X.tolist(), "X is of type list"),
        (None, "X is of type NoneType"),
        (X[None], "X has shape (1, 5, 7)"),
        (X[:, :0], "X has shape (5, 0)"),
        (X.astype(int), "X int64"),
        (X > 0, "X bool"),
        (X.astype(np.float16), "X float16"),
        (X.astype(">f4"), "X >f4"),
        (X.astype(float), "X float64"),
    ],
    ids=["list", "none", "3-d", "empty", "integers", "bool", "float16", "other bytes", "float64"],
)
def test_an_x_of_another_kind(wrong: Any, part: str, params: Params) -> None:
    m = getattr(wrong, "shape", X.shape)[-1]
    refused_by_all("X", (part,), params, wrong, Y[:, :m], None)


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (Y.T, "Y has shape (7, 1)"),
        (Y[0], "Y has shape (7,)"),
        (Y.tolist(), "Y is of type list"),
        (None, "Y is of type NoneType"),
        (Y.astype(int), "Y int64"),
        (Y == 1, "Y bool"),
    ],
    ids=["column", "vector", "list", "none", "integers", "bool"],
)
def test_a_y_of_another_kind(wrong: Any, part: str, params: Params) -> None:
    refused_by_all("Y", (part,), params, X, wrong, None)


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (W.T, "weights has shape (7, 1)"),
        (W[0], "weights has shape (7,)"),
        (W[:, :1], "weights has shape (1, 1)"),
        (2.0, "weights is of type float"),
        (W.astype(int), "weights int64"),
    ],
    ids=["column", "vector", "one", "number", "integers"],
)
def test_weights_of_another_kind(wrong: Any, part: str, params: Params) -> None:
    refused_by_all("weights", (part,), params, X, Y, wrong)


def test_rows_that_select_is_given() -> None:
    for Y_, w in ((Y.T, None), (Y[0], None), (Y, W.T), (Y, W[:, :6]), (Y.tolist(), None)):
        refused(lambda Y_=Y_, w=w: select(0, Y_, w))  # type: ignore[misc]
    for call in (label_entropy, balancing_weights, lambda Y: select(0, Y)):
        refused(lambda call=call: call(Y[:, :0]), "Y has shape (1, 0)")  # type: ignore[misc]


@taking("values")
def test_labels_and_weights_out_of_range(name: str, params: Params) -> None:
    call = PUBLIC[name].call
    refused(lambda: call(params, X, 2 * Y, None), "Y holds the labels 0.0, 2.0", "0 and 1 only")
    refused(lambda: call(params, X, Y + 0.5, None), "0.5, 1.5")
    refused(lambda: call(params, X, np.nan * Y, None), "nan")
    for w, part in (
        (-W, "weights run from -2.0"),
        (0 * W, "from 0.0 to 0.0"),
        (np.where(W > 1, np.inf, W), "to inf"),
        (np.where(W > 1, np.nan, W), "nan"),
    ):
        refused(lambda w=w: call(params, X, Y, w), part)  # type: ignore[misc]


@taking("X")
def test_float64_while_jax_is_set_to_32_bits(name: str, params: Params) -> None:
    wide = {key: np.asarray(leaf, float) for key, leaf in params.items()}
    arrays = (wide, X.astype(float), Y.astype(float), None)
    refused(lambda: PUBLIC[name].call(*arrays), "float64", error=UsageError)


@taking("X", "params")
def test_arrays_of_two_types(name: str, params: Params, x64: None) -> None:
    wide = {key: np.asarray(leaf, float) for key, leaf in params.items()}
    refused(lambda: PUBLIC[name].call(wide, X, Y, None), "W1 float64", "X float32")
    mixed = params | {"b1": wide["b1"]}
    refused(lambda: PUBLIC[name].call(mixed, X, Y, None), "b1 float64", "W1 float32")


@taking("params")
def test_params_that_are_none(name: str, params: Params) -> None:
    call = PUBLIC[name].call
    cases: tuple[tuple[Any, str], ...] = (
        (params | {"W2": np.transpose(params["W2"])}, "W2 (3, 1)"),
        (params | {"b1": np.ravel(params["b1"])}, "b1 (3,)"),
        (params | {"b2": np.zeros((), np.float32)}, "b2 ()"),
        (
            {"W1": X[:, :0].T, "b1": X[:0, :1], "W2": X[:1, :0], "b2": X[:1, :1]},
            "W1 (0, 5), b1 (0, 1)",
        ),
        (params | {"W1": np.asarray(params["W1"]).tolist()}, "W1 list"),
        (params | {"W3": params["W1"]}, "W3 (3, 5)"),
        ({key: leaf for key, leaf in params.items() if key != "b2"}, "params holds W1 (3, 5), b1"),
        ({}, "params holds nothing"),
        (tuple(params.values()), "params is of type tuple"),
        (None, "params is of type NoneType"),
    )
    for wrong, part in cases:
        refused(lambda wrong=wrong: call(wrong, X, Y, None), part, "init_params")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("hidden", "found", "remedy"),
    [
        (jnp.tanh, "the function tanh", 'give Activation("tanh", function, slope)'),
        (jax.nn.relu, "the function relu", "give jaxnet.relu"),
        ("relu", "hidden is 'relu'", "give jaxnet.relu"),
        ("tanh", "hidden is 'tanh'", 'give Activation("tanh"'),
        (None, "NoneType", "Activation"),
    ],
    ids=["jnp.tanh", "jax.nn.relu", "'relu'", "'tanh'", "none"],
)
def test_activations_that_are_none(hidden: Any, found: str, remedy: str, params: Params) -> None:
    refused_by_all("hidden", (found, remedy), params, X, Y, None, hidden, error=UsageError)


@taking("values")
def test_training_within_a_traced_program(name: str, params: Params) -> None:
    call = PUBLIC[name].call
    part = "within jit"
    refused(lambda: jax.jit(lambda Y: call(params, X, Y, None))(Y), part, error=UsageError)
    refused(lambda: jax.jit(lambda w: call(params, X, Y, w))(W), part, error=UsageError)
    if "X" in PUBLIC[name].takes:
        refused(lambda: jax.jit(lambda X: call(params, X, Y, None))(X), part, error=UsageError)
    if "params" in PUBLIC[name].takes:
        trained = jax.grad(lambda W1: call(params | {"W1": W1}, X, Y, None))
        refused(lambda: trained(params["W1"]), part, error=UsageError)


def test_a_descent_started_within_a_traced_program(params: Params) -> None:
    part = "within jit"
    for basis in ("pixels", "span"):
        traced = jax.jit(lambda X, basis=basis: start_descent(params, X, basis=basis))
        refused(lambda traced=traced: traced(X), part, error=UsageError)  # type: ignore[misc]
        mapped = jax.vmap(lambda rate: fit(params, X, Y, own, learning_rate=rate, basis="pixels"))
        refused(lambda mapped=mapped: mapped(np.ones(2, np.float32)), part, error=UsageError)  # type: ignore[misc]


# Numbers.


def test_keys_that_are_none() -> None:
    for key, found, remedy in (
        (3, "key is 3 of type int", "jax.random.key(3)"),
        (None, "NoneType", "jax.random.key(0)"),
        (jax.random.split(jax.random.key(0)), "key has shape (2,)", "one JAX random key"),
        (jax.device_put(np.zeros((2, 2), np.uint32)), "key has shape (2, 2)", "one JAX random key"),
        (jax.device_put(np.zeros(5, np.uint32)), "key has shape (5,)", "one JAX random key"),
        (np.zeros(2), "key has shape (2,)", "one JAX random key"),
    ):
        refused(lambda key=key: init_params(key, 5), found, remedy, error=UsageError)  # type: ignore[misc]
    for good_key in (jax.random.key(0), jax.random.PRNGKey(0), jax.random.key(0, impl="rbg")):
        check_key(good_key)
    jax.vmap(lambda key: init_params(key, 5)["W1"])(jax.random.split(jax.random.key(0)))


@pytest.mark.parametrize(
    ("changes", "found", "remedy"),
    [
        ({"n_h": 8.0}, "n_h is 8.0 of type float", "write n_h=8"),
        ({"n_h": 8.5}, "n_h is 8.5", "an integer"),
        ({"n_h": "8"}, 'n_h is "8"', "an integer"),
        ({"n_h": True}, "n_h is True", "an integer"),
        ({"n_h": 0}, "n_h is 0", "an integer, 1 or more"),
        ({"n_x": 5.0}, "n_x is 5.0", "write n_x=5"),
        ({"n_x": 0}, "n_x is 0", "1 or more"),
        ({"weight_scale": "xavier"}, 'weight_scale is "xavier"', 'a number or "he"'),
        ({"weight_scale": np.nan}, "weight_scale is nan", "finite"),
        ({"weight_scale": np.inf}, "weight_scale is inf", "finite"),
        ({"weight_scale": -0.1}, "weight_scale is -0.1", "from 0"),
        ({"weight_scale": 1e39}, "weight_scale is 1e+39", "from 0"),
        ({"weight_scale": None}, "weight_scale is None", "a number"),
        ({"weight_scale": np.ones(2)}, "weight_scale is", "a number"),
        ({"dtype": "int32"}, "dtype is int32", "float32 or float64"),
        ({"dtype": "float64"}, "dtype is float64, but JAX is set to 32", "jax.enable_x64(True)"),
    ],
)
def test_arguments_of_init_params(changes: dict[str, Any], found: str, remedy: str) -> None:
    arguments = {"n_x": 5} | changes
    refused(lambda: init_params(jax.random.key(0), **arguments), found, remedy, error=UsageError)


RATES: list[tuple[Any, str]] = [
    (np.inf, "inf"),
    (np.nan, "nan"),
    (-0.1, "-0.1"),
    ("0.1", '"0.1"'),
    (np.ones(1), "of type ndarray"),
    (None, "None"),
    (True, "True"),
    (jax.device_put(np.float32(np.inf)), "inf"),
]


@pytest.mark.parametrize(("rate", "found"), RATES)
def test_learning_rates_that_are_none(rate: Any, found: str, params: Params) -> None:
    for call in (
        lambda: sgd(rate),
        lambda: fit(params, X, Y, own, learning_rate=rate),
        lambda: Grid((rate,)),
        lambda: Grid(((0.1, rate),)),
    ):
        refused(call, "learning_rate", found, error=UsageError)


@pytest.mark.parametrize("rate", ["inf", "nan", "0.1,inf", "-1", "1:inf:3", "", "x"])
def test_learning_rates_that_are_none_as_a_text(rate: Any) -> None:
    refused(lambda: Grid(rate), f'learning_rates is "{rate}"', error=UsageError)


def test_a_rate_that_is_infinite_in_the_type_of_the_params(
    params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(
        lambda: fit(params, X, Y, own, learning_rate=1e39),
        "learning_rate is 1e+39",
        error=UsageError,
    )
    monkeypatch.undo()
    for rate in (1e39, (0.1, 1e39)):
        grid = Grid((0.1, rate), (0.1,), 1)
        refused(lambda grid=grid: sweep(good(), grid, SETTINGS), "1e+39", error=UsageError)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "found", "remedy"),
    [
        ({"iterations": 20.0}, "iterations is 20.0 of type float", "write iterations=20"),
        ({"iterations": 0}, "iterations is 0", "from 1"),
        ({"iterations": 10**12}, "iterations is 1000000000000", "from 1 to 100,000,000"),
        ({"iterations": "20"}, 'iterations is "20"', "an integer"),
        ({"momentum": 1.1}, "momentum is 1.1", "from 0 to 1"),
        ({"momentum": np.nan}, "momentum is nan", "from 0 to 1"),
        ({"nesterov": 1}, "nesterov is 1", "True or False"),
        ({"basis": "kernel"}, 'basis is "kernel"', '"auto" or "pixels" or "span"'),
        ({"basis": None}, "basis is None", '"auto"'),
        ({"optimizer": "adam"}, "optimizer is 'adam' of type str", "optax.adam"),
        ({"optimizer": optax.adam}, "optimizer is adam of type function", "call what makes it"),
    ],
)
def test_settings_of_fit(changes: dict[str, Any], found: str, remedy: str, params: Params) -> None:
    settings = {"basis": "pixels"} | changes
    refused(lambda: fit(params, X, Y, own, **settings), found, remedy, error=UsageError)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"iterations": 20.0}, "iterations is 20.0"),
        ({"hidden_units": 8.0}, "hidden_units is 8.0"),
        ({"learning_rate": np.inf}, "learning_rate is inf"),
        ({"learning_rate": np.nan}, "learning_rate is nan"),
        ({"weight_scale": np.inf}, "weight_scale is inf"),
    ],
)
def test_settings(settings: dict[str, Any], found: str) -> None:
    refused(lambda: Settings(**settings), found, error=UsageError)


def test_arguments_of_another_kind(params: Any) -> None:
    two: Any = 2.0
    pair: Any = (X, Y)
    descent = Descent(TrainState(params, ()), sgd(), X, np.empty(0, np.float32))
    state: Any = TrainState(params, ())
    update = make_update(sgd(), own)
    cases: tuple[tuple[Callable[[], Any], str], ...] = (
        (lambda: update(params, X, Y), "the state is of type dict"),
        (lambda: update((params, ()), X, Y), "the state is of type tuple"),
        (lambda: make_update("sgd", own), "optimizer is 'sgd'"),
        (lambda: make_update(optax.adam, own), "optimizer is adam"),
        (lambda: start_descent(params, X, optax.adam), "optimizer is adam"),
        (lambda: fit_in_chunks(params, Y, own), "descent is of type dict"),
        (lambda: fit_in_chunks(state, Y, own), "descent is of type TrainState"),
        (lambda: fit_in_chunks(descent, Y, own, chunk=two), "write chunk=2"),
        (lambda: predict(params, X, own, threshold=np.nan), "threshold is nan"),
        (lambda: predict(params, X, own, threshold=1.5), "threshold is 1.5"),
        (lambda: sharpness(params, X, Y, own, tolerance=np.nan), "tolerance is nan"),
        (lambda: sweep(X, GRID, SETTINGS), "data is of type ndarray"),
        (lambda: sweep(pair, GRID, SETTINGS), "data is of type tuple"),
        (lambda: train_seeds(good(), SETTINGS, seeds=two), "write seeds=2"),
        (lambda: leave_one_out(good(), SETTINGS, seeds=two), "write seeds=2"),
        (lambda: leave_one_out(good(), SETTINGS, seeds=1), "seeds is 1"),
    )
    for call, found in cases:
        refused(call, found, error=UsageError)
    another = init_params(jax.random.key(0), 5, 4)
    refused(
        lambda: hessian_product(params, another, X, Y, own), "W1 of the vector has shape (4, 5)"
    )
    lengthened = {name: leaf.tolist() for name, leaf in params.items()}
    refused(lambda: hessian_product(params, lengthened, X, Y, own), "W1 list")


# What the checks cost.


def test_the_checks_add_nothing_to_a_program(tiny: Problem) -> None:
    def bare(params: Params, X: jax.Array) -> Any:
        Z1 = params["W1"] @ X + params["b1"]
        Z2 = params["W2"] @ relu(Z1) + params["b2"]
        return Z1, relu(Z1), Z2, sigmoid(Z2)

    checked = jax.make_jaxpr(forward)(tiny.params, tiny.X)
    unchecked = jax.make_jaxpr(bare)(tiny.params, tiny.X)
    assert len(checked.eqns) == len(unchecked.eqns) - 1  # relu(Z1) is computed once


def test_a_repeated_call_compiles_nothing(tiny: Problem) -> None:
    traces = []

    def function(Z: jax.Array) -> jax.Array:
        traces.append(1)
        return jax.nn.relu(Z)

    hidden = Activation("counted", function, relu.slope)
    optimizer = sgd(0.1)
    update, state = (
        make_update(optimizer, hidden),
        TrainState(tiny.params, optimizer.init(tiny.params)),
    )
    for call in (
        lambda: predict(tiny.params, tiny.X, hidden),
        lambda: accuracy(tiny.params, tiny.X, tiny.Y, hidden),
        lambda: hessian_product(tiny.params, tiny.params, tiny.X, tiny.Y, hidden),
        lambda: update(state, tiny.X, tiny.Y),
    ):
        call()
        once = len(traces)
        call()
        assert len(traces) == once
    assert traces
