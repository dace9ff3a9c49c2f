"""Checks of the arrays that public functions take, before anything is computed.

`check_arrays` looks at shapes and types only: some microseconds for a call, nothing for a compiled
program, where it runs while the program is traced. `check_values` looks at the numbers themselves,
once for a training. `check_untraced` refuses traced arrays, which training cannot work with.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.activations import ACTIVATIONS, Activation, relu
from jaxnet.devices import find_devices
from jaxnet.errors import DataError, UsageError

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
PARAM_NAMES = ("W1", "b1", "W2", "b2")


def check_arrays(params: Any, X: Any, *rows: Any, hidden: Any = relu) -> None:
    """Check that params, X, Y and weights are arrays that fit together, and `hidden` an Activation.

    Args:
        params: W1 (n_h, n_x), b1 (n_h, 1), W2 (1, n_h), b2 (1, 1).
        X: (n_x, m).
        rows: Y (1, m), and weights (1, m) or None, of a function that takes them.
        hidden: The activation of the hidden units.

    Raises:
        DataError: If a shape or a type does not fit.
        UsageError: If `hidden` is no Activation, float64 is given while JAX is set to 32 bits, or
            JAX cannot use the device that it is told to use.
    """
    check_activation(hidden)
    check_params(params)
    check_columns(X, params["W1"].shape)
    arrays = {name: params[name] for name in PARAM_NAMES} | {"X": X}
    check_types(arrays | (check_rows(*rows, m=X.shape[1]) if rows else {}))


def check_params(params: Any) -> None:
    """Raise a DataError unless params holds W1, b1, W2 and b2, and their shapes fit together."""
    remedy = "make params by init_params or load_model"
    expected = "arrays W1 (n_h, n_x), b1 (n_h, 1), W2 (1, n_h), b2 (1, 1)"
    if not isinstance(params, Mapping):
        raise DataError(
            f"params is of type {type(params).__name__}", f"a dict of {expected}", remedy
        )
    shapes = {name: _shape(array) for name, array in params.items()}
    n_h, n_x = (*(shapes.get("W1") or ()), 0, 0)[:2]
    if shapes != {"W1": (n_h, n_x), "b1": (n_h, 1), "W2": (1, n_h), "b2": (1, 1)} or not n_h * n_x:
        held = [
            f"{name} {type(array).__name__ if shapes[name] is None else shapes[name]}"
            for name, array in params.items()
        ]
        raise DataError(f"params holds {', '.join(held) or 'nothing'}", expected, remedy)


def check_columns(X: Any, shape: tuple[int, int] | None = None) -> None:
    """Raise a DataError unless X is (n_x, m), with n_x that of W1 of this shape if it is given."""
    found = _shape(X)
    if found is None:
        raise DataError(
            f"X is of type {type(X).__name__}", "an array (n_x, m)", "make it by to_columns"
        )
    n_x = None if shape is None else shape[1]
    if len(found) == 2 and n_x in (None, found[0]) and 0 not in found:
        return
    remedy = "make it by to_columns"
    if len(found) == 1:
        remedy = "one picture is X[:, i : i + 1], or X.reshape(-1, 1)"
    elif found[1:] == (n_x,):
        remedy = "transpose it: X.T"
    raise DataError(
        f"X has shape {found}" + ("" if shape is None else f" for W1 {tuple(shape)}"),
        f"({'n_x' if n_x is None else n_x}, m): one example is one column",
        remedy,
    )


def check_rows(Y: Any, weights: Any = None, *, m: int | None = None) -> dict[str, Any]:
    """Raise a DataError unless Y, and weights if given, are rows (1, m); return them by name.

    Another shape would be broadcast. Where m is not known, it is that of Y.
    """
    rows = {"Y": Y} if weights is None else {"Y": Y, "weights": weights}
    for name, row in rows.items():
        shape = _shape(row)
        if m is None and shape is not None and len(shape) == 2 and shape[1] > 0:
            m = shape[1]
        if shape != (1, m):
            raise DataError(
                f"{name} is of type {type(row).__name__}"
                if shape is None
                else f"{name} has shape {shape}",
                f"an array (1, {'m' if m is None else m}), a row",
                f"make it by to_row, or {name}.reshape(1, -1)",
            )
    return rows


def check_types(arrays: Mapping[str, Any]) -> None:
    """Raise an error unless all arrays are float32, or all float64 and JAX set to 64 bits.

    Raises:
        DataError: If they are of another type, or of several.
        UsageError: If JAX is set to 32 bits, or cannot use the device that it is told to use.
    """
    find_devices()  # what is computed next would raise JAX's own error
    dtypes = {array.dtype for array in arrays.values()}
    if len(dtypes) > 1 or dtypes.isdisjoint(_FLOATS):
        raise DataError(
            "the arrays are of the types "
            + ", ".join(f"{name} {array.dtype}" for name, array in arrays.items()),
            "float32 or float64, the same for all",
            "give the same dtype to init_params, to_columns and to_row",
        )
    if _FLOATS[1] in dtypes and jax.dtypes.canonicalize_dtype(np.float64) != _FLOATS[1]:
        raise UsageError(
            f"{', '.join(arrays)} are of type float64, but JAX is set to 32 bits",
            "64 bits for float64, which JAX would turn into float32",
            "compute within `with jax.enable_x64(True):`, or give float32",
        )


def check_values(Y: Any, weights: Any = None) -> None:
    """Check the numbers of Y and weights, which are arrays (1, m).

    Raises:
        DataError: If a label is not 0 or 1, or a weight is negative or not finite, or all are 0.
        UsageError: Within a traced program, where arrays have no values.
    """
    check_untraced(Y, weights)
    check_labels(np.asarray(Y), Y.size, "Y")
    if weights is None:
        return
    w = np.asarray(weights)
    if not (np.isfinite(w).all() and w.min() >= 0 and w.max() > 0):
        raise DataError(
            f"weights run from {w.min()} to {w.max()}",
            "finite numbers, 0 or more, not all of them 0",
            "correct the weights, or leave them out",
        )


def check_untraced(*trees: Any) -> None:
    """Raise a UsageError within a traced program, where arrays have no values."""
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(trees)):
        raise UsageError(
            "this is called within jit, grad, vmap or scan, where arrays have no values",
            "a call with arrays of numbers: training is compiled inside",
            "call it outside; inside a program of your own, differentiate loss by jax.grad",
        )


def check_labels(labels: np.ndarray, m: int, name: str) -> None:
    """Raise a DataError unless there are m labels, each 0 or 1."""
    if labels.size != m:
        raise DataError(
            f"{name} has {labels.size} labels for {m} pictures",
            "one label for each picture",
            "take the labels that belong to these pictures",
        )
    values = np.unique(labels)
    if not np.isin(values, (0, 1)).all():
        shown = ", ".join(str(value) for value in values[:8]) + (", …" if len(values) > 8 else "")
        raise DataError(
            f"{name} holds the labels {shown}",
            "0 and 1 only, 1 for the positive class",
            "convert the labels to 0 and 1; the network has two classes",
        )


def check_activation(hidden: Any) -> None:
    """Raise a UsageError unless `hidden` is an Activation."""
    if isinstance(hidden, Activation):
        return
    name = getattr(hidden, "__name__", type(hidden).__name__)
    known = hidden if isinstance(hidden, str) else name
    raise UsageError(
        f"hidden is {hidden!r}" if isinstance(hidden, str) else f"hidden is the function {name}",
        "an Activation, which has a name, a function and its slope",
        f"give jaxnet.{known}"
        if known in ACTIVATIONS
        else f'give Activation("{known}", function, slope), with slope(Z) = g′(Z)',
    )


def check_key(key: Any) -> None:
    """Raise a UsageError unless `key` is one JAX random key."""
    dtype = getattr(key, "dtype", None)
    if dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key):
        if key.shape == ():
            return
    elif dtype == np.uint32 and key.ndim == 1:  # as jax.random.PRNGKey makes it
        with contextlib.suppress(TypeError, ValueError):  # it is of another random generator
            jax.random.wrap_key_data(key)
            return
    shape = getattr(key, "shape", None)
    raise UsageError(
        f"key is {key!r} of type {type(key).__name__}" if not shape else f"key has shape {shape}",
        "one JAX random key",
        f"give jax.random.key({key})"
        if isinstance(key, int)
        else "give jax.random.key(0), for example",
    )


def _shape(array: Any) -> tuple[int, ...] | None:
    """Return the shape of an array of NumPy or JAX, traced or not; None for all else."""
    return array.shape if isinstance(array, jax.Array | np.ndarray) else None
