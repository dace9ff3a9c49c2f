"""The network in NumPy: what tests compare with, and nothing to compile."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jaxnet.activations import Activation, leaky_relu, relu, sigmoid

FUNCTIONS: dict[Activation, Callable[[np.ndarray], np.ndarray]] = {
    relu: lambda z: np.maximum(z, 0),
    leaky_relu: lambda z: np.where(z > 0, z, 0.01 * z),
    sigmoid: lambda z: 1 / (1 + np.exp(-z)),
}


def predict(params: Mapping[str, Any], X: Any, hidden: Activation = relu) -> np.ndarray:
    """Compute the probability of class 1 of each example of X (n_x, m): (m,)."""
    W1, b1, W2, b2 = (np.asarray(params[name]) for name in ("W1", "b1", "W2", "b2"))
    A1 = FUNCTIONS[hidden](W1 @ np.asarray(X) + b1)
    A2: np.ndarray = FUNCTIONS[sigmoid](W2 @ A1 + b2)
    return A2[0]
