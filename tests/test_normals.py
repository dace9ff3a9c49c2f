"""The normal numbers of the first weights: those of JAX, whichever way they are drawn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_work import compiled

from jaxnet import normals
from jaxnet.normals import default_generator, draw_normals, make_key

GENERATORS = ("threefry2x32", "rbg", "unsafe_rbg")


@jax.jit
def by_jax(key: jax.Array) -> tuple[jax.Array, jax.Array]:
    key1, key2 = jax.random.split(key)
    W1 = jax.random.normal(key1, (3, 500), jnp.float32)
    return W1, jax.random.normal(key2, (1, 3), jnp.float32)


@pytest.mark.parametrize(
    ("generator", "precision"),
    [("threefry2x32", 32), ("threefry2x32", 64), ("rbg", 32), ("unsafe_rbg", 64)],
)
def test_they_are_those_of_jax(generator: str, precision: int) -> None:
    with jax.enable_x64(precision == 64):
        for seed in (0, 7, 2**32 - 1):
            key = jax.random.key(seed, impl=generator)
            for drawn, expected in zip(draw_normals(key, 500, 3), by_jax(key), strict=True):
                assert isinstance(drawn, np.ndarray)
                assert drawn.dtype == np.float32
                np.testing.assert_array_equal(drawn, expected)


def test_many_are_drawn_by_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    key = jax.random.key(1)
    few = draw_normals(key, 500, 3)
    monkeypatch.setattr(normals, "MOST_IN_NUMPY", 1499)
    with compiled() as names:
        many = draw_normals(key, 500, 3)
    assert "jit(_draw)" in names
    for drawn, expected in zip(many, few, strict=True):
        np.testing.assert_array_equal(drawn, expected)


def test_a_key_may_be_traced_or_of_the_older_kind() -> None:
    expected = by_jax(jax.random.key(5))
    traced = jax.jit(lambda key: draw_normals(key, 500, 3))(jax.random.key(5))
    older = draw_normals(jax.random.PRNGKey(5), 500, 3)
    for drawn in (traced, older):
        for one, other in zip(drawn, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_another_way_of_counting_is_left_to_jax() -> None:
    with jax.threefry_partitionable(False):
        key = jax.random.key(5)
        others = by_jax(key)
        for drawn, expected in zip(draw_normals(key, 500, 3), others, strict=True):
            np.testing.assert_array_equal(drawn, expected)
    assert not np.array_equal(others[0], by_jax(jax.random.key(5))[0])


@pytest.mark.parametrize("generator", GENERATORS)
def test_keys_are_those_of_jax(generator: str) -> None:
    for seed in (0, 2**32 - 1):
        expected = jax.random.key(seed, impl=generator)
        assert make_key(seed, generator) == expected
        with jax.default_prng_impl(generator):
            assert default_generator() == str(jax.random.key_impl(jax.random.key(0))) == generator
            assert make_key(seed) == expected


def test_small_networks_share_one_small_program() -> None:
    with compiled() as names:
        for n_x, n_h in ((500, 3), (1, 1), (4095, 1)):
            draw_normals(make_key(2), n_x, n_h)
    assert names == ["jit(_normals)"]
