"""Activation functions g(z) and their slopes g′(z)."""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp


@dataclasses.dataclass(frozen=True)
class Activation:
    """A function applied to every element of Z, together with its slope.

    It is called like a function, `A1 = hidden(Z1)`, and can be a static argument of `jax.jit`.

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


# σ(z) = 1 / (1 + e^−z). The slope is σ(z) σ(−z), not a (1 − a), which rounds to 0 as soon as a
# rounds to 1 (in float32 from z = 17 on).
sigmoid = Activation(
    "sigmoid",
    jax.nn.sigmoid,
    lambda Z: jax.nn.sigmoid(Z) * jax.nn.sigmoid(-Z),
)

# max(0, z), with the slope 0 at z = 0, as the article chooses. jnp.maximum would have ½ there.
relu = Activation(
    "relu",
    jax.nn.relu,
    lambda Z: jnp.where(Z > 0, jnp.ones_like(Z), 0.0),
)

# z where z > 0, else 0.01 z: a unit that is off still learns. The slope at 0 is 0.01;
# jax.nn.leaky_relu has 1 there.
leaky_relu = Activation(
    "leaky_relu",
    lambda Z: jnp.where(Z > 0, Z, 0.01 * Z),
    lambda Z: jnp.where(Z > 0, jnp.ones_like(Z), 0.01),
)

ACTIVATIONS = {activation.name: activation for activation in (relu, leaky_relu, sigmoid)}
