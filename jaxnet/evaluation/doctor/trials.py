"""What training must achieve, and what it must not, tried on made pictures."""

import math

import jax
import numpy as np
from scipy import stats

from jaxnet.evaluation.doctor.check import Check, require_small
from jaxnet.evaluation.doctor.subjects import Pipeline, make_pictures
from jaxnet.network import Params
from jaxnet.outcomes import label_entropy

SHUFFLES = 20
CONFIDENCE = 0.99


def check_first_cost(pipeline: Pipeline) -> Check:
    """Compare the cost of tiny first weights with ln 2, that of saying ½ to everything."""
    X, Y = pipeline.prepare(*make_pictures(30))
    params = pipeline.init_params(jax.random.key(0), len(X), scale=1e-4, dtype=X.dtype)
    cost = _cost(pipeline, params, X, Y)
    check = require_small(
        "first cost",
        abs(cost - math.log(2)),
        1e-4,
        holds="tiny weights say ½ to every picture, and pay ln 2 for each",
        broken="tiny weights should say ½ to every picture, and pay ln 2 = 0.6931 for each",
        remedy="look for a sum where the mean belongs, another base of the logarithm, biases that "
        "do not start at 0, or weights larger than asked",
    )
    return check._replace(number=cost, found=f"cost {cost:.4f}, ln 2 is 0.6931")


def check_two_pictures(pipeline: Pipeline) -> Check:
    """Train on one picture of each class: that must be learnt by heart."""
    images, labels = make_pictures(3)
    X, Y = pipeline.prepare(images[1:], labels[1:])
    params = pipeline.init_params(jax.random.key(0), len(X), scale="he", dtype=X.dtype)
    trained = pipeline.fit(params, X, Y, learning_rate=0.1, iterations=1000)
    cost = _cost(pipeline, trained.params, X, Y)
    check = require_small(
        "two pictures",
        cost,
        0.01,
        holds="one picture of each class is learnt by heart",
        broken="what cannot learn two pictures by heart is not trained by its cost",
        remedy="look whether the step goes down (W − α dW), whether every parameter is updated, "
        "and whether X and Y belong together",
    )
    return check._replace(found=f"cost {cost:.4f}, at most 0.01")


def check_blank_pictures(pipeline: Pipeline) -> Check:
    """Train on pictures that show nothing: the class rate can be learnt, and no more."""
    images, labels = make_pictures(30)
    X, Y = pipeline.prepare(np.full_like(images, 128), labels)
    params = pipeline.init_params(jax.random.key(0), len(X), dtype=X.dtype)
    trained = pipeline.fit(params, X, Y, learning_rate=0.5, iterations=500)
    cost, entropy = _cost(pipeline, trained.params, X, Y), label_entropy(Y)
    check = require_small(
        "blank pictures",
        abs(cost - entropy),
        0.01 * entropy,
        holds="where nothing is to be seen, the class rate is learnt and no more",
        broken="where nothing is to be seen, something other than the picture is learnt from"
        if cost < entropy
        else "where nothing is to be seen, not even the class rate is learnt",
        remedy="look where the label gets into X"
        if cost < entropy
        else "look whether b2 is updated, and whether the labels reach the cost",
    )
    return check._replace(number=cost, found=f"cost {cost:.4f}, class rate alone {entropy:.4f}")


def check_shuffled_labels(pipeline: Pipeline) -> Check:
    """Train on labels that say nothing about the pictures: those of others cannot be foreseen.

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
        areas.append(stats.mannwhitneyu(A2[positive], A2[~positive]).statistic / (n * k))
    spread = math.sqrt((n + k + 1) / (12 * n * k) / SHUFFLES)
    reach = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * spread
    mean = float(np.mean(areas))
    check = require_small(
        "shuffled labels",
        abs(mean - 0.5),
        reach,
        holds="what was learnt from shuffled labels is worth a coin toss on other pictures",
        broken="labels drawn at random are foreseen, so they get to the network on another way "
        "than as training labels",
        remedy="look for the label in X, for test pictures among the training pictures, and for a "
        "preparation that looks at the labels",
    )
    chance = f"{0.5 - reach:.2f}–{0.5 + reach:.2f}"
    found = f"AUC {mean:.2f} over {SHUFFLES} shuffles, {chance} by chance"
    return check._replace(number=mean, found=found)


def _cost(pipeline: Pipeline, params: Params, X: jax.Array, Y: jax.Array) -> float:
    return float(jax.jit(pipeline.loss)(params, X, Y))
