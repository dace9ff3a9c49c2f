"""`JaxnetSearchCV`: `GridSearchCV` whose networks are trained together, in few programs.

The search itself is scikit-learn's. Before it, the networks of all candidates and splits are
trained by `jaxnet.many.engine`, a split by weights of 0. An estimator that the search then fits
takes its network from these. What cannot be trained so is trained by the estimator itself.
"""

import math
import numbers
import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

import jax
import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.utils import compute_class_weight
from sklearn.utils.validation import _check_sample_weight, _num_samples

from jaxnet.devices import at_precision
from jaxnet.epochs import true_batch
from jaxnet.errors import UsageError
from jaxnet.examples import Examples
from jaxnet.many.engine import Variant, train_networks
from jaxnet.settings import Settings
from jaxnet.sklearn.checks import Arrays, check_parameters, hidden_units
from jaxnet.sklearn.classifier import ACTIVATIONS, AUTO_BATCH, JaxnetClassifier

# The parameters of an estimator, and the rows that it is trained on.
Key = tuple[tuple[tuple[str, str], ...], bytes]


class JaxnetSearchCV(GridSearchCV):  # type: ignore[misc]
    """`GridSearchCV` over a `JaxnetClassifier`, all folds, settings and seeds in few programs.

    Parameters, methods and attributes are those of `GridSearchCV`, and so are the results, to
    rounding. Candidates that differ only in `learning_rate_init`, `weight_scale`, `alpha` and
    `random_state` share a program; others have one for each combination. Mini-batches,
    `n_iter_no_change`, `warm_start`, initial weights as arguments and a `random_state` that is no
    integer are trained one by one, as there. `n_jobs` and `pre_dispatch` have no effect.

    `mean_fit_time` has the time of the programs in equal parts.
    """

    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Self:
        """Train and score every candidate on every split, and the best on all examples.

        Args:
            X: (n_samples, n_features).
            y: Two classes, (n_samples,).
            params: `groups` for the splits, and what the `fit` of the estimator takes.

        Raises:
            ValueError: As `GridSearchCV`, or if the estimator is no `JaxnetClassifier`.
        """
        if not isinstance(self.estimator, JaxnetClassifier):
            raise UsageError(
                f"estimator is of type {type(self.estimator).__name__}",
                "a JaxnetClassifier, whose examples are the same in every split",
                "take GridSearchCV for pipelines and other estimators",
            )
        groups = params.pop("groups", None)
        splits = list(check_cv(self.cv, y, classifier=True).split(X, y, groups))
        began = time.perf_counter()
        networks = _train_all(self, X, y, [np.asarray(train) for train, _ in splits], params)
        seconds = time.perf_counter() - began
        search = GridSearchCV(
            _prepared(self.estimator, networks),
            **{
                name: value
                for name, value in self.get_params(deep=False).items()
                if name not in ("estimator", "cv", "n_jobs", "pre_dispatch")
            },
            cv=splits,
        )
        # The search divides it as it divides the weights of the examples.
        rows = {"rows": np.arange(_num_samples(X))} if networks else {}
        search.fit(X, y, **params, **rows)
        search.cv_results_["mean_fit_time"] += seconds / max(len(networks), 1)
        for name, value in vars(search).items():
            if name.endswith("_"):
                setattr(self, name, value)
        if self.scoring is None:  # the estimator's own score, of which the search has kept its own
            self.scorer_ = check_scoring(self.estimator)
        if self.refit:
            best = clone(self.estimator).set_params(**search.best_params_)
            for name, value in vars(search.best_estimator_).items():
                setattr(best, name, value)
            self.best_estimator_ = best
        return self


def _prepared(estimator: JaxnetClassifier, networks: dict[Key, Arrays]) -> JaxnetClassifier:
    """Make an estimator like another one, whose `fit` takes a network where it is trained."""

    class Prepared(JaxnetClassifier):
        def fit(self, X: Any, y: Any, *args: Any, rows: Any = None, **params: Any) -> Self:
            network = None if rows is None else networks.get(_key(self, rows))
            if network is None:
                return super().fit(X, y, *args, **params)
            _, y = self._convert(X, y, reset=True)
            self.classes_ = np.unique(y)
            self.coefs_ = [network[name].T for name in ("W1", "W2")]
            self.intercepts_ = [network[name][:, 0] for name in ("b1", "b2")]
            self.n_iter_ = self.max_iter
            return self

    return Prepared(**clone(estimator).get_params())


def _key(estimator: JaxnetClassifier, rows: np.ndarray) -> Key:
    parameters = ((name, repr(value)) for name, value in estimator.get_params().items())
    return tuple(sorted(parameters)), np.asarray(rows, np.int64).tobytes()


