"""The options of the compiler: that they are given where they help, and nowhere else."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet import devices as compilation
from jaxnet.devices import FUSE_SUMS, jit_loop

UNKNOWN = {"xla_cpu_no_such_option": ""}


def sums() -> Any:
    """Make a new function, for which nothing is compiled yet."""

    def sums(x: np.ndarray) -> np.ndarray:
        return x.sum(axis=1)

    return sums


def options_of(monkeypatch: pytest.MonkeyPatch, *, small_products: bool) -> Any:
    """Make a loop, and return the options of the compiler that `jax.jit` is given for it."""
    loop, given = sums(), []
    jit = jax.jit

    def spy(function: Any, **settings: Any) -> Any:
        if function is loop:
            given.append(settings["compiler_options"])
        return jit(function, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(jax, "jit", spy)
        jit_loop(loop, small_products=small_products)
    (options,) = given
    return options


def test_a_loop_is_compiled_once_for_each_kind_of_product() -> None:
    def double(x: float, times: int) -> float:
        return x * 2**times

    small, large = (jit_loop(double, "times", small_products=s) for s in (True, False))
    assert small(jnp.float32(3), times=2) == large(jnp.float32(3), times=2) == 12
    assert jit_loop(double, "times", small_products=True) is small
    assert small is not large


def test_sums_are_fused_where_products_are_small_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "_known", lambda options: options is FUSE_SUMS)
    assert options_of(monkeypatch, small_products=True) == FUSE_SUMS
    assert options_of(monkeypatch, small_products=False) is None
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert options_of(monkeypatch, small_products=True) is None


def test_the_options_reach_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "FUSE_SUMS", UNKNOWN)
    monkeypatch.setattr(compilation, "_known", lambda options: True)
    with pytest.raises(jax.errors.JaxRuntimeError, match="xla_cpu_no_such_option"):
        jit_loop(sums(), small_products=True)(jnp.ones((2, 3)))


def test_options_that_this_xla_does_not_know_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "FUSE_SUMS", UNKNOWN)
    assert options_of(monkeypatch, small_products=True) is None
    np.testing.assert_array_equal(jit_loop(sums(), small_products=True)(jnp.ones((2, 3))), [3, 3])
