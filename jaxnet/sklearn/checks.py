"""Checks of what a `JaxnetClassifier` is given, in the names that scikit-learn uses."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from jaxnet import defaults
from jaxnet.errors import DataError, UsageError, require_choice, require_integer, require_number

Arrays = dict[str, np.ndarray]  # W1 (n_h, n_x), b1 (n_h, 1), W2 (1, n_h), b2 (1, 1)


def check_parameters(estimator: Any, activations: Iterable[str]) -> None:
    """Raise a UsageError for a parameter of an estimator that is out of its range."""
    if estimator.solver != "sgd":
        raise UsageError(
            f"solver is {estimator.solver!r}",
            '"sgd"',
            "take MLPClassifier for its other solvers, or jaxnet.fit with an optimizer of optax",
        )
    require_choice("activation", estimator.activation, tuple(activations))
    hidden_units(estimator.hidden_layer_sizes)
    for name, least, greatest in (
        ("alpha", 0, math.inf),
        ("learning_rate_init", 0, math.inf),
        ("momentum", 0, 1),
        ("tol", 0, math.inf),
    ):
        require_number(name, getattr(estimator, name), least, greatest)
    for name in ("shuffle", "warm_start", "nesterovs_momentum"):
        value = getattr(estimator, name)
        if not isinstance(value, bool | np.bool_):
            raise UsageError(f"{name} is {value!r}", "True or False", f"give one as {name}")
    if isinstance(estimator.batch_size, str):
        require_choice("batch_size", estimator.batch_size, ("auto",))
    elif estimator.batch_size is not None:
        require_integer("batch_size", estimator.batch_size, 1)
    require_integer("max_iter", estimator.max_iter, 1, defaults.MOST_ITERATIONS)
    if estimator.n_iter_no_change != math.inf:
        require_integer("n_iter_no_change", estimator.n_iter_no_change, 1)


def hidden_units(sizes: Any) -> int:
    """Return the number of hidden units that `hidden_layer_sizes` means.

    Raises:
        UsageError: If it means another number of layers than one, or no number of units.
    """
    layers = list(sizes) if isinstance(sizes, Iterable) and not isinstance(sizes, str) else [sizes]
    if len(layers) != 1:
        raise UsageError(
            f"hidden_layer_sizes is {sizes!r}, which means {len(layers)} hidden layers",
            "one hidden layer",
            "give (8,), for example; MLPClassifier trains deeper networks",
        )
    require_integer("hidden_layer_sizes", layers[0], 1, defaults.MOST_HIDDEN_UNITS)
    return int(layers[0])


def require_two(classes: np.ndarray, name: str) -> np.ndarray:
    """Return the classes if they are two.

    Raises:
        DataError: If they are not.
    """
    if len(classes) != 2:
        number = "1 class" if len(classes) == 1 else f"{len(classes)} classes"
        shown = classes[:8].tolist()
        raise DataError(f"{name} holds {number}: {shown}", "two classes", "take examples of two")
    return classes


def require_known(found: np.ndarray, classes: np.ndarray, name: str) -> None:
    """Raise a DataError if a class is none of those that the estimator knows."""
    if not np.isin(found, classes).all():
        raise DataError(
            f"{name} holds the classes {np.unique(found).tolist()}",
            f"the classes of the first call, {classes.tolist()}",
            "take examples of these two, or a new estimator",
        )


def given_params(coefs: Any, intercepts: Any, params: Arrays) -> Arrays:
    """Return initial parameters that are given in the shapes of `coefs_` and `intercepts_`.

    Args:
        coefs: W1ᵀ (n_x, n_h) and W2ᵀ (n_h, 1), or None.
        intercepts: b1 (n_h,) and b2 (1,), or None.
        params: What they replace.

    Raises:
        DataError: If a shape is another, or a number is not finite.
    """
    replaced: Arrays = {}
    for argument, given, names in (
        ("coef_init", coefs, ("W1", "W2")),
        ("intercept_init", intercepts, ("b1", "b2")),
    ):
        if given is None:
            continue
        flat = argument == "intercept_init"
        shapes = [params[name].T.shape[1 if flat else 0 :] for name in names]
        if [np.shape(array) for array in given] != shapes:
            raise DataError(
                f"{argument} holds arrays of the shapes {[np.shape(array) for array in given]}",
                f"the shapes {shapes}",
                "give the arrays of a network of this size with one hidden layer",
            )
        for name, array in zip(names, given, strict=True):
            row = np.asarray(array, params[name].dtype)
            replaced[name] = row[:, None] if flat else row.T
    for name, array in replaced.items():
        if not np.isfinite(array).all():
            raise DataError(f"the initial {name} is not finite", "finite numbers", "correct it")
    return replaced
