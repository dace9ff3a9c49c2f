"""`JaxnetSearchCV` against `GridSearchCV` over the same estimator.

A block of 8 networks without weight decay, on TALL, is one program for several tests.
"""

import pickle
from typing import Any

import numpy as np
import pytest

from jaxnet.errors import UsageError
from jaxnet.many.engine import train_networks

pytest.importorskip("sklearn")

from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from jaxnet.sklearn import JaxnetClassifier, JaxnetSearchCV, search

draw = np.random.default_rng(3)
WIDE, TALL = draw.normal(size=(24, 40)), draw.normal(size=(24, 5))
Y = np.where(np.arange(24) % 3 == 0, "yes", "no")
WIDE[Y == "yes", 0] += 1
TALL[Y == "yes", 0] += 1
BASE = JaxnetClassifier(3, max_iter=12, weight_scale="he", momentum=0.5, random_state=0)


def search_both(
    X: np.ndarray, grid: Any, base: JaxnetClassifier = BASE, fit: Any = None, **options: Any
) -> tuple[JaxnetSearchCV, GridSearchCV]:
    options = {"cv": 3} | options
    ours, theirs = (kind(base, grid, **options) for kind in (JaxnetSearchCV, GridSearchCV))
    return ours.fit(X, Y, **(fit or {})), theirs.fit(X, Y, **(fit or {}))


