"""Devices, precision and compilation."""

import contextlib
import dataclasses
import functools
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxlib import version

from jaxnet.errors import UsageError
from jaxnet.explain import is_device_missing, missing_device
from jaxnet.machine import usable_cores

F = TypeVar("F", bound=Callable[..., Any])


# By default JAX multiplies float32 matrices in TF32 on recent GPUs and in bfloat16 on TPUs. A
# gradient inherits the precision of the product that is differentiated.
def at_highest_precision(function: F) -> F:
    """Compute every matrix product in `function` and its gradient at the precision of its dtype."""
    return cast(F, jax.default_matmul_precision("highest")(function))


def require_dtype(dtype: DTypeLike) -> np.dtype:
    """Return `dtype` as a NumPy dtype, if JAX supports it in its current setting.

    Raises:
        UsageError: If `dtype` is neither float32 nor float64, or if it is float64 and JAX would
            silently convert it to float32.
    """
    dtype = np.dtype(dtype)
    if dtype not in (np.float32, np.float64):
        raise UsageError(f"dtype is {dtype}", "float32 or float64", "give one of these")
    if jax.dtypes.canonicalize_dtype(dtype) != dtype:
        raise UsageError(
            f"dtype is {dtype}, but JAX is set to 32 bits",
            "JAX set to 64 bits, since it would silently convert float64 to float32",
            "compute within `with jax.enable_x64(True):`, or give float32",
        )
    return dtype


def find_devices() -> tuple[jax.Device, ...]:
    """Return the devices of this process that JAX computes on; start them unless they are in use.

    Public functions call it before they first need a device, so that one that is missing is not
    taken for a fault of a file or of an argument.

    Raises:
        UsageError: If JAX is told to use a device that it cannot use.
    """
    log, plugins = logging.getLogger("jax._src.xla_bridge"), _PluginFailures()
    log.addFilter(plugins)
    try:
        here = jax.process_index()
        return tuple(device for device in jax.devices() if device.process_index == here)
    except Exception as cause:
        if not is_device_missing(cause):
            raise
        asked = jax.config.values["jax_platforms"] or ""
        raise missing_device(cause, asked, plugins.reasons) from cause
    finally:
        log.removeFilter(plugins)


class _PluginFailures(logging.Filter):
    """Keeps why plugins of JAX fail, which JAX only logs, and shortens each to one line."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        cause = record.exc_info[1] if record.exc_info else None
        if cause is not None:
            self.reasons.append(f"{type(cause).__name__}: {cause}")
            record.msg, record.args = f"{record.getMessage()}: {self.reasons[-1]}", ()
            record.exc_info = None
        return True


def at_precision(dtype: DTypeLike) -> AbstractContextManager[None]:
    """Enable float64 within a `with` block if `dtype` is float64; otherwise change nothing."""
    wide = np.dtype(dtype) == np.float64
    return jax.enable_x64(True) if wide else contextlib.nullcontext()


class PickledOnHost:
    """Pickles JAX arrays as NumPy arrays, so that float64 is kept where JAX is set to 32 bits."""

    def __getstate__(self) -> dict[str, Any]:
        return self._arrays_on_host()

    def _arrays_on_host(self) -> dict[str, Any]:
        return jax.tree.map(_to_host, dict(self.__dict__))

    def __setstate__(self, state: dict[str, Any]) -> None:
        with jax.enable_x64(True):
            self.__dict__.update(jax.tree.map(_from_host, state))


@dataclasses.dataclass(frozen=True)
class _OnHost:
    array: np.ndarray


def _to_host(leaf: Any) -> Any:
    return _OnHost(np.asarray(leaf)) if isinstance(leaf, jax.Array) else leaf


def _from_host(leaf: Any) -> Any:
    return jnp.asarray(leaf.array) if isinstance(leaf, _OnHost) else leaf


# Whether use_all_cores() was called.
_cores_are_devices = False


def use_all_cores() -> None:
    """Make each CPU core a device of JAX, so that a sweep uses all of them.

    Call it once, before the first JAX computation. It has no effect on a GPU or TPU, and does not
    change any result: one training uses all cores as one device, as it does without.

    Raises:
        UsageError: If JAX has already initialised its devices.
    """
    global _cores_are_devices  # noqa: PLW0603  # JAX's own setting is one of the process, too
    try:
        jax.config.update("jax_num_cpu_devices", usable_cores())
    except RuntimeError as cause:
        raise UsageError(
            "JAX has already initialised its devices",
            "use_all_cores() before the first JAX computation",
            "move the call to the start of the program",
        ) from cause
    _cores_are_devices = True


def find_training_devices(*, of_all_processes: bool) -> tuple[jax.Device, ...]:
    """Return the devices over which one training shares out its examples.

    Those of a process follow each other.

    Args:
        of_all_processes: Whether they are those of all processes that work together, or of this one
            alone.
    """
    own = find_devices()
    devices = own
    if of_all_processes:
        devices = tuple(sorted(jax.devices(), key=lambda device: device.process_index))
    if own[0].platform == "cpu" and _cores_are_devices:
        first = {device.process_index: device for device in reversed(devices)}
        devices = tuple(first[index] for index in sorted(first))
    return devices


# On a CPU, XLA offloads reductions to YNNPACK, so they are not fused with neighbouring loops. The
# offloading saves a tenth of the time in pixels, and costs a tenth in the span of the pictures.
# XLA is asked whether it knows the option, which takes a program, where jaxlib is newer than tried.
NEWEST_TRIED = (0, 12)
FUSE_SUMS = {"xla_cpu_experimental_ynn_fusion_type": ""}


@functools.cache
def jit_loop(function: Callable[..., Any], *static_argnames: str, small_products: bool) -> Any:
    """Wrap a training loop in `jax.jit`, once for each function and options.

    Call it where the loop is used, not at import, since it initialises the devices of JAX.

    Args:
        function: The loop.
        static_argnames: As in `jax.jit`.
        small_products: Whether its matrix products take no longer than the elementwise operations
            between them.
    """
    fuse = small_products and jax.default_backend() == "cpu" and _known(FUSE_SUMS)
    options = FUSE_SUMS if fuse else None
    return jax.jit(function, static_argnames=static_argnames, compiler_options=options)


def _known(options: dict[str, Any]) -> bool:
    """Check whether XLA accepts these options; experimental ones may be removed."""
    if version.__version_info__[:2] <= NEWEST_TRIED:
        return True
    try:
        jax.jit(lambda: 0, compiler_options=options).lower().compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True
