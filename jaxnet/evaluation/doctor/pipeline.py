"""The pipeline that is checked, and the tiny problems it is checked on.

Every check takes the functions it tries from a `Pipeline`. So functions of one's own can be
checked, `Pipeline(backward=mine)`, and a test can show that a broken one fails.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.backprop import backward
from jaxnet.data.columns import to_columns, to_row
from jaxnet.network import Params, forward, init_params, loss
from jaxnet.training import fit


def prepare(images: np.ndarray, labels: np.ndarray) -> tuple[jax.Array, jax.Array]:
    """Turn pictures (m, h, w, 3) and labels (m,) into X (n_x, m) and Y (1, m), in float64."""
    return to_columns(images, dtype=jnp.float64), to_row(labels, dtype=jnp.float64)


class Pipeline(NamedTuple):
    """The functions from pictures to a trained network; each is the library's by default.

    A function of one's own takes and returns the same as the library's. `init_params`, `forward`,
    `loss` and `backward` must be written in JAX.
    """

    prepare: Callable[[np.ndarray, np.ndarray], tuple[jax.Array, jax.Array]] = prepare
    init_params: Callable[..., Params] = init_params
    forward: Callable[..., Any] = forward
    loss: Callable[..., jax.Array] = loss
    backward: Callable[..., Any] = backward
    fit: Callable[..., Any] = fit


def make_pictures(m: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw m pictures of noise, 6 × 6; every third is of class 1, and its upper half is brighter.

    Returns:
        Images (m, 6, 6, 3) uint8 and labels (m,).
    """
    images = np.random.default_rng(0).integers(0, 156, (m, 6, 6, 3), dtype=np.uint8)
    labels = (np.arange(m) % 3 == 2).astype(int)
    images[labels == 1, :3] += 100
    return images, labels


def make_problem(n_x: int = 5, m: int = 5, seed: int = 2) -> tuple[Params, jax.Array, jax.Array]:
    """Draw params of three hidden units, X (n_x, m) and Y (1, m), in float64.

    X is square by default, so that a formula without its transpose still computes something, and
    fails by its values.
    """
    draw = np.random.default_rng(seed)
    shapes = {"W1": (3, n_x), "b1": (3, 1), "W2": (1, 3), "b2": (1, 1)}
    params = {name: draw.normal(size=shape) for name, shape in shapes.items()}
    Y = (np.arange(m)[None] % 2).astype(np.float64)
    # Put there as they are, since jnp.asarray would compile a copy for each shape.
    return jax.device_put((params, draw.normal(size=(n_x, m)), Y))
