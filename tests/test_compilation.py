import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet import compilation
from jaxnet.compilation import jit_loop


def test_a_loop_is_compiled_once_for_each_kind_of_product() -> None:
    def double(x: float, times: int) -> float:
        return x * 2**times

    small, large = (jit_loop(double, "times", small_products=s) for s in (True, False))
    assert small(jnp.float32(3), times=2) == large(jnp.float32(3), times=2) == 12
    assert jit_loop(double, "times", small_products=True) is small
    assert small is not large


def test_options_that_this_xla_does_not_know_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def sums(x: np.ndarray) -> np.ndarray:
        return x.sum(axis=1)

    monkeypatch.setattr(compilation, "FUSE_SUMS", {"xla_cpu_no_such_option": ""})
    np.testing.assert_array_equal(jit_loop(sums, small_products=True)(jnp.ones((2, 3))), [3, 3])
