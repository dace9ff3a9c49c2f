"""Short trainings on generated pictures: what they must learn, and what they must not."""

import math

import jax
import numpy as np

from jaxnet.evaluation.doctor.check import Result, require_small
from jaxnet.evaluation.doctor.pipeline import Pipeline, make_pictures
from jaxnet.evaluation.significance import normal_quantile, ranks
from jaxnet.network import Params
from jaxnet.outcomes import label_entropy

SHUFFLES = 20
CONFIDENCE = 0.99


def check_first_cost(pipeline: Pipeline) -> Result:
    """Compare the cost of tiny initial weights with ln 2, that of predicting ½ for everything."""
    X, Y = pipeline.prepare(*make_pictures(30))
    params = pipeline.init_params(jax.random.key(0), len(X), weight_scale=1e-4, dtype=X.dtype)
    cost = _cost(pipeline, params, X, Y)
    return require_small(abs(cost - math.log(2)), 1e-4, number=cost)


def check_two_pictures(pipeline: Pipeline) -> Result:
    """Train on one picture of each class, which must be memorised."""
    images, labels = make_pictures(3)
    X, Y = pipeline.prepare(images[1:], labels[1:])
    params = pipeline.init_params(jax.random.key(0), len(X), weight_scale="he", dtype=X.dtype)
    trained = pipeline.fit(params, X, Y, learning_rate=0.1, iterations=1000)
    return require_small(_cost(pipeline, trained.params, X, Y), 0.01)


def check_blank_pictures(pipeline: Pipeline) -> Result:
    """Train on pictures that are all alike, from which only the class rate can be learnt.

    The case is "ok", "below" or "above", as the cost is to the label entropy.
    """
    images, labels = make_pictures(30)
    X, Y = pipeline.prepare(np.full_like(images, 128), labels)
    params = pipeline.init_params(jax.random.key(0), len(X), dtype=X.dtype)
    trained = pipeline.fit(params, X, Y, learning_rate=0.5, iterations=500)
    cost, entropy = _cost(pipeline, trained.params, X, Y), label_entropy(Y)
    result = require_small(abs(cost - entropy), 0.01 * entropy, number=cost, entropy=entropy)
    if result.case == "ok":
        return result
    return result._replace(case="below" if cost < entropy else "above")


def check_shuffled_labels(pipeline: Pipeline) -> Result:
    """Train on labels assigned at random, from which those of other pictures cannot be predicted.

    By chance the area under the ROC curve of n positive and k negative pictures has the mean ½ and
    the variance (n + k + 1) / 12nk (Mann & Whitney 1947, Ann. Math. Stat. 18, 50-60).
    """
    draw = np.random.default_rng(0)
    images, labels = make_pictures(60)
    compute = jax.jit(pipeline.forward)
    areas = []
    for key in jax.random.split(jax.random.key(0), SHUFFLES):
        shuffled = np.concatenate([draw.permutation(half) for half in np.split(labels, 2)])
        X, Y = pipeline.prepare(images, shuffled)
        params = pipeline.init_params(key, len(X), dtype=X.dtype)
        trained = pipeline.fit(params, X[:, :30], Y[:, :30], learning_rate=0.5, iterations=200)
        A2 = np.asarray(compute(trained.params, X[:, 30:]).A2)[0]
        positive = shuffled[30:] == 1
        n, k = positive.sum(), (~positive).sum()
        areas.append((ranks(A2)[positive].sum() - n * (n + 1) / 2) / (n * k))
    deviation = math.sqrt((n + k + 1) / (12 * n * k) / SHUFFLES)
    reach = normal_quantile((1 + CONFIDENCE) / 2) * deviation
    mean = float(np.mean(areas))
    return require_small(
        abs(mean - 0.5),
        reach,
        number=mean,
        shuffles=SHUFFLES,
        low=0.5 - reach,
        high=0.5 + reach,
    )


def _cost(pipeline: Pipeline, params: Params, X: jax.Array, Y: jax.Array) -> float:
    return float(jax.jit(pipeline.loss)(params, X, Y))
