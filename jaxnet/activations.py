"""Activation functions g(z) and their slopes g′(z)."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


@dataclasses.dataclass(frozen=True)
class Activation:
    """An elementwise activation function with its slope.

    It is called like a function, `A1 = hidden(Z1)`, and can be a static argument of `jax.jit`.
    Those of `ACTIVATIONS` are pickled by name.

    Attributes:
        name: Its name in `ACTIVATIONS`, on the command line and in a model file.
        function: g(z), elementwise.
        slope: g′(z), elementwise, written by hand for the article's formulas.
    """

    name: str
    function: Callable[[jax.Array], jax.Array]
    slope: Callable[[jax.Array], jax.Array]

    def __call__(self, Z: jax.Array) -> jax.Array:
        """Apply the function to every element of Z."""
        return self.function(Z)

    def __reduce__(self) -> Any:
        """Pickle one of `ACTIVATIONS` by its name, since its functions cannot be pickled."""
        if ACTIVATIONS.get(self.name) == self:
            return _by_name, (self.name,)
        return Activation, (self.name, self.function, self.slope)


# σ(z) = 1 / (1 + e^−z). The slope is σ(z) σ(−z), not a (1 − a), which rounds to 0 as soon as a
# rounds to 1 (in float32 from z = 17 on).
sigmoid = Activation(
    "sigmoid",
    jax.nn.sigmoid,
    lambda Z: jax.nn.sigmoid(Z) * jax.nn.sigmoid(-Z),
)

# max(0, z), with slope 0 at z = 0, as in the article; jnp.maximum has slope ½ at 0.
relu = Activation(
    "relu",
    jax.nn.relu,
    lambda Z: jnp.where(Z > 0, jnp.ones_like(Z), 0.0),
)

# z where z > 0, else 0.01 z: an inactive unit still has a gradient. The slope at 0 is 0.01; that of
# jax.nn.leaky_relu is 1.
leaky_relu = Activation(
    "leaky_relu",
    lambda Z: jnp.where(Z > 0, Z, 0.01 * Z),
    lambda Z: jnp.where(Z > 0, jnp.ones_like(Z), 0.01),
)

ACTIVATIONS = {activation.name: activation for activation in (relu, leaky_relu, sigmoid)}


def _by_name(name: str) -> Activation:
    return ACTIVATIONS[name]
