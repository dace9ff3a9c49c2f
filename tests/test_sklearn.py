"""`JaxnetClassifier` keeps scikit-learn's rules, and goes the way of its MLPClassifier."""

import importlib
import pickle
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches
from sklearn.utils.estimator_checks import estimator_checks_generator

import jaxnet
from jaxnet.descent import updates_program
from jaxnet.normals import make_key
from jaxnet.sklearn import JaxnetClassifier, solver
from jaxnet.sklearn.classifier import ACTIVATIONS
from jaxnet.sklearn.solver import order_batches, round_up

CHECKS = list(estimator_checks_generator(JaxnetClassifier()))

# More examples than features, for which the steps are made in pixels; and fewer, in the span.
TALL, WIDE = (40, 3), (24, 30)


def examples(shape: tuple[int, int] = TALL, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw examples whose classes a network can learn, but no line divides."""
    X = np.random.default_rng(seed).normal(size=shape)
    return X, (X[:, 0] + X[:, 1] ** 2 > 0.7).astype(int)


pytestmark = pytest.mark.filterwarnings(  # MLPClassifier's
    "ignore:Got `batch_size`", "ignore:Stochastic Optimizer"
)


def settings(**changes: Any) -> dict[str, Any]:
    """Return parameters that MLPClassifier has, too, and for which it never ends early."""
    return {
        "hidden_layer_sizes": (5,),
        "solver": "sgd",
        "alpha": 0.3,
        "batch_size": 1000,
        "learning_rate_init": 0.05,
        "max_iter": 50,
        "shuffle": False,
        "momentum": 0.0,
        "nesterovs_momentum": False,
        "n_iter_no_change": np.inf,
    } | changes


def params(network: Any) -> list[np.ndarray]:
    return [*network.coefs_, *network.intercepts_]


def distance(one: Any, other: Any) -> float:
    """Return the largest difference of two networks' parameters."""
    pairs = zip(params(one), params(other), strict=True)
    assert all(a.shape == b.shape for a, b in zip(params(one), params(other), strict=True))
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def initial(network: MLPClassifier, X: np.ndarray, y: np.ndarray) -> dict[str, list[np.ndarray]]:
    """Return the initial parameters that an MLPClassifier draws, as arguments of `fit`."""
    drawn = clone(network).set_params(max_iter=1, learning_rate_init=1e-300)
    drawn.fit(X, y)
    return {"coef_init": drawn.coefs_, "intercept_init": drawn.intercepts_}


@pytest.mark.parametrize(
    ("estimator", "check"), CHECKS, ids=[check.func.__name__ for _, check in CHECKS]
)
def test_the_rules_of_scikit_learn_are_kept(
    estimator: JaxnetClassifier, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # To larger sizes, so that the checks need few programs.
    monkeypatch.setattr(solver, "round_up", lambda size: 32 if size <= 32 else 256)
    check(estimator)


# Batches with plain momentum are made in the span by `test_training_further`.
@pytest.mark.parametrize(
    ("shape", "batch_size", "rule"),
    [
        (TALL, 1000, {}),
        (WIDE, 1000, {}),
        (WIDE, 1000, {"momentum": 0.9}),
        (TALL, 11, {"momentum": 0.9}),
        (WIDE, 11, {"momentum": 0.9, "nesterovs_momentum": True}),
    ],
    ids=["plain, pixels", "plain, span", "momentum", "batches", "nesterov"],
)
def test_every_step_is_that_of_mlp_classifier(
    shape: tuple[int, int], batch_size: int, rule: dict[str, Any]
) -> None:
    X, y = examples(shape)
    weights = np.random.default_rng(1).uniform(0, 3, len(X)) if rule else None
    chosen = settings(batch_size=batch_size, **rule)
    mlp = MLPClassifier(random_state=1, **chosen)
    start = initial(mlp, X, y)
    mlp.fit(X, y, sample_weight=weights)
    ours = JaxnetClassifier(random_state=0, **chosen).fit(X, y, sample_weight=weights, **start)
    assert np.abs(mlp.coefs_[0] - start["coef_init"][0]).max() > 0.01
    assert distance(mlp, ours) < 1e-10
    np.testing.assert_allclose(ours.loss_curve_, mlp.loss_curve_, rtol=1e-10)
    np.testing.assert_allclose(ours.predict_proba(X), mlp.predict_proba(X), rtol=1e-9)
    assert ours.n_iter_ == mlp.n_iter_ == 50
    assert ours.loss_ == ours.loss_curve_[-1]


def test_training_further_is_that_of_mlp_classifier() -> None:
    """A warm start begins without velocity, partial_fit takes it over, also from the span."""
    X, y = examples(WIDE)
    chosen = settings(momentum=0.9, batch_size=11, warm_start=True)
    mlp, ours = MLPClassifier(random_state=1, **chosen), JaxnetClassifier(**chosen)
    ours.fit(X, y, **initial(mlp, X, y))
    mlp.fit(X, y)
    for network in (mlp, ours):
        network.fit(X, y)
        for _ in range(3):
            network.partial_fit(X[:20], y[:20])
    assert distance(mlp, ours) < 1e-10
    np.testing.assert_allclose(ours.loss_curve_, mlp.loss_curve_, rtol=1e-10)
    assert (len(ours.loss_curve_), ours.n_iter_) == (103, 1)


@pytest.mark.parametrize("batch_size", [1000, 11])
def test_training_ends_where_mlp_classifier_ends(batch_size: int) -> None:
    X, y = examples()
    chosen = settings(batch_size=batch_size, max_iter=1000, n_iter_no_change=5, tol=1e-3)
    chosen |= {"learning_rate_init": 0.2, "warm_start": True}
    mlp, ours = MLPClassifier(random_state=1, **chosen), JaxnetClassifier(**chosen)
    ours.fit(X, y, **initial(mlp, X, y))
    mlp.fit(X, y)
    assert 5 < ours.n_iter_ == mlp.n_iter_ < 1000
    assert distance(mlp, ours) < 1e-10
    assert ours.fit(X, y).n_iter_ == mlp.fit(X, y).n_iter_ == 1  # it stays ended
    with pytest.warns(ConvergenceWarning, match="max_iter is 3"):
        clone(ours).set_params(max_iter=3).fit(X, y)


@pytest.mark.parametrize("batch", [None, 11])
def test_the_defaults_are_those_of_fit(batch: int | None) -> None:
    X, y = examples(WIDE)
    ours = JaxnetClassifier(random_state=3, batch_size=batch, max_iter=40).fit(X, y)
    with jax.enable_x64(True):
        start = jaxnet.init_params(make_key(3), 30, dtype=jnp.float64)
        columns, row = jax.device_put((X.T, y[None].astype(float)))
        fit = jaxnet.fit(start, columns, row, epochs=40, batch=batch, seed=3)
        expected = {name: np.asarray(leaf) for name, leaf in fit.params.items()}
    assert np.abs(expected["W1"] - np.asarray(start["W1"])).max() > 1e-4
    for name, ours_t in zip(("W1", "W2"), ours.coefs_, strict=True):
        np.testing.assert_allclose(ours_t.T, expected[name], rtol=1e-10, atol=1e-14)
    costs = jaxnet.epoch_costs(fit.costs, len(X), batch)
    np.testing.assert_allclose(ours.loss_curve_, costs, rtol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_numpy_predicts_what_jax_computes(activation: str) -> None:
    X, y = examples(WIDE)
    labels = np.array(["cat", "other"])[y]
    ours = JaxnetClassifier(
        activation=activation,
        learning_rate_init=0.3,
        max_iter=60,
        random_state=0,
        weight_scale="he",
    ).fit(X, labels)
    with jax.enable_x64(True):
        network = {"W1": ours.coefs_[0].T, "W2": ours.coefs_[1].T}
        network |= {"b1": ours.intercepts_[0][:, None], "b2": ours.intercepts_[1][:, None]}
        forward = jax.jit(jaxnet.forward, static_argnums=2)
        A2 = np.asarray(forward(network, X.T, ACTIVATIONS[activation][0]).A2)[0]
    with jax.transfer_guard("disallow"):  # nothing of it is computed by JAX
        probabilities = ours.predict_proba(X)
        logarithms = ours.predict_log_proba(X)
        predicted = ours.predict(X)
    np.testing.assert_allclose(probabilities, np.stack([1 - A2, A2], axis=1), rtol=1e-12)
    np.testing.assert_allclose(logarithms, np.log(probabilities), rtol=1e-12)
    assert predicted.tolist() == np.where(A2 > 0.5, "other", "cat").tolist()
    assert ours.classes_.tolist() == ["cat", "other"]
    assert ours.score(X, labels) == np.mean(predicted == labels) > 0.6
    assert np.isfinite(ours.predict_log_proba(1e4 * X)).all()


def test_what_is_single_stays_single() -> None:
    X, y = examples()
    single = JaxnetClassifier(random_state=0, max_iter=20).fit(X.astype(np.float32), y)
    double = JaxnetClassifier(random_state=0, max_iter=20).fit(X, y)
    whole = JaxnetClassifier(random_state=0, max_iter=20).fit((4 * X).astype(int), y)
    assert {array.dtype for array in params(single)} == {np.dtype(np.float32)}
    assert {array.dtype for array in params(double)} == {np.dtype(np.float64)}
    assert whole.coefs_[0].dtype == np.float64
    assert single.predict_proba(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(single.coefs_[0], double.coefs_[0], rtol=1e-3, atol=1e-6)


def test_weights_of_classes_are_weights_of_examples() -> None:
    X, y = examples()
    chosen: dict[str, Any] = {"random_state": 0, "max_iter": 20}
    balanced = JaxnetClassifier(class_weight="balanced", **chosen).fit(X, y)
    counts = np.bincount(y)
    by_hand = {0: len(y) / (2 * counts[0]), 1: len(y) / (2 * counts[1])}
    weighted = JaxnetClassifier(class_weight=by_hand, **chosen).fit(X, y)
    single = JaxnetClassifier(**chosen).fit(X, y, sample_weight=[by_hand[label] for label in y])
    assert distance(balanced, weighted) == distance(balanced, single) == 0
    assert distance(balanced, JaxnetClassifier(**chosen).fit(X, y)) > 1e-6


def test_random_states_are_those_of_scikit_learn() -> None:
    X, y = examples()

    def start(state: Any) -> np.ndarray:
        return JaxnetClassifier(random_state=state, max_iter=1).fit(X, y).coefs_[0]

    random = np.random.RandomState(0)
    drawn = [start(random), start(random), start(np.random.RandomState(0))]
    assert (drawn[0] == drawn[2]).all()
    assert (drawn[0] != drawn[1]).any()
    np.random.seed(1)  # None means this generator
    first = start(None)
    np.random.seed(1)
    assert (first == start(None)).all()
    assert (first != start(None)).any()


def test_folds_of_several_sizes_need_one_program() -> None:
    """And so do other rates; of the sizes that a program fits, one is at most 1/8 larger."""
    X, y = examples(WIDE)
    program = updates_program(small_products=True)
    network = JaxnetClassifier(max_iter=2).fit(X, y)
    compiled = program._cache_size()
    for m, rate in ((17, 0.1), (20, 0.2)):
        clone(network).set_params(learning_rate_init=rate).fit(X[:m], y[:m])
    assert program._cache_size() == compiled
    sizes = np.array([round_up(m) for m in range(1, 3000)])
    assert (sizes >= np.arange(1, 3000)).all()
    assert (sizes[64:] <= np.arange(65, 3000) * 9 / 8).all()
    assert len(set(sizes[64:].tolist())) < 60


def test_examples_in_order_are_those_of_gen_batches() -> None:
    batches = order_batches(None, 2, 4, m=10, batch=4)
    expected = [np.arange(10)[part].tolist() for part in gen_batches(10, 4)]
    found = [row[row >= 0].tolist() for row in batches]
    assert found == [expected[2], *expected]
    shuffled = order_batches(7, 2, 4, m=10, batch=4)
    assert (shuffled == jaxnet.draw_batches(7, 2, 4, 10, 4)).all()


def test_it_works_within_scikit_learn() -> None:
    X, y = examples()
    frame = pd.DataFrame(X, columns=["length", "width", "height"])
    labels = pd.Series(np.array(["no", "yes"])[y])
    network = JaxnetClassifier(max_iter=10, random_state=0)
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), network)
    rates = {"jaxnetclassifier__learning_rate_init": [0.01, 0.5]}
    search = GridSearchCV(pipeline, rates, cv=StratifiedKFold(3)).fit(frame, labels)
    best = search.best_estimator_[-1]
    assert best.feature_names_in_.tolist() == ["length", "width", "height"]
    assert best.n_features_in_ == 3
    with pytest.raises(ValueError, match="feature names"):
        best.predict(frame.rename(columns={"width": "breadth"}))
    assert cross_val_score(network, X, y, cv=3).shape == (3,)
    calibrated = CalibratedClassifierCV(network, cv=3).fit(X, y)
    assert calibrated.predict_proba(X).shape == (len(X), 2)
    three = OneVsRestClassifier(network).fit(X, np.arange(len(X)) % 3)
    assert three.predict(X).max() <= 2


def test_a_fitted_network_can_be_pickled_and_cloned() -> None:
    X, y = examples()
    ours = JaxnetClassifier(max_iter=10, momentum=0.9, random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(ours))
    assert (again.predict_proba(X) == ours.predict_proba(X)).all()
    assert distance(again.partial_fit(X, y), ours.partial_fit(X, y)) == 0
    with pytest.raises(NotFittedError):
        clone(ours).predict(X)


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"hidden_layer_sizes": (8, 8)}, "means 2 hidden layers"),
        ({"hidden_layer_sizes": 0}, "hidden_layer_sizes is 0"),
        ({"hidden_layer_sizes": "8"}, "hidden_layer_sizes is"),
        ({"solver": "adam"}, "solver is 'adam'"),
        ({"activation": "tanh"}, 'activation is "tanh"'),
        ({"alpha": -1}, "alpha is -1"),
        ({"learning_rate_init": np.nan}, "learning_rate_init is nan"),
        ({"momentum": 2}, "momentum is 2"),
        ({"batch_size": "all"}, 'batch_size is "all"'),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"shuffle": 1}, "shuffle is 1"),
        ({"nesterovs_momentum": "yes"}, "nesterovs_momentum is 'yes'"),
        ({"tol": -1}, "tol is -1"),
        ({"n_iter_no_change": 0}, "n_iter_no_change is 0"),
        ({"random_state": -1}, "random_state is -1"),
        ({"weight_scale": "glorot"}, 'weight_scale is "glorot"'),
        ({"class_weight": {0: 0, 1: 0}}, "the weights run from 0.0 to 0.0"),
        ({"learning_rate_init": 1e300}, "is not finite after epoch"),
    ],
    ids=str,
)
def test_parameters_that_cannot_be_used_are_named(parameter: Any, message: str) -> None:
    X, y = examples()
    with pytest.raises(ValueError, match=message):
        JaxnetClassifier(**{"max_iter": 5} | parameter).fit(X, y)


