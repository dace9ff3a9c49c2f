"""Devices, precision, and the options of the compiler: given where they help, and nowhere else."""

import dataclasses
import pickle
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxlib import version

from jaxnet import devices
from jaxnet.devices import FUSE_SUMS, jit_loop
from jaxnet.errors import UsageError

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
    monkeypatch.setattr(devices, "_known", lambda options: options is FUSE_SUMS)
    assert options_of(monkeypatch, small_products=True) == FUSE_SUMS
    assert options_of(monkeypatch, small_products=False) is None
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert options_of(monkeypatch, small_products=True) is None


def test_the_options_reach_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "FUSE_SUMS", UNKNOWN)
    monkeypatch.setattr(devices, "_known", lambda options: True)
    with pytest.raises(jax.errors.JaxRuntimeError, match="xla_cpu_no_such_option"):
        jit_loop(sums(), small_products=True)(jnp.ones((2, 3)))


def test_options_that_this_xla_does_not_know_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "FUSE_SUMS", UNKNOWN)
    monkeypatch.setattr(devices, "NEWEST_TRIED", (0, 9))
    assert options_of(monkeypatch, small_products=True) is None
    np.testing.assert_array_equal(jit_loop(sums(), small_products=True)(jnp.ones((2, 3))), [3, 3])


def test_xla_knows_the_options_in_the_versions_that_were_tried() -> None:
    if version.__version_info__[:2] <= devices.NEWEST_TRIED:
        loop = jax.jit(sums(), compiler_options=FUSE_SUMS)
        np.testing.assert_array_equal(loop(jnp.ones((2, 3))), [3, 3])


def test_all_cores_are_used_or_it_is_told_why_not() -> None:
    program = """
import os, jax, jaxnet
jaxnet.use_all_cores()
assert len(jax.devices()) == len(os.sched_getaffinity(0))
jax.numpy.zeros(1)
try:
    jax.config.update("jax_num_cpu_devices", 1)
except RuntimeError:
    pass
try:
    jaxnet.use_all_cores()
except jaxnet.UsageError as error:
    assert "in use already" in str(error)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_arrays_of_float64_are_pickled_though_jax_is_set_to_32_bits() -> None:
    @dataclasses.dataclass
    class Pair(devices.PickledOnHost):
        array: jax.Array
        text: str

    with jax.enable_x64(True):
        state = Pair(jnp.full(2, 1 + 1e-12), "a").__getstate__()
    again = Pair.__new__(Pair)
    again.__setstate__(pickle.loads(pickle.dumps(state)))
    assert isinstance(again.array, jax.Array)
    assert again.array.dtype == np.float64
    assert (np.asarray(again.array) == 1 + 1e-12).all()
    assert again.text == "a"
    assert jnp.ones(1).dtype == np.float32


def test_float64_is_allowed_within_a_block_only() -> None:
    with devices.at_precision("float64"):
        assert jnp.ones(1).dtype == np.float64
    with devices.at_precision("float32"):
        assert jnp.ones(1).dtype == np.float32
    with jax.enable_x64(True), devices.at_precision("float32"):
        assert jnp.ones(1).dtype == np.float64  # what is set is left as it is
    assert jnp.ones(1).dtype == np.float32


def test_dtypes(x64: None) -> None:
    for dtype in ("float32", jnp.float64, np.dtype("float32")):
        assert devices.require_dtype(dtype) == dtype
    for dtype in ("int32", "float16", "bool"):
        with pytest.raises(UsageError, match=f"dtype is {dtype}"):
            devices.require_dtype(dtype)
