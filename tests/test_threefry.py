"""JAX's default random bits without JAX: the same bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet.threefry import random_bits, split


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_draws_the_bits_of_jax(seed: int) -> None:
    key = jax.random.wrap_key_data(jnp.array([seed, 7], jnp.uint32), impl="threefry2x32")
    data = np.asarray(jax.random.key_data(key))
    np.testing.assert_array_equal(split(data), jax.random.key_data(jax.random.split(key)))
    for shape in ((1,), (3, 5), (4, 1000)):
        bits = random_bits(data, int(np.prod(shape))).reshape(shape)
        assert bits.dtype == np.uint32
        np.testing.assert_array_equal(bits, jax.random.bits(key, shape))


def test_draws_from_several_keys() -> None:
    keys = np.array([[[1, 2], [3, 4]]], np.uint32)
    bits = random_bits(keys, 9)
    assert bits.shape == (1, 2, 9)
    for i in range(2):
        np.testing.assert_array_equal(bits[0, i], random_bits(keys[0, i], 9))
