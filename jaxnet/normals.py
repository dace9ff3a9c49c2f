"""The normal numbers from which the first weights are made: JAX's own, with little to compile.

For the random bits of a network XLA compiles half a second, more than its training takes; NumPy
draws the same ones at once. What makes normal numbers of them is compiled, since no function of
NumPy rounds as XLA does.
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxnet.threefry import random_bits, split

# NumPy needs more memory than JAX's program, which is worth compiling for more numbers than these.
MOST_IN_NUMPY = 2**22

# Random bits are filled up to a multiple of this, so that small networks share a compiled program.
STEP = 4096


def default_generator() -> str:
    """Return the name of the random generator that JAX is set to."""
    return str(jax.config.values["jax_default_prng_impl"])


def make_key(seed: int, generator: str | None = None) -> jax.Array:
    """Make `jax.random.key(seed, impl=generator)` of a seed below 2³²; of Threefry, uncompiled."""
    generator = generator or default_generator()
    if generator != "threefry2x32":
        return jax.random.key(seed, impl=generator)
    data = jax.device_put(np.array([0, seed], np.uint32))
    return jax.random.wrap_key_data(data, impl=generator)


def draw_normals(key: jax.Array, n_x: int, n_h: int) -> tuple[Any, Any]:
    """Draw what the first weights are before they are scaled: (n_h, n_x) and (1, n_h) of N(0, 1).

    Always in float32, because float64 would draw other numbers from the same key.

    Returns:
        NumPy arrays, for whose scaling nothing is compiled; traced arrays of a traced key.
    """
    if isinstance(key, jax.core.Tracer):
        return _draw(key, n_x, n_h)
    if n_h * n_x > MOST_IN_NUMPY or not _is_threefry(key):
        W1, W2 = _draw(key, n_x, n_h)
        return np.asarray(W1), np.asarray(W2)
    key1, key2 = split(np.asarray(jax.random.key_data(key)))
    W1, end = n_h * n_x, n_h * n_x + n_h
    bits = np.zeros(STEP * math.ceil(end / STEP), np.uint32)
    bits[:W1], bits[W1:end] = random_bits(key1, W1), random_bits(key2, n_h)
    drawn = np.asarray(_normals(bits))
    return drawn[:W1].reshape(n_h, n_x), drawn[W1:end].reshape(1, n_h)


def _is_threefry(key: jax.Array) -> bool:
    """Return whether JAX draws from a key as `threefry` does, which is its default."""
    partitionable = jax.config.values.get("jax_threefry_partitionable", True)
    return bool(partitionable) and str(jax.random.key_impl(key)) == "threefry2x32"


@functools.partial(jax.jit, static_argnames=("n_x", "n_h"))
def _draw(key: jax.Array, n_x: int, n_h: int) -> tuple[jax.Array, jax.Array]:
    """Draw by JAX alone."""
    key1, key2 = jax.random.split(key)
    W1 = jax.random.normal(key1, (n_h, n_x), jnp.float32)
    return W1, jax.random.normal(key2, (1, n_h), jnp.float32)


@jax.jit
def _normals(bits: jax.Array) -> jax.Array:
    """Compute what `jax.random.normal` makes of random bits in float32."""
    from_1_to_2 = lax.bitcast_convert_type((bits >> 9) | np.uint32(0x3F800000), jnp.float32)
    least = np.nextafter(np.float32(-1), np.float32(0))
    uniform = jnp.maximum(least, (from_1_to_2 - 1) * (1 - least) + least)
    return np.float32(math.sqrt(2)) * lax.erf_inv(uniform)