def test_what_does_not_fit_together_is_named() -> None:
    X, y = examples()
    ours = JaxnetClassifier(max_iter=2, warm_start=True, random_state=0).fit(X, y)
    before = params(ours)
    new, narrow = JaxnetClassifier(), clone(ours).fit(X, y).set_params(hidden_layer_sizes=3)
    balanced = JaxnetClassifier(class_weight="balanced")
    not_finite = [before[0] * np.nan, before[1]]
    for message, call in (
        ("y holds the classes", lambda: ours.fit(X, y + 1)),
        ("has 8 hidden units", lambda: narrow.fit(X, y)),
        (r"coef_init holds .* \[\(3, 8\)\]", lambda: ours.fit(X, y, coef_init=before[:1])),
        (r"intercept_init holds .* \[\]", lambda: ours.fit(X, y, intercept_init=[])),
        ("W1 is not finite", lambda: ours.fit(X, y, coef_init=not_finite)),
        ("Negative values in data", lambda: ours.fit(X, y, sample_weight=-np.ones(len(X)))),
        ("y holds the classes", lambda: ours.partial_fit(X, y + 1)),
        ("classes holds the classes", lambda: ours.partial_fit(X, y, classes=[0, 2])),
        ("classes is None", lambda: new.partial_fit(X, y)),
        ("classes holds 3 classes", lambda: new.partial_fit(X, y, classes=[0, 1, 2])),
        ("Only binary classification is supported", lambda: new.fit(X, np.arange(len(X)) % 4)),
        ("class_weight is", lambda: balanced.partial_fit(X, y, classes=[0, 1])),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert all((a == b).all() for a, b in zip(params(ours), before, strict=True))
    assert ours.partial_fit(X[:36], np.ones(36)).classes_.tolist() == [0, 1]


def test_without_scikit_learn_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.startswith("jaxnet.sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn.utils.validation", None)
    with pytest.raises(ImportError) as caught:
        importlib.import_module("jaxnet.sklearn")
    assert str(caught.value) == (
        "jaxnet.sklearn needs scikit-learn 1.7 or newer: install the extra sklearn"
    )