def assert_same(ours: JaxnetSearchCV, theirs: GridSearchCV) -> None:
    assert ours.cv_results_.keys() == theirs.cv_results_.keys()
    for name, expected in theirs.cv_results_.items():
        if not name.endswith("_time") and name != "params" and not name.startswith("param_"):
            np.testing.assert_allclose(ours.cv_results_[name], expected, rtol=0, atol=1e-10)
    assert ours.cv_results_["params"] == theirs.cv_results_["params"]
    assert ours.n_splits_ == theirs.n_splits_
    if ours.refit:
        assert ours.best_params_ == theirs.best_params_
        assert ours.best_index_ == theirs.best_index_
        assert type(ours.best_estimator_) is JaxnetClassifier
        for mine, other in zip(
            ours.best_estimator_.coefs_, theirs.best_estimator_.coefs_, strict=True
        ):
            np.testing.assert_array_equal(mine, other)


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often an estimator is trained by itself."""
    trained: list[int] = []
    fit = JaxnetClassifier.fit

    def spy(self: JaxnetClassifier, X: Any, *arguments: Any, **options: Any) -> Any:
        trained.append(len(X))
        return fit(self, X, *arguments, **options)

    monkeypatch.setattr(JaxnetClassifier, "fit", spy)
    return trained


@pytest.mark.parametrize(
    "X",
    [pytest.param(WIDE, marks=pytest.mark.slow), TALL],
    ids=["in the span", "in the features"],
)
def test_it_finds_what_grid_search_finds(X: np.ndarray, one_by_one: list[int]) -> None:
    grid = {
        "learning_rate_init": [0.05, 0.3], "random_state": [4, 1], "alpha": [0.0, 0.5],
        "class_weight": [None, "balanced"],
    }  # fmt: skip
    scoring = ["accuracy", "neg_log_loss"]
    ours, theirs = search_both(
        X, grid, scoring=scoring, refit="neg_log_loss", return_train_score=True, cv=2,
        fit={"sample_weight": draw.uniform(0.5, 2, 24)},
    )  # fmt: skip
    assert len(one_by_one) == 1 + 16 * 2 + 1  # the best, and all of theirs
    assert_same(ours, theirs)
    assert ours.best_score_ == pytest.approx(theirs.best_score_, abs=1e-10)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-12)
    assert ours.score(X, Y) == pytest.approx(theirs.score(X, Y), abs=1e-10)
    assert ours.classes_.tolist() == ["no", "yes"]
    assert ours.n_features_in_ == X.shape[1]
    assert np.ptp(ours.cv_results_["mean_test_neg_log_loss"]) > 1e-3


@pytest.mark.slow
def test_candidates_of_different_programs_and_those_that_cannot_share_one(
    one_by_one: list[int],
) -> None:
    """Two programs; mini-batches, early ends and random states are trained one by one."""
    grid = [
        {"hidden_layer_sizes": [2, (3,)], "activation": ["logistic"]},
        {"batch_size": [5], "max_iter": [2]},
        {"n_iter_no_change": [3], "tol": [10.0]},
    ]
    ours, theirs = search_both(WIDE, grid)
    assert one_by_one.count(16) == 2 * 3 + 4 * 3
    assert_same(ours, theirs)


def test_groups_no_refit_and_a_score_of_ones_own() -> None:
    groups = np.arange(24) // 4

    def score(estimator: Any, X: np.ndarray, y: np.ndarray) -> float:
        return float(estimator.predict_proba(X)[:, 1].mean())

    ours, theirs = search_both(
        WIDE, {"learning_rate_init": [0.05, 0.3]}, cv=GroupKFold(3), scoring=score, refit=False,
        fit={"groups": groups},
    )  # fmt: skip
    assert_same(ours, theirs)
    assert not hasattr(ours, "best_estimator_")


@pytest.mark.slow
def test_float32_stays_float32() -> None:
    X = WIDE.astype(np.float32)
    ours = JaxnetSearchCV(BASE, {"learning_rate_init": [0.05, 0.3]}, cv=2).fit(X, Y)
    assert ours.best_estimator_.coefs_[0].dtype == np.float32
    theirs = GridSearchCV(BASE, {"learning_rate_init": [0.05, 0.3]}, cv=2).fit(X, Y)
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=1e-6
    )


def test_it_is_cloned_and_is_a_classifier() -> None:
    base = clone(BASE).set_params(max_iter=3)
    searching = JaxnetSearchCV(base, {"weight_scale": [0.1, 0.2, 0.3, 0.4]}, cv=StratifiedKFold(2))
    assert is_classifier(searching)
    copied = clone(searching).set_params(estimator__max_iter=12)
    assert copied.get_params()["estimator__max_iter"] == 12
    fitted = copied.fit(TALL, Y)
    assert fitted.best_estimator_.n_iter_ == 12
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(TALL), fitted.predict_proba(TALL))
    assert again.score(TALL, Y) == fitted.score(TALL, Y)


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_errors_are_those_of_the_search() -> None:
    with pytest.raises(UsageError, match="estimator is of type Pipeline"):
        JaxnetSearchCV(make_pipeline(StandardScaler(), BASE), {"x": [1]}).fit(TALL, Y)
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        JaxnetSearchCV(BASE, {"learning_rate_init": [-1.0]}, cv=2).fit(TALL, Y)
    rates = [1e200, 0.1, 1e250, 1e300]
    with pytest.warns(match="6 fits failed out of a total of 8"):
        ours = JaxnetSearchCV(BASE, {"learning_rate_init": rates}, cv=2).fit(TALL, Y)
    assert np.isnan(ours.cv_results_["mean_test_score"]).tolist() == [True, False, True, True]
    assert ours.best_params_ == {"learning_rate_init": 0.1}
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        JaxnetSearchCV(BASE, {"alpha": [0.0]}, cv=2).fit(TALL, np.arange(24) % 3)
    with pytest.raises(ValueError, match="fits failed"):
        JaxnetSearchCV(BASE, {"alpha": [0.0]}, cv=2).fit(np.full_like(TALL, np.nan), Y)


def test_the_networks_of_all_seeds_share_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[int]] = []
    train = train_networks

    def spy(examples: Any, settings: Any, **options: Any) -> Any:
        calls.append([len(options[name]) for name in ("variants", "example_weights", "seeds")])
        return train(examples, settings, **options)

    monkeypatch.setattr(search, "train_networks", spy)
    JaxnetSearchCV(BASE, {"random_state": [0, 1, 2, 3]}, cv=2).fit(TALL, Y)
    assert calls == [[1, 2, 4]]
    calls.clear()
    uneven = [
        {"random_state": [0], "learning_rate_init": [0.1, 0.2, 0.3, 0.4]},
        {"random_state": [1], "learning_rate_init": [0.1, 0.2, 0.3, 0.5]},
    ]
    JaxnetSearchCV(BASE, uneven, cv=2).fit(TALL, Y)
    assert calls == [[4, 2, 1], [4, 2, 1]]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_it_passes_the_checks_of_scikit_learn() -> None:
    base = clone(BASE).set_params(learning_rate_init=0.5, momentum=0.0, max_iter=60)
    check_estimator(JaxnetSearchCV(base, {"learning_rate_init": [0.3, 0.5]}, cv=2), on_skip=None)