def _train_all(
    search: JaxnetSearchCV, X: Any, y: Any, trains: list[np.ndarray], params: dict[str, Any]
) -> dict[Key, Arrays]:
    """Train what can be trained together; the search trains the rest, and raises its errors."""
    if y is None or set(params) - {"sample_weight"} or get_config()["enable_metadata_routing"]:
        return {}
    try:
        X, y = clone(search.estimator)._convert(X, y, reset=True)
        given = params.get("sample_weight")
        weights = _check_sample_weight(given, X, dtype=X.dtype, ensure_non_negative=True)
    except ValueError:
        return {}
    classes = np.unique(y)
    trains = [train for train in trains if len(np.unique(y[train])) == 2]
    networks: dict[Key, Arrays] = {}
    if len(classes) != 2 or not trains:
        return networks
    with at_precision(X.dtype):
        labels = (y == classes[1])[None].astype(X.dtype)
        examples = Examples(jax.device_put(X.T), jax.device_put(labels))
        for alike in _group(search, trains):
            ways = _weigh(alike[0], y, weights, classes, trains)
            for few, of in _of_one_weight(alike, ways):
                own = [trains[way] for way in of]
                for together in _in_products(few):
                    networks |= _train(together, examples, ways[of], own)
    return networks


def _group(search: JaxnetSearchCV, trains: list[np.ndarray]) -> list[list[JaxnetClassifier]]:
    """Group the candidates by what the networks of a program share."""
    groups: dict[Any, list[JaxnetClassifier]] = {}
    for parameters in ParameterGrid(search.param_grid):
        try:
            one = clone(search.estimator).set_params(**clone(parameters, safe=False))
            check_parameters(one, ACTIVATIONS)
        except (ValueError, TypeError):
            continue
        batch = AUTO_BATCH if isinstance(one.batch_size, str) else one.batch_size
        in_batches = any(true_batch(len(train), batch) is not None for train in trains)
        seeded = isinstance(one.random_state, numbers.Integral)
        if in_batches or not seeded or one.warm_start or one.n_iter_no_change != math.inf:
            continue
        n_h, momentum = hidden_units(one.hidden_layer_sizes), (one.momentum, one.nesterovs_momentum)
        shared = (n_h, one.activation, *momentum, one.max_iter, repr(one.class_weight))
        groups.setdefault(shared, []).append(one)
    return list(groups.values())


def _weigh(
    one: JaxnetClassifier,
    y: np.ndarray,
    weights: np.ndarray,
    classes: np.ndarray,
    trains: list[np.ndarray],
) -> np.ndarray:
    """Compute the weight of each example on each split, (splits, m); a repeated row adds up."""
    ways = np.zeros((len(trains), len(y)), weights.dtype)
    for way, train in zip(ways, trains, strict=True):
        of_class = compute_class_weight(one.class_weight, classes=classes, y=y[train])
        np.add.at(way, train, weights[train] * of_class[(y[train] == classes[1]).astype(int)])
    return ways


def _of_one_weight(
    alike: list[JaxnetClassifier], ways: np.ndarray
) -> Iterator[tuple[list[JaxnetClassifier], np.ndarray]]:
    """Yield candidates with the splits on which alpha is one weight decay for each of them."""
    plain = [one for one in alike if not one.alpha]
    decaying = [one for one in alike if one.alpha]
    totals = ways.sum(axis=1)
    if plain:
        yield plain, np.flatnonzero(totals > 0)
    if decaying:
        for total in np.unique(totals[totals > 0]):
            yield decaying, np.flatnonzero(totals == total)


def _in_products(few: list[JaxnetClassifier]) -> list[list[JaxnetClassifier]]:
    """Divide candidates so that each part has every variant with every seed."""
    distinct = {(_variant(one, 1.0), _seed(one)) for one in few}
    seeds = {seed for _, seed in distinct}
    if len(distinct) == len({variant for variant, _ in distinct}) * len(seeds):
        return [few]
    return [[one for one in few if _seed(one) == seed] for seed in seeds]


def _variant(one: JaxnetClassifier, total: float) -> Variant:
    return Variant(float(one.learning_rate_init), one.weight_scale, float(one.alpha / total))


def _seed(one: JaxnetClassifier) -> int:
    return int(one.random_state)  # type: ignore[arg-type]  # _group leaves out what is none


def _train(
    few: list[JaxnetClassifier],
    examples: Examples,
    ways: np.ndarray,
    trains: Sequence[np.ndarray],
) -> dict[Key, Arrays]:
    """Train every variant of some candidates with every seed, on every split."""
    one, total = few[0], float(ways[0].sum())
    variants = list(dict.fromkeys(_variant(each, total) for each in few))
    seeds = list(dict.fromkeys(_seed(each) for each in few))
    try:
        settings = Settings(
            hidden_units=hidden_units(one.hidden_layer_sizes),
            activation=ACTIVATIONS[one.activation][0].name,
            momentum=one.momentum,
            nesterov=bool(one.nesterovs_momentum),
            iterations=one.max_iter,
            precision=str(ways.dtype),
        )
        ends = train_networks(
            examples,
            settings,
            seeds=np.array(seeds),
            variants=variants,
            example_weights=ways,
            keep_params=True,
        )
    except ValueError:  # a weight decay that overshoots, say, which scikit-learn allows
        return {}
    assert ends.params is not None
    networks = {}
    for each in few:
        v, k = variants.index(_variant(each, total)), seeds.index(_seed(each))
        for w, train in enumerate(trains):
            if ends.outcomes[v, w, k] != "not finite":
                network = {name: leaf[v, w, k] for name, leaf in ends.params.items()}
                networks[_key(each, train)] = network
    return networks
