"""What the doctor examines, a pipeline or a trained network, and the tiny problems it is tried on.

A check takes the functions that it tries from a `Pipeline`, so that it can be seen to fail on one
that is broken, or be asked about a formula of one's own: `Pipeline(backward=mine)`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.backprop import backward
from jaxnet.data.columns import to_columns, to_row
from jaxnet.network import Params, forward, init_params, loss
from jaxnet.runs.model_file import Model
from jaxnet.training import fit


def prepare(images: np.ndarray, labels: np.ndarray) -> tuple[jax.Array, jax.Array]:
    """Make X and Y of pictures and labels, in float64."""
    return to_columns(images, dtype=jnp.float64), to_row(labels, dtype=jnp.float64)


class Pipeline(NamedTuple):
    """The functions from pictures to a trained network: the library's, unless others are given.

    Others are written in JAX, and take and return the same.
    """

    prepare: Callable[[np.ndarray, np.ndarray], tuple[jax.Array, jax.Array]] = prepare
    init_params: Callable[..., Params] = init_params
    forward: Callable[..., Any] = forward
    loss: Callable[..., jax.Array] = loss
    backward: Callable[..., Any] = backward
    fit: Callable[..., Any] = fit


class Trained(NamedTuple):
    """A trained network and the data that it is looked at with.

    Attributes:
        model: The network, with its costs and settings as far as they are known.
        X: The training pictures, (n_x, m).
        Y: Their labels, (1, m).
        weights: The weight of each in training, (1, m), or None.
        test: X and Y of the test pictures, or None.
        same: Whether X and Y are what it was trained on.
    """

    model: Model
    X: jax.Array
    Y: jax.Array
    weights: jax.Array | None = None
    test: tuple[jax.Array, jax.Array] | None = None
    same: bool = True


def make_pictures(m: int) -> tuple[np.ndarray, np.ndarray]:
    """Make m pictures of noise, 6 × 6; every third is of class 1, and brighter above."""
    images = np.random.default_rng(0).integers(0, 156, (m, 6, 6, 3), dtype=np.uint8)
    labels = (np.arange(m) % 3 == 2).astype(int)
    images[labels == 1, :3] += 100
    return images, labels


def make_problem(n_x: int = 5, m: int = 5) -> tuple[Params, jax.Array, jax.Array]:
    """Make params of three hidden units, X and Y, in float64.

    X is square unless asked otherwise, so that no shape gives a missing transpose away.
    """
    draw = np.random.default_rng(2)
    shapes = {"W1": (3, n_x), "b1": (3, 1), "W2": (1, 3), "b2": (1, 1)}
    params = {name: jnp.asarray(draw.normal(size=shape)) for name, shape in shapes.items()}
    Y = jnp.asarray(np.arange(m)[None] % 2, jnp.float64)
    return params, jnp.asarray(draw.normal(size=(n_x, m))), Y
