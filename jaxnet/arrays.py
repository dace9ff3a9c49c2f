"""Whether parameters, X, Y and weights fit together, asked where they come in."""

from collections.abc import Mapping

import jax
import numpy as np

from jaxnet.errors import DataError


def check_labels(labels: np.ndarray, m: int, where: str) -> None:
    """Raise a DataError unless there are m labels, each 0 or 1."""
    if labels.size != m:
        raise DataError(
            f"{where} has {labels.size} labels for {m} pictures",
            "one label a picture",
            "take the labels that belong to these pictures",
        )
    values = np.unique(labels)
    if not np.isin(values, (0, 1)).all():
        shown = ", ".join(str(value) for value in values[:8]) + (", …" if len(values) > 8 else "")
        raise DataError(
            f"{where} holds the labels {shown}",
            "0 and 1 only, 1 for the positive class",
            "turn the labels into 0 and 1; this network tells two classes apart",
        )


def check_params(params: Mapping[str, jax.Array | np.ndarray]) -> None:
    """Raise a DataError unless params holds W1, b1, W2 and b2, and their shapes fit together."""
    found = {name: np.shape(array) for name, array in params.items()}
    n_h, n_x = (*found.get("W1", ()), 0, 0)[:2]
    expected = {"W1": (n_h, n_x), "b1": (n_h, 1), "W2": (1, n_h), "b2": (1, 1)}
    if found != expected or not n_h * n_x:
        raise DataError(
            "params holds " + ", ".join(f"{name} {shape}" for name, shape in found.items()),
            "W1 (n_h, n_x), b1 (n_h, 1), W2 (1, n_h), b2 (1, 1)",
            "make params by init_params or load_model",
        )


def check_row(name: str, row: jax.Array, m: int) -> None:
    """Raise a DataError unless `row` is (1, m); another shape would be broadcast without a word."""
    if np.shape(row) != (1, m):
        raise DataError(
            f"{name} has shape {np.shape(row)}",
            f"(1, {m}), a row",
            f"make it by to_row, or {name}.reshape(1, -1)",
        )


def check_inputs(params: Mapping[str, jax.Array], X: jax.Array) -> None:
    """Raise a DataError unless params and X fit together in shape and precision."""
    check_params(params)
    n_x = params["W1"].shape[1]
    if X.ndim != 2 or len(X) != n_x:
        raise DataError(
            f"X has shape {X.shape} for W1 {params['W1'].shape}",
            f"({n_x}, m): one example is one column",
            "transpose it: X.T" if X.shape[1:] == (n_x,) else "make it by to_columns",
        )
    dtypes = {str(array.dtype) for array in (*params.values(), X)}
    if len(dtypes) > 1 or not dtypes <= {"float32", "float64"}:
        raise DataError(
            f"params and X are of the types {', '.join(sorted(dtypes))}",
            "float32 or float64, the same for all",
            "give the same dtype to init_params and to_columns",
        )


def check_targets(X: jax.Array, Y: jax.Array, weights: jax.Array | None) -> None:
    """Raise a DataError unless Y and weights fit X in shape, precision and range."""
    rows = {"Y": Y} if weights is None else {"Y": Y, "weights": weights}
    for name, row in rows.items():
        check_row(name, row, X.shape[1])
        if row.dtype != X.dtype:
            raise DataError(
                f"{name} is of type {row.dtype}, X of type {X.dtype}",
                "one type for all",
                f"make Y by to_row(labels, dtype=X.dtype), or {name}.astype(X.dtype)",
            )
    check_labels(np.asarray(Y), Y.size, "Y")
    if weights is not None and not (np.min(weights) >= 0 and 0 < np.sum(weights) < np.inf):
        raise DataError(
            f"weights run from {np.min(weights)} to {np.max(weights)}",
            "finite numbers, 0 or more, not all of them 0",
            "give such weights, or none",
        )
